import json
import re
from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.judge_blocks import judge
from support.samples import FILE, NOW, PHOTO, a_bare_lead, a_customer, a_lead, a_view
from support.shown import seen, texts
from support.working_samples import STATES

from bot.blocks import leads
from bot.blocks.kit import LARGEST, size
from bot.blocks.leads import RepliesGo
from storage import states
from storage.models import Business, Environment

LATER = ["lead_elsewhere", "lead_handover", "lead_won", "lead_lost"]
CLAIMED = ["lead_elsewhere", "lead_handover", "lead_release", "lead_won", "lead_lost"]
HOSTILE = "<!channel> <@U012AB3CD> *b* _i_ ~s~ `c` ```p``` :tada: <https://evil.example|bank> https://e.example a@e.example\n> q\n- l"


def buttons(post):
    return [b for block in post.blocks if block["type"] == "actions" for b in block["elements"]]


# The lock screen


def test_headline_is_category_place_and_price():
    assert leads.headline(a_lead()) == "Interior Painting · Palo Alto, CA · $1,260.50"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"price_text": None}, "Interior Painting · Palo Alto, CA"),
        ({"price_text": "N/A"}, "Interior Painting · Palo Alto, CA"),
        ({"price_text": "n/a ", "city": None}, "Interior Painting · CA"),
        ({"state": "", "price_text": " "}, "Interior Painting · Palo Alto"),
        ({"city": None, "state": None, "price_text": None}, "Interior Painting"),
        ({"category": None, "title": "Touch up a door"}, "Touch up a door · Palo Alto, CA · $1,260.50"),
        ({"category": "Doors & <b>"}, "Doors &amp; &lt;b&gt; · Palo Alto, CA · $1,260.50"),
        ({"is_test": True}, "TEST · Interior Painting · Palo Alto, CA · $1,260.50"),
        ({"environment": Environment.STAGING}, "TEST · Interior Painting · Palo Alto, CA · $1,260.50"),
    ],
)
def test_headline_leaves_out_what_is_not_known(fields, expected):
    assert leads.headline(a_lead(**fields)) == expected


def test_headline_of_a_placeholder_says_so():
    assert leads.headline(a_bare_lead(received_at=None)) == "Lead details to follow"
    staging = a_bare_lead(received_at=None, environment=Environment.STAGING)
    assert leads.headline(staging) == "TEST · Lead details to follow"


def test_headline_of_a_lead_that_says_nothing():
    assert leads.headline(a_bare_lead()) == "New lead"


# The card


def test_card_holds_everything_that_thumbtack_sent():
    shown = seen([leads.card(a_view(a_lead(attachments=[PHOTO, PHOTO, FILE]), ring=("U012AB3CD",)))])
    for expected in (
        "John Davis",
        "<tel:+15125550148|(512) 555-0148>",
        "Date: Tue, May 05 2026",
        "Time: 6:00 PM",
        "Length: 3.5 hours",
        "101 Alma Street, Palo Alto, CA 94301",
        "Professional must travel to my address.",
        "There is a stain on the door that needs to be touched up.",
        "Type of property: \nHome",
        "What needs painting? \nWalls, Trim, Doors",
        "2 photos and 1 file below · Instant book · Lead cost $26.00, Charged · Tim's Painting Business",
        "<@U012AB3CD>",
        "Replies in this thread go to John Davis.",
        "Reply",
    ):
        assert expected in shown


def test_card_text_is_the_headline():
    assert leads.card(a_view()).text == leads.headline(a_lead())


def test_card_holds_no_remote_image():
    assert "image_url" not in json.dumps(leads.card(a_view()).blocks)


def test_address_leads_to_a_map():
    (link,) = [e for b in leads.card(a_view()).blocks for e in _links(b)]
    assert link["url"] == ("https://www.google.com/maps/search/?api=1&query=101+Alma+Street%2C+Palo+Alto%2C+CA+94301")


def _links(block):
    return [e for part in block.get("elements", []) for e in part.get("elements", []) if e.get("type") == "link"]


@pytest.mark.parametrize(
    ("schedule", "shown"),
    [
        (
            "Dates: Apr 10, Apr 11\n\nTimes: Morning (9am - 12pm)",
            [" Dates: Apr 10, Apr 11", " Times: Morning (9am - 12pm)"],
        ),
        ("As soon as possible", [" As soon as possible"]),
        (None, []),
        ("1\n2\n3\n4\n5\n6\n7", [" 1", " 2", " 3", " 4", " 5", " 6 7"]),
    ],
)
def test_schedule_is_shown_as_sent(schedule, shown):
    lead = a_bare_lead(schedule=schedule)
    facts = texts(leads.card(a_view(lead, customer=None)).blocks[2], "text")
    assert [text for text in facts if text.strip()] == ["Name not given", *shown]


def test_a_title_that_says_more_than_the_category_is_shown():
    assert "Touch up a door" in seen([leads.card(a_view(a_lead(title="Touch up a door")))])


