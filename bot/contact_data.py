"""Whether a text carries a phone number or an e-mail address, which Thumbtack discourages in messages."""

import re
import unicodedata

from bot.lazily import lazily

phonenumbers = lazily("phonenumbers")

FEWEST_DIGITS = 7
"""A local number has so many; what has fewer is none."""

_EMAIL = re.compile(
    r"(?<![^\s@<>()\[\],;:\"'])[^\s@<>()\[\],;:\"']+(?:@|\s?[(\[]\s?(?:at|@)\s?[)\]]\s?)"
    r"[^\s@<>()\[\],;:\"']+\.[^\W\d_]{2,}",
    re.IGNORECASE,
)
_BETWEEN = r"[\s./()\-\u2010-\u2015]{0,3}"
_ALONE = r"(?<![\w$\u20ac\u00a3])(?<!\d[.,/\-\u2010-\u2015])"  # not the end of a longer number, nor a price
_NO_MORE = r"(?!\d)(?![.,/\-\u2010-\u2015]\d)"

# North America: an area code and an exchange never begin with 0 or 1 (nationalnanpa.com, "numbering resources").
_NUMBER = re.compile(
    rf"{_ALONE}(?:\+?1{_BETWEEN})?\(?[2-9]\d\d{_BETWEEN}[2-9]\d\d{_BETWEEN}\d\d{_BETWEEN}\d\d{_NO_MORE}"
)
_MEASURED = r"(?!\s?(?:[$%\u00d7]|(?:square|sq|ft|sqft|feet|lbs?|usd|dollars)\b))"
_LOCAL = re.compile(rf"{_ALONE}([2-9]\d\d)[.\-\u2010-\u2015](\d{{4}}){_NO_MORE}{_MEASURED}", re.IGNORECASE)
_ROUND = 50
"""Of a range such as 500-1000 both ends can be divided by it."""


def carries(text: str | None) -> bool:
    """Whether somebody who reads this could call or write past Thumbtack. Prices, dates, sizes and zip codes are no number."""
    seen = unicodedata.normalize("NFKC", text or "")
    if _EMAIL.search(seen):
        return True
    if sum(map(str.isdecimal, seen)) < FEWEST_DIGITS:
        return False
    return bool(_NUMBER.search(seen)) or any(map(_is_no_range, _LOCAL.finditer(seen))) or _is_called_abroad(seen)


def _is_no_range(found: re.Match[str]) -> bool:
    """Whether it is a number without its area code, such as 555-0123."""
    first, last = int(found[1]), int(found[2])
    return found[2].startswith("0") or bool(first % _ROUND or last % _ROUND)


def _is_called_abroad(seen: str) -> bool:
    """Whether there is a number of any country, with its plus sign."""
    return "+" in seen and phonenumbers.PhoneNumberMatcher(seen, None, leniency=phonenumbers.Leniency.VALID).has_next()
