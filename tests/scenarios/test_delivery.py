"""How posts go out: at once, in order, in Slack's pace, each exactly once, whatever Slack does meanwhile."""

import asyncio
from datetime import timedelta

import aiohttp
import pytest
from support.deliveries import all_said, delivery_ids, posted, unsettled
from support.office import CHANNEL, Office

import bot.slack
from bot.blocks.pointers import MISPLACED
from bot.dispatch import dispatcher
from sandbox.faults import Fault
from sandbox.slack import failures
from sandbox.thumbtack import bodies
from storage import pacing
from storage.models import Lead, Outbox, WorkState
from webhooks import ingest

LEADS = CHANNEL


async def lead(place: Office, **overrides):
    """A new lead; returns its id."""
    body = bodies.lead(bodies.SCENES[2], **overrides)
    assert (await place.post("/v1/lead", body)).status_code == 200
    return body["leadID"]


async def message(place: Office, lead_id: str, text: str):
    assert (await place.post("/v1/message", bodies.message(lead_id, text))).status_code == 200


def said(place: Office, text: str):
    """The posts that hold a text."""
    return [one for one in posted(place) if text in str(one)]


def titles(place: Office):
    """The leads whose cards stand in the channel, oldest first, by their category."""
    return [one["text"].split(" · ")[0] for one in place.cards]


async def leads(place: Office, count: int):
    """Several leads, each with a category of its own; returns their ids."""
    return [await lead(place, request={"category": f"Lead {number}"}) for number in range(count)]


# Woken, not polling


async def test_a_commit_wakes_whoever_goes_on(place: Office, monkeypatch):
    await place.stop()
    for module in (ingest, dispatcher):
        monkeypatch.setattr(module, "POLL", 3_600.0)
    await place.start()
    lead_id = await lead(place)
    await place.seen(lambda: place.cards, within=5)
    await message(place, lead_id, "Is Tuesday possible?")
    await place.seen(lambda: said(place, "Tuesday"), within=5)
    reply = await place.slack.say("U0ANA", LEADS, "It is.", thread_ts=place.cards[0]["ts"])
    await place.seen(lambda: place.mark(reply.ts) == ["white_check_mark"], within=5)
    assert (len(place.cards), len(said(place, "Tuesday")), place.thumbtack.received(lead_id)) == (1, 1, ["It is."])


# What is known before the call is made


async def test_an_entry_is_marked_as_sending_before_the_call_and_carries_its_delivery_id(place: Office):
    place.slack.faults.add("chat.postMessage", Fault(delay=1.0))
    await lead(place)
    (call,) = await place.seen(lambda: place.slack.called("chat.postMessage"))
    (entry,) = [one for one in await place.rows(Outbox) if one.kind == "post_lead"]
    assert (entry.state, entry.attempt) == (WorkState.SENDING, 1)
    assert entry.sending_at <= entry.claimed_until
    assert call.args["metadata"] == {
        "event_type": "corkboard_delivery",
        "event_payload": {"delivery_id": entry.delivery_id},
    }
    assert call.args["blocks"][0]["block_id"] == entry.delivery_id


# The outcome is not known

LOST = {
    "the answer is lost": Fault(lose_answer=True),
    "the connection is cut": Fault(cut=True),
    "Slack is too slow": Fault(delay=3.0),
    "Slack answers 500": failures.down(500),
    "Slack answers 503": failures.down(),
    "Slack says internal_error": failures.slack_error("internal_error"),
}


@pytest.fixture
def _impatient(monkeypatch):
    monkeypatch.setattr(bot.slack, "TIMEOUT", aiohttp.ClientTimeout(total=0.5))


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
@pytest.mark.usefixtures("_impatient")
async def test_a_post_whose_outcome_is_not_known_stands_there_once(place: Office, fault):
    await place.stop()
    await place.start()  # with the shorter time-out
    place.slack.faults.add("chat.postMessage", fault, times=2)
    lead_id = await lead(place)
    await all_said(place)
    place.slack.faults.add("chat.postMessage", fault)
    await message(place, lead_id, "Is Tuesday possible?")
    await all_said(place)
    assert len(place.cards) == 1
    assert len(said(place, "Tuesday")) == 1
    assert len(set(delivery_ids(place))) == len(delivery_ids(place))
    assert place.slack.called("conversations.history")
    assert place.slack.called("conversations.replies")


