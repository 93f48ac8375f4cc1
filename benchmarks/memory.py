"""Whether `corkboard serve` keeps to its memory, however many webhooks come; prints a Markdown table.

Usage: python -m benchmarks.memory [--events 20000] [--database sqlite|postgresql|URL]
Posts leads, waits until every one is read and said to Slack (a stub), and looks at the memory after each tenth.
"""

import argparse
import asyncio
import os
import tempfile
import time

import httpx

from benchmarks.acknowledging import resident_mb, server
from benchmarks.databases import database_at
from benchmarks.served import ENV, LEAD, sender, serving
from benchmarks.slack_stub import SlackStub

PORT = 8305
TENTHS = 10
AT_ONCE = 16
POSTS_A_LEAD = 1
PATIENCE = 600


async def post(client: httpx.AsyncClient, first: int, count: int) -> None:
    """Post so many leads, a few at a time."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        lead_id = f"7{number:07d}"
        async with turns:
            answer = await client.post("/v1/lead", content=LEAD % (lead_id, lead_id, lead_id))
            answer.raise_for_status()

    await asyncio.gather(*(one(number) for number in range(first, first + count)))


async def said(slack: SlackStub, posts: int) -> None:
    """Wait until so many posts were made, but not for ever."""
    ends = time.monotonic() + PATIENCE
    while slack.posts < posts and time.monotonic() < ends:  # noqa: ASYNC110 -- the stub is in another thread
        await asyncio.sleep(0.05)


async def measure(slack: SlackStub, pid: int, events: int) -> list[tuple[int, float]]:
    """How much memory is held after so many leads that were read and said."""
    found, share = [(0, resident_mb(pid))], events // TENTHS
    async with sender(PORT) as client:
        for tenth in range(TENTHS):
            await post(client, tenth * share, share)
            await said(slack, (tenth + 1) * share * POSTS_A_LEAD)
            found.append(((tenth + 1) * share, resident_mb(pid)))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--database", default="sqlite", help="sqlite, postgresql, or an empty one's address")
    options = parser.parse_args()
    command = serving(PORT)
    with tempfile.TemporaryDirectory() as folder, database_at(options.database, folder) as url, SlackStub() as slack:
        os.chdir(folder)  # no .env of whoever measures
        env = {**ENV, "DATABASE_URL": url, "SLACK_API_URL": slack.url}
        with server(command, f"http://127.0.0.1:{PORT}/readyz", **env) as process:
            found = asyncio.run(measure(slack, process.pid, options.events))
    print("| leads read and said | resident memory, MB |")
    print("| --- | --- |")
    for leads, memory in found:
        print(f"| {leads:,} | {memory:.0f} |")


if __name__ == "__main__":
    main()
