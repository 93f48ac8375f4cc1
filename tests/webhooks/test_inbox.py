"""Webhooks are stored before anybody hears 200: many to a commit, none lost, the same body once."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from asyncpg import Connection
from asyncpg.transaction import Transaction
from sqlalchemy import make_url
from support.gate import Gate, gate, with_tables

from sandbox.thumbtack import bodies
from storage import database as storage_database
from storage import inbox
from storage.database import Database
from storage.inbox import Arrival, InboxWriter, NotStored
from storage.models import Environment, Inbox, Lead, WorkState


@pytest.fixture
async def database(database_url):
    """A database with tables, and nobody who writes yet."""
    found = Database(database_url)
    await with_tables(found)
    yield found
    await found.close()


def arrival(number: int, **changes) -> Arrival:
    fresh = Arrival(
        environment=Environment.PRODUCTION,
        route="/v1/lead",
        lane=f"production:{number}",
        body=b"{}",
        body_hash=f"hash {number}",
        dedupe=f"/v1/lead {number}",
        lead_thumbtack_id=str(number),
        business_thumbtack_id=None,
        received_at=datetime.now(UTC),
    )
    return replace(fresh, **changes)


def commits(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A list that grows by one with every commit of what appends to the inbox."""
    seen: list[str] = []
    on_commits(database, monkeypatch, lambda: seen.append("commit"))
    return seen


def on_commits(database: Database, monkeypatch: pytest.MonkeyPatch, before: Callable[[], None]) -> None:
    """Call this before each commit of what appends to the inbox, in the driver itself."""
    if database.is_sqlite:
        on_statements(monkeypatch, {"COMMIT", ALONE}, before)
        return
    end, many = Transaction.__aexit__, Connection.executemany

    async def told(transaction: Transaction, *error) -> None:
        try:
            if error[0] is None:
                before()
        except Exception as broke:
            await end(transaction, type(broke), broke, None)
            raise
        await end(transaction, *error)

    async def told_alone(connection: Connection, *what) -> None:
        if not connection.is_in_transaction():  # it commits itself
            before()
        await many(connection, *what)

    monkeypatch.setattr(Transaction, "__aexit__", told)
    monkeypatch.setattr(Connection, "executemany", told_alone)


ALONE = "INSERT outside of a transaction"
"""Which SQLite begins and commits by itself."""


def on_statements(monkeypatch: pytest.MonkeyPatch, which: set[str], before: Callable[[], None]) -> None:
    """Call this before SQLite's driver executes one of these."""

    def execute(connection: sqlite3.Connection, statement: str, *args):
        verb = statement.partition(" ")[0]
        if (ALONE if verb == "INSERT" and not connection.in_transaction else verb) in which:
            before()
        return sqlite3.Connection.execute(connection, statement, *args)

    monkeypatch.setattr(storage_database._SqliteConnection, "execute", execute, raising=False)


async def stored(database: Database) -> list[str]:
    async with database.reading() as tx:
        return [row.body_hash for row in await inbox.listing(tx, limit=10_000)]


async def append_all(writer: InboxWriter, arrivals: list[Arrival]) -> list[bool | BaseException]:
    """Hand over all of these at once, in this order, and then let them be written."""
    waiting = [asyncio.create_task(writer.append(one)) for one in arrivals]
    await asyncio.sleep(0)
    running = asyncio.create_task(writer.run())
    try:
        return await asyncio.gather(*waiting, return_exceptions=True)
    finally:
        running.cancel()
        await asyncio.wait([running])


async def test_all_that_waits_goes_into_one_commit_in_the_order_of_arrival(database, monkeypatch):
    seen = commits(database, monkeypatch)
    await append_all(InboxWriter(database), [arrival(number) for number in range(300)])
    assert len(seen) == 1
    assert await stored(database) == [f"hash {number}" for number in range(300)]


async def test_a_large_crowd_is_a_few_commits(database, monkeypatch):
    seen = commits(database, monkeypatch)
    await append_all(InboxWriter(database), [arrival(number) for number in range(2 * inbox.BATCH + 1)])
    assert len(seen) == 3