@pytest.mark.parametrize("fault", [LOST["the answer is lost"], LOST["the connection is cut"]], ids=["done", "not done"])
async def test_updates_and_marks_whose_outcome_is_not_known_are_made_again(place: Office, fault):
    lead_id = await lead(place)
    await all_said(place)
    for method in ("chat.update", "reactions.add"):
        place.slack.faults.add(method, fault)
    assert (await place.post("/v1/lead/update", bodies.price(lead_id, "$26.00"), method="PUT")).status_code == 200
    reply = await place.slack.say("U0ANA", LEADS, "Good morning.", thread_ts=place.cards[0]["ts"])
    await all_said(place)
    assert "$26.00" in str(place.cards[0])
    assert place.mark(reply.ts) == ["white_check_mark"]
    assert len(said(place, "Lead cost: $26.00")) == 1


async def test_a_post_is_found_however_much_was_posted_after_it(place: Office):
    await lead(place, request={"category": "First"})
    await all_said(place)
    workspace, channel = place.slack.workspace, place.slack.workspace.channel(LEADS)
    card = place.cards[0]["ts"]

    def busy(thread_ts=None):
        for number in range(450):
            workspace.post(channel, {"user": "U0BEN", "text": f"chatter {number}"}, thread_ts=thread_ts)

    place.slack.faults.add("chat.postMessage", Fault(lose_answer=True))
    await lead(place, request={"category": "Second"})
    await place.seen(lambda: len(titles(place)) == 2)
    busy()
    await all_said(place)
    assert [one for one in titles(place) if "chatter" not in one] == ["First", "Second"]
    assert len(place.slack.called("conversations.history")) == 3
    busy(card)
    place.slack.faults.add("chat.postMessage", Fault(lose_answer=True))
    first = (await place.rows(Outbox))[0].lead_id
    assert first is not None
    await message(place, await thumbtack_id(place, first), "Is Tuesday possible?")
    await all_said(place)
    assert len(said(place, "Tuesday")) == 1
    looks = [one for one in place.slack.called("conversations.replies") if "include_all_metadata" in one.args]
    assert len(looks) == 3  # else the thread was read back, for what people wrote under a card that nobody knew of


async def thumbtack_id(place: Office, lead_id: int):
    return next(one.thumbtack_id for one in await place.rows(Lead) if one.id == lead_id)


# Slack cannot show it


@pytest.mark.knobs(slack_ring="U0BEN,S0CREW")
@pytest.mark.parametrize("error", ["invalid_blocks", "msg_blocks_too_long"])
async def test_a_card_that_slack_cannot_show_becomes_text_that_says_the_same(place: Office, error):
    place.slack.faults.add("chat.postMessage", failures.slack_error(error))
    body = bodies.lead(customer={"name": "Maya <!channel> Alvarez"})
    await place.post("/v1/lead", body)
    await all_said(place)
    (card,) = place.cards
    assert {block["type"] for block in card["blocks"]} == {"section"}
    *words, ring = [block["text"] for block in card["blocks"]]
    assert {one["type"] for one in words} == {"plain_text"}
    shown = "\n".join(one["text"] for one in words)
    for known in (
        "Maya <!channel> Alvarez",
        "Palo Alto",
        "stain on the front door",
        "Number of rooms",
        "4 rooms",
        "I'm not sure",
    ):
        assert known in shown
    assert "4155550134" in shown or "(415) 555-0134" in shown
    assert ring == {"type": "mrkdwn", "text": "<@U0BEN> <!subteam^S0CREW>", "verbatim": False} or ring["text"] == (
        "<@U0BEN> <!subteam^S0CREW>"
    )
    reply = await place.slack.say("U0ANA", LEADS, "Good morning.", thread_ts=card["ts"])
    await all_said(place)
    assert place.mark(reply.ts) == ["white_check_mark"]


