"""Slack's limits: kept ahead of time, by all replicas together, fair to all leads, and after a 429 until its time is over."""

from collections.abc import AsyncIterator

import pytest
from support.conversation import CROSS, HOURGLASS, MEMO, Conversation
from support.deliveries import all_said, posted
from support.office import Office

from bot.pacing import Paces
from sandbox.slack import failures
from sandbox.thumbtack import bodies
from storage import messages, outbox, pacing
from storage.models import Outbox

OTHER = "C0OTHER"
PICTURE = {
    "fileName": "kitchen.jpg",
    "fileSize": 9,
    "mimeType": "image/jpeg",
    "url": "https://files.example/kitchen.jpg",
}


@pytest.fixture
async def strict(place: Office) -> AsyncIterator[Office]:
    """A Slack that answers 429 to whatever comes too fast, and a bot in the real pace."""
    place.slack.api.limit_posts = place.slack.api.limit_methods = True
    await place.stop()
    await place.start(slack_posts_per_second=1)
    return place


@pytest.fixture
async def slow(place: Office) -> Office:
    """A bot in a pace so slow that the time a slow machine takes does not matter: one post in twenty seconds."""
    await place.stop()
    await place.start(slack_posts_per_second=0.05)
    return place


async def lead(place: Office, name: str, **request) -> str:
    body = bodies.lead(bodies.SCENES[2], request={"category": name, "title": name, **request})
    assert (await place.post("/v1/lead", body)).status_code == 200
    return body["leadID"]


async def message(place: Office, lead_id: str, text: str) -> None:
    assert (await place.post("/v1/message", bodies.message(lead_id, text))).status_code == 200


def refused(place: Office) -> list[str]:
    """The calls that Slack answered with 429."""
    return [call.method for call in place.slack.calls if call.status == 429]


def texts(place: Office) -> list[str]:
    return [one["text"] for one in posted(place)]


async def seconds(place: Office, count: int) -> None:
    """Time passes, a little more than a second each time, as clocks go."""
    for _ in range(count):
        await place.advance(seconds=1.02)
        await place.at_rest()


TURN = {"seconds": 20.1}
"""Until one more post is permitted in the slow pace."""


async def test_a_card_its_details_and_its_photos_go_at_once_and_the_next_lead_in_its_time(slow: Office):
    await lead(slow, "Kitchen", attachments=[PICTURE], description="Please read all of this. " * 200)
    await slow.at_rest()
    assert len(posted(slow)) == 3
    await lead(slow, "Garden")
    await slow.at_rest()
    assert len(posted(slow)) == 3
    await slow.advance(**TURN)
    await slow.at_rest()
    assert len(posted(slow)) == 4


async def test_a_lead_with_much_to_say_starves_neither_a_new_lead_nor_another_leads_messages(slow: Office):
    busy, calm = await lead(slow, "Busy", attachments=[]), await lead(slow, "Calm", attachments=[])
    await all_said(slow, **TURN)
    await slow.advance(minutes=2)
    for number in range(8):
        await message(slow, busy, f"Busy {number}")
    await slow.ingested()
    await message(slow, calm, "Calm speaks")
    await lead(slow, "New", attachments=[])
    await slow.at_rest()
    for _ in range(3):
        await slow.advance(**TURN)
        await slow.at_rest()
    found = "; ".join(texts(slow)[2:8])
    assert "New" in found
    assert "Calm speaks" in found, "some messages of the busy lead are behind us, then it is another's turn"
    await all_said(slow, rounds=60, **TURN)
    order = [number for text in texts(slow) for number in range(8) if f"Busy {number}" in text]
    assert order == list(range(8))


async def test_a_backlog_in_the_real_pace_meets_no_429(strict: Office):
    for lead_id in [await lead(strict, f"Lead {number}", attachments=[]) for number in range(5)]:
        await message(strict, lead_id, "Is Tuesday possible?")
    await all_said(strict, rounds=60, seconds=1.02)
    assert len(posted(strict)) == 10
    assert refused(strict) == []


@pytest.mark.knobs(reply_hold_seconds=0)
async def test_many_replies_at_once_are_marked_in_the_pace_of_reactions(strict: Office):
    conversation = await Conversation.opened(strict, request={"attachments": []})
    written = [await conversation.say(f"Answer {number}.") for number in range(16)]
    await strict.at_rest()
    assert 5 <= len([ts for ts in written if strict.mark(ts)]) < 16, "some at once, the others in their time"
    await all_said(strict, rounds=60, seconds=3)
    assert all(strict.mark(ts) == ["white_check_mark"] for ts in written)
    assert refused(strict) == []


@pytest.mark.parametrize("refusals", [0, 1])
async def test_a_message_with_two_old_marks_is_marked_out_of_an_empty_bucket(strict: Office, refusals: int):
    conversation = await Conversation.opened(strict, request={"attachments": []})
    ts = await conversation.say("note: the tiles are blue")
    await conversation.marked(ts, MEMO)
    await strict.at_rest()
    remove = "reactions.remove"
    rate = Paces(posts_per_second=1).of(remove)
    async with strict.database.transaction() as tx:
        note = await messages.to_change(tx, (await conversation.message(ts)).id)
        note.marks_tried = [CROSS, HOURGLASS]
        while await pacing.take(tx, pacing.method_key(remove), rate, now=strict.clock()):
            pass
        await outbox.enqueue(tx, outbox.Kind.SET_MARK, now=strict.clock(), message_id=note.id)
    if refusals:
        strict.slack.faults.add(remove, failures.slack_error("no_reaction"))
        strict.slack.faults.add(remove, failures.rate_limited(1))
    for _ in range(4):
        await strict.advance(seconds=3.1)
        await strict.at_rest()
    assert (await conversation.message(ts)).marks_tried == []
    assert [call.args["name"] for call in strict.slack.called(remove)] == [HOURGLASS, CROSS] + [CROSS] * refusals