@pytest.mark.parametrize(
    "phone", ["1234567890", "555-0100", "call my wife", "(((((((", "*512* 555 0148", "512-555-0148 ext 3 <b>"]
)
def test_a_phone_that_cannot_be_dialled_is_shown_as_sent(phone):
    post = leads.card(a_view(customer=a_customer(phone=phone)))
    assert f" {phone}" in texts(post.blocks, "text")
    assert "tel:" not in json.dumps(post.blocks)


@pytest.mark.parametrize(
    ("replies", "says", "actions"),
    [
        (RepliesGo.OUT, "go to John Davis", ["lead_claim", "reply_open", "lead_saved", *LATER]),
        (RepliesGo.QUIET, "Only the Reply button", ["lead_claim", "reply_open", "lead_saved", *LATER]),
        (RepliesGo.INSIDE, "Replies here stay inside", ["lead_claim", "lead_open", *LATER]),
        (RepliesGo.STAGING, "Replies are not sent", ["lead_claim", *LATER]),
        (RepliesGo.TEST, "this is a test delivery", []),
    ],
)
def test_card_says_what_replying_does(replies, says, actions):
    post = leads.card(a_view(replies=replies))
    assert says in seen([post])
    assert [button["action_id"] for button in buttons(post)] == actions


@pytest.mark.parametrize(
    ("state", "says", "green", "buttons_below"),
    [
        ("new", "New · nobody has it yet", "lead_claim", LATER),
        ("claimed", "Claimed · U0ANA, not answered yet", "reply_open", CLAIMED),
        ("answered", "Answered · U0ANA has it", None, CLAIMED[1:]),
        ("waiting", "Waiting for us since Sep 01, 2026 at 18:18 UTC · U0ANA has it", "reply_open", CLAIMED),
        ("won", "Won $1,250.50 · U0ANA had it", None, ["lead_reopen", "lead_won"]),
        ("lost", "Lost · U0ANA had it", None, ["lead_reopen", "lead_won"]),
        ("closed", "Closed · U0ANA had it", None, ["lead_won", "lead_lost"]),
    ],
)
def test_card_says_how_it_stands_and_who_has_it_and_the_next_step_is_green(state, says, green, buttons_below):
    lead = a_lead(**STATES[state])
    post = leads.card(a_view(lead, state=states.of(lead)))
    line = post.blocks[1]["elements"][0]["elements"]
    told = "".join(one.get("text") or one.get("user_id") or one.get("fallback") or "" for one in line)
    assert told.strip() == says
    assert [one["action_id"] for one in buttons(post) if one.get("style") == "primary"] == [green] * bool(green)
    assert [one["action_id"] for one in buttons(post)][-len(buttons_below) :] == buttons_below


def test_what_can_be_done_at_once_stands_above_the_details_however_long_they_are():
    details = [{"question": f"Question {n}?", "answer": "An answer of some length. " * 4} for n in range(500)]
    post = leads.card(a_view(a_lead(details=details)))
    row = next(number for number, block in enumerate(post.blocks) if block["type"] == "actions")
    assert size(post.blocks[:row]) < 3_000
    assert "Question 0?" not in json.dumps(post.blocks[:row])
    assert size(post.blocks) <= LARGEST


def test_who_answered_in_the_app_has_nothing_here_and_anybody_can_take_the_lead():
    lead = a_lead(first_answer_at=NOW, first_answer_via="thumbtack", waiting_since=NOW)
    post = leads.card(a_view(lead, state=states.of(lead)))
    assert "nobody has it yet" in seen([post])
    assert [one["action_id"] for one in buttons(post) if one.get("style") == "primary"] == ["lead_claim"]


def test_a_private_card_names_the_customer_nowhere():
    post = leads.card(a_view(a_lead(**STATES["claimed"]), state=states.LeadState.CLAIMED, private=True))
    assert "John" not in json.dumps([post.text, post.blocks])
    assert "go to the customer" in seen([post])
    assert "lead_release" in [one["action_id"] for one in buttons(post)]


def test_reply_button_carries_our_id_alone():
    assert buttons(leads.card(a_view()))[0]["value"] == "7"


def test_card_of_a_lead_that_is_not_stored_is_a_mistake():
    with pytest.raises(ValueError, match="not stored"):
        leads.card(a_view(a_lead(id=None)))


def test_without_an_address_of_the_lead_there_is_no_button_to_open_it():
    shown = buttons(leads.card(a_view(replies=RepliesGo.INSIDE, lead_url=None)))
    assert [one["action_id"] for one in shown] == ["lead_claim", *LATER]


def test_ring_and_hint_are_shown_when_asked_for():
    assert "SLACK_RING" not in seen([leads.card(a_view())])
    assert "SLACK_RING" in seen([leads.card(a_view(ring_hint=True))])


def test_placeholder_is_honest_and_does_not_ring():
    view = a_view(a_bare_lead(received_at=None), customer=None, business=None, ring=("U012AB3CD",))
    shown = seen([leads.card(view)])
    assert "has not sent this lead's details yet" in shown
    assert "go to the customer" in shown
    assert "<@U012AB3CD>" not in shown
    assert leads.continuations(view) == []