async def test_an_update_that_slack_cannot_show_becomes_text(place: Office):
    lead_id = await lead(place)
    await all_said(place)
    place.slack.faults.add("chat.update", failures.slack_error("invalid_blocks"))
    await place.post("/v1/lead/update", bodies.price(lead_id, "$26.00"), method="PUT")
    await all_said(place)
    assert "$26.00" in str(place.cards[0]["blocks"])
    assert {block["type"] for block in place.cards[0]["blocks"]} == {"section"}


async def test_pictures_that_slack_cannot_fetch_become_links_in_their_own_post_only(place: Office):
    place.slack.unfetchable.add("gone.example.com")

    def photo(host, number):
        url = f"https://{host}/{number}.jpg"
        return {"fileName": f"{number}.jpg", "fileSize": 9, "mimeType": "image/jpeg", "url": url, "description": None}

    hosts = ["www.thumbtack.com"] * 5 + ["gone.example.com"] * 2
    attachments = [photo(host, number) for number, host in enumerate(hosts)]
    await place.post("/v1/lead", bodies.lead(request={"attachments": attachments}))
    await all_said(place)
    (card,) = place.cards
    assert "image" not in {block["type"] for block in card["blocks"]}
    shown, linked = [one for one in place.thread() if ".jpg" in str(one)]
    assert [block["type"] for block in shown["blocks"]] == ["image"] * 5
    assert [block["type"] for block in linked["blocks"]] == ["rich_text"]
    assert "https://gone.example.com/5.jpg" in str(linked)
    assert "https://gone.example.com/6.jpg" in str(linked)


# A channel or a token that is dead


async def revoke(place):
    place.slack.api.bot_token = "xoxb-another-one"


async def give_back(place):
    place.slack.api.bot_token = "xoxb-of-the-tests"


async def lose_channel(place):
    place.slack.faults.stand("chat.postMessage", failures.slack_error("channel_not_found"))


async def find_channel(place):
    place.slack.faults.clear()


DEAD = {
    "archived": (lambda place: place.slack.archive(LEADS), lambda place: place.slack.unarchive(LEADS)),
    "not in channel": (lambda place: place.slack.remove_bot(LEADS), lambda place: place.slack.invite_bot(LEADS)),
    "token revoked": (lambda place: place.slack.revoke(), lambda place: place.slack.reinstall()),
    "uninstalled": (lambda place: place.slack.uninstall(), lambda place: place.slack.reinstall()),
    "channel gone": (lose_channel, find_channel),
}


@pytest.mark.parametrize(("kill", "mend"), DEAD.values(), ids=DEAD)
async def test_a_dead_channel_or_token_holds_what_waits_in_order_until_it_is_mended(place: Office, kill, mend):
    await all_said(place)
    await kill(place)
    first, *_ = await leads(place, 4)
    await message(place, first, "Is Tuesday possible?")
    for _ in range(30):
        await place.at_rest()
        await place.advance(minutes=1)
    assert place.cards == []
    assert len(place.slack.called("chat.postMessage")) < 25, "a dead channel is not hammered"
    await mend(place)
    await all_said(place)
    assert [one for one in titles(place) if one.startswith("Lead")] == ["Lead 0", "Lead 1", "Lead 2", "Lead 3"]
    assert len(said(place, "Tuesday")) == 1
    assert said(place, "Tuesday")[0]["thread_ts"] == place.cards[0]["ts"]


@pytest.mark.knobs(slack_keepers="U0OLGA")
async def test_the_keepers_are_told_once_that_a_channel_is_dead(place: Office):
    await place.slack.remove_bot(LEADS)
    await leads(place, 3)
    for _ in range(20):
        await place.at_rest()
        await place.advance(minutes=1)
    (told,) = place.slack.direct_messages("U0OLGA")
    assert "Corkboard is not in the channel. Invite it there" in told["text"]
    await place.slack.invite_bot(LEADS)
    await all_said(place)
    assert titles(place) == ["Lead 0", "Lead 1", "Lead 2"]
    assert len(place.slack.direct_messages("U0OLGA")) == 1


