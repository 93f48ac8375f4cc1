"""What `corkboard serve` asks of PostgreSQL and of the processor while nothing happens; prints a Markdown table.

Usage: python -m benchmarks.idle [--replicas 2] [--seconds 60]
Every statement is counted in the server's own log; then how soon one replica posts what another process wrote down.
"""

import argparse
import asyncio
import os
import re
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg

from benchmarks.databases import database_at
from sandbox import outside
from sandbox.outside import CHANNEL, Outside
from sandbox.servers import serving
from storage import outbox
from storage.database import Database, utcnow
from storage.outbox import Kind

SETTLES = 25.0
"""Seconds from the start that are not counted."""

COMMANDS = 9
"""How often another process writes something down."""

STATEMENT = re.compile(rb"duration: [\d.]+ ms +(?:execute|statement)")


async def measure(url: str, *, replicas: int, seconds: float, folder: Path) -> None:
    """Start them, let them do nothing, and print what that took."""
    async with replicas_of(url, replicas, folder) as (world, pids):
        await asyncio.sleep(SETTLES)
        counted, before = await log_of(url), cpu(pids)
        size = counted.stat().st_size
        await asyncio.sleep(seconds)
        with counted.open("rb") as file:
            file.seek(size)
            statements = len(STATEMENT.findall(file.read()))
        share = (cpu(pids) - before) / seconds / replicas
        print(
            "| replicas | statements a second, each | CPU of one, each | written by a command until posted, median | slowest |"
        )
        print("| --- | --- | --- | --- | --- |")
        waits = [await written_until_posted(url, world) for _ in range(COMMANDS)]
        per = statements / seconds / replicas
        print(f"| {replicas} | {per:.1f} | {share:.2%} | {statistics.median(waits):.2f} s | {max(waits):.2f} s |")


@asynccontextmanager
async def replicas_of(url: str, count: int, folder: Path) -> AsyncIterator[tuple[Outside, list[int]]]:
    """So many `corkboard serve`, and Slack."""
    world = Outside()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(world.aclose)
        address = await stack.enter_async_context(serving(world.app))
        settings = outside.settings(address) | {
            "DATABASE_URL": url,
            "ENCRYPTION_KEYS": "zH9o1mJmZUoY8D0m2rWn8q2c6a0m3S7mX0bqQ3B1u0Y=",
        }
        serve = (sys.executable, "-m", "bot.cli", "serve", "--port=0")
        logs = stack.enter_context((folder / "serve.log").open("wb"))
        started = [
            await asyncio.create_subprocess_exec(*serve, cwd=folder, env={**os.environ, **settings}, stderr=logs)
            for _ in range(count)
        ]
        yield world, [one.pid for one in started]
        for one in started:
            one.terminate()
            await one.wait()


async def log_of(url: str) -> Path:
    """From now on PostgreSQL logs each statement; where."""
    connection = await asyncpg.connect(url.replace("postgresql+asyncpg", "postgresql"))
    await connection.execute("ALTER SYSTEM SET log_min_duration_statement = 0")
    await connection.execute("SELECT pg_reload_conf()")
    where = Path(await connection.fetchval("SHOW data_directory")) / "log"
    await connection.close()
    return where


async def written_until_posted(url: str, world: Outside) -> float:
    """The seconds until a replica says what another process enqueued."""
    await asyncio.sleep(0.3 + secrets.randbelow(1000) / 1000)  # not in step with whoever looks every so often
    said = len(world.slack.called("chat.postMessage"))
    opened = Database(url)
    async with opened.transaction() as tx:
        payload = {"notice": "held", "channel": CHANNEL, "reason": "ratelimited"}
        await outbox.enqueue(tx, Kind.POST_NOTICE, now=utcnow(), payload=payload)
    began = time.monotonic()
    await world.slack.wait_until(lambda: len(world.slack.called("chat.postMessage")) > said, timeout=30)
    await opened.close()
    return time.monotonic() - began


def cpu(pids: list[int]) -> float:
    """Seconds of processor that these used so far."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicas", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=60.0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="corkboard-idle-") as folder, database_at("postgresql", folder) as url:
        asyncio.run(measure(url, replicas=chosen.replicas, seconds=chosen.seconds, folder=Path(folder)))


if __name__ == "__main__":
    main()
