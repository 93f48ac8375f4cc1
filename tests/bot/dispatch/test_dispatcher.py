"""The dispatcher beside what it delivers: entries that our own code cannot say, and several channels at once."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from support.deliveries import all_said, unsettled
from support.office import Office

from bot.dispatch import dispatcher
from bot.dispatch.kinds import KINDS
from bot.dispatch.plans import At, NotYet, Plan, Settled
from bot.dispatch.verdicts import MISTAKES
from bot.failures import Failure, Sort
from sandbox.slack.failures import slack_error
from storage import outbox, timing
from storage.database import NUDGES
from storage.models import Channel, Outbox, WorkState
from storage.outbox import Kind

OTHER = "C0OTHER"
LEADS = "C0LEADS"


async def say(place: Office, *texts: str, channel: str | None = LEADS, lane: str | None = None, **payload):
    """Enqueue posts as POST_CHARGE; returns their ids."""
    async with place.database.transaction() as tx:
        entries = [
            await outbox.enqueue(
                tx,
                Kind.POST_CHARGE,
                now=place.clock(),
                channel=channel,
                lane=lane,
                payload={"text": text, "channel": channel, **payload},
            )
            for text in texts
        ]
    await place.advance(seconds=0)
    return [entry.id for entry in entries]


async def row(place: Office, entry_id: int) -> Outbox:
    return next(one for one in await place.rows(Outbox) if one.id == entry_id)


async def a_post(at: At):
    """A kind that posts its payload's text."""
    arguments = {"channel": at.entry.payload["channel"], "text": at.entry.payload["text"]}

    async def perform():
        return await at.services.slack.call("chat.postMessage", arguments)

    return Plan(perform=perform, channel=at.entry.payload["channel"])


def texts(place: Office, channel: str = LEADS):
    return [one["text"] for one in place.slack.messages(channel)]


@pytest.fixture
def _posts(monkeypatch):
    monkeypatch.setitem(KINDS, Kind.POST_CHARGE, a_post)


async def broken(*_arguments):
    raise KeyError("what a customer wrote")


async def refused(tx, *_arguments):
    await tx.execute(text("INSERT INTO lane (key) VALUES (NULL)"))


PLANS = {
    "perform": lambda _plan: Plan(perform=broken),
    "look": lambda _plan: Plan(perform=broken, look=broken),
    "then": lambda plan: Plan(perform=plan.perform, look=broken, then=broken),
    "then in the database": lambda plan: Plan(perform=plan.perform, then=refused),
    "failed": lambda _plan: Plan(perform=broken, failed=broken),
}
STEPS = ["prepare", "prepare in the database", *PLANS]


@pytest.fixture
def poison(monkeypatch):
    """Lets our own code break on posts that say "poison", in one of its steps."""

    def arm(step):
        async def prepare(at: At):
            plan = await a_post(at)
            if at.entry.payload["text"] != "poison":
                return plan
            if step in PLANS:
                return PLANS[step](plan)
            return await (broken() if step == "prepare" else refused(at.tx))

        monkeypatch.setitem(KINDS, Kind.POST_CHARGE, prepare)

    return arm


@pytest.mark.parametrize("step", STEPS)
async def test_what_our_own_code_cannot_say_dies_and_holds_nobody_else_up(place: Office, poison, monkeypatch, step):
    monkeypatch.setattr("bot.dispatch.outcomes.PAUSES", (0.0, 0.0))
    poison(step)
    bad, behind = await say(place, "poison", "behind it", lane="slack:1")
    await say(place, "beside it", lane="slack:2")
    await place.seen(lambda: "beside it" in texts(place))
    assert "behind it" not in texts(place)
    await all_said(place, seconds=30)
    dead = await row(place, bad)
    assert (dead.state, dead.mistakes) == (WorkState.DEAD, MISTAKES - 1)
    assert (await row(place, behind)).state == WorkState.DONE
    notice = next(one for one in place.slack.messages(LEADS) if "outbox retry" in str(one))
    assert f"corkboard outbox retry {bad}" in str(notice)
    assert "what a customer wrote" not in str(notice)


async def test_it_does_not_matter_how_long_an_entry_waited_for_others_before_our_code_breaks(
    place: Office, poison, monkeypatch
):
    """What a channel or Slack kept waiting for days has not used up the attempts that a mistake of ours gets."""
    monkeypatch.setattr("bot.dispatch.outcomes.PAUSES", ())
    poison("perform")
    async with place.database.transaction() as tx:
        payload = {"text": "poison", "channel": LEADS}
        entry = await outbox.enqueue(tx, Kind.POST_CHARGE, now=place.clock(), payload=payload)
        (await tx.get_one(Outbox, entry.id)).attempt = 400
    await place.advance(seconds=0)
    await place.at_rest()
    assert (await row(place, entry.id)).state == WorkState.SENDING
    await all_said(place, seconds=30)
    assert (await row(place, entry.id)).state == WorkState.DEAD


