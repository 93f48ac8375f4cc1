"""What people see when a team works leads: the card in each of its states, the questions, the lines, the windows."""

from datetime import timedelta
from typing import Any

from support.samples import NOW, a_bare_lead, a_lead, a_v4_lead, a_view

from bot.blocks import deliveries, leads, modals, working
from bot.blocks.leads import RepliesGo
from bot.blocks.posts import Post
from bot.errors import Reason
from storage import states
from storage.models import Lead, LeadOutcome

ANA, BEN = "U0ANA", "U0BEN"
SINCE = NOW - timedelta(minutes=12)
ANSWERED = {"owner": ANA, "first_answer_at": NOW - timedelta(hours=2), "first_answer_via": "slack"}
FINISHED = {**ANSWERED, "outcome_at": NOW, "outcome_by": ANA}

STATES: dict[str, dict[str, Any]] = {
    "new": {"waiting_since": SINCE},
    "claimed": {"owner": ANA, "waiting_since": SINCE},
    "answered": ANSWERED,
    "waiting": {**ANSWERED, "waiting_since": SINCE},
    "won": {**FINISHED, "outcome": LeadOutcome.WON, "won_cents": 125_050},
    "lost": {**FINISHED, "outcome": LeadOutcome.LOST},
    "closed": {**ANSWERED, "status": "Canceled"},
}
"""The fields of a lead in each state."""


def a_card(lead: Lead, **fields: Any) -> Post:
    """The card of a lead, in the state that its fields say."""
    return leads.card(a_view(lead, state=states.of(lead), **fields))


POSTS: dict[str, list[Post]] = {
    **{f"lead_state_{name}": [a_card(a_lead(**fields))] for name, fields in STATES.items()},
    "lead_state_answered_elsewhere": [a_card(a_lead(**{**ANSWERED, "owner": None}))],
    "lead_state_waiting_v4": [a_card(a_v4_lead(**STATES["waiting"]), replies=RepliesGo.QUIET)],
    "lead_state_claimed_inside": [a_card(a_lead(**STATES["claimed"]), replies=RepliesGo.INSIDE)],
    "lead_state_claimed_placeholder": [a_card(a_bare_lead(received_at=None, owner=BEN), business=None, customer=None)],
    "lead_state_private": [a_card(a_lead(**STATES["claimed"]), private=True)],
    "lead_state_test_delivery": [a_card(a_lead(is_test=True), replies=RepliesGo.TEST)],
    "reply_second_writer": [deliveries.doubted(3, why=Reason.SECOND_WRITER, owner=BEN, said="We come at 9.")],
    "reply_second_writer_gone": [deliveries.doubted(3, why=Reason.SECOND_WRITER, owner=None, said="We come at 9.")],
    "reply_contact_data": [
        deliveries.doubted(3, why=Reason.CONTACT_DATA, owner=None, said="Call me at 512-555-0148 when you are home.")
    ],
    "reply_asked_directly": [
        deliveries.directly(
            deliveries.doubted(3, why=Reason.SECOND_WRITER, owner=BEN, said="We come at 9."),
            "https://corkboard.slack.com/archives/C0LEADS/p1788287400000100",
        ),
        deliveries.directly(deliveries.file_choice(3), None),
    ],
    "reply_asked_more": [deliveries.asked_more()],
    "worked_lines": [
        working.handed_over(to=BEN, by=ANA),
        working.handed_over(to=ANA, by=ANA),
        working.released(by=ANA, before=ANA),
        working.released(by=BEN, before=ANA),
        working.elsewhere(by=ANA),
        working.won(by=ANA, cents=45_000),
        working.won(by=ANA, cents=None),
        working.lost(by=ANA),
        working.reopened(by=ANA),
    ],
    "worked_whispers": [
        working.taken(BEN),
        working.yours(),
        working.nobodys(),
        working.nothing_waits(),
        working.known(),
        working.over(),
        working.gone(),
        working.did_not_open(),
        deliveries.cannot(Reason.OUTSIDER),
    ],
}
_HEADLINE = leads.headline(a_lead())
WINDOWS = {
    "modal_handover": working.handover_window(7, headline=_HEADLINE, owner=ANA),
    "modal_handover_private": working.handover_window(7, headline=None, owner=None),
    "modal_won": working.won_window(7, headline=_HEADLINE, cents=None),
    "modal_won_before": working.won_window(7, headline=_HEADLINE, cents=125_050),
    "modal_held": modals.reply_modal(
        7, headline=_HEADLINE, customer_name="John Davis", mode=RepliesGo.OUT, held_by=BEN
    ),
}