def test_lead_that_fills_a_placeholder_rings_in_the_channel():
    post = leads.arrived_line(a_view(ring=("U012AB3CD",)))
    assert post.broadcast
    assert post.text.endswith("Interior Painting · Palo Alto, CA · $1,260.50")
    assert texts(post.blocks, "mrkdwn") == [":bell: <@U012AB3CD>"]


@pytest.mark.parametrize(
    ("text", "state", "expected"),
    [
        ("$26.00", "Charged", "Lead cost: $26.00, Charged"),
        ("$26.00", None, "Lead cost: $26.00"),
        (None, "Refunded", "Lead cost: Refunded"),
        (None, None, "Lead cost: not known"),
        ("<!here>", "&", "Lead cost: &lt;!here&gt;, &amp;"),
    ],
)
def test_price_line(text, state, expected):
    assert leads.price_line(text, state).text == expected


# Whatever comes

odd = st.one_of(
    st.none(),
    st.text(max_size=30),
    st.sampled_from([HOSTILE, "😀" * 3_000, '"\\\n' * 2_000, "x" * 50_000, "\u202e", "\u200b", "é" * 500, "N/A"]),
)
details = st.lists(st.fixed_dictionaries({"question": odd, "answer": odd}), max_size=6)
views = st.builds(
    lambda fields, name, phone, business, replies, ring, hint: a_view(
        a_lead(**fields),
        customer=a_customer(name=name, phone=phone),
        business=Business(id=1, environment=Environment.PRODUCTION, thumbtack_id="1", name=business, created_at=NOW),
        replies=replies,
        ring=ring,
        ring_hint=hint,
    ),
    st.fixed_dictionaries(
        {
            **dict.fromkeys(
                (
                    "category",
                    "title",
                    "description",
                    "schedule",
                    "address1",
                    "address2",
                    "city",
                    "state",
                    "zip_code",
                    "travel_preferences",
                    "lead_type",
                    "price_text",
                    "charge_text",
                    "charge_state",
                ),
                odd,
            ),
            "details": details,
            "is_test": st.booleans(),
            "received_at": st.sampled_from([NOW, None]),
        }
    ),
    odd,
    odd,
    odd,
    st.sampled_from(RepliesGo),
    st.sampled_from([(), ("U012AB3CD", "S034EF5GH"), ("U012AB3CD",) * 500]),
    st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(views)
def test_any_lead_gives_posts_that_slack_takes(view):
    below = leads.continuations(view)
    assert len(below) <= 4
    for post in (leads.card(view), *below, leads.arrived_line(view)):
        assert judge(asdict(post)) == []
        assert size(post.blocks) <= LARGEST


@pytest.mark.parametrize("everywhere", ["😀" * 3_000, '"' * 3_000, "😀" * 48, HOSTILE * 100, "x\n" * 400, "😀\n" * 400])
@pytest.mark.parametrize("replies", RepliesGo)
def test_the_same_long_text_everywhere_gives_posts_that_slack_takes(everywhere, replies):
    said = dict.fromkeys(("category", "title", "description", "schedule", "address1", "city", "state"), everywhere)
    more = dict.fromkeys(("travel_preferences", "lead_type", "price_text", "charge_text", "charge_state"), everywhere)
    view = a_view(
        a_lead(**said, **more, details=[{"question": everywhere, "answer": everywhere}] * 30),
        customer=a_customer(name=everywhere, phone=everywhere),
        business=Business(id=1, environment="production", thumbtack_id="1", name=everywhere, created_at=NOW),
        replies=replies,
        ring=("U012AB3CDEF",) * 500,
        ring_hint=True,
    )
    posts = [leads.card(view), *leads.continuations(view), leads.arrived_line(view)]
    assert [judge(asdict(post)) for post in posts] == [[]] * len(posts)
    assert max(size(post.blocks) for post in posts) <= LARGEST


@settings(max_examples=60, deadline=None)
@given(views)
def test_no_word_from_outside_stands_where_slack_reads_markup(view):
    for post in (leads.card(view), *leads.continuations(view), leads.arrived_line(view)):
        ours = re.compile(
            r":\w+: (?:<(?:@|!subteam\^)\w+> ?)+|:\w+: <tel:\+\d+\|[0-9+(). x/-]+>|:no_bell: Nobody's phone .*"
        )
        assert all(ours.fullmatch(text) for text in texts(post.blocks, "mrkdwn"))
        assert not re.search(r"[<>]", post.text)


def test_a_customers_markup_is_shown_as_written():
    view = a_view(a_lead(description=HOSTILE, details=[{"question": HOSTILE, "answer": HOSTILE}]))
    posts = [leads.card(view), *leads.continuations(view)]
    assert HOSTILE in "".join(texts(posts[0].blocks, "text"))
    assert texts([post.blocks for post in posts], "mrkdwn") == [
        ":telephone_receiver: <tel:+15125550148|(512) 555-0148>"
    ]


def test_a_name_that_ends_with_a_dot_does_not_get_another():
    shown = json.dumps(leads.card(a_view(customer=a_customer(name="Sam W."))).blocks, ensure_ascii=False)
    assert "go to Sam W. Start one" in shown
