"""Every kind of message, as a file to look at: `UPDATE_GOLDEN=1` writes them anew, and the diff shows what changed."""

import json
import os
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from support.absence_samples import POSTS as ABSENCES
from support.channel_samples import POSTS as CHANNELS
from support.channel_samples import WINDOWS as CHANNEL_WINDOWS
from support.connecting_samples import POSTS as CONNECTING
from support.connecting_samples import WINDOWS as CONNECTING_WINDOWS
from support.disconnecting_samples import POSTS as DISCONNECTING
from support.disconnecting_samples import WINDOWS as DISCONNECTING_WINDOWS
from support.judge_blocks import judge
from support.list_samples import POSTS as LISTS
from support.list_samples import tabs
from support.phone_samples import POSTS as PHONES
from support.phone_samples import WINDOWS as PHONE_WINDOWS
from support.private_samples import POSTS as PRIVATE
from support.private_samples import WINDOWS as PRIVATE_WINDOWS
from support.reminder_samples import POSTS as REMINDERS
from support.reminder_samples import WINDOWS as BUSINESS_WINDOWS
from support.routing_samples import POSTS as ROUTING
from support.routing_samples import WINDOWS as ROUTING_WINDOWS
from support.samples import (
    FILE,
    NOW,
    NOWHERE,
    PHOTO,
    a_bare_lead,
    a_customer,
    a_lead,
    a_message,
    a_review,
    a_v4_lead,
    a_view,
)
from support.saved_samples import POSTS as SAVED
from support.saved_samples import WINDOWS as SAVED_WINDOWS
from support.status_samples import ANA, CREW, OLGA, PAGES
from support.targeting_samples import POSTS as TARGETING
from support.webhook_samples import POSTS as WEBHOOKS
from support.working_samples import POSTS as WORKING
from support.working_samples import WINDOWS as WORKING_WINDOWS

from bot.blocks import deliveries, events, help, keepers, leads, messages, modals, notices, pointers, reviews, standing  # noqa: A004 -- the page's own name
from bot.blocks import settings as part_blocks
from bot.blocks import settings_people as settings_blocks
from bot.blocks import status as status_blocks
from bot.blocks.leads import RepliesGo
from bot.blocks.posts import Post
from bot.blocks.settings_people import Keepers
from storage.models import Environment

GOLDEN = Path(__file__).parents[2] / "golden"
RING = ("U012AB3CD", "S034EF5GH")
LONG = a_view(
    a_lead(
        description="The landlord wants everything white again. " * 30,
        details=[{"question": f"Question {n}?", "answer": "An answer of some length. " * 4} for n in range(500)],
    )
)
BOOKED = [{"kind": "booking", "start": "2027-01-02T20:30:00+00:00", "end": "2027-01-02T22:00:00+00:00"}]
MANY_TIMES = a_view(
    a_v4_lead(
        windows=[
            {"kind": "proposed", "start": f"2026-09-{day}T16:00:00+00:00", "end": f"2026-09-{day}T19:30:00+00:00"}
            for day in range(20, 26)
        ],
        estimate={"type": "OnSite"},
        price_text=None,
    )
)

