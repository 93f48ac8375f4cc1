"""Thumbtack's free-text prices as cents, for adding up; people are always shown the text as sent."""

import re

_AMOUNT = r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3}){1,6}|[0-9]{1,19})(?:\.(?P<cents>[0-9]{1,2})0*)?(?![\w]|[.,][0-9])"
_DOLLARS = re.compile(rf"(?<![-−])\$\s*{_AMOUNT}")
_BARE = re.compile(rf"\s*{_AMOUNT}\s*(?:/.*)?", re.DOTALL)
_PLAIN = re.compile(r"(?P<whole>[0-9]{1,15})(?P<rest>\.[0-9]{1,4})?")
_LARGEST = 2**63 - 1  # what a 64-bit column takes


def cents(text: str | None) -> int | None:
    """The one amount in a price text, in cents; None where there is none, more than one, or a negative one.

    Thumbtack's page of the Pro API: "$1,260.50", "$260/hour", "$100/guest", "N/A"; seen besides: "26" and "More
    information needed to give an estimate". A range has two amounts and so none that could be added up. Never raises.
    """
    if text is None:
        return None
    found = _DOLLARS.search(text) if text.count("$") == 1 else None
    if found is None and "$" not in text:
        found = _BARE.fullmatch(text)
    if found is None:
        return None
    amount = int(found["whole"].replace(",", "")) * 100 + int((found["cents"] or "0").ljust(2, "0"))
    return amount if amount <= _LARGEST else None


def dollars(text: str | None) -> str | None:
    """A bare number as people write money, "1234.56" as "$1,234.56"; anything else, "$25.00" too, as it is.

    v4 writes one amount of the same estimate with the sign and another without (seen in real deliveries).
    """
    found = _PLAIN.fullmatch(text) if text else None
    return f"${int(found['whole']):,}{found['rest'] or ''}" if found else text
