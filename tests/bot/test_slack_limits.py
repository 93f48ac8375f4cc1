"""The table of Slack's limits, and the gate in front of its methods."""

import ast
import asyncio
import contextvars
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import bot
from bot.failures import Failure, Sort
from bot.pacing import LIMITS, POST, Gate, Paces, taken_for
from sandbox.slack.rates import CHANNEL, HUNDREDS, TIER_OF, TIERS
from sandbox.slack.web_api import METHODS
from storage import lanes, outbox, pacing
from storage.database import Database
from storage.models import Outbox

NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
REAL = Paces(posts_per_second=1)
NEVER_KEPT_WAITING = {"auth.test", "views.open", "views.push", "views.update"}
"""Who we are, asked once; and windows, whose trigger dies after three seconds."""


def called() -> set[str]:
    """The methods of Slack's that stand as words in the bot's code."""
    trees = [ast.parse(path.read_text()) for path in Path(bot.__file__).parent.rglob("*.py")]
    words = {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return words & METHODS.keys()


def test_every_method_that_is_called_has_its_limit():
    assert POST in called()
    assert called() - NEVER_KEPT_WAITING <= LIMITS.keys()


def test_the_kinds_with_a_pace_of_their_own_have_one_that_there_is():
    assert set(outbox.METHODS.values()) <= LIMITS.keys()


@pytest.mark.parametrize("method", sorted(LIMITS))
def test_what_we_take_is_less_at_once_and_no_more_a_minute_than_the_stand_in_permits(method):
    permitted = TIERS[TIER_OF[method]] if method in TIER_OF else HUNDREDS
    ours = LIMITS[method]
    assert ours.a_minute == permitted.a_minute
    assert ours.burst < permitted.at_once
    assert REAL.post.burst < CHANNEL.at_once


def test_only_stand_ins_are_asked_faster():
    fast, slow = Paces(posts_per_second=10), Paces(posts_per_second=0.5)
    update = REAL.of("chat.update")
    assert update is not None
    assert fast.of("chat.update") == pacing.Rate(interval=update.interval / 10, burst=update.burst * 10)
    assert slow.post.interval == timedelta(seconds=2)
    assert slow.of("chat.update") == update
    assert REAL.of("auth.test") is None


@pytest.mark.parametrize(
    ("entry", "keys"),
    [
        (Outbox(channel="C0LEADS"), ["channel:C0LEADS", lanes.ALL_POSTS]),
        (Outbox(pace="person:U0OLGA"), ["person:U0OLGA", lanes.ALL_POSTS]),
        (Outbox(channel="C0LEADS", pace="method:chat.update"), ["method:chat.update"]),
        (Outbox(pace="method:of.a.newer.program"), []),
        (Outbox(), []),
    ],
)
def test_what_an_entry_is_bounded_by(entry, keys):
    assert [key for key, _ in REAL.bounds(entry)] == keys


@pytest.fixture
async def database(database_url):
    found = Database(database_url)
    yield found
    await found.close()


async def passes(gate, method, count=100):
    """How many of so many calls are let through, and what the first one that is not hears."""
    for number in range(count):
        try:
            await gate.enter(method)
        except Failure as failure:
            return number, failure
    return count, None


async def test_who_comes_too_early_hears_when_to_come_again(database):
    gate = Gate(database, REAL, clock=lambda: NOW)
    number, failure = await passes(gate, "conversations.replies")
    assert number == 10
    assert (failure.sort, failure.reason, failure.method) == (Sort.LATER, "paced", "conversations.replies")
    assert failure.retry_after == pytest.approx(1.2, abs=0.001)
    assert await passes(gate, "users.info", count=5) == (5, None)
    assert await passes(gate, POST, count=30) == (30, None), "a post was taken when it was claimed"
    assert await passes(gate, "views.open", count=30) == (30, None)
    later = Gate(database, REAL, clock=lambda: NOW + timedelta(seconds=1.3))
    assert (await passes(later, "conversations.replies"))[0] == 1


async def test_what_an_entry_was_claimed_for_is_taken_once(database):
    gate = Gate(database, REAL, clock=lambda: NOW)
    taken_for(Outbox(pace="method:chat.update"))
    assert await passes(gate, "chat.update", count=1) == (1, None)
    taken_for(Outbox())
    assert await passes(gate, "chat.update", count=1) == (1, None)
    other = contextvars.Context()
    assert (await asyncio.create_task(passes(gate, "chat.update"), context=other))[0] == 9


async def test_who_began_may_finish_and_the_others_wait_for_it(database):
    gate, remove = Gate(database, REAL, clock=lambda: NOW), "reactions.remove"
    assert (await passes(gate, remove))[0] == 4
    taken_for(Outbox(pace=f"method:{remove}"))
    assert await passes(gate, remove, count=3) == (3, None)
    taken_for(Outbox(pace="method:reactions.add"))
    number, failure = await passes(gate, remove)
    assert (number, failure.retry_after) == (0, 9)
    later = Gate(database, REAL, clock=lambda: NOW + timedelta(seconds=9))
    assert await passes(later, remove, count=2) == (2, None)
    await gate.refused(Failure(Sort.LATER, "ratelimited", retry_after=40, method=remove))
    assert (await passes(later, remove))[1].retry_after == 31


async def test_after_a_429_every_gate_is_shut_until_its_time(database):
    gate, other = Gate(database, REAL, clock=lambda: NOW), Gate(database, REAL, clock=lambda: NOW)
    await gate.refused(Failure(Sort.LATER, "ratelimited", retry_after=40, method="users.info"))
    await gate.refused(Failure(Sort.LATER, "ratelimited", method="usergroups.list"))
    await gate.refused(Failure(Sort.LATER, "ratelimited", retry_after=40, method=POST))
    assert (await passes(other, "users.info"))[1].retry_after == 40
    assert (await passes(other, "usergroups.list"))[1].retry_after == 30
    async with database.transaction() as tx:
        assert await pacing.next_at(tx, lanes.ALL_POSTS, now=NOW) == NOW, "that is a matter of one channel"


async def test_without_a_database_calls_are_made(tmp_path):
    nothing = Database(f"sqlite+aiosqlite:///{tmp_path}/nothing/here.db")
    gate = Gate(nothing, REAL, clock=lambda: NOW)
    assert await passes(gate, "users.info", count=2) == (2, None)
    await gate.refused(Failure(Sort.LATER, "ratelimited", retry_after=40, method="users.info"))
    await nothing.close()