async def test_many_requests_at_once_are_few_commits(door, monkeypatch):
    seen = commits(door.database, monkeypatch)
    answers = await asyncio.gather(*(door.post("/v1/lead", bodies.lead()) for _ in range(100)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(seen) <= 10
    assert len(await door.rows(Inbox)) == 100


async def test_what_was_answered_together_and_comes_again_together_is_one_commit_each_time(database, monkeypatch):
    seen = commits(database, monkeypatch)
    writer, rounds, callers = InboxWriter(database), 10, 16

    async def caller(number: int) -> None:
        for time in range(rounds):
            for _ in range(number % 5):  # some a little later than others
                await asyncio.sleep(0)
            await writer.append(arrival(number * rounds + time))

    running = asyncio.create_task(writer.run())
    await asyncio.gather(*(caller(number) for number in range(callers)))
    running.cancel()
    assert rounds <= len(seen) <= rounds + 2, "one of them went alone, and the others waited for it"
    assert len(await stored(database)) == rounds * callers


async def test_what_comes_while_others_write_goes_into_the_next_commit_with_what_waited(sqlite_url, monkeypatch):
    database = Database(sqlite_url)
    await with_tables(database)
    seen = commits(database, monkeypatch)
    writer = InboxWriter(database)
    running = asyncio.create_task(writer.run())
    async with database.precedence.turn():
        posts = []
        for number in range(5):
            posts.append(asyncio.create_task(writer.append(arrival(number))))
            for _ in range(20):
                await asyncio.sleep(0)
    assert await asyncio.gather(*posts) == [False] * 5
    assert len(seen) == 1
    running.cancel()
    await asyncio.wait([running])
    await writer.drain()
    await database.close()


async def test_within_one_commit_the_first_of_a_lead_is_the_one_that_did_not_know_it(database):
    asks = [arrival(n, dedupe=None, lead_thumbtack_id=lead, asks_known=True) for n, lead in enumerate("aabab")]
    elsewhere = arrival(9, environment=Environment.STAGING, lead_thumbtack_id="a", asks_known=True)
    assert await append_all(InboxWriter(database), [*asks, elsewhere]) == [False, True, False, True, True, False]
    assert await append_all(InboxWriter(database), [arrival(10, lead_thumbtack_id="b", asks_known=True)]) == [True]


async def test_one_bad_row_refuses_none_of_its_neighbours(database):
    rows = [arrival(1), arrival(2), arrival(3, lane=None), arrival(4, lane=None), arrival(5)]
    answers = await append_all(InboxWriter(database), rows)
    assert [type(answer) for answer in answers] == [bool, bool, NotStored, NotStored, bool]
    assert await stored(database) == ["hash 1", "hash 2", "hash 5"]


@pytest.mark.parametrize("asks_known", [False, True])
async def test_nothing_is_answered_unless_the_commit_itself_succeeded(database, monkeypatch, asks_known):
    def broken():
        raise OSError("the disk is full")

    writer, both = InboxWriter(database), [arrival(number, asks_known=asks_known) for number in (1, 2)]
    with monkeypatch.context() as patched:
        on_commits(database, patched, broken)
        answers = await append_all(writer, both)
    assert [str(answer) for answer in answers] == ["OSError", "OSError"]
    assert await stored(database) == []
    assert await append_all(writer, both) == [False, False]  # the same connection goes on


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_nothing_is_told_as_stored_within_a_transaction_that_could_not_be_rolled_back(
    sqlite_door, monkeypatch, times
):
    """However often: at once, when the connection is put back, and when it is thrown away."""
    left = {"COMMIT": 1, "ROLLBACK": times}

    def failing(statement: str) -> None:
        if left.get(statement, 0) > 0:
            left[statement] -= 1
            raise sqlite3.OperationalError("disk I/O error")

    def rollback(connection: sqlite3.Connection) -> None:
        failing("ROLLBACK")
        sqlite3.Connection.rollback(connection)

    on_statements(monkeypatch, {"COMMIT"}, lambda: failing("COMMIT"))
    monkeypatch.setattr(storage_database._SqliteConnection, "rollback", rollback, raising=False)
    database, writer = sqlite_door.database, InboxWriter(sqlite_door.database)
    assert [type(answer) for answer in await append_all(writer, [arrival(1, asks_known=True)])] == [NotStored]
    assert left == {"COMMIT": 0, "ROLLBACK": 0}
    assert await append_all(writer, [arrival(2)]) == [False]
    assert await stored(database) == ["hash 2"]
    async with database.transaction() as tx:  # it is not that one which goes on
        assert await inbox.retry(tx, None, now=datetime.now(UTC)) == 1


async def test_an_error_nobody_foresaw_leaves_nobody_waiting(database, monkeypatch):
    def broken():
        raise ZeroDivisionError

    on_commits(database, monkeypatch, broken)
    answers = await append_all(InboxWriter(database), [arrival(1), arrival(2)])
    assert [str(answer) for answer in answers] == ["ZeroDivisionError", "ZeroDivisionError"]


async def test_a_refusal_that_nobody_waits_for_any_more_troubles_nobody(database):
    writer = InboxWriter(database)
    gone = asyncio.create_task(writer.append(arrival(1, lane=None)))
    await asyncio.sleep(0)
    gone.cancel()
    answers = await append_all(writer, [arrival(2, lane=None), arrival(3)])
    assert [type(answer) for answer in answers] == [NotStored, bool]


async def test_who_stops_waiting_takes_nothing_back(database):
    writer = InboxWriter(database)
    gone = asyncio.create_task(writer.append(arrival(1)))
    await asyncio.sleep(0)
    gone.cancel()
    assert await append_all(writer, [arrival(2)]) == [False]
    assert await stored(database) == ["hash 1", "hash 2"]


async def test_at_shutdown_what_waits_is_written_and_what_comes_later_is_refused(database):
    writer = InboxWriter(database)
    running = asyncio.create_task(writer.run())
    await writer.append(arrival(0))
    waiting = [asyncio.create_task(writer.append(arrival(number))) for number in range(1, 4)]
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])
    more = asyncio.create_task(writer.append(arrival(4)))
    await asyncio.sleep(0)
    await writer.drain()
    assert await asyncio.gather(*waiting, more) == [False] * 4
    with pytest.raises(NotStored):
        await writer.append(arrival(5))
    assert await stored(database) == [f"hash {number}" for number in range(5)]


