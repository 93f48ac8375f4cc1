"""The posts about private leads and the window that opens them, for the golden files."""

from datetime import timedelta
from typing import Any

from support.samples import FILE, NOW, PHOTO, a_customer, a_lead, a_message, a_review, a_view

from bot.blocks import leads, numbers, private, revealed
from bot.blocks.leads import RepliesGo
from bot.blocks.posts import Post
from storage.models import Direction, Environment, ReplyState
from storage.states import LeadState

ANA, RING = "U012AB3CD", ("U012AB3CD", "S034EF5GH")
BEFORE = NOW - timedelta(days=180)

POSTS: dict[str, list[Post]] = {
    "lead_again": [leads.card(a_view(contacted_before=BEFORE))],
    "private_card": [
        leads.card(a_view(private=True, ring=RING, contacted_before=BEFORE)),
        leads.card(a_view(a_lead(owner=ANA), private=True, state=LeadState.CLAIMED)),
        leads.card(
            a_view(
                a_lead(owner=ANA, first_answer_at=NOW, waiting_since=NOW),
                private=True,
                state=LeadState.WAITING,
                replies=RepliesGo.QUIET,
            )
        ),
        leads.card(
            a_view(
                a_lead(environment=Environment.STAGING, received_at=None),
                private=True,
                business=None,
                replies=RepliesGo.STAGING,
            )
        ),
    ],
    "private_lines": [
        private.message(7, from_business=False, ring=(ANA,), broadcast=True),
        private.message(7, from_business=True, ring=(), broadcast=False),
        private.arrived(7, RING),
        private.reply(7, ANA),
        private.reply(7, None),
        private.cost_changed(7),
        private.status_changed(7),
        private.review(5, in_thread=True),
    ],
    "private_refused": [
        revealed.did_not_open(),
        revealed.not_a_member(),
        revealed.not_here(),
        revealed.not_asked(),
        revealed.for_members_only(),
    ],
}

_REPLY = {"direction": Direction.OUTBOUND, "author": ANA}
_MESSAGES = [
    a_message(id=9, text=None, attachments=[PHOTO, FILE]),
    a_message(id=8, text="On my way.", state=ReplyState.REFUSED, **_REPLY),
    a_message(id=7, text="Let me look.", sent_text="Let me look.\nAna", state=ReplyState.UNKNOWN, **_REPLY),
    a_message(id=6, author="business", text="Yes, we do."),
    a_message(id=5, text="Thanks for asking!", author=None, direction=Direction.OUTBOUND, state=ReplyState.DELIVERED),
    a_message(sent_at=NOW - timedelta(minutes=9), text="*Do* you offer <!channel> cleaning?\n> or is that extra?"),
]
_LONG = a_lead(details=[{"question": f"Question {n}?", "answer": "An answer of some length. " * 8} for n in range(99)])

WINDOWS: dict[str, dict[str, Any]] = {
    "modal_private": revealed.lead_window(
        a_view(customer=a_customer(), contacted_before=BEFORE), messages=_MESSAGES, reviews_=[a_review(photos=[PHOTO])]
    ),
    "modal_private_first_page": revealed.lead_window(a_view(_LONG), messages=()),
    "modal_private_last_page": revealed.lead_window(a_view(_LONG), messages=(), page=99),
    "modal_private_review": revealed.review_window(a_review(lead_id=None, rating="odd", text=None)),
    "modal_private_closed": revealed.closed(revealed.not_a_member()),
    "modal_number": numbers.explanation(),
}
