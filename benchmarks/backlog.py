"""How fast a backlog drains against what Slack permits, and whether Slack ever has to answer 429; prints a Markdown table.

Usage: python -m benchmarks.backlog [--leads 500] [--messages 3] [--channels 5] [--replicas 3] [--speed 4] [--database sqlite]
Webhooks come while no Slack is there; then so many `corkboard serve` start against a strict stand-in of Slack. `--speed`:
its clock, and the bot's pace, run so many times as fast as the real ones.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.databases import database_at
from sandbox.slack import SlackStandIn
from sandbox.thumbtack import bodies

CORKBOARD = str(Path(sys.executable).with_name("corkboard"))
CHANNELS = [f"C0BACKLOG{number}" for number in range(5)]
TOKEN = "xoxb-backlog"  # noqa: S105 -- of the stand-in
AT_ONCE, BURST, WORKSPACE = 16, 3, 5
"""Webhooks at once; posts to a channel at once, and posts a second in the workspace (bot/pacing.py)."""

PORT = 8311
PATIENCE = 900


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """What waits, and who drains it."""

    leads: int
    messages: int
    channels: int
    replicas: int
    speed: float
    database: str

    @property
    def posts(self) -> int:
        """A card for each lead, and its messages."""
        return self.leads * (1 + self.messages)

    @property
    def permitted(self) -> float:
        """Posts a second."""
        return min(self.channels, WORKSPACE) * self.speed


@asynccontextmanager
async def served(count: int, env: Mapping[str, str]) -> AsyncIterator[None]:
    """So many `corkboard serve` on one database, at the ports from PORT on; ended by their own ids."""
    found: list[asyncio.subprocess.Process] = []
    try:
        for number in range(count):
            command = (CORKBOARD, "serve", "--port", str(PORT + number))
            found.append(await asyncio.create_subprocess_exec(*command, env={**os.environ, **env}))
            await ready(f"http://127.0.0.1:{PORT + number}")
        yield
    finally:
        for process in found:
            process.send_signal(signal.SIGTERM)
        for process in found:
            await process.wait()


async def ready(address: str) -> None:
    """Until it answers."""
    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in range(600):
            try:
                if (await client.get(f"{address}/readyz")).is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)
    raise RuntimeError(f"{address} does not answer")


async def fill(address: str, backlog: Backlog) -> None:
    """Leads, one after the other over the channels, and what their customers write."""
    leads = [
        bodies.lead(request={"category": f"Kind {number % backlog.channels}", "attachments": []})
        for number in range(backlog.leads)
    ]
    said = [bodies.message(one["leadID"], f"Message {number}") for number in range(backlog.messages) for one in leads]
    turns = asyncio.Semaphore(AT_ONCE)

    async def post(path: str, body: object) -> None:
        async with turns:
            (await client.post(path, json=body)).raise_for_status()

    async with httpx.AsyncClient(base_url=address, auth=("bench", "bench"), trust_env=False, timeout=60) as client:
        await asyncio.gather(*(post("/v1/lead", one) for one in leads))
        await asyncio.gather(*(post("/v1/message", one) for one in said))
        await asyncio.sleep(3)  # they are read; nothing is said, for there is no Slack


async def drain(slack: SlackStandIn, backlog: Backlog) -> float:
    """Seconds from the first post to the last, as the stand-in heard them."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        heard = [call.at for call in slack.called("chat.postMessage") if call.ok]
        if len(heard) >= backlog.posts:
            return (max(heard) - min(heard)) / backlog.speed
        await asyncio.sleep(0.05)
    raise RuntimeError(f"only {len(heard)} of {backlog.posts} posts came")


async def run(backlog: Backlog, url: str, folder: Path) -> str:
    """One row of the table."""
    rules = folder / "rules.csv"
    lines = [f"Kind {number},{CHANNELS[number]}" for number in range(backlog.channels)]
    rules.write_text("\n".join(["category,channel", *lines]))
    env = {
        "DATABASE_URL": url, "ENCRYPTION_KEYS": "zH9o1mJmZUoY8D0m2rWn8q2c6a0m3S7mX0bqQ3B1u0Y=", "LOG_LEVEL": "error",
        "THUMBTACK_WEBHOOK_USERNAME": "bench", "THUMBTACK_WEBHOOK_PASSWORD": "bench", "SLACK_LEADS_CHANNEL": CHANNELS[0],
        "SLACK_POSTS_PER_SECOND": str(backlog.speed), "REMIND_AFTER_MINUTES": "0",
    }  # fmt: skip
    for command in (("db", "upgrade"), ("routes", "import", str(rules))):
        process = await asyncio.create_subprocess_exec(CORKBOARD, *command, env={**os.environ, **env}, stdout=-3)
        if await process.wait():
            raise RuntimeError(f"corkboard {command} failed")
    async with served(1, env):
        await fill(f"http://127.0.0.1:{PORT}", backlog)
    began = time.time()
    slack = SlackStandIn(
        bot_token=TOKEN,
        signing_secret="bench",  # noqa: S106 -- of the stand-in
        clock=lambda: began + (time.time() - began) * backlog.speed,
        limit_posts=True,
    )
    slack.api.limit_methods = True
    for channel in CHANNELS:
        slack.add_channel(channel, channel.lower())
    async with slack.serve() as api:
        spoken = {**env, "SLACK_API_URL": api, "SLACK_BOT_TOKEN": TOKEN, "SLACK_SIGNING_SECRET": "bench"}
        async with served(backlog.replicas, spoken):
            took = await drain(slack, backlog)
    share = (backlog.posts - BURST * backlog.channels) / took / backlog.permitted
    refused = sum(call.status == 429 for call in slack.calls)
    updates = len(slack.called("chat.update"))
    return (
        f"| {backlog.channels} | {backlog.posts} | {backlog.replicas} | {backlog.database} | {backlog.permitted:g} "
        f"| {took:.1f} | {share:.1%} | {refused} | {updates} |"
    )


async def measured(backlog: Backlog, folder: Path) -> str:
    """The same with a database that is gone afterwards."""
    with database_at(backlog.database, folder) as url:
        return await run(backlog, url, folder)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=500)
    parser.add_argument("--messages", type=int, default=3)
    parser.add_argument("--channels", type=int, default=5, choices=range(1, len(CHANNELS) + 1))
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--speed", type=float, default=4.0)
    parser.add_argument("--database", default="sqlite", choices=["sqlite", "postgresql"])
    backlog = Backlog(**vars(parser.parse_args()))
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)  # no .env of whoever measures
        row = asyncio.run(measured(backlog, Path(name)))
    print(
        "| channels | posts | replicas | database | permitted a second | took, s | of the permitted rate | 429 | card updates |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    print(row)


if __name__ == "__main__":
    main()
