"""The outbox against a simple model of it: whatever is done in whatever order, the same entry goes next."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from sqlalchemy import delete

from storage import lanes, migrate, outbox, timing, upkeep
from storage.database import Database
from storage.entries import ClaimLost
from storage.models import Lane, Outbox, WorkState
from storage.outbox import Kind

START = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
LANES = st.sampled_from([None, "slack:1", "thumbtack:1"])
CHANNELS = st.sampled_from([None, "C0LEADS"])
OUTCOMES = st.sampled_from(["unknown", "none yet", "done", "later", "unknown", "parked", "more", "dead"])
SECONDS = st.sampled_from([0, 1, 5, 30, 90])


@dataclass
class Kept:
    """What the model knows about one entry."""

    id: int
    lane: str | None
    position: str
    channel: str | None
    priority: int
    due_at: datetime
    state: WorkState = WorkState.PENDING
    claimed_until: datetime | None = None
    turn_at: datetime = START

    @property
    def order(self) -> tuple[str, int]:
        return self.position, self.id


@dataclass
class Model:
    """Every entry that is not settled, and until when a channel is quiet."""

    entries: dict[int, Kept] = field(default_factory=dict)
    quiet: dict[str, datetime] = field(default_factory=dict)

    def waits_for(self, one: Kept) -> list[Kept]:
        same = [other for other in self.entries.values() if one.lane and other.lane == one.lane and other is not one]
        if one.state is WorkState.SENDING:
            return [other for other in same if other.state is WorkState.SENDING and other.order < one.order]
        return [other for other in same if other.state is WorkState.SENDING or other.order < one.order]

    def under_way(self, *, besides: int) -> set[str | None]:
        return {one.lane for one in self.entries.values() if one.state is WorkState.SENDING and one.id != besides}

    def ready_at(self, one: Kept) -> datetime:
        return max(one.due_at, one.claimed_until or one.due_at, self.quiet.get(one.channel or "", one.due_at))

    def next_up(self, now: datetime) -> int | None:
        going = [
            one
            for one in self.entries.values()
            if one.state is not WorkState.PARKED and self.ready_at(one) <= now and not self.waits_for(one)
        ]
        return min(going, key=lambda one: (one.priority, one.turn_at, one.id)).id if going else None

    def turn(self, lane: str | None, channel: str | None, priority: int, now: datetime) -> datetime:
        """When a new entry counts as come: those of a lane one after the other, with room for others between."""
        if lane is None or channel is None or priority == outbox.FIRST:
            return now
        return max([now, *(one.turn_at + outbox.A_TURN for one in self.entries.values() if one.lane == lane)])

    def next_due(self, now: datetime) -> datetime | None:
        """When something can go, if nothing else happens; None for never, or where something can go now."""
        if self.next_up(now) is not None:
            return None
        times = sorted(at for at in map(self.ready_at, self.entries.values()) if at > now)
        return next((at for at in times if self.next_up(at) is not None), None)


class OutboxMachine(RuleBasedStateMachine):
    """Every way in which an entry moves."""

    url: str

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.database = Database(self.url)
        self.model = Model()
        self.begun: list[Outbox] = []
        self.now = START
        self.run(self.empty())

    def run(self, work):
        return self.runner.run(work)

    async def empty(self):
        async with self.database.transaction() as tx:
            await tx.execute(delete(Outbox))
            await tx.execute(delete(Lane))

    def teardown(self):
        """Nothing waits for ever: in time everything goes, but for what a person holds and what stands behind that."""
        try:
            self.now += timedelta(days=1)
            while (claimed := self.run(self.claim())) is not None:
                del self.model.entries[claimed.id]
                self.run(self.change(outbox.settle, claimed, state=WorkState.DONE, now=self.now))
            left = self.model.entries.values()
            assert all(self.behind_a_parked_one(one) for one in left), left
        finally:
            self.run(self.database.close())
            self.runner.close()

    def behind_a_parked_one(self, one):
        return one.state is WorkState.PARKED or any(
            other.state is WorkState.PARKED for other in self.model.waits_for(one)
        )

    async def claim(self):
        async with self.database.transaction() as tx:
            entry = await outbox.next_up(tx, now=self.now)
            if entry is not None:
                entry = await outbox.begin(tx, entry, now=self.now, owner="machine")
            return entry

    async def change(self, how, *args, **kwargs):
        async with self.database.transaction() as tx:
            return await how(tx, *args, **kwargs)

    @initialize()
    def replies(self):
        for position in "cb":
            self.enqueue("thumbtack:1", position, None, 1, 0)

    @rule(position=st.sampled_from("abc"))
    def late_reply(self, position):
        self.enqueue("thumbtack:1", position, None, 1, 0)

    @rule(lane=LANES, position=st.sampled_from("abc"), channel=CHANNELS, priority=st.integers(0, 1), seconds=SECONDS)
    def enqueue(self, lane, position, channel, priority, seconds):
        position = position if lane == "thumbtack:1" else ""
        due_at = self.now + timedelta(seconds=seconds)
        values = {"lane": lane, "position": position, "channel": channel, "priority": priority, "due_at": due_at}
        entry = self.run(self.change(outbox.enqueue, Kind.POST_MESSAGE, now=self.now, **values))
        turn_at = self.model.turn(lane, channel, priority, self.now)
        self.model.entries[entry.id] = Kept(id=entry.id, turn_at=turn_at, **values)

    @rule(outcome=OUTCOMES, seconds=SECONDS)
    def deliver(self, outcome, seconds):
        expected = self.model.next_up(self.now)
        entry = self.run(self.claim())
        assert (entry.id if entry else None) == expected
        if entry is None:
            return
        assert entry.lane is None or entry.lane not in self.model.under_way(besides=entry.id)
        kept = self.model.entries[entry.id]
        kept.state, kept.claimed_until = WorkState.SENDING, self.now + outbox.CLAIM_FOR
        if outcome == "none yet":
            self.begun.append(entry)
        else:
            self.come_to(entry, outcome, self.now + timedelta(seconds=seconds))

    @precondition(lambda self: self.begun)
    @rule(outcome=OUTCOMES, number=st.integers(0, 9))
    def outcome_of_one_begun_before(self, outcome, number):
        """Its claim may have run out and it may have begun again: then nothing that its first holder says is written."""
        entry = self.begun.pop(number % len(self.begun))
        newest = self.run(self.change(lambda tx: tx.get(Outbox, entry.id)))
        if (newest.attempt, newest.delivery_id, newest.settled_at) == (entry.attempt, entry.delivery_id, None):
            self.come_to(entry, outcome, self.now)
        else:
            with pytest.raises(ClaimLost):
                self.run(self.change(outbox.settle, entry, state=WorkState.DONE, now=self.now))

    def come_to(self, entry, outcome, due_at):
        kept = self.model.entries[entry.id]
        kept.claimed_until = None
        match outcome:
            case "done" | "dead":
                self.run(self.change(outbox.settle, entry, state=WorkState(outcome), now=self.now))
                del self.model.entries[entry.id]
            case "later" | "unknown":
                unknown = outcome == "unknown"
                self.run(self.change(outbox.requeue, entry, due_at=due_at, reason=outcome, maybe_done=unknown))
                kept.due_at, kept.state = due_at, WorkState.SENDING if unknown else WorkState.PENDING
            case "more":
                self.run(self.change(outbox.replace, entry, payload={"part": 1}, now=self.now))
                kept.due_at, kept.state = self.now, WorkState.PENDING
            case "parked" | "none yet":
                self.run(self.change(outbox.park, entry, reason="overdue"))
                kept.state = WorkState.PARKED

    @precondition(lambda self: self.model.entries)
    @rule(number=st.integers(0, 9), go=st.booleans())
    def a_person_decides(self, number, go):
        kept = list(self.model.entries.values())[number % len(self.model.entries)]
        self.run(self.change(outbox.release if go else outbox.cancel, kept.id, now=self.now))
        if kept.state is WorkState.SENDING:
            return
        if go:
            kept.state, kept.due_at = WorkState.PENDING, self.now
        else:
            del self.model.entries[kept.id]

    @rule(seconds=SECONDS)
    def the_channel_is_quiet(self, seconds):
        until = self.now + timedelta(seconds=seconds)
        self.run(self.change(lanes.quiet, "C0LEADS", until))
        self.model.quiet["C0LEADS"] = max(until, self.model.quiet.get("C0LEADS", until))

    @rule(seconds=SECONDS)
    def time_passes(self, seconds):
        told, needed = self.run(self.change(timing.next_due, now=self.now)), self.model.next_due(self.now)
        assert told is None or told > self.now
        assert needed is None or (told is not None and told <= needed), "it would be looked at too late"
        self.now += timedelta(seconds=seconds)

    @rule()
    def restart(self):
        self.run(self.change(upkeep.release_claims))
        for kept in self.model.entries.values():
            kept.claimed_until = None


def test_the_outbox_behaves_like_its_model(database_url):
    class Machine(OutboxMachine):
        url = database_url

    async def prepare():
        database = Database(database_url)
        await migrate.upgrade(database)
        await database.close()

    asyncio.run(prepare())
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=40, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
