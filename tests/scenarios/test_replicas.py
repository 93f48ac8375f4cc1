"""Several replicas on one PostgreSQL: real processes behind a balancer, which come and go in the middle of the work."""

import asyncio
import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from support.deliveries import posted
from support.office import Clock, Office
from support.replicas import CUT, PATIENCE, Replicas, replicas
from support.world import HANGS

from bot import jobs
from bot.dispatch import dispatcher
from sandbox.faults import Fault
from sandbox.outside import CHANNEL
from sandbox.thumbtack import bodies
from storage import database, leads, outbox, shared_clock, upkeep
from storage.database import Database
from storage.models import Lease, Outbox
from webhooks import ingest

pytestmark = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)

CHECK = "white_check_mark"
MESSAGES = 3


class Customer:
    """A lead and what its customer writes, each as soon as Thumbtack heard that the one before was stored."""

    def __init__(self, here: Replicas, number: int) -> None:
        self.here, self.name = here, f"Job{number}"
        self.body = bodies.lead(bodies.SCENES[number % 3], request={"category": self.name})
        self.lead_id = str(self.body["leadID"])
        self.written = [f"{self.name} message {one}" for one in range(MESSAGES)]

    async def come(self) -> None:
        """The lead and its first message at the same time, so that two replicas have them; then the other messages."""
        lead, first = await asyncio.gather(self.here.post("/v1/lead", self.body), self._write(self.written[0]))
        assert (lead, first in (200, 202)) == (200, True)
        for text in self.written[1:]:
            assert await self._write(text) == 200

    async def _write(self, text: str) -> int:
        return await self.here.post("/v1/message", bodies.message(self.lead_id, text=text))

    async def is_told(self) -> None:
        """Everything stands below the one card, once and in order."""
        await self.here.seen(lambda: all(text in str(self.here.thread(self.name)) for text in self.written))
        told = [line for line in self.here.thread(self.name) if f"{self.name} message" in line]
        assert [line.rpartition(": ")[2] for line in told] == self.written

    async def is_answered(self) -> None:
        """Somebody writes two replies; whichever replicas hear of them, both arrive once and in order."""
        card = self.here.card(self.name)
        assert card is not None
        replies = [f"{self.name} reply {one}" for one in range(2)]
        said = [await self.here.slack.say("U0ANA", CHANNEL, text, thread_ts=card["ts"]) for text in replies]
        await self.here.seen(lambda: [self.here.marks(one.ts) for one in said] == [[CHECK]] * 2)
        assert self.here.world.thumbtack.received(self.lead_id) == replies


async def test_three_replicas_do_the_work_of_one_while_they_come_and_go(database_url, tmp_path):
    async with replicas(database_url, tmp_path) as here:
        await here.start(3)
        customers = [Customer(here, number) for number in range(12)]
        early, late = customers[:6], customers[6:]
        await asyncio.gather(*(one.come() for one in early))
        await asyncio.gather(*(one.is_told() for one in early))
        await asyncio.gather(*(one.is_answered() for one in early[:3]))
        assert len(here.balancer.answered) == 3

        # one comes and two go, one after the other, while customers write and the team answers
        coming = asyncio.gather(*(one.come() for one in late))
        gone = [await here.stop()]
        await here.start()
        gone.append(await here.stop())
        await coming
        await asyncio.gather(*(one.is_told() for one in late))
        await asyncio.gather(*(one.is_answered() for one in [*late, *early[3:]]))

        assert [bot.exit_code for bot in gone] == [0, 0]
        assert [bot.mistakes for bot in (*gone, *here.bots)] == [[]] * 4
        assert set(here.balancer.failed) <= CUT, "what was taken was answered"
        assert len(here.cards) == len(customers)
    assert len(await owners(database_url)) >= 3


async def owners(database_url: str) -> set[str | None]:
    """The replicas that delivered something."""
    opened = Database(database_url)
    async with opened.reading() as tx:
        found = set((await tx.execute(select(Outbox.claimed_by).where(Outbox.claimed_by.is_not(None)))).scalars())
    await opened.close()
    return found


async def test_what_a_killed_replica_had_claimed_another_says_once_its_claim_ran_out(database_url, tmp_path):
    async with replicas(database_url, tmp_path) as here:
        await here.start(2)
        os.kill(here.bots[1].pid, signal.SIGSTOP)
        waits = here.balancer.servers.pop()
        here.slack.faults.stand("chat.postMessage", HANGS)
        customers = [Customer(here, number) for number in range(3)]
        await asyncio.gather(*(one.come() for one in customers))
        await here.seen(lambda: len(here.cards) == 3)  # they stand there, and nobody knows
        await here.kill()
        here.balancer.servers = [waits]
        os.kill(here.bots[0].pid, signal.SIGCONT)
        here.slack.faults.clear()
        calls = len(here.slack.called("chat.postMessage"))
        other = Customer(here, 9)
        await other.come()
        await other.is_told()
        assert len(here.cards) == 4
        assert not any(here.thread(one.name) for one in customers), "they are still the other one's"
        here.bots[0].put_forward(outbox.CLAIM_FOR + timedelta(seconds=1))
        await asyncio.gather(*(one.is_told() for one in customers))
        await asyncio.gather(*(one.is_answered() for one in customers))
        assert (len(here.cards), len(here.slack.called("chat.postMessage")) > calls) == (4, True)
        assert here.bots[0].mistakes == []


