"""`corkboard serve` as a process of its own: how it starts, refuses to start, works beside other commands, and ends."""

import asyncio
import json
import os
import random
import shlex
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.figures import Figures, scraped

from sandbox import outside
from sandbox.demo.bot_process import BotProcess, running_bot
from sandbox.faults import Fault
from sandbox.outside import CHANNEL, WEBHOOK_PASSWORD, WEBHOOK_USERNAME, Outside
from sandbox.servers import serving

PATIENCE = 30.0
PAYLOADS = Path(__file__).parent.parent / "payloads"
KEY = "zH9o1mJmZUoY8D0m2rWn8q2c6a0m3S7mX0bqQ3B1u0Y="

LEAD = ("POST", "/v1/lead", "lead_with_attachment")
MESSAGE = ("POST", "/v1/message", "message")
UPDATE = ("PUT", "/v1/lead/update", "lead_update")
REVIEW = ("POST", "/v1/review", "review")


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A command that ended."""

    code: int
    out: str
    err: str


async def command(
    *arguments: str, settings: Mapping[str, str], folder: Path, python: tuple[str, str] = ("-m", "bot.cli")
) -> Ended:
    """Run a command to its end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *python,
        *arguments,
        cwd=folder,
        env={**os.environ, **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(code=process.returncode, out=out.decode(), err=err.decode())


@dataclass(frozen=True, kw_only=True)
class Place:
    """A bot in its own process, and the world around it in ours."""

    outside: Outside
    bot: BotProcess
    url: str
    settings: Mapping[str, str]
    folder: Path

    async def post(self, webhook: tuple[str, str, str], **changes: Any) -> int:
        """Send one of Thumbtack's own examples; returns the status."""
        method, path, name = webhook
        body = json.loads((PAYLOADS / f"{name}.json").read_text()) | changes
        async with httpx.AsyncClient(
            base_url=self.url, auth=(WEBHOOK_USERNAME, WEBHOOK_PASSWORD), timeout=PATIENCE
        ) as curl:
            return (await curl.request(method, path, json=body)).status_code

    @property
    def cards(self) -> list[dict[str, Any]]:
        shown = self.outside.slack.messages(CHANNEL)
        return [one for one in shown if one.get("thread_ts", one["ts"]) == one["ts"]]

    def thread(self) -> str:
        return str(self.outside.slack.thread(CHANNEL, self.cards[0]["ts"])[1:])

    def posts(self, text: str) -> int:
        """How many messages say that, in all threads."""
        return sum(
            text in str(one["blocks"]) for one in self.outside.slack.workspace.channel(CHANNEL).messages.values()
        )


@asynccontextmanager
async def place(database_url: str, folder: Path, *, workers: int = 1, **knobs: str) -> AsyncIterator[Place]:
    world = Outside()
    async with serving(world.app) as address:
        settings = outside.settings(address) | {
            "DATABASE_URL": database_url,
            "ENCRYPTION_KEYS": KEY,
            "REPLY_HOLD_SECONDS": "0",
            **knobs,
        }
        async with running_bot(settings, folder=folder, workers=workers) as bot:
            url = await bot.address()
            world.meet(address=address, bot_url=url)
            try:
                yield Place(outside=world, bot=bot, url=url, settings=settings, folder=folder)
            finally:
                await world.aclose()


async def test_each_event_in_any_order_and_twice_makes_one_thread(sqlite_url, tmp_path):
    lead = json.loads((PAYLOADS / "lead_with_attachment.json").read_text())["leadID"]
    async with place(sqlite_url, tmp_path) as here:
        assert await here.post(MESSAGE, leadID=lead) == 202
        assert await here.post(UPDATE, leadID=lead) == 200
        for webhook in (REVIEW, LEAD, MESSAGE, LEAD, UPDATE, MESSAGE):
            named = {} if webhook is REVIEW else {"leadID": lead}
            assert await here.post(webhook, **named) == 200
        await here.outside.slack.wait_until(lambda: "my stain" in here.thread(), timeout=PATIENCE)
        assert len(here.cards) == 1
        assert "Interior Painting" in here.cards[0]["text"]
        assert here.posts("Do you offer fridge cleaning or is that extra?") == 1
        assert here.bot.mistakes == []


async def test_sigterm_ends_it_well(sqlite_url, tmp_path):
    async with place(sqlite_url, tmp_path) as here:
        assert await here.post(LEAD) == 200
        await here.bot.stop()
        assert here.bot.exit_code == 0
    events = [json.loads(line)["event"] for line in here.bot.log]
    assert events[0] == "listening"
    assert events[-1] == "stopped"


async def test_a_second_one_does_not_serve_the_same_file(sqlite_url, tmp_path):
    async with place(sqlite_url, tmp_path) as here:
        second = await command("serve", "--port=0", settings=here.settings, folder=tmp_path)
        assert await here.post(LEAD) == 200
    assert second.code == 2
    assert "holds" in second.err
    assert "listening" not in second.err


async def test_what_waits_is_listed_and_retried_from_beside_it(sqlite_url, tmp_path):
    async with place(sqlite_url, tmp_path) as here:
        slack, thumbtack = here.outside.slack, here.outside.thumbtack
        thumbtack.faults.stand("message", Fault(status=503, headers={"Retry-After": "1200"}))
        assert await here.post(LEAD) == 200
        await slack.wait_until(lambda: here.cards, timeout=PATIENCE)
        await slack.say("U0ANA", CHANNEL, "We come at noon.", thread_ts=here.cards[0]["ts"])
        waiting: list[str] = []
        async with asyncio.timeout(PATIENCE):
            while not waiting:
                listed = await command("outbox", "list", settings=here.settings, folder=tmp_path)
                waiting = [line.split()[0] for line in listed.out.splitlines() if "unavailable" in line]
        assert listed.code == 0
        assert "noon" not in listed.out
        assert "John Davis" not in listed.out
        thumbtack.faults.clear()
        retried = await command("outbox", "retry", waiting[0], settings=here.settings, folder=tmp_path)
        assert retried.code == 0
        await thumbtack.wait_until(lambda: len(thumbtack.sent) == 1, timeout=6.0)  # it looks every 5 s
        assert thumbtack.sent[0].text == "We come at noon."


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_two_workers_share_the_work_on_postgresql(database_url, tmp_path):
    async with place(database_url, tmp_path, workers=2) as here:
        leads = [f"5{number:018}" for number in range(6)]
        assert await asyncio.gather(*(here.post(LEAD, leadID=lead) for lead in leads)) == [200] * len(leads)
        await here.outside.slack.wait_until(lambda: here.posts("my stain") == len(leads), timeout=PATIENCE)
        assert len(here.cards) == len(leads)
        await here.bot.stop()
        assert here.bot.exit_code == 0
    assert sum(json.loads(line)["event"] == "started" for line in here.bot.log) == 2
    assert here.bot.mistakes == []


@pytest.mark.parametrize("workers", [1, 2])
async def test_it_ends_with_1_where_the_program_does_not_start(workers, sqlite_url, tmp_path):
    run = f"from bot import server, settings; server.run(settings.load(), host='127.0.0.1', port=0, workers={workers})"
    ended = await command(settings={"DATABASE_URL": sqlite_url}, folder=tmp_path, python=("-c", run))
    assert ended.code == 1
    assert "run `corkboard db upgrade`" in ended.err


async def test_the_sandbox_prints_what_points_serve_at_it(tmp_path):
    """Two terminals: the sandbox in one, `serve` with its lines in `.env` in the other, and curl."""
    port = _quiet_port()
    sandbox = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot.cli", "sandbox", "--port=0", f"--bot=http://127.0.0.1:{port}"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert sandbox.stdout is not None
    lines: list[str] = []
    async with asyncio.timeout(PATIENCE):
        while not lines or not lines[-1].startswith("export DATABASE_URL="):  # the last one
            lines.append((await sandbox.stdout.readline()).decode())
    (tmp_path / ".env").write_text("".join(lines))
    named = dict(shlex.split(line)[1].split("=", 1) for line in lines)
    address = named["SLACK_API_URL"].removesuffix("/slack/api/")
    async with running_bot({}, folder=tmp_path, port=port) as bot, httpx.AsyncClient(base_url=address) as curl:
        assert await bot.address() == f"http://127.0.0.1:{port}"
        assert (await curl.post("/lead")).text == "Thumbtack called the bot, which answered 200.\n"
        async with asyncio.timeout(PATIENCE):
            while "my stain" not in (page := (await curl.get("/")).text):
                pass
        assert "Interior Painting" in (await curl.get("/slack/control")).text
    assert "Maya Alvarez" in page
    sandbox.terminate()
    _, told = await sandbox.communicate()
    assert sandbox.returncode == 0
    assert "Maya Alvarez" in told.decode()
    assert "sandbox.db" in named["DATABASE_URL"]


def _quiet_port() -> int:
    """A free port outside of the range from which the system hands out ports by itself."""
    for port in random.sample(range(20_000, 30_000), 50):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise AssertionError("all ports are taken")


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_whichever_worker_is_asked_tells_the_figures_of_all_of_them(database_url, tmp_path):
    async with place(database_url, tmp_path, workers=2, TMPDIR=str(tmp_path)) as here:
        async with asyncio.timeout(PATIENCE):
            while len(counting(tmp_path)) < 2:  # noqa: ASYNC110 -- one may answer before the other has begun
                await asyncio.sleep(0.05)
        leads = [f"5{number:018}" for number in range(12)]
        assert await asyncio.gather(*(here.post(LEAD, leadID=lead) for lead in leads)) == [200] * len(leads)
        await here.outside.slack.wait_until(lambda: here.posts("my stain") == len(leads), timeout=PATIENCE)
        told = [await figures(here.url) for _ in range(6)]  # each on a connection of its own: either worker may answer
        for found in told:
            assert found("webhooks_accepted_total", route="/v1/lead") == len(leads)
            assert (found("webhooks_ingested_total"), found("ack_seconds_count")) == (len(leads), len(leads))
            assert (found("database_up"), found("outbox_dead")) == (1, 0)
        folders = list(tmp_path.glob("corkboard-metrics-*"))
        assert len(counting(tmp_path)) == 2, "each worker counts in a file of its own"
        await here.bot.stop()
    assert len(folders) == 1
    assert not folders[0].exists()


def counting(folder: Path) -> set[str]:
    """The workers, by their process ids, that have a file to count in."""
    return {file.stem.rpartition("_")[2] for file in folder.glob("corkboard-metrics-*/*.db")}


async def figures(url: str) -> Figures:
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE) as curl:
        return await scraped(curl)
