"""How a lead stands and what is paid, as v4 tells more of it: status, estimate, cost, and Thumbtack's own pages."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from bot.blocks.kit import Element, icon, menu, words
from bot.blocks.mrkdwn import shorten, visible
from storage.models import Lead

_LONGEST = 100
_LONGEST_URL = 600
_CODE = re.compile(r"[0-9A-Za-z-]{1,20}")
_CHARGES = {"created": "not charged yet"}
_STANDS = {"open": None, "active": None, "canceled": "Canceled", "cancelled": "Canceled"}
_NO_AMOUNT = {
    "OnSite": "Estimate after seeing it on site",
    "MoreInfo": "More information needed to give an estimate",
}


def status(lead: Lead) -> list[list[Element]]:
    """A line about a lead that is no longer open; Thumbtack does not say what "Picked" means, so it is told as it is."""
    told = _standing(lead)
    if told is None:
        return []
    name = "no_entry" if told == "Canceled" else "label"
    return [[icon(name), words(" "), words(f"{shorten(told, _LONGEST)} in Thumbtack", bold=True)]]


def _standing(lead: Lead) -> str | None:
    """What has become of a lead; None while it is open."""
    said = visible(lead.status)
    return _STANDS.get(said.casefold(), said) if said else None


def estimate(lead: Lead) -> list[list[Element]]:
    """A line about how the estimate comes about, where the card's headline does not say it already."""
    told = _estimate(lead)
    return [[icon("moneybag"), words(f" {told}")]] if told else []


def _estimate(lead: Lead) -> str | None:
    """`Estimate: $1,234.56/room × 2 = $2,469.12`."""
    said = lead.estimate or {}
    if (kind := said.get("type")) in _NO_AMOUNT:
        return _NO_AMOUNT[kind]
    price, quantity, unit, total = map(
        _part, (said.get("price_per_unit"), said.get("unit_quantity"), said.get("unit_name"), said.get("total"))
    )
    if price is None or (unit is None and quantity is None) or (kind == "Fixed" and quantity in (None, "1")):
        return None
    told = f"{price}/{unit}" if unit else price
    if quantity not in (None, "1"):
        told += f" × {quantity}"
    if total not in (None, price):
        told += f" = {total}"
    return None if told == lead.price_text else f"Estimate: {told}"


def _part(text: str | None) -> str | None:
    seen = visible(text)
    return " ".join(shorten(seen, _LONGEST).split()) if seen else None


def cost(charge_text: str | None, charge_state: str | None, *, tax: str | None = None) -> str | None:
    """What Thumbtack takes for the lead, and how that stands: `$25.00 incl. $1.85 tax, not charged yet`."""
    amount, state = _known(charge_text), _known(charge_state)
    if amount and (tax := _known(tax)):
        amount += f" incl. {tax} tax"
    return ", ".join(filter(None, (amount, _CHARGES.get((state or "").casefold(), state)))) or None


def cost_of(lead: Lead) -> str | None:
    """What this lead costs."""
    tax = str((lead.charge_breakdown or {}).get("salesTax") or "")
    return cost(lead.charge_text, lead.charge_state, tax=None if _is_nothing(tax) else tax)


def _known(text: str | None) -> str | None:
    seen = visible(text)
    return shorten(seen, _LONGEST) if seen and seen.casefold() != "n/a" else None


def _is_nothing(amount: str) -> bool:
    return not amount.strip("$0., ")


def asked_others(lead: Lead) -> str | None:
    """How many others the customer asked, while the lead is open: the first to answer has the better chances."""
    count = 0 if _standing(lead) else lead.asked_others or 0
    return f"Also asked {count} other {'pro' if count == 1 else 'pros'}" if count else None


def access_code(lead: Lead) -> str | None:
    """The code with which a phone that Thumbtack does not know reaches the customer; letters, digits, hyphens only."""
    code = visible(lead.access_code)
    return f"access code {code}" if code and _CODE.fullmatch(code) else None


def pages(lead: Lead, lead_url: str | None) -> list[Element]:
    """A menu of Thumbtack's pages for this lead; nothing where it gave us no page of its own to offer."""
    given = list(_pages(lead))
    if not given or lead.id is None:
        return []
    opens = [("Open in Thumbtack", lead_url)] if lead_url else []
    return [menu("lead_pages", [*opens, *given], lead.id)]


def _pages(lead: Lead) -> Iterator[tuple[str, str]]:
    """What nobody can need any more is left out."""
    if (url := _checked(lead.review_link)) and not _is(lead.status, "cancel"):
        yield "Ask for a review", url
    if (url := _checked(lead.refund_link)) and not _is(lead.charge_state, "refund"):
        yield "Ask for a refund", url


def _is(said: str | None, word: str) -> bool:
    return (said or "").casefold().startswith(word)


def _checked(url: str | None) -> str | None:
    """The address, if it is one of Thumbtack's."""
    try:
        parts = urlsplit(url or "")
        host = parts.hostname or ""
    except ValueError:
        return None
    is_theirs = host == "thumbtack.com" or host.endswith(".thumbtack.com")
    is_clean = url is not None and len(url) <= _LONGEST_URL and url.isascii() and url.isprintable() and " " not in url
    return url if parts.scheme == "https" and is_theirs and is_clean and not parts.username else None
