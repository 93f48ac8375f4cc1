"""Soaks `corkboard serve` in events of all kinds, with random kills and faults, and counts what is lost or stands twice.

Usage: python -m benchmarks.soak [--events 600] [--kills 4] [--seconds 240] [--seed 1] [--database sqlite]
The first two thirds are the storm: kills, clocks that jump, faults of Slack and Thumbtack. The last third is one quiet
life, in which memory is measured. Exit code 1 where anything was lost, stood twice or in the wrong order.
"""

import argparse
import asyncio
import contextlib
import os
import random
import signal
import socket
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx

from benchmarks.databases import database_at
from benchmarks.soak_talk import Talk
from benchmarks.soak_tally import Seen, Tally, rows, tally
from sandbox import outside
from sandbox.demo.bot_process import BotProcess, running_bot
from sandbox.faults import Fault, Faults
from sandbox.outside import BUSINESSES, CHANNEL, Outside
from sandbox.servers import serving
from sandbox.slack.failures import cut, down, lost_answer, rate_limited, slack_error, slow

ADMIN = "U0OLGA"
STORM = 2 / 3
"""The share of the events that come while the bot is killed."""

FURTHEST = 30
"""Seconds by which the machine's clock is ahead at most: once it is set right, the bot waits until that time has come."""

JUMPS = (1, 2, 3, 5, 20)
"""By how many seconds it goes ahead."""

SET_RIGHT = 0.1
"""Before how many of the bot's lives it is set right. It is the machine's: it does not mend because a program ended."""