async def test_two_workers_do_the_same_and_one_that_is_killed_is_replaced(database_url, tmp_path):
    async with replicas(database_url, tmp_path) as here:
        await here.start(workers=2)
        customers = [Customer(here, number) for number in range(6)]
        await asyncio.gather(*(one.come() for one in customers[:3]))
        await asyncio.gather(*(one.is_told() for one in customers[:3]))
        before = workers_of(here.bots[0].pid)
        assert len(before) == 2
        os.kill(min(before), signal.SIGKILL)
        await asyncio.gather(*(one.come() for one in customers[3:]))
        await asyncio.gather(*(one.is_told() for one in customers[3:]))
        async with asyncio.timeout(PATIENCE):
            while len(now := workers_of(here.bots[0].pid)) < 2 or now == before:  # noqa: ASYNC110 -- nobody tells us of it
                await asyncio.sleep(0.05)
        await asyncio.gather(*(one.is_answered() for one in customers))
        assert (await here.stop()).exit_code == 0


def workers_of(pid: int) -> set[int]:
    """The worker processes of a `corkboard serve`: its children that run its program."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(one) for one in children if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()}


# Two in one process: what is told between them, and what one does for all


@pytest.fixture
def nobody_looks_unasked(monkeypatch):
    for module in (dispatcher, ingest):
        monkeypatch.setattr(module, "POLL", 3_600.0)
    monkeypatch.setattr(database, "LOOK_WHEN_TOLD", 3_600.0)


@pytest.mark.usefixtures("nobody_looks_unasked")
async def test_what_one_replica_writes_down_another_says_at_once(place: Office):
    """The one that takes the webhook has no token for Slack, and says nothing itself."""
    await place.stop()
    await place.start()
    async with place.replica() as other:
        await other.stop()
        await other.start(slack_bot_token=None)
        await listens(place, other)
        place.door.app = other.door.app
        body = bodies.lead(bodies.SCENES[0])
        assert (await place.post("/v1/lead", body)).status_code == 200
        await place.seen(lambda: place.cards)
        assert (await place.post("/v1/message", bodies.message(body["leadID"], text="Is Tuesday possible?"))).is_success
        await place.seen(lambda: "Tuesday" in str(posted(place)))


async def listens(*places: Office) -> None:
    """Until each of them is told what the others commit."""
    changed = asyncio.Event()
    for one in places:
        one._running_database().on_commit(outbox.TOPIC, changed.set)
    async with asyncio.timeout(PATIENCE):
        while not all(one._running_database().is_told for one in places):
            changed.clear()
            await changed.wait()


@pytest.mark.usefixtures("nobody_looks_unasked")
async def test_a_command_beside_it_is_noticed_at_once(place: Office):
    await place.stop()
    await place.start()
    await listens(place)
    place.thumbtack.faults.add("message", Fault(status=503, headers={"Retry-After": "1200"}))
    body = bodies.lead(bodies.SCENES[0])
    assert (await place.post("/v1/lead", body)).status_code == 200
    await place.seen(lambda: place.cards)
    await place.slack.say("U0ANA", CHANNEL, "We come at noon.", thread_ts=place.cards[0]["ts"])
    await place.at_rest()
    (waiting,) = [one for one in await place.rows(Outbox) if one.kind == outbox.Kind.SEND_REPLY]
    assert (waiting.settled_at, waiting.reason) == (None, "unavailable")
    async with place.database.transaction() as tx:  # on a connection of its own, as `corkboard outbox retry`
        assert await upkeep.retry(tx, leads.known(waiting.id), now=place.clock())
    await place.thumbtack.wait_until(
        lambda: place.thumbtack.received(body["leadID"]) == ["We come at noon."], timeout=PATIENCE
    )


async def test_a_replica_whose_clock_is_wrong_takes_nothing_from_another(place: Office, monkeypatch):
    """By its own clock every claim of the others ran out two minutes ago."""
    place.slack.faults.add("chat.postMessage", Fault(delay=2.0))
    assert (await place.post("/v1/lead", bodies.lead(bodies.SCENES[0]))).status_code == 200
    await place.seen(lambda: place.slack.called("chat.postMessage"))
    monkeypatch.setattr(shared_clock, "machines", lambda: datetime.now(UTC) + timedelta(minutes=3))
    async with place.replica() as other:
        await other.stop()
        other.clock = Clock()
        other.clock.ahead = timedelta(minutes=3)
        await other.start()
        await listens(other)
        await other.advance()
        await place.at_rest()
        clock = other.door.app.state.services.clock if other.door.app else None
        assert clock is not None
        assert abs(clock() - datetime.now(UTC)) < timedelta(seconds=2)
    assert not place.slack.called("conversations.history"), "nobody looked for what another was saying"
    assert len(place.cards) == 1


async def test_of_several_replicas_one_tells_the_watch_outside(place: Office, monkeypatch):
    beats, beaten = [], asyncio.Event()

    async def heard(url: str) -> None:
        beats.append(url)
        beaten.set()

    monkeypatch.setattr("bot.heartbeat.beat", heard)
    for pause in ("FIRST_AFTER", "APART"):
        monkeypatch.setattr(jobs, pause, timedelta())
    await place.stop()
    await place.start(heartbeat_url="https://watch.example/1")
    async with place.replica() as second, second.replica():
        async with asyncio.timeout(PATIENCE):
            await beaten.wait()
        held = select(Lease.owner).where(Lease.name == "job:beat")
        async with place.database.reading() as tx:
            assert len((await tx.execute(held)).scalars().all()) == 1
    assert beats == ["https://watch.example/1"]