async def test_a_shutdown_in_the_middle_of_a_commit_lets_it_finish(database):
    for steps in range(0, 40, 3):
        writer = InboxWriter(database)
        running = asyncio.create_task(writer.run())
        waiting = asyncio.create_task(writer.append(arrival(steps)))
        for _ in range(steps):
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait([running])
        await writer.drain()
        assert await waiting is False
    assert len(await stored(database)) == 14


# A database that does not do as asked


async def test_a_locked_file_refuses_all_that_waits_at_once_and_works_again_after(sqlite_url, monkeypatch):
    monkeypatch.setattr(storage_database, "BUSY_TIMEOUT_MS", 50)
    begun: list[str] = []
    on_statements(monkeypatch, {"BEGIN", ALONE}, lambda: begun.append("begun"))
    async with gate(sqlite_url) as door:
        assert (await door.post("/v1/lead", {"leadID": "before"})).status_code == 200
        begun.clear()
        other = sqlite3.connect(door.database.file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        answers = await asyncio.gather(*(door.post("/v1/lead", {"leadID": f"locked {n}"}) for n in range(30)))
        for answer in answers:
            assert answer.status_code == 503
            assert answer.json()["reason"] == "storage"
            assert int(answer.headers["retry-after"]) > 0
        assert 1 <= len(begun) < 10, "every row asked the locked database again"
        other.rollback()
        other.close()
        assert (await door.post("/v1/lead", {"leadID": "after"})).status_code == 200
        assert [row.lead_thumbtack_id for row in await door.rows(Inbox)] == ["before", "after"]


async def test_a_database_that_answers_too_late_is_told_as_503_and_the_webhook_is_kept(sqlite_url, monkeypatch):
    monkeypatch.setattr(inbox, "STORED_WITHIN", 0.01)
    database = Database(sqlite_url)
    await with_tables(database)
    door = Gate(database)
    answer = await door.post("/v1/lead", {"leadID": "late"})
    assert (answer.status_code, answer.json()["reason"]) == (503, "storage")
    await door.writer.drain()
    assert [row.lead_thumbtack_id for row in await door.rows(Inbox)] == ["late"]
    await door.http.aclose()
    await database.close()


KILL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1"


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_connections_that_are_killed_lose_nothing_that_was_answered_200(database_url, administrator):
    name = make_url(database_url).database
    accepted = set()
    async with gate(database_url) as door:
        for round_ in range(12):
            ids = [f"{round_}-{number}" for number in range(20)]
            posts = [asyncio.create_task(door.post("/v1/lead", {"leadID": lead_id})) for lead_id in ids]
            for _ in range(round_ * 2):
                await asyncio.sleep(0)
            await administrator.execute(KILL, name)
            for lead_id, answer in zip(ids, await asyncio.gather(*posts), strict=True):
                if answer.status_code == 200:
                    accepted.add(lead_id)
                else:
                    assert (answer.status_code, answer.json()["reason"]) == (503, "storage")
        await door.post("/v1/lead", {"leadID": "may meet the last connection that was killed"})
        assert (await door.post("/v1/lead", {"leadID": "last"})).status_code == 200
        kept = {row.lead_thumbtack_id for row in await door.rows(Inbox)}
        assert accepted <= kept
        assert accepted


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_a_server_that_takes_no_connections_is_503_until_it_does(database_url, administrator):
    name = make_url(database_url).database
    async with gate(database_url) as door:
        await administrator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        await administrator.execute(KILL, name)
        answers = await asyncio.gather(*(door.post("/v1/lead", {"leadID": str(n)}) for n in range(5)))
        assert {(one.status_code, one.json()["reason"]) for one in answers} == {(503, "storage")}
        await administrator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        assert (await door.post("/v1/lead", {"leadID": "after"})).status_code == 200


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_two_replicas_that_store_the_same_bodies_keep_each_once(database_url):
    async with gate(database_url) as one, gate(database_url) as other:
        sent = [bodies.lead() for _ in range(40)]
        posts = [one.post("/v1/lead", body) for body in sent] + [other.post("/v1/lead", body) for body in sent[::-1]]
        assert {answer.status_code for answer in await asyncio.gather(*posts)} == {200}
        assert len(await one.rows(Inbox)) == 40


# The same body


LEAD = bodies.lead(leadID="8001", extra={"b": [1, 2.5, None], "a": "é"})


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(LEAD, indent=4),
        json.dumps(dict(reversed(list(LEAD.items())))),
        json.dumps(LEAD, separators=(",", ":"), ensure_ascii=False),
        json.dumps({**LEAD, "extra": {"a": "é", "b": [1, 2.5, None]}}),
    ],
    ids=["indented", "reversed", "dense", "reversed within"],
)
async def test_the_same_body_however_it_is_written_is_stored_once(sqlite_door, body):
    assert (await sqlite_door.post("/v1/lead", LEAD)).status_code == 200
    assert (await sqlite_door.post("/v1/lead", body.encode())).status_code == 200
    assert len(await sqlite_door.rows(Inbox)) == 1


