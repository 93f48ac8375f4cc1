"""What people read and fill in when they work a lead: who has it, to whom it goes, and what became of it.

`user` and the like are Slack user ids. The lines stand in the lead's thread; what is told to one person alone says so.
"""

import re
from collections.abc import Mapping
from typing import Any

from bot.blocks.kit import Block, Element, icon, line, person, plain, rich, section, small_plain, words
from bot.blocks.lead_buttons import dollars
from bot.blocks.mrkdwn import mention, shorten
from bot.blocks.posts import Post
from bot.blocks.reading import filled
from bot.plaintext import decoded
from webhooks.thumbtack import money

TO = "to"
AMOUNT = "amount"
"""The inputs of the two windows; also their block_ids."""

_PERSON = re.compile(r"[UW][A-Z0-9]{2,20}")
_LONGEST_AMOUNT = 30

CHOOSE = "Choose a person."
HAS_IT = "They have this lead already."
CANNOT_HAVE = (
    "They cannot work leads: a guest, a bot, no longer here, or of another company. A keeper can allow guests."
)
NO_AMOUNT = "Write an amount in dollars, such as 450 or 1,250.50, or nothing."
OVER = "This lead is over, as its card says. Nothing was changed."
GONE = "This lead is not known here any more: it was erased. Nothing was changed."


def handed_over(*, to: str, by: str) -> Post:
    """The one line of these that rings: for whom the lead is now."""
    if to == by:
        return _line("raising_hand", "took this lead over.", by)
    told = [person(to), words(", this lead is yours now: "), person(by), words(" handed it over.")]
    return Post(text="A lead was handed over to you.", blocks=[rich(line(icon("point_right"), words(" "), *told))])


def released(*, by: str, before: str) -> Post:
    """Nobody has the lead any more; rings for who had it, where another released it."""
    if by == before:
        return _line("wave", "released this lead. Nobody has it now.", by)
    told = [person(by), words(" released this lead, which "), person(before), words(" had. Nobody has it now.")]
    return Post(text="A lead was released.", blocks=[rich(line(icon("wave"), words(" "), *told))])


def elsewhere(*, by: str) -> Post:
    """Somebody reached the customer in another way."""
    return _line("telephone_receiver", "called, or answered elsewhere. Nobody is reminded of it any more.", by)


def won(*, by: str, cents: int | None) -> Post:
    """A lead became a job; `cents` is what it brought, where somebody said so."""
    brought = "" if cents is None else f": {dollars(cents)}"
    return _line("trophy", f"marked this lead as won{brought}.", by)


def lost(*, by: str) -> Post:
    """A lead came to nothing."""
    return _line("heavy_minus_sign", "marked this lead as lost. Nobody is reminded of it any more.", by)


def reopened(*, by: str) -> Post:
    """It is not over after all."""
    return _line("repeat", "opened this lead again.", by)


def _line(name: str, told: str, by: str) -> Post:
    return Post(text=f"Somebody {told}", blocks=[rich(line(icon(name), words(" "), person(by), words(f" {told}")))])


def taken(owner: str) -> Post:
    """For who pressed "I've got it" when somebody else had it."""
    return _told(f"{mention([owner])} has this lead. Hand over gives it to somebody else.")


def yours() -> Post:
    """For who pressed it when they had it."""
    return _told("You have this lead already.")


def nobodys() -> Post:
    """For who released what nobody had."""
    return _told("Nobody has this lead.")


def nothing_waits() -> Post:
    """For who said that they answered elsewhere, when the customer waited for nothing."""
    return _told("The customer is not waiting for an answer. Nothing was changed.")


def known() -> Post:
    """For who said what was said before."""
    return _told("The card says so already. Nothing was changed.")


def over() -> Post:
    """For who pressed what a lead that is over has no button for any more."""
    return _told(OVER)


def gone() -> Post:
    """For who pressed a button of a lead that was erased."""
    return _told(GONE)


def did_not_open() -> Post:
    """For who pressed a button whose window Slack did not show: it must come within 3 s of the press."""
    return _told("The window did not open in time. Press the button again.")


def _told(told: str) -> Post:
    return Post(text=told, blocks=[section(told)])


def handover_window(lead_id: int, *, headline: str | None, owner: str | None) -> dict[str, Any]:
    """The window that asks to whom a lead goes. `headline`: which lead, escaped; None where it says nothing of it."""
    element: Element = {"type": "users_select", "action_id": TO, "placeholder": plain("Choose a person")}
    field = {"type": "input", "block_id": TO, "label": plain("Who has it from now on?"), "element": element}
    has_it = [section(f"{mention([owner])} has it now.")] if owner else []
    return _window(
        "handover_modal", "Hand over", [_about(headline, lead_id), *has_it, field], lead_id, submit="Hand over"
    )


def won_window(lead_id: int, *, headline: str | None, cents: int | None) -> dict[str, Any]:
    """The window that asks what a lead brought; nothing has to be said. `cents`: what was said before."""
    element: Element = {"type": "plain_text_input", "action_id": AMOUNT, "max_length": _LONGEST_AMOUNT}
    element |= {"placeholder": plain("$450")} if cents is None else {"initial_value": dollars(cents)}
    field = {
        "type": "input",
        "block_id": AMOUNT,
        "optional": True,
        "label": plain("What is the job worth?"),
        "hint": plain("Stays here: Thumbtack and the customer are not told."),
        "element": element,
    }
    return _window("won_modal", "Won", [_about(headline, lead_id), field], lead_id, submit="Won")


def _about(headline: str | None, lead_id: int) -> Block:
    return small_plain(shorten(decoded(headline), 300) if headline else f"Lead {lead_id}")


def _window(callback_id: str, title: str, blocks: list[Block], lead_id: int, *, submit: str) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": callback_id,
        "private_metadata": str(lead_id),
        "title": plain(title),
        "submit": plain(submit),
        "close": plain("Cancel"),
        "blocks": blocks,
    }


def chosen(view: Mapping[str, Any]) -> str | None:
    """Whom a submitted window hands the lead to; None where nobody was chosen."""
    state = view.get("state") or {}
    field = ((state.get("values") or {}).get(TO) or {}).get(TO) or {}
    found = str(field.get("selected_user") or "")
    return found if _PERSON.fullmatch(found) else None


def amount(view: Mapping[str, Any]) -> tuple[int | None, bool]:
    """What a submitted window says the lead brings, in cents, and whether that can be read; nothing written is None."""
    written = filled(view, AMOUNT).strip()
    if not written:
        return None, True
    cents = money.cents(written)
    return cents, cents is not None