async def test_a_kind_that_this_version_does_not_know_dies_too(place: Office):
    async with place.database.transaction() as tx:
        entry = await outbox.enqueue(tx, Kind.POST_CHARGE, now=place.clock())
        (await tx.get_one(Outbox, entry.id)).kind = "of_a_newer_version"
    await place.advance(seconds=0)
    await all_said(place, minutes=5)
    assert (await row(place, entry.id)).state == WorkState.DEAD


async def test_that_a_person_could_not_be_told_is_not_told(place: Office, monkeypatch):
    monkeypatch.setitem(KINDS, Kind.POST_NOTICE, broken)
    monkeypatch.setitem(KINDS, Kind.POST_CHARGE, broken)
    await say(place, "poison")
    await all_said(place, seconds=30)
    assert [(one.kind, one.state) for one in await place.rows(Outbox)] == [
        (Kind.POST_CHARGE, WorkState.DEAD),
        (Kind.POST_NOTICE, WorkState.DEAD),
    ]


async def test_what_cannot_be_said_yet_waits_and_keeps_that_it_may_have_been_said(place: Office, monkeypatch):
    looked, ready = [], []

    async def prepare(at: At):
        if at.maybe_done and not ready:
            return NotYet(reason="no_thread", pause=timedelta(seconds=30))

        async def lost():
            raise Failure(Sort.UNKNOWN, "slack_no_answer")

        async def look():
            looked.append(at.maybe_done)
            return {"ok": True}

        return Plan(perform=lost, look=look)

    monkeypatch.setitem(KINDS, Kind.POST_CHARGE, prepare)
    (entry_id,) = await say(place, "once")
    await place.at_rest()
    await place.advance(seconds=5)
    await place.at_rest()
    waiting = await row(place, entry_id)
    assert (waiting.state, waiting.reason, waiting.attempt) == (WorkState.SENDING, "no_thread", 1)
    ready.append(True)
    await all_said(place, seconds=40)
    assert looked == [True]
    assert (await row(place, entry_id)).state == WorkState.DONE


@pytest.mark.knobs(slack_posts_per_second=0.05)  # so slow that a slow machine does not matter
@pytest.mark.usefixtures("_posts")
async def test_two_channels_do_not_hold_each_other_up(place: Office):
    place.slack.add_channel(OTHER, "other")
    await say(place, *(f"here {number}" for number in range(4)))
    await say(place, *(f"there {number}" for number in range(4)), channel=OTHER)
    for count in (3, 4):
        await place.at_rest()
        # sorted: what has no lane has no order either
        assert sorted(texts(place)) == [f"here {number}" for number in range(count)]
        assert sorted(texts(place, OTHER)) == [f"there {number}" for number in range(count)]
        await place.advance(seconds=20.1)


@pytest.mark.usefixtures("_posts")
async def test_a_dead_channel_holds_only_what_goes_there(place: Office):
    place.slack.add_channel(OTHER, "other")
    await place.slack.archive(OTHER)
    await say(place, "there 0", "there 1", channel=OTHER)
    await place.at_rest()
    await say(place, "here")
    await place.seen(lambda: texts(place) == ["here"])
    await say(place, "there 2", channel=OTHER)
    await place.slack.unarchive(OTHER)
    await all_said(place)
    assert texts(place, OTHER) == ["there 0", "there 1", "there 2"]


@pytest.mark.usefixtures("_posts")
async def test_while_a_channel_is_held_one_post_at_a_time_is_tried(place: Office):
    await place.slack.archive(LEADS)
    await say(place, "first")
    await place.at_rest()
    tried = len(place.slack.called("chat.postMessage"))
    await say(place, *(f"more {number}" for number in range(5)))
    for _ in range(4):
        await place.advance(minutes=5)
        await place.at_rest()
        tried += 1
        assert len(place.slack.called("chat.postMessage")) == tried
    assert {call.args["text"] for call in place.slack.called("chat.postMessage")} == {"first"}


@pytest.mark.usefixtures("_posts")
async def test_a_post_whose_channel_is_known_only_now_comes_back_in_its_pace(place: Office):
    """An entry that was made while no channel was set has none: its first claim gives it one, and makes no call."""
    (entry_id,) = await say(place, "late")
    async with place.database.transaction() as tx:
        (other,) = [
            await outbox.enqueue(
                tx, Kind.POST_CHARGE, now=place.clock(), payload={"text": "unaddressed", "channel": LEADS}
            )
        ]
    await place.advance(seconds=0)
    await place.seen(lambda: "unaddressed" in texts(place))
    await place.at_rest()
    found = await row(place, other.id)
    assert (found.channel, found.attempt) == (LEADS, 1)
    assert (await row(place, entry_id)).attempt == 1
    assert await unsettled(place) == []