# Slack's pace


SLOW = 0.05
"""Posts a second: so few that the time a slow machine takes does not matter."""


async def posts_by_turn(place: Office, turns: int):
    """How many posts stand there after each of the next times that one is permitted."""
    counts = []
    for _ in range(turns):
        await place.advance(seconds=20.1)
        await place.at_rest()
        counts.append(len(posted(place)))
    return counts


@pytest.mark.knobs(slack_posts_per_second=SLOW)
async def test_after_three_at_once_posts_go_to_a_channel_one_by_one_in_their_pace(place: Office):
    await leads(place, 8)
    await place.at_rest()
    assert len(posted(place)) == 3
    assert await posts_by_turn(place, 5) == [4, 5, 6, 7, 8]
    assert titles(place) == [f"Lead {number}" for number in range(8)]


@pytest.mark.knobs(slack_posts_per_second=SLOW)
async def test_a_new_lead_does_not_wait_behind_what_is_said_about_others(place: Office):
    lead_id = await lead(place, request={"category": "First"})
    for number in range(5):
        await message(place, lead_id, f"Message {number}")
    await place.at_rest()
    await lead(place, request={"category": "Second"})
    await place.ingested()
    await posts_by_turn(place, 3)
    order = [one["text"] for one in posted(place)]
    assert next(number for number, text in enumerate(order) if "Second" in text) <= 3
    await all_said(place, rounds=60, seconds=20.1)
    texts = [one["text"] for one in place.thread(place.cards[0])]
    found = [number for text in texts for number in range(5) if f"Message {number}" in text]
    assert found == [0, 1, 2, 3, 4]


# Somebody deletes a card


async def test_a_lead_whose_card_was_deleted_gets_a_new_one_and_nothing_stands_in_the_wrong_place(place: Office):
    lead_id = await lead(place)
    await all_said(place)
    card = place.cards[0]["ts"]
    await place.slack.delete(LEADS, card)
    assert place.cards == []
    await message(place, lead_id, "Is Tuesday possible?")
    await all_said(place, seconds=5)
    (new,) = place.cards
    assert new["ts"] != card
    assert ["Tuesday" in str(one) for one in place.thread(new)].count(True) == 1
    reply = await place.slack.say("U0ANA", LEADS, "It is.", thread_ts=new["ts"])
    await place.seen(lambda: place.mark(reply.ts) == ["white_check_mark"])


async def test_what_was_lost_on_the_way_to_a_deleted_card_is_found_and_put_right(place: Office):
    lead_id = await lead(place)
    await all_said(place)
    await place.slack.delete(LEADS, place.cards[0]["ts"])
    place.slack.faults.add("chat.postMessage", Fault(lose_answer=True))
    await message(place, lead_id, "Is Tuesday possible?")
    await all_said(place, seconds=5)
    (new,) = place.cards
    assert len(said(place, "Tuesday")) == 1
    assert said(place, "Tuesday")[0]["thread_ts"] == new["ts"]


@pytest.mark.parametrize("lost", ["answer", None])
async def test_what_went_beside_a_deleted_card_is_taken_back_also_where_slacks_limits_delay_that(
    place: Office, lost: str | None
):
    lead_id = await lead(place)
    await all_said(place)
    await place.slack.delete(LEADS, place.cards[0]["ts"])
    if lost:
        place.slack.faults.add("chat.postMessage", Fault(lose_answer=True))
    async with place.database.transaction() as tx:
        await pacing.quiet(tx, pacing.method_key("chat.delete"), place.clock() + timedelta(seconds=20))
    place.slack.faults.add("chat.delete", failures.rate_limited(3))
    await message(place, lead_id, "Is Tuesday possible?")
    await all_said(place, seconds=5)
    (new,) = place.cards
    assert [one["thread_ts"] for one in said(place, "Tuesday")] == [new["ts"]]


