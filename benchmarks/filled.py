"""Whether webhooks are acknowledged as fast with many leads in the database as with none; prints a Markdown table.

Usage: python -m benchmarks.filled [--leads 1000000] [--database sqlite|postgresql] [--seconds 5] [--rounds 3]
Needs wrk. The leads are copies of one that was read and posted, with its message, its card and all that was done for it.
"""

import argparse
import asyncio
import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
from sqlalchemy import Connection, inspect, make_url, text

from benchmarks.acknowledging import Load, server, wrk
from benchmarks.databases import database_at
from benchmarks.message import body, say
from benchmarks.served import ENV, serving
from benchmarks.slack_stub import SlackStub
from storage.database import Database

PORT = 8308
AT_ONCE = 50_000
"""Leads in one transaction."""

CONNECTIONS = 16
SPREAD = 100_000_000
"""Between the ids of copies of one row and those of the next: a lead has several rows of a kind."""

COPIED = {
    "customer": {"thumbtack_id": "{} || '-' || x"},
    "lead": {
        "thumbtack_id": "{} || '-' || x", "request_thumbtack_id": "{} || '-' || x", "waiting_since": "NULL",
        "poll_at": "NULL",
    },
    "message": {"thumbtack_id": "{} || '-' || x", "slack_ts": "{} || x"},
    "thread": {"ts": "{} || x", "delivery_id": "{} || '-' || x"},
    "lead_event": {},
    "inbox": {
        "lane": "{} || '-' || x", "dedupe": "{} || '-' || x", "body_hash": "{} || '-' || x",
        "lead_thumbtack_id": "{} || '-' || x", "body": "NULL",
    },
    "outbox": {"delivery_id": "{} || '-' || x", "lane": "{} || '-' || x"},
}  # fmt: skip
"""What is copied, in an order in which rows may refer to each other, and what differs in the copies; bodies are pruned."""

REFERRING = ("lead_id", "customer_id", "message_id")
"""What names another copy with the same number: there is one lead, one customer and one message to be copied."""

SERIES = {
    True: "(WITH RECURSIVE n(x) AS (SELECT :first UNION ALL SELECT x + 1 FROM n WHERE x < :last) SELECT x FROM n) AS n",
    False: "generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n(x)",
}


@dataclass(frozen=True)
class Place:
    """A database that can be served."""

    url: str
    slack: SlackStub
    folder: str

    @contextlib.contextmanager
    def served(self) -> Iterator[None]:
        """`corkboard serve` on it."""
        command = serving(PORT)
        env = {**ENV, "DATABASE_URL": self.url, "SLACK_API_URL": self.slack.url, "HOME": self.folder}
        with server(command, f"http://127.0.0.1:{PORT}/readyz", **env):
            yield


async def one_lead(slack: SlackStub) -> None:
    """A lead and its customer's message, posted."""
    base = f"http://127.0.0.1:{PORT}"
    async with httpx.AsyncClient(base_url=base, auth=("bench", "bench"), trust_env=False, timeout=60) as client:
        lead = body("v4_negotiation_created")
        await say(client, slack, lead)
        await asyncio.sleep(2)  # what else there is to say about it
        await say(client, slack, body("v4_message_from_customer", negotiationID=lead["data"]["negotiationID"]))
        await asyncio.sleep(1)


async def fill(url: str, leads: int) -> float:
    """Copy the one lead; returns the seconds it took."""
    database, began = Database(url), time.monotonic()
    for first in range(1, leads + 1, AT_ONCE):
        async with database.engine.begin() as connection:
            await connection.run_sync(copy, database.is_sqlite, first, min(first + AT_ONCE - 1, leads))
    if not database.is_sqlite:
        async with database.engine.begin() as connection:
            await connection.run_sync(settle_in)
    await database.close()
    return time.monotonic() - began