KINDS: dict[str, list[Post]] = {
    "lead_full": [leads.card(a_view(ring=RING))],
    "lead_bare": [leads.card(a_view(a_bare_lead(), business=None, customer=None, ring_hint=True))],
    "lead_estimate_unknown": [
        leads.card(a_view(a_lead(price_text="More information needed to give an estimate", address1=None, details=[])))
    ],
    "lead_test": [leads.card(a_view(a_lead(environment=Environment.STAGING), replies=RepliesGo.STAGING))],
    "lead_inside": [leads.card(a_view(replies=RepliesGo.INSIDE))],
    "lead_quiet": [leads.card(a_view(replies=RepliesGo.QUIET))],
    "lead_placeholder": [leads.card(a_view(a_bare_lead(received_at=None), business=None, customer=None))],
    "lead_long": [leads.card(LONG), *leads.continuations(LONG)],
    "lead_v4": [leads.card(a_view(a_v4_lead(), ring=RING))],
    "lead_v4_booked_inside": [
        leads.card(
            a_view(
                a_v4_lead(windows=BOOKED, estimate=None, price_text="$150.00", asked_others=1, refund_link=None),
                replies=RepliesGo.INSIDE,
            )
        )
    ],
    "lead_v4_canceled": [
        leads.card(a_view(a_v4_lead(status="Canceled", charge_state="Refunded"), zone=ZoneInfo("America/New_York")))
    ],
    "lead_v4_many_times": [leads.card(MANY_TIMES), *leads.continuations(MANY_TIMES)],
    "lead_arrived": [leads.arrived_line(a_view(ring=RING))],
    "lead_misplaced": [pointers.MISPLACED],
    "lead_pointer": [pointers.pointer(a_lead(), "https://corkboard.slack.com/archives/C0LEADS/p1788287400000100")],
    "lead_price": [leads.price_line("$26.00", "Refunded")],
    "lead_status": [standing.status_line("Canceled")],
    "event": [
        events.event_line("PresetJobCancelledV4", lead_url=a_view().lead_url),
        events.event_line("something-new", lead_url=None),
    ],
    "message": messages.customer_message(a_message(), name="John Davis", mention=("U012AB3CD",), broadcast=False),
    "message_first": messages.customer_message(a_message(), name="John Davis", mention=RING, broadcast=True),
    "message_attachment_only": messages.customer_message(
        a_message(text=None, attachments=[PHOTO, FILE]), name="John Davis", mention=(), broadcast=False
    ),
    "message_long": messages.customer_message(
        a_message(text="And another thing to do. " * 600), name="John Davis", mention=RING, broadcast=True
    ),
    "message_from_business": messages.customer_message(
        a_message(author="business"), name="Tim's Painting Business", mention=(), broadcast=False
    ),
    "photos": messages.photos([PHOTO] * 7, "With the request"),
    "photo_links": messages.photo_links([PHOTO, FILE, NOWHERE]),
    "review": reviews.review(a_review(), business_name="Tim's Painting Business", customer_name="John Davis"),
    "review_alone": reviews.review(
        a_review(lead_id=None, rating="4.5", text=None, verified=False, modified_at=NOW + timedelta(days=1)),
        business_name="Tim's Painting Business",
    ),
    "review_to_answer": reviews.review(
        a_review(verified=None, modified_at=None),
        business_name="Tim's Painting Business",
        answer_url="https://www.thumbtack.com/profile/services/286845156044809661/reviews",
    ),
    "reply_held": [deliveries.held_prompt(3, goes_at=NOW + timedelta(seconds=15), said="On my way.")],
    "reply_kept": [deliveries.kept_prompt(3, why="ask_mention", said="<@U045GH6IJ> is on her way.")],
    "reply_with_file": [deliveries.file_choice(3, said="Here is the plan.")],
    "reply_file_alone": [deliveries.refused(3, writer="U012AB3CD", reason="file_alone")],
    "reply_refused": [
        deliveries.refused(3, writer="U012AB3CD", reason="rejected", detail="Lead is closed.", said="On my way.")
    ],
    "reply_unknown": [deliveries.unknown(3, writer="U012AB3CD", said="On my way.")],
    "reply_overdue": [deliveries.overdue(3, writer="U012AB3CD", minutes=30, held_by="reconnect", said="On my way.")],
    "reply_edited_too_late": [deliveries.edited_too_late()],
    "reply_deleted_too_late": [deliveries.deleted_too_late()],
    "reply_stays_inside": [deliveries.stays_inside("not_configured")],
    "reply_copy_back": deliveries.copy_back("On my way.\nTwenty minutes."),
    "reply_copy_inside": deliveries.copy_back("On my way.\nTwenty minutes.", reason="not_configured"),
    "reply_modal_line": [deliveries.modal_line("U012AB3CD", "On my way.")],
    "reply_answered": [deliveries.answered(action_id) for action_id in deliveries.ANSWERED],
    "reply_already_decided": [deliveries.already_decided()],
    "notice_not_understood": [notices.not_understood(12, understood="a lead, 299614694480093245")],
    "notice_no_keeper": [notices.not_understood(12, understood=None, ask_keeper=True)],
    "notice_dead_delivery": [
        notices.dead_delivery(9, kind="post_message", reason="invalid_blocks"),
        notices.dead_delivery(9, kind="update_card", reason="not_in_channel", ask_keeper=True),
    ],
    "notice_no_place": [notices.no_place()],
    "notice_held": [notices.held("C012AB3CD", reason="not_in_channel")],
    "modal_did_not_open": [modals.did_not_open()],
    "notice_keeper": [
        keepers.became(),
        keepers.did_not(is_admin=True),
        keepers.did_not(is_admin=False),
    ],
    **ABSENCES,
    **CHANNELS,
    **CONNECTING,
    **DISCONNECTING,
    **TARGETING,
    **WEBHOOKS,
    **PHONES,
    **LISTS,
    **PRIVATE,
    **REMINDERS,
    **ROUTING,
    **SAVED,
    **WORKING,
    **{name: [status_blocks.page(view)] for name, view in PAGES.items()},
    "access_refused": [
        settings_blocks.may_not([]),
        settings_blocks.may_not([OLGA, ANA]),
        settings_blocks.not_asked(),
        part_blocks.did_not_open(),
    ],
    "help": [help.help_page([("help", "What Corkboard does, and its commands.")])],
    "help_quiet": [help.help_page([("help", "What Corkboard does, and its commands.")], quiet=True)],
}
MODALS = {
    f"modal_{mode}": modals.reply_modal(7, headline=leads.headline(a_lead()), customer_name="John Davis", mode=mode)
    for mode in RepliesGo
} | {
    **CHANNEL_WINDOWS,
    **ROUTING_WINDOWS,
    **CONNECTING_WINDOWS,
    **DISCONNECTING_WINDOWS,
    **PHONE_WINDOWS,
    **tabs(),
    **PRIVATE_WINDOWS,
    **BUSINESS_WINDOWS,
    **SAVED_WINDOWS,
    **WORKING_WINDOWS,
    "modal_settings": settings_blocks.people_window(
        Keepers(ids=(OLGA,), from_settings=True), [ANA, CREW], {CREW: "Crew (@crew)", "S056OFFICE": "Office (@office)"}
    ),
    "modal_settings_first": settings_blocks.people_window(Keepers(ids=(), from_settings=False), [], None),
    "modal_settings_saved": settings_blocks.saved_window([ANA, CREW], changed=True),
    "modal_settings_same": settings_blocks.saved_window([], changed=False),
}


def compare(name, made):
    """Against the file, which is written first where that is asked for."""
    path = GOLDEN / f"{name}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(json.dumps(made, ensure_ascii=False, indent=2) + "\n")
    assert json.loads(path.read_text()) == made


@pytest.mark.parametrize("name", KINDS)
def test_message_is_as_it_was_and_slack_would_take_it(name):
    made = [asdict(post) for post in KINDS[name]]
    compare(name, made)
    assert [finding for post in made for finding in judge(post)] == []


@pytest.mark.parametrize("name", MODALS)
def test_window_is_as_it_was_and_slack_would_take_it(name):
    compare(name, MODALS[name])
    assert judge(MODALS[name]) == []


def test_no_golden_file_is_left_over():
    assert {path.stem for path in GOLDEN.glob("*.json")} == KINDS.keys() | MODALS.keys()


def test_samples_are_not_changed_by_being_shown():
    assert a_view(customer=a_customer()).phone == "(512) 555-0148"