SLACK_METHODS = ("chat.postMessage", "chat.postMessage", "chat.update", "reactions.add", "conversations.replies")
THUMBTACK_CALLS = ("message", "message", "messages")
SLACK_FAULTS = (
    cut(), lost_answer(), lost_answer(), down(500), down(503), slow(0.3), rate_limited(1), slack_error("internal_error"),
    Fault(status=200, body="<html>"), Fault(status=200, body=b"null", headers={"content-type": "application/json"}),
)  # fmt: skip
THUMBTACK_FAULTS = (
    Fault(status=503), Fault(status=500), Fault(status=429, headers={"Retry-After": "1"}), Fault(status=202, body=""),
    Fault(status=200, body="<html>"), Fault(delay=0.3), Fault(lose_answer=True), Fault(cut=True),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Options:
    """How long and how rough. `seconds`: after which no new lead comes, whatever `events` says."""

    events: int = 600
    kills: int = 4
    seconds: float = 240.0
    seed: int = 1
    database: str = "sqlite"
    patience: float = 120.0
    """Seconds for which is waited at the end while nothing more is said; no longer than `seconds` altogether, where that is more."""


DUE_BY_THEN = 3
"""How often ten minutes pass before what stands is counted: longer together than any pause between two tries."""


@dataclass(frozen=True, kw_only=True)
class Soaked:
    """What came of it."""

    tally: Tally
    facts: dict[str, str]
    mistakes: int

    @property
    def held(self) -> bool:
        """Whether the table may be shown to anybody."""
        return self.tally.held and self.mistakes == 0


class Soak:
    """One run: the world outside, the bot that lives and dies, and everybody who tells it something."""

    def __init__(self, options: Options, *, database_url: str, folder: Path, address: str, around: Outside) -> None:
        self.options, self.around, self.folder, self.address = options, around, folder, address
        self.random = random.Random(options.seed)  # noqa: S311 -- a soak is to be repeated, not to be secret
        self.port = _free_port()
        self.settings = outside.settings(address, bot_url=f"http://127.0.0.1:{self.port}") | {
            "DATABASE_URL": database_url,
            "ENCRYPTION_KEYS": "zH9o1mJmZUoY8D0m2rWn8q2c6a0m3S7mX0bqQ3B1u0Y=",
            "REMIND_AFTER_MINUTES": "0",
            "REPLY_HOLD_SECONDS": "0",
            "REPLY_MAX_AGE_MINUTES": "1440",
            "SLACK_POSTS_PER_SECOND": "1000",
            "SURFACE_AFTER_HOURS": "0",
        }
        self.ends: Counter[str] = Counter()
        self.jumps = self.ahead = 0
        self._due: dict[str, list[int]] = defaultdict(list)
        self.mistakes: list[str] = []
        self.memory: list[float] = []
        self.bot: BotProcess | None = None
        self._up, self._told, self._over = asyncio.Event(), asyncio.Event(), asyncio.Event()
        url = f"http://127.0.0.1:{self.port}"
        self.talk = Talk(around.slack, around.thumbtack, url=url, up=self._up, chance=self.random)

    # The bot

    async def live(self) -> None:
        """The bot's lives: each ends at its number of events, the last when all is over."""
        last = int(self.options.events * STORM)
        moments = sorted(self.random.sample(range(1, max(last, self.options.kills + 1)), self.options.kills))
        for moment in [*moments, None]:
            if self._over.is_set():
                return
            async with running_bot(self.settings, folder=self.folder, port=self.port) as self.bot:
                self._keep_the_clock(self.bot, is_last=moment is None)
                self.around.meet(address=self.address, bot_url=await self.bot.address())
                await self._connect()
                self._up.set()
                await self._until(moment, last)
                self._up.clear()
                if moment is not None:
                    self._end(self.bot)
            self.mistakes += self.bot.mistakes

    def _keep_the_clock(self, bot: BotProcess, *, is_last: bool) -> None:
        """A life begins at the time at which the one before ended, unless somebody set the clock right; the last one's is."""
        if is_last or self.random.random() < SET_RIGHT:
            self.ahead = 0
        bot.put_forward(timedelta(seconds=self.ahead))

    async def _connect(self) -> None:
        """In the first life an admin connects the business with v4, as people do: command, browser, consent, browser."""
        if self.around.thumbtack.grants.consents:
            return
        await self.around.slack.command(ADMIN, "/thumbtack", "connect")
        shown = self.around.slack.ephemerals(ADMIN)[-1]["blocks"]
        offered = next(one for one in shown if "accessory" in one and "Leads, messages, phones" in str(one))
        async with httpx.AsyncClient(trust_env=False) as browser:
            leaving = await browser.get(offered["accessory"]["url"])
            business_id, _ = BUSINESSES[0]
            back = await self.around.thumbtack.consent(leaving.headers["location"], businesses=[business_id])
            (await browser.get(back)).raise_for_status()

    async def _until(self, moment: int | None, last: int) -> None:
        while not self._over.is_set() and (moment is None or self.talk.events < moment):
            if self.bot is not None and self.bot.exit_code is not None:
                raise RuntimeError("The bot ended by itself:\n" + "\n".join(self.bot.log))
            if moment is None and self.talk.events >= last:
                self.memory.append(_resident_mb(self.bot.pid if self.bot else 0))
            await asyncio.sleep(0.05)

    def _end(self, bot: BotProcess) -> None:
        how = signal.SIGTERM if self.random.random() < 0.25 else signal.SIGKILL
        self.ends[how.name] += 1
        os.kill(bot.pid, how)

    async def trouble(self) -> None:
        """While the storm lasts, Slack and Thumbtack fail now and then, and the bot's clock jumps."""
        slack, thumbtack = self._faults
        while self.talk.events < self.options.events * STORM and not self._told.is_set():
            await asyncio.sleep(self.random.uniform(0.02, 0.2))
            chance = self.random.random()
            seconds = self.random.choice(JUMPS)
            if chance < 0.03 and self._up.is_set() and self.bot is not None and self.ahead + seconds <= FURTHEST:
                self.jumps += 1
                self.ahead += seconds
                self.bot.put_forward(timedelta(seconds=seconds))
            elif chance < 0.5:
                self._fail(slack, self.random.choice(SLACK_METHODS), self.random.choice(SLACK_FAULTS))
            else:
                self._fail(thumbtack, self.random.choice(THUMBTACK_CALLS), self.random.choice(THUMBTACK_FAULTS))
        for faults in self._faults:
            faults.clear()

    def _fail(self, faults: Faults, target: str, fault: Fault) -> None:
        """Let one of the next calls fail, after some that work; unless the last that was to fail was not made yet."""
        due, good = self._due[target], self.random.randint(0, 4)
        if not due or due[-1] <= faults.happened[target]:
            due.append(faults.happened[target] + good + 1)
            faults.add(target, Fault(), times=good)
            faults.add(target, fault)

    @property
    def _faults(self) -> tuple[Faults, Faults]:
        return self.around.slack.faults, self.around.thumbtack.faults

    # The end

    async def settle(self) -> Tally:
        """Wait until all stands as it should, letting the bot's time pass where it waits; then see that nothing doubles."""
        clock, found, quiet = time.monotonic, self.tallied(), 0
        longest = max(self.options.seconds, self.options.patience)
        fewest, at, last = len(found.lost), clock(), clock() + longest
        while found.lost and clock() < min(at + self.options.patience, last):
            await asyncio.sleep(1)
            found = self.tallied()
            quiet = 0 if len(found.lost) < fewest else quiet + 1
            if not quiet:
                fewest, at = len(found.lost), clock()
            elif quiet % 3 == 0 and self.bot is not None:
                self.bot.put_forward(timedelta(seconds=61))
        for _ in range(DUE_BY_THEN):
            if self.bot is not None:
                self.bot.put_forward(timedelta(minutes=10))  # whatever still waits for its next try is due then
            await asyncio.sleep(2)
        return self.tallied()

    def tallied(self) -> Tally:
        """How it stands now."""
        slack = self.around.slack
        received: dict[str, list[str]] = {job.lead_id: [] for job in self.talk.jobs}
        for sent in self.around.thumbtack.sent:
            received.setdefault(sent.lead_id, []).append(sent.text)
        messages = slack.workspace.channel(CHANNEL).messages
        posts = sorted((one for one in messages.values() if one.get("bot_id")), key=lambda one: float(one["ts"]))
        marks = {ts: list(slack.reactions(CHANNEL, ts)) for job in self.talk.jobs for ts, _ in job.replies}
        return tally(self.talk.jobs, Seen(posts=posts, marks=marks, received=received))

    async def run(self) -> Soaked:
        """All of it; the facts are for the table."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.live())
            group.create_task(self.trouble())
            until = began + self.options.seconds
            with contextlib.suppress(TimeoutError):  # what was not told to its end then counts as lost
                async with asyncio.timeout(self.options.seconds + self.options.patience):
                    await self.talk.until(lambda: self.talk.events >= self.options.events or time.monotonic() >= until)
            self._told.set()
            told = time.monotonic() - began
            found = await self.settle()
            self._over.set()
        return Soaked(tally=found, facts=self._facts(told, time.monotonic() - began), mistakes=len(self.mistakes))

    def _facts(self, told: float, whole: float) -> dict[str, str]:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.talk.told.items()))
        memory = self.memory or [0.0]
        settled = memory[len(memory) // 4 :]
        return {
            "events": f"{self.talk.events} ({kinds})",
            "time": f"{told:.0f} s, and {whole - told:.0f} s until all of it stood",
            "ends": ", ".join(f"{count} by {how}" for how, count in sorted(self.ends.items())) or "none",
            "faults": f"{self._failed(0)} of Slack, {self._failed(1)} of Thumbtack, {self.jumps} jumps of the clock",
            "resident memory of the last life": f"{settled[0]:.0f} MB after a quarter, {memory[-1]:.0f} MB at the end",
            "mistakes in the log": str(len(self.mistakes)),
        }

    def _failed(self, which: int) -> int:
        happened = self._faults[which].happened
        return sum(due <= count for target, count in happened.items() for due in self._due[target])


async def soak(options: Options) -> Soaked:
    """One run of the whole program on loopback, with a database and a folder of its own that are gone afterwards."""
    around = Outside()
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="corkboard-soak-")))
        database_url = stack.enter_context(database_at(options.database, folder))
        address = await stack.enter_async_context(serving(around.app))
        stack.push_async_callback(around.aclose)
        return await Soak(options, database_url=database_url, folder=folder, address=address, around=around).run()


def report(soaked: Soaked) -> None:
    """Print the table, and below it what is wrong."""
    print("| what | how much |\n| --- | --- |")
    for name, value in rows(soaked.tally, soaked.facts):
        print(f"| {name} | {value} |")
    for name in ("lost", "twice", "disordered", "left"):
        if wrong := getattr(soaked.tally, name):
            print(f"\n{name}: {'; '.join(wrong[:20])}")


def main() -> None:
    """Soak and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=Options.events)
    parser.add_argument("--kills", type=int, default=Options.kills)
    parser.add_argument("--seconds", type=float, default=Options.seconds, help="after which no new lead comes")
    parser.add_argument("--seed", type=int, default=Options.seed)
    parser.add_argument("--database", default=Options.database, help="sqlite, postgresql, or an empty one's address")
    soaked = asyncio.run(soak(Options(**vars(parser.parse_args()))))
    report(soaked)
    sys.exit(0 if soaked.held else 1)


def _resident_mb(pid: int) -> float:
    """Resident memory of a process; 0 where there is none any more."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


def _free_port() -> int:
    """The same one for every life: the bot's address is registered with Thumbtack."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