def copy(connection: Connection, is_sqlite: bool, first: int, last: int) -> None:  # noqa: FBT001 -- run_sync hands no names
    """The copies with these numbers, of each kind of row."""
    for table, different in COPIED.items():
        columns = [column["name"] for column in inspect(connection).get_columns(table)]
        settled = " AND settled_at IS NOT NULL" if "settled_at" in columns else ""
        found = connection.execute(text(f"SELECT id FROM {table} WHERE id < {SPREAD}{settled} ORDER BY id"))
        for place, (row_id,) in enumerate(found.all(), start=1):
            made = [_made(name, place, different) for name in columns]
            quoted = ", ".join(f'"{name}"' for name in columns)
            connection.execute(
                text(
                    f"INSERT INTO {table} ({quoted}) SELECT {', '.join(made)} "
                    f"FROM {table} AS t, {SERIES[is_sqlite]} WHERE t.id = {row_id}"
                ),
                {"first": first, "last": last},
            )


def _made(name: str, place: int, different: Mapping[str, str]) -> str:
    """What a copy has in a column; `place`: of which of several rows of this kind it is a copy."""
    if name == "id":
        return f"{place * SPREAD} + x"
    if name in REFERRING:
        return f"CASE WHEN t.{name} IS NULL THEN NULL ELSE {SPREAD} + x END"
    return different.get(name, "{}").format(f"t.{name}")


def settle_in(connection: Connection) -> None:
    """What PostgreSQL does by itself after a while: count on from the last id, and know how much there is."""
    for table in COPIED:
        connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"))
    connection.execute(text("ANALYZE"))


def loads(places: Sequence[Place], seconds: int, rounds: int) -> list[list[Load]]:
    """By turns on each, so that what else this machine does meets all of them; the first round warms up."""
    found: list[list[Load]] = [[] for _ in places]
    for turn in range(rounds + 1):
        for place, of_place in zip(places, found, strict=True):
            with place.served():
                load = wrk(f"http://127.0.0.1:{PORT}", CONNECTIONS, seconds if turn else 1, 3 + turn)
            if turn:
                of_place.append(load)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=1_000_000)
    parser.add_argument("--database", default="sqlite", choices=["sqlite", "postgresql"])
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = str(Path(__file__).parent.parent)  # the code beside us is measured, and no other
    with contextlib.ExitStack() as stack:
        slack = stack.enter_context(SlackStub())
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        url = stack.enter_context(database_at(options.database, folder))
        os.chdir(folder)  # no .env of whoever measures
        empty, filled = (Place(one, slack, folder) for one in two_of(url))
        with filled.served():
            asyncio.run(one_lead(slack))
        took = asyncio.run(fill(filled.url, options.leads))
        print(f"{options.leads:,} leads were copied in {took:.0f} s.\n")
        report(options.leads, *loads((empty, filled), options.seconds, options.rounds))


def two_of(url: str) -> tuple[str, str]:
    """The addresses of two databases; of one server, where it is one."""
    if url.startswith("sqlite"):
        return url, url.replace("bench.db", "filled.db")
    asyncio.run(_create(url, "filled"))
    return url, make_url(url).set(database="filled").render_as_string(hide_password=False)


async def _create(url: str, name: str) -> None:
    database = Database(url)
    async with database.engine.connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await alone.execute(text(f"CREATE DATABASE {name}"))
    await database.close()


def report(leads: int, empty: Sequence[Load], filled: Sequence[Load]) -> None:
    """Print the table: a row for each round, and the median of what they say."""
    print(f"| round | with none, /s | with {leads:,}, /s | share | p99 ms with none | p99 ms filled | errors |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for number, (a, b) in enumerate(zip(empty, filled, strict=True), start=1):
        print(
            f"| {number} | {a.rate:,.0f} | {b.rate:,.0f} | {b.rate / a.rate:.2f} | {a.p99_ms:.1f} | {b.p99_ms:.1f} "
            f"| {a.errors + b.errors} |"
        )
    share = statistics.median(b.rate / a.rate for a, b in zip(empty, filled, strict=True))
    print(f"\nShare, at the median of the rounds: {share:.2f}.")


if __name__ == "__main__":
    main()
