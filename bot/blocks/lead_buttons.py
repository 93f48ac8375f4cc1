"""What stands at the head and the foot of a lead's card for the team: how it stands and who has it, and the buttons."""

from collections.abc import Iterator
from typing import assert_never

from bot.blocks import terms
from bot.blocks.kit import (
    Block,
    Element,
    actions,
    button,
    icon,
    line,
    link_button,
    moment,
    person,
    rich,
    small_plain,
    words,
)
from bot.blocks.lead_view import LeadView, RepliesGo
from bot.blocks.mrkdwn import shorten
from storage.models import Lead
from storage.states import FINISHED, LeadState

_ICONS = {
    LeadState.NEW: "new",
    LeadState.CLAIMED: "raising_hand",
    LeadState.ANSWERED: "speech_balloon",
    LeadState.WAITING: "alarm_clock",
    LeadState.WON: "trophy",
    LeadState.LOST: "heavy_minus_sign",
    LeadState.CLOSED: "lock",
}


def standing(view: LeadView) -> Block:
    """How the lead stands and who has it, in one line; a mention in a card that is changed rings for nobody."""
    told: list[Element] = [icon(_ICONS[view.state]), words(" "), words(_state(view), bold=True)]
    if view.state is LeadState.WAITING and view.lead.waiting_since is not None:
        told += [words(" since "), moment(view.lead.waiting_since)]
    return rich(line(*told, *_owner(view)))


def _state(view: LeadView) -> str:
    cents = view.lead.won_cents
    return f"Won {dollars(cents)}" if view.state is LeadState.WON and cents is not None else view.state.value


def _owner(view: LeadView) -> list[Element]:
    owner = view.lead.owner
    if owner is None:
        return [] if view.state in FINISHED else [words(" · nobody has it yet")]
    after = {LeadState.CLAIMED: ", not answered yet"}.get(
        view.state, " had it" if view.state in FINISHED else " has it"
    )
    return [words(" · "), person(owner), words(after)]


def dollars(cents: int) -> str:
    """An amount as people write it: `$450`, `$1,250.50`."""
    return f"${cents / 100:,.2f}".removesuffix(".00")


def first(view: LeadView) -> list[Block]:
    """What can be done at once. It stands above the details, which are long in some leads: nobody has to scroll to it."""
    return _row(view, _now(view))


def foot(view: LeadView) -> list[Block]:
    """What becomes of what is written in the thread, then what is done later."""
    return [small_plain(_mode(view)), *_row(view, _later(view))]


def _row(view: LeadView, buttons: Iterator[Element]) -> list[Block]:
    shown = [] if view.replies is RepliesGo.TEST else list(buttons)
    return [actions(shown)] if shown else []


def _mode(view: LeadView) -> str:
    known = None if view.private else view.name
    name = shorten(known or "the customer", 80).removesuffix(".")  # "Sam W." ends the sentence by himself
    match view.replies:
        case RepliesGo.OUT:
            seen = ", and this channel reads them; with Reply it does not" if view.private else ""
            return f"Replies in this thread go to {name}{seen}. Start one with “note:” to keep it inside."
        case RepliesGo.QUIET:
            return f"Only the Reply button, and messages that start with “send:”, go to {name}. The rest stays inside."
        case RepliesGo.INSIDE:
            return "Replies here stay inside: Corkboard has no Thumbtack credentials for this business. Answer in Thumbtack."
        case RepliesGo.STAGING:
            return "Replies are not sent: this lead is from Thumbtack's other environment."
        case RepliesGo.TEST:
            return "Replies are not sent: this is a test delivery of Thumbtack's."
        case _:
            assert_never(view.replies)


def _now(view: LeadView) -> Iterator[Element]:
    """The next step, where there is one, is in green: take it, then answer; of a private lead it is to open it."""
    lead_id = lead_id_of(view.lead)
    is_free = view.lead.owner is None and view.state not in FINISHED
    is_next = view.state in (LeadState.CLAIMED, LeadState.WAITING) and not is_free and not view.private
    if is_free:
        yield button("lead_claim", "I've got it", lead_id, style=None if view.private else "primary")
    if view.replies in (RepliesGo.OUT, RepliesGo.QUIET):
        yield button("reply_open", "Reply", lead_id, style="primary" if is_next else None)
        yield button("lead_saved", "Saved replies", lead_id)
    elif view.replies is RepliesGo.INSIDE and view.lead_url:
        yield link_button("lead_open", "Open in Thumbtack", view.lead_url)
    if view.replies is not RepliesGo.STAGING:
        yield from terms.pages(view.lead, view.lead_url)


def _later(view: LeadView) -> Iterator[Element]:
    """What changes how the lead stands; what would change nothing is left out."""
    lead, lead_id = view.lead, lead_id_of(view.lead)
    if lead.outcome is not None:
        yield button("lead_reopen", "Reopen", lead_id)
        yield button("lead_won", "Amount" if view.state is LeadState.WON else "Won", lead_id)
        return
    if view.state not in FINISHED:
        if lead.first_answer_at is None or lead.waiting_since is not None:
            yield button("lead_elsewhere", "Called / answered elsewhere", lead_id)
        yield button("lead_handover", "Hand over", lead_id)
        if lead.owner is not None:
            yield button("lead_release", "Release", lead_id)
    yield button("lead_won", "Won", lead_id)
    yield button("lead_lost", "Lost", lead_id)


def lead_id_of(lead: Lead) -> int:
    """Our own id, which every button of a card carries."""
    if lead.id is None:
        raise ValueError("a lead that is not stored has no card")
    return lead.id
