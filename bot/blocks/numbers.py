"""What a Thumbtack Number is, for who asks; dated, because only Thumbtack knows what holds today."""

from typing import Any

from bot.blocks.kit import plain, section, small

AS_OF = "October 2026"
"""When this was put together: Thumbtack's page about phone numbers is of May 1, 2026, the reports of others of September."""

_TOLD = """\
*A number that stands in for the customer's own.* Thumbtack sends the number that the card shows. Since the summer of \
2026 that is usually a Thumbtack Number: the customer's own is masked, and nobody sends it to us.

*Calls and texts are forwarded by a third party.* They go to Thumbtack, or to a phone company that works for it, and from \
there to the customer. Businesses report that calls are recorded.

*Not every phone gets through.* Registered phones may call and text. Others are asked for an access code; the card shows \
it where Thumbtack sent one. `/thumbtack phones` shows who is registered.

*It is no proof of who somebody is.* The next request of the same customer may come with another number.

Corkboard only shows what it was sent. It cannot say how long a number works, whether a text arrives, or who keeps what \
is said: ask Thumbtack."""


def explanation() -> dict[str, Any]:
    """The window behind "What is this number?"; it promises nothing."""
    return {
        "type": "modal",
        "callback_id": "number_window",
        "title": plain("What is this number?"),
        "close": plain("Close"),
        "blocks": [
            section(_TOLD),
            small(f"As of {AS_OF}, from Thumbtack's pages for developers and what others report. It may have changed."),
        ],
    }
