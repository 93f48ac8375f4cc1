"""How to reach a customer: a number to call and a place to drive to."""

import re
from urllib.parse import quote_plus

from bot.blocks.kit import Element, button
from bot.blocks.mrkdwn import visible
from bot.lazily import lazily
from storage.models import Lead

phonenumbers = lazily("phonenumbers")

# Characters that mean nothing in mrkdwn, where a phone link has to stand.
_PLAIN_NUMBER = re.compile(r"[0-9+(][0-9+(). x/-]{5,30}")
_LONGEST_URL = 600


def call_link(phone: str | None) -> str | None:
    """The number as sent, as mrkdwn that calls it; None where it cannot be dialled from the United States.

    Slack opens `tel:` links, though its pages do not say so (https://github.com/monstar-lab-oss/deepl-for-slack-elixir
    issue 15), so they are written as mrkdwn: there an unknown link would only look odd, not be refused.
    """
    shown = visible(phone)
    if shown is None or not _PLAIN_NUMBER.fullmatch(shown):
        return None
    try:
        number = phonenumbers.parse(shown, "US")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    dialled = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"<tel:{dialled}|{shown}>"


def number_button(lead_id: int) -> Element:
    """Beside a number: opens what is known about Thumbtack Numbers (`bot.blocks.numbers`)."""
    return button("lead_number", "What is this number?", lead_id)


def address(lead: Lead) -> str | None:
    """The place as one line, as much of it as is known."""
    state_and_zip = " ".join(filter(None, (visible(lead.state), visible(lead.zip_code))))
    parts = [visible(lead.address1), visible(lead.address2), visible(lead.city), state_and_zip]
    return ", ".join(filter(None, parts)) or None


def map_url(place: str) -> str | None:
    """A page that shows a place on a map and the way there (https://developers.google.com/maps/documentation/urls).

    Google learns the place only from whoever follows the link. None for what is too long to be an address.
    """
    url = f"https://www.google.com/maps/search/?api=1&query={quote_plus(place.replace(chr(10), ' '))}"
    return url if len(url) <= _LONGEST_URL else None