@pytest.mark.parametrize(
    "body",
    [
        {**LEAD, "extra": {"b": [1, None, 2.5], "a": "é"}},
        {**LEAD, "leadType": "CALL"},
        {**LEAD, "leadID": 8001},
        {**LEAD, "another": None},
    ],
    ids=["other order in a list", "other value", "other type", "another field"],
)
async def test_another_body_is_another_row(sqlite_door, body):
    await sqlite_door.ingested(("/v1/lead", LEAD), ("/v1/lead", body))
    assert len(await sqlite_door.rows(Inbox)) == 2


async def test_the_same_body_on_another_route_or_in_another_environment_is_another_row(sqlite_door):
    body = {"leadID": "1", "message": {"messageID": "2"}, "review": {"reviewID": "3", "leadID": "1"}}
    paths = ["/v1/lead", "/v1/message", "/v1/review", "/staging/v1/lead", "/staging/v1/message"]
    await sqlite_door.ingested(*((path, body) for path in [*paths, *paths]))
    assert [row.route for row in await sqlite_door.rows(Inbox)] == paths


async def test_every_price_update_is_kept_for_the_same_one_may_mean_something_again(door):
    told = [bodies.price("8002", "$26.00", state) for state in ("Charged", "Refunded", "Charged")]
    await door.ingested(*(("/v1/lead/update", body) for body in told))
    assert len(await door.rows(Inbox)) == 3


# What a row holds


async def test_a_row_names_what_it_is_about_and_holds_the_body_as_it_came(door):
    body = json.dumps(bodies.message("8003", "hello"), indent=1).encode()
    before = datetime.now(UTC)
    await door.post("/staging/v1/message", body)
    [row] = await door.rows(Inbox)
    assert row.body == body
    assert (row.environment, row.route) == ("staging", "/staging/v1/message")
    assert (row.lead_thumbtack_id, row.business_thumbtack_id) == ("8003", bodies.BUSINESS_ID)
    assert len(row.body_hash) == 64
    assert before <= row.received_at <= datetime.now(UTC)
    assert (row.state, row.settled_at) == (WorkState.PENDING, None)


async def test_a_review_without_a_lead_names_none(sqlite_door):
    await sqlite_door.post("/v1/review", bodies.review(None, "5", "fine", review={"businessID": None}))
    [row] = await sqlite_door.rows(Inbox)
    assert (row.lead_thumbtack_id, row.business_thumbtack_id) == (None, None)


async def prune(door: Gate, days: int) -> int:
    before = door.clock() - timedelta(days=days)
    async with door.database.transaction() as tx:
        return await inbox.prune(tx, await inbox.old(tx, before=before, after=0), before=before)


async def test_a_pruned_body_is_gone_and_its_repeat_still_known(door):
    lead = bodies.lead()
    await door.ingested(("/v1/lead", lead))
    assert await prune(door, 30) == 0
    door.ahead = timedelta(days=31)
    assert await prune(door, 30) == 1
    assert await prune(door, 30) == 0
    [row] = await door.rows(Inbox)
    assert row.body is None
    assert row.state == WorkState.DONE
    await door.ingested(("/v1/lead", lead))
    assert len(await door.rows(Inbox)) == 1
    assert (await door.post("/v1/message", bodies.message(lead["leadID"], "hello"))).status_code == 200
    assert len(await door.rows(Lead)) == 1


async def test_only_what_was_ingested_is_pruned(sqlite_door):
    await sqlite_door.post("/v1/lead", bodies.lead())
    sqlite_door.ahead = timedelta(days=31)
    assert await prune(sqlite_door, 30) == 0
    [row] = await sqlite_door.rows(Inbox)
    assert row.body is not None