@pytest.mark.parametrize("why", [failures.slack_error("cant_delete_message"), failures.cut()], ids=["refused", "cut"])
async def test_what_went_beside_a_deleted_card_and_may_not_be_deleted_says_only_where_it_is(place: Office, why: Fault):
    lead_id = await lead(place)
    await all_said(place)
    await place.slack.delete(LEADS, place.cards[0]["ts"])
    place.slack.faults.add("chat.delete", why)
    await message(place, lead_id, "Is Tuesday possible?")
    await all_said(place, seconds=5)
    beside, new = sorted(place.cards, key=lambda one: one["text"] != MISPLACED.text)
    assert (beside["text"], beside.get("metadata")) == (MISPLACED.text, None)
    assert [one["thread_ts"] for one in said(place, "Tuesday")] == [new["ts"]]


# Nowhere to post yet


async def test_what_came_before_a_channel_was_set_is_posted_in_order_and_in_pace_once_it_is(place: Office):
    await place.stop()
    place.knobs.pop("slack_leads_channel")
    await place.start()
    await leads(place, 5)
    await place.at_rest()
    assert {one.reason for one in await unsettled(place) if one.kind == "post_lead"} == {"no_channel"}
    await place.stop()
    place.slack.api.limit_posts = True
    await place.start(slack_leads_channel=LEADS, slack_posts_per_second=1)
    await all_said(place, rounds=120, seconds=1.02)
    assert titles(place) == [f"Lead {number}" for number in range(5)]
    assert {call.status for call in place.slack.called("chat.postMessage")} == {200}


# The end of the program


async def test_an_orderly_end_finishes_what_is_under_way(place: Office):
    place.slack.faults.add("chat.postMessage", Fault(delay=0.4))
    await lead(place)
    await place.seen(lambda: place.slack.called("chat.postMessage"))
    await place.stop()
    (entry,) = [one for one in await place.rows(Outbox) if one.kind == "post_lead"]
    assert entry.state == WorkState.DONE
    await place.start()
    await all_said(place)
    assert len(place.cards) == 1


async def test_what_takes_too_long_at_the_end_is_left_for_the_next_start(place: Office, monkeypatch):
    monkeypatch.setattr(dispatcher, "DRAIN", 0.05)
    place.slack.faults.add("chat.postMessage", Fault(delay=3.0))
    await lead(place)
    await place.seen(lambda: place.slack.called("chat.postMessage"))
    await place.stop()
    (entry,) = [one for one in await place.rows(Outbox) if one.kind == "post_lead"]
    assert (entry.state, entry.settled_at) == (WorkState.SENDING, None)
    await place.start()
    await place.advance(minutes=2)  # on PostgreSQL its claim runs out first: another replica could still have it
    await all_said(place)
    assert len(place.cards) == 1


@pytest.mark.parametrize("moment", [0, 1, 3, 6, 10, 20])
async def test_an_end_at_any_moment_loses_nothing_and_says_nothing_twice(place: Office, moment):
    ids = await leads(place, 3)
    for lead_id in ids:
        await message(place, lead_id, "Is Tuesday possible?")
    for _ in range(moment * 5):
        await asyncio.sleep(0)
    await place.stop()
    await place.start()
    await all_said(place)
    assert titles(place) == ["Lead 0", "Lead 1", "Lead 2"]
    assert [["Tuesday" in str(one) for one in place.thread(card)].count(True) for card in place.cards] == [1, 1, 1]


# Two replicas


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_two_replicas_share_the_work_and_say_nothing_twice(place: Office):
    async with place.replica() as other:
        ids = await leads(place, 12)
        for text in ("One", "Two", "Three"):
            await asyncio.gather(*(message(place, lead_id, f"Message {text}") for lead_id in ids))
            await other.advance(seconds=0)
        await place.seen(lambda: len(posted(place)) == 48)
    assert sorted(titles(place)) == sorted(f"Lead {number}" for number in range(12))
    for card in place.cards:
        texts = [one["text"] for one in place.thread(card) if "Message" in one["text"]]
        assert [text.split()[-1] for text in texts] == ["One", "Two", "Three"]
    assert len({one.claimed_by for one in await place.rows(Outbox) if one.claimed_by}) == 2
