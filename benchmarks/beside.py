"""How much is said beside webhooks that keep coming, of many that wait to be said; prints a Markdown table.

Usage: python -m benchmarks.beside [--rates 0,40] [--leads 4000] [--seconds 15] [--database sqlite|postgresql]
Each rate has a program of its own: leads are posted as fast as they are taken, and then more of them, so many a second, while
the first are read and said to a stub of Slack that is always quick.
"""

import argparse
import asyncio
import os
import tempfile
import time

import httpx

from benchmarks.acknowledging import cpu_seconds, server
from benchmarks.databases import database_at
from benchmarks.memory import post, said
from benchmarks.served import ENV, LEAD, sender, serving
from benchmarks.slack_stub import SlackStub

PORT = 8309
FIRST = 50
"""Leads that are said before anything is measured."""


async def send(client: httpx.AsyncClient, rate: float, seconds: float) -> list[float]:
    """Send so many leads a second for so long, whatever is answered; returns how long each answer took."""
    took: list[float] = []

    async def one(number: int) -> None:
        began, lead_id = time.monotonic(), f"8{number:07d}"
        (await client.post("/v1/lead", content=LEAD % (lead_id, lead_id, lead_id))).raise_for_status()
        took.append(time.monotonic() - began)

    began = time.monotonic()
    async with asyncio.TaskGroup() as sent:
        for number in range(int(rate * seconds)):
            sent.create_task(one(number))
            await asyncio.sleep(began + (number + 1) / rate - time.monotonic())
        await asyncio.sleep(began + seconds - time.monotonic())
    return took


async def measure(slack: SlackStub, pid: int, rate: float, options: argparse.Namespace) -> tuple[str, ...]:
    """What was said a second, the share of a core it took, and how long webhooks waited for their answer."""
    async with sender(PORT) as client:
        await post(client, 0, FIRST)
        await said(slack, FIRST)
        await post(client, FIRST, options.leads)
        posts, cpu, began = slack.posts, cpu_seconds(pid), time.monotonic()
        took = sorted(await send(client, rate, options.seconds))
        passed = time.monotonic() - began
        rate_said, busy = (slack.posts - posts) / passed, (cpu_seconds(pid) - cpu) / passed
    waited = f"{took[len(took) // 2] * 1e3:.1f}, {took[len(took) * 99 // 100] * 1e3:.1f}" if took else ""
    return f"{rate:.0f}", f"{rate_said:.0f}", f"{busy:.0%}", waited


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", default="0,40", help="webhooks a second, with commas between them")
    parser.add_argument("--leads", type=int, default=4_000, help="how many wait to be said")
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--database", default="sqlite", help="sqlite or postgresql")
    options = parser.parse_args()
    print(
        "| webhooks a second | posts a second | CPU, of one core | answered after, p50, p99 ms |\n| --- | --- | --- | --- |"
    )
    for rate in map(float, options.rates.split(",")):
        with (
            tempfile.TemporaryDirectory() as folder,
            database_at(options.database, folder) as url,
            SlackStub() as slack,
        ):
            os.chdir(folder)  # no .env of whoever measures
            env = {**ENV, "DATABASE_URL": url, "SLACK_API_URL": slack.url}
            with server(serving(PORT), f"http://127.0.0.1:{PORT}/readyz", **env) as process:
                print(f"| {' | '.join(asyncio.run(measure(slack, process.pid, rate, options)))} |", flush=True)


if __name__ == "__main__":
    main()