async def test_cards_are_brought_up_to_date_in_their_own_pace_and_posts_do_not_wait_for_them(strict: Office):
    """Twelve cards change at once; meanwhile the channel takes its post a second."""
    ids = [await lead(strict, f"Lead {number}", attachments=[]) for number in range(12)]
    await all_said(strict, rounds=60, seconds=1.02)
    await seconds(strict, 3)
    before = len(posted(strict))
    strict.slack.faults.add("chat.update", failures.rate_limited(60))
    for lead_id in ids:
        body = bodies.price(lead_id, "$31.00")
        assert (await strict.post("/v1/lead/update", body, method="PUT")).is_success
    await strict.ingested()
    await seconds(strict, 1)
    called = len(strict.slack.called("chat.update"))  # some were under way already when one was refused
    await seconds(strict, 5)
    assert 1 <= called == len(strict.slack.called("chat.update")), "after a 429 no card is updated for a minute"
    new = await lead(strict, "New")
    await message(strict, new, "Posts go on")
    await seconds(strict, 6)
    assert len(posted(strict)) > before
    await all_said(strict, rounds=90, seconds=3)
    assert refused(strict) == ["chat.update"]


async def test_after_a_429_of_a_lookup_no_lookup_is_made_before_its_time_and_posts_go_on(strict: Office):
    first = await lead(strict, "First", attachments=[])
    await all_said(strict, seconds=3)
    strict.slack.faults.add("chat.postMessage", failures.lost_answer())
    strict.slack.faults.add("conversations.replies", failures.rate_limited(40))
    await message(strict, first, "Is Tuesday possible?")
    await strict.at_rest()
    await strict.advance(seconds=2)
    await strict.seen(lambda: strict.slack.called("conversations.replies"))
    await lead(strict, "Second", attachments=[])
    await strict.at_rest()
    await seconds(strict, 3)
    assert "Second" in texts(strict)[-1]
    await strict.stop()
    await strict.start()
    await seconds(strict, 3)
    assert len(strict.slack.called("conversations.replies")) == 1
    await strict.advance(seconds=35)
    await all_said(strict, seconds=3)
    assert [text.count("Tuesday") for text in texts(strict)].count(1) == 1


@pytest.mark.knobs(reply_hold_seconds=0)
async def test_after_a_429_of_a_mark_no_mark_is_set_before_its_time_also_after_a_restart(place: Office):
    conversation = await Conversation.opened(place, request={"attachments": []})
    place.slack.faults.add("reactions.add", failures.rate_limited(30))
    first = await conversation.say("We come at 9.")
    await place.seen(lambda: place.slack.called("reactions.add"))
    await place.at_rest()
    second = await conversation.say("And bring the tiles.")
    await place.at_rest()
    await place.stop()
    await place.start()
    await place.advance(seconds=28)
    await place.at_rest()
    assert len(place.slack.called("reactions.add")) == 1
    await place.advance(seconds=3)
    await all_said(place)
    assert [place.mark(ts) for ts in (first, second)] == [["white_check_mark"]] * 2


async def test_after_a_429_nobody_posts_there_before_its_time_also_after_a_restart(place: Office):
    place.slack.faults.add("chat.postMessage", failures.rate_limited(30))
    await lead(place, "First")
    await place.seen(lambda: place.slack.called("chat.postMessage"))
    await place.at_rest()
    await place.stop()
    await place.start()
    await lead(place, "Second")
    await place.at_rest()
    await place.advance(seconds=28)
    await place.at_rest()
    assert len(place.slack.called("chat.postMessage")) == 1
    await place.advance(seconds=3)
    await all_said(place)
    assert len(place.cards) == 2


async def test_the_keeper_hears_of_trouble_in_the_pace_of_their_conversation(slow: Office):
    await slow.stop()
    await slow.start(slack_keepers="U0OLGA")
    payload = {"notice": "dead", "outbox_id": 1, "kind": "post_lead", "reason": "msg_too_long"}
    async with slow.database.transaction() as tx:
        for _ in range(5):
            await outbox.enqueue(tx, outbox.Kind.POST_NOTICE, now=slow.clock(), payload=payload)
    await slow.advance()
    await slow.seen(lambda: len(slow.slack.direct_messages("U0OLGA")) == 3)
    await slow.at_rest()
    assert len(slow.slack.direct_messages("U0OLGA")) == 3
    await all_said(slow, **TURN)
    assert len(slow.slack.direct_messages("U0OLGA")) == 5


@pytest.mark.parametrize("database_kind", ["postgresql"])
async def test_replicas_share_the_pace_and_what_slack_told_one_of_them(strict: Office):
    async with strict.replica() as second, strict.replica() as third:
        for number in range(12):
            await lead(strict, f"Lead {number}", attachments=[])
        for count in range(3, 13):
            await strict.seen(lambda count=count: len(strict.cards) >= count)
            for one in (strict, second, third):
                await one.advance(seconds=0.34)
        assert refused(strict) == []
        strict.slack.faults.add("chat.postMessage", failures.rate_limited(30))
        await lead(strict, "Refused", attachments=[])
        await strict.seen(lambda: refused(strict))
        while not any(one.reason == "ratelimited" for one in await strict.rows(Outbox)):
            pass
        for one in (strict, second, third):
            await one.advance(seconds=7)
        assert (len(refused(strict)), len(strict.cards)) == (1, 12)
        for one in (strict, second, third):
            await one.advance(seconds=4)
        await strict.seen(lambda: len(strict.cards) == 13)
