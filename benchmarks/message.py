"""What one message of a customer costs, from Thumbtack's webhook to the post in its lead's thread; prints Markdown tables.

Usage: python -m benchmarks.message [--messages 300] [--database sqlite|postgresql|URL] [--profile]
Messages of one known lead come one by one (v4), each once the one before is written down: nothing is shared with a neighbour.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from benchmarks.acknowledging import cpu_seconds, resident_mb, server
from benchmarks.databases import database_at
from benchmarks.sampled import START_OVER
from benchmarks.served import ENV
from benchmarks.slack_stub import SlackStub

PORT = 8307
PAUSE = 0.05
"""Seconds after a post: what came of it is written down, and nobody has anything to do."""

BEFOREHAND = 60
"""Messages before the measured ones: statements are compiled, caches are full."""

FIRST_SENT, APART = datetime(2026, 9, 30, 9, 50, tzinfo=UTC), timedelta(minutes=5)
"""When the customer wrote, as Thumbtack says it: a person does not say a thousand things in one second."""

IDLE_FOR = 5
BODIES = Path(__file__).parent.parent / "tests" / "payloads"


@dataclass(frozen=True)
class Measured:
    """What so many messages took."""

    cpu_ms: float
    yardstick_ms: float
    idle_share: float
    latencies_ms: list[float]
    resident: float


def body(kind: str, **data: Any) -> dict[str, Any]:
    """A recorded body, with some of its data changed."""
    found: dict[str, Any] = json.loads((BODIES / f"{kind}.json").read_text())
    found["data"].update(data)
    return found


async def say(client: httpx.AsyncClient, slack: SlackStub, what: dict[str, Any], *, posts: int = 1) -> float:
    """Post a webhook, and wait for what Slack is told of it; milliseconds until the first call."""
    before, started = slack.posts, time.perf_counter()
    (await client.post("/v4/webhooks", json=what)).raise_for_status()
    while slack.posts < before + 1:  # noqa: ASYNC110 -- the stub runs in a thread of its own, without our events
        await asyncio.sleep(0.0005)
    took = (slack.last_post - started) * 1000
    while slack.posts < before + posts:  # noqa: ASYNC110 -- same
        await asyncio.sleep(0.0005)
    await asyncio.sleep(PAUSE)
    return took


async def measure(slack: SlackStub, pid: int, messages: int, *, profile: bool) -> Measured:
    """A lead, some messages beforehand, then those that count; last, what the process takes doing nothing."""
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{PORT}", auth=("bench", "bench"), trust_env=False, timeout=60
    ) as client:
        lead = body("v4_negotiation_created")
        await say(client, slack, lead)
        await asyncio.sleep(1)
        named = lead["data"]["negotiationID"]

        async def one(number: int) -> float:
            sent = body(
                "v4_message_from_customer",
                negotiationID=named,
                messageID=f"7{number:09d}",
                text=f"Say {number}.",
                sentAt=(FIRST_SENT + number * APART).isoformat(),
            )
            return await say(client, slack, sent)

        for number in range(BEFOREHAND):
            await one(number)
        if profile:
            os.kill(pid, START_OVER)
        before, began = cpu_seconds(pid), time.perf_counter()
        latencies = [await one(BEFOREHAND + number) for number in range(messages)]
        spent, took = cpu_seconds(pid) - before, time.perf_counter() - began
        if profile:
            return Measured(spent / messages * 1000, yardstick(), 0.0, latencies, resident_mb(pid))
        before = cpu_seconds(pid)
        await asyncio.sleep(IDLE_FOR)
        idle = (cpu_seconds(pid) - before) / IDLE_FOR
        cpu_ms = (spent - idle * took) / messages * 1000
        return Measured(cpu_ms, yardstick(), idle, latencies, resident_mb(pid))


def yardstick() -> float:
    """Milliseconds of CPU that a fixed piece of Python takes here and now: on a busy machine all of it takes more."""
    text, began = json.dumps([{"number": number} for number in range(100)]), time.process_time()
    for _ in range(500):
        json.loads(json.dumps(json.loads(text), indent=1))
    return (time.process_time() - began) * 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=300)
    parser.add_argument("--database", default="sqlite", help="sqlite, postgresql, or an empty one's address")
    parser.add_argument("--profile", action="store_true", help="also say where the CPU time goes; takes some itself")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, database_at(options.database, folder) as url, SlackStub() as slack:
        os.environ["PYTHONPATH"] = str(Path(__file__).parent.parent)  # the code beside us is measured, and no other
        os.chdir(folder)  # no .env of whoever measures
        sampled = Path(folder) / "sampled.json"
        command = [sys.executable, "-P", str(Path(__file__).with_name("sampled.py")), str(sampled)]
        if not options.profile:
            command = [str(Path(sys.executable).with_name("corkboard"))]
        env = {**ENV, "DATABASE_URL": url, "SLACK_API_URL": slack.url}
        served_at = f"http://127.0.0.1:{PORT}/readyz"
        with server([*command, "serve", "--port", str(PORT)], served_at, **env) as process:
            measured = asyncio.run(measure(slack, process.pid, options.messages, profile=options.profile))
        report(measured)
        if options.profile:
            report_profile(Counter(json.loads(sampled.read_text())), measured.cpu_ms)


def report(measured: Measured) -> None:
    """Print the table."""
    quick, median, slow = statistics.quantiles(measured.latencies_ms, n=20)[0::9][:3]
    print("| a message | |\n| --- | --- |")
    print(f"| CPU for each, ms | {measured.cpu_ms:.2f} |")
    print(f"| CPU for a fixed piece of Python at the same time, ms | {measured.yardstick_ms:.0f} |")
    print(f"| webhook to Slack call, ms: quickest twentieth, median, slowest | {quick:.1f}, {median:.1f}, {slow:.1f} |")
    print(f"| CPU when idle, % of one | {100 * measured.idle_share:.2f} |")
    print(f"| resident memory, MB | {measured.resident:.0f} |")


def report_profile(samples: Counter[str], cpu_ms: float) -> None:
    """Print whose code the time of a message goes to, by what it is done for."""
    columns, each = sorted({key.split("|")[0] for key in samples}), cpu_ms / max(1, samples.total())
    rows: dict[str, Counter[str]] = {}
    for key, count in samples.items():
        task, code = key.split("|")
        rows.setdefault(code, Counter())[task] += count
    print(f"\n| ms in | {' | '.join(columns)} | all |\n| --- |{' --- |' * (len(columns) + 1)}")
    for code, counts in sorted(rows.items(), key=lambda row: -row[1].total()):
        if counts.total() > samples.total() / 100:
            cells = " | ".join(f"{counts[task] * each:.2f}" for task in columns)
            print(f"| {code} | {cells} | {counts.total() * each:.2f} |")
    totals = " | ".join(f"{sum(row[task] for row in rows.values()) * each:.2f}" for task in columns)
    print(f"| all | {totals} | {cpu_ms:.2f} |")


if __name__ == "__main__":
    main()