async def test_a_trial_that_is_settled_otherwise_opens_its_channel_at_once(place: Office, monkeypatch):
    async def prepare(at: At):
        plan = await a_post(at)

        async def failed(_tx, failure, verdict, _now):
            return verdict if failure.sort is Sort.HELD else Settled(reason="told")

        return Plan(perform=plan.perform, failed=failed, channel=plan.channel)

    monkeypatch.setitem(KINDS, Kind.POST_CHARGE, prepare)
    place.slack.faults.add("chat.postMessage", slack_error("restricted_action"))
    await say(place, "first")
    await place.at_rest()
    await say(place, "second", "third")
    place.slack.faults.add("chat.postMessage", slack_error("msg_too_long"))
    await place.advance(minutes=5)
    assert await place.seen(lambda: texts(place) == ["second", "third"], within=3)


@pytest.mark.usefixtures("_posts")
async def test_that_a_channel_is_dead_is_told_however_often_something_was_tried_before(place: Office):
    place.slack.faults.stand("chat.postMessage", slack_error("restricted_action"))
    async with place.database.transaction() as tx:
        payload = {"text": "late", "channel": LEADS}
        entry = await outbox.enqueue(tx, Kind.POST_CHARGE, now=place.clock(), payload=payload, channel=LEADS)
        (await tx.get_one(Outbox, entry.id)).attempt = 7
    await place.advance(seconds=0)
    await place.seen(lambda: place.slack.called("chat.postMessage"))
    await place.at_rest()
    assert [(one.channel, one.closed) for one in await place.rows(Channel)] == [(LEADS, "refused")]
    await place.advance(minutes=6)
    await place.at_rest()
    assert len([one for one in await place.rows(Outbox) if one.payload.get("notice") == "held"]) == 1


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
@pytest.mark.usefixtures("_posts")
async def test_who_has_their_hands_full_tells_the_other_replicas_what_is_left(place: Office, monkeypatch):
    monkeypatch.setattr(dispatcher, "AT_ONCE", 1)
    told = []
    async with place.database.kept_asyncpg_connection() as connection:
        await connection.add_listener(NUDGES, lambda *heard: told.append(heard[-1].partition(" ")[0]))
        await say(place, "first", "second", "third")
        await place.seen(lambda: len(texts(place)) == 3)
        await place.at_rest()
        # that they are there; and that there are more than we can do
        assert await place.seen(lambda: told.count(outbox.TOPIC) >= 2)


@pytest.fixture
def it_has_looked(monkeypatch):
    """Waits until the dispatcher has looked in vain, and looks no more."""
    looked, next_due = asyncio.Event(), timing.next_due

    async def in_vain(tx, *, now):
        looked.set()
        return await next_due(tx, now=now)

    async def rests():
        with suppress(TimeoutError):
            while True:
                async with asyncio.timeout(0.5):
                    await looked.wait()
                    looked.clear()

    monkeypatch.setattr(timing, "next_due", in_vain)
    return rests


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_what_came_while_an_outcome_was_written_down_goes_right_after_it(
    place: Office, monkeypatch, it_has_looked
):
    """Whoever settles does not see what others add to the lane at the same time; and who looks for that finds it blocked."""
    writing, go_on = asyncio.Event(), asyncio.Event()

    async def prepare(at: At):
        plan = await a_post(at)

        async def then(*_arguments):
            writing.set()
            await go_on.wait()

        return replace(plan, then=then)

    monkeypatch.setitem(KINDS, Kind.POST_CHARGE, prepare)
    await say(place, "first", lane="slack:1")
    await writing.wait()
    await say(place, "second", lane="slack:1")
    await it_has_looked()
    go_on.set()
    assert await place.seen(lambda: texts(place) == ["first", "second"], within=dispatcher.POLL - 1)


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_what_was_blocked_as_we_began_to_look_and_is_not_as_we_end_goes_at_once(
    place: Office, monkeypatch, it_has_looked
):
    """One delivery ends, and we look; another ends meanwhile, whose lane we see as it was before."""
    writing, blocked, next_up = asyncio.Event(), asyncio.Event(), outbox.next_up
    may_end = {"beside": asyncio.Event(), "first": asyncio.Event(), "second": asyncio.Event()}

    async def prepare(at: At):
        plan, text_of = await a_post(at), at.entry.payload["text"]

        async def then(*_arguments):
            if text_of == "first":
                writing.set()
            await may_end[text_of].wait()

        return replace(plan, then=then)

    async def slowly(tx, *, now):
        found = await next_up(tx, now=now)
        if found is None and not blocked.is_set():
            blocked.set()
            while (await row(place, first)).settled_at is None:
                pass
            await asyncio.sleep(0.1)  # it has also ended
        return found

    monkeypatch.setitem(KINDS, Kind.POST_CHARGE, prepare)
    await say(place, "beside", lane="slack:2")
    [first] = await say(place, "first", lane="slack:1")
    await writing.wait()
    await say(place, "second", lane="slack:1")
    await it_has_looked()
    monkeypatch.setattr(outbox, "next_up", slowly)
    may_end["beside"].set()
    await blocked.wait()
    may_end["first"].set()
    assert await place.seen(lambda: texts(place) == ["beside", "first", "second"], within=dispatcher.POLL - 1)
    may_end["second"].set()
