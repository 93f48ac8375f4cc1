"""The demo holds what it promises, says so when it does not, and leaves nothing behind."""

import asyncio
import gc
import io
import os
import re
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from rich.console import Console

from sandbox import outside
from sandbox.demo import play, promises, stage
from sandbox.demo.bot_process import BotEndedError, BotProcess, running_bot
from sandbox.demo.script import Script
from sandbox.outside import Outside

PATIENCE = 60.0
PORTS = ("BOT_PORT", "OUTSIDE_PORT")


class Screen(io.StringIO):
    """Says when something was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = asyncio.Event()

    def write(self, text: str) -> int:
        self.written.set()
        return super().write(text)


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch, tmp_path) -> Console:
    """A terminal that is none: 80 columns of plain text. What the demo leaves behind would be in tmp_path."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for port in PORTS:
        monkeypatch.setattr(stage, port, 0)  # whatever else runs here meanwhile
    return Console(file=Screen(), width=80, highlight=False)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.fixture
def _usual_ports_taken(console, monkeypatch):
    with ExitStack() as taken:
        for port in PORTS:
            listener = taken.enter_context(socket.create_server(("127.0.0.1", 0)))
            monkeypatch.setattr(stage, port, listener.getsockname()[1])
        yield


@pytest.mark.usefixtures("_usual_ports_taken")
async def test_it_plays_checks_prints_and_leaves_nothing_behind(console, tmp_path):
    async with asyncio.timeout(PATIENCE):
        assert await play(console, headless=True), printed(console)
    told = printed(console)
    assert told.count("✓") == 19
    assert "✗" not in told
    assert "\x1b" not in told
    assert max(map(len, told.splitlines())) <= 80
    for said in (
        "Maya Alvarez",  # on the card
        "@Ana has it",
        "The room upstairs",
        "Do you bring your own ladder?",
        "Yes, we do. We can be there at 9. (edited)  ✅",
        "note: the van's key is with Sam  📝",
        "Lead cost: $26.00, Charged",
        "On our way, see you in 20 minutes 👋  ✅",
        "Bright Oak Home Services is connected",
        "★★★★★ 5 of 5",
        "What Maya Alvarez received on Thumbtack",
        "Gutter Cleaning and Maintenance · San Mateo, CA",  # on a card that was there before the request
        "Do you also repair gutters?",
        "We do, I will bring brackets. (typed in Thumbtack's app)",
        "That is $40 on top of the cleaning.  ✅",
        "I can bring the long ladder.  ✅",
        "She sounds nice, and it is a big house.  📝",
        "send: We bring the brackets on Friday.  ✅",
        "Tessa Lindqvist wrote 15 minutes ago and was not answered.",
    ):
        assert said in told
    assert "be there at 10" not in told
    assert list(tmp_path.iterdir()) == []


async def test_what_does_not_hold_is_said_and_fails(console, monkeypatch, tmp_path):
    monkeypatch.setattr(stage, "HOLD_SECONDS", 0)  # so that the reply goes out before it is edited
    monkeypatch.setattr(promises, "_PATIENCE", 2.0)
    async with asyncio.timeout(PATIENCE):
        assert not await play(console, headless=True)
    told = printed(console)
    assert told.count("✓") == 4
    assert "✗ " in told
    assert '"event": "delivered"' in told  # the end of the bot's log
    assert "Everything worked" not in told
    assert list(tmp_path.iterdir()) == []


class Short(Script):
    """The business is connected, and one lead comes."""

    def __init__(self, world: Outside, put_forward: Callable[[timedelta], None]) -> None:
        super().__init__(world, put_forward)
        self.steps = self.steps[:2]


async def test_what_customers_received_is_checked_at_the_end(console, monkeypatch):
    monkeypatch.setattr(stage, "Script", Short)
    async with asyncio.timeout(PATIENCE):
        assert not await play(console, headless=True)
    assert "✗ Customers received [], not [('Yes, we do." in printed(console)


async def test_a_bot_that_does_not_start_is_told_with_its_own_words(console, monkeypatch):
    monkeypatch.setattr(outside, "CHANNEL", "not a channel")
    assert not await play(console, headless=True)
    assert "✗ The bot did not start." in printed(console)
    assert "SLACK_LEADS_CHANNEL" in printed(console)


@pytest.fixture
def bots(monkeypatch: pytest.MonkeyPatch) -> list[BotProcess]:
    """The bots that a demo starts."""
    started: list[BotProcess] = []

    @asynccontextmanager
    async def remembered(*args: Any, **kwargs: Any) -> AsyncIterator[BotProcess]:
        async with running_bot(*args, **kwargs) as bot:
            started.append(bot)
            yield bot

    monkeypatch.setattr(stage, "running_bot", remembered)
    return started


async def test_a_bot_that_dies_is_told(console, monkeypatch, bots):
    class Killer(Script):
        async def message(self) -> None:
            os.kill(bots[0].pid, signal.SIGKILL)
            await asyncio.Event().wait()

    monkeypatch.setattr(stage, "Script", Killer)
    async with asyncio.timeout(PATIENCE):
        assert not await play(console, headless=True)
    assert "✗ The bot ended with -9." in printed(console)


async def test_a_bot_that_does_not_answer_is_told(console, monkeypatch):
    class Elsewhere(Script):
        async def lead(self) -> None:
            self._thumbtack.webhook_url = "http://127.0.0.1:9"
            await super().lead()

    monkeypatch.setattr(stage, "Script", Elsewhere)
    async with asyncio.timeout(PATIENCE):
        assert not await play(console, headless=True)
    assert "✗ The bot did not answer (ConnectError)." in printed(console)


async def test_a_bot_ends_when_the_demo_is_killed(console, tmp_path):
    async with running_bot(outside.settings("http://127.0.0.1:9"), folder=tmp_path) as bot:
        await bot.address()
        bot.let_go()  # what the system does to the pipe of a process that died
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(BotEndedError, match="ended with 0"):
                await bot.ended()


class Unchecked(Short):
    def check(self) -> None:
        """Whatever the customers received."""


async def told(console: Console, text: str, *, after: int = 0) -> str:
    """Wait until the demo printed something."""
    async with asyncio.timeout(PATIENCE):
        while text not in printed(console)[after:]:
            assert isinstance(console.file, Screen)
            console.file.written.clear()
            await console.file.written.wait()
    return printed(console)


@pytest.mark.skipif(shutil.which("curl") is None, reason="what is printed is for curl")
async def test_it_stays_and_every_line_it_prints_works_when_pasted(console, monkeypatch, tmp_path):
    monkeypatch.setattr(stage, "Script", Unchecked)
    staying = asyncio.create_task(play(console, headless=False))
    begin = await told(console, "Ctrl-C ends it.")
    assert re.findall(r"http:[^ ]+\d", begin[: begin.index("✓")])  # the page, before anything is played
    pasted = [line[line.index("curl") :] for line in re.sub(r"\\\n +", "", begin).splitlines() if "curl" in line]
    assert len(pasted) == 16
    shows = [
        ("House Cleaning · San Francisco, CA", "Sam W."),
        ("Can you come today?",),
        ("Lead cost: $31.00, Charged",),
        ("★★★★★ 5 of 5", "Great work!"),
        ("Ana        Yes, we can.",),
        ("changed    Yes, at nine.", "Sam W. received: Yes, at nine.", "✅         Ana: Yes, at nine."),
        ("📝         Ana: note: bring a ladder",),
        ("only Olga",),
        ("Gutter Cleaning and Maintenance · San Mateo, CA", "Tessa Lindqvist"),
        ("Claimed",),
        (),
        ("I can come at four.",),
        (),
        (),
        (),
        ("Plumbing",),
    ]
    for command, texts in zip(pasted, shows, strict=True):
        so_far = len(printed(console))
        answer = await shell(command)
        assert "not" not in answer.splitlines()[0], answer
        for text in texts:
            await told(console, text, after=so_far)
    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(PATIENCE):
        assert await staying
    assert "Stopped. Nothing is left behind." in printed(console)
    assert list(tmp_path.iterdir()) == []


async def shell(command: str) -> str:
    """What a command that was pasted into a shell answers."""
    run = await asyncio.create_subprocess_shell(f"{command} --silent --show-error", stdout=asyncio.subprocess.PIPE)
    answer, _ = await run.communicate()
    assert run.returncode == 0
    return answer.decode()


async def test_it_stops_in_the_middle(console, monkeypatch, tmp_path):
    class Endless(Script):
        async def message(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.Event().wait()

    monkeypatch.setattr(stage, "Script", Endless)
    async with asyncio.timeout(PATIENCE):
        assert not await play(console, headless=True)
    assert list(tmp_path.iterdir()) == []


@dataclass
class Page:
    """The demo's page, as a browser acts on it."""

    http: httpx.AsyncClient

    async def do(self, deed: str, **args: Any) -> str:
        """A deed of Olga's; what she is told."""
        body = {"deed": deed, "as": "U0OLGA", "args": args}
        answer = await self.http.post("/page/do", json=body, headers={"origin": str(self.http.base_url).rstrip("/")})
        return str(answer.json().get("said") or answer.json().get("error"))


@pytest.fixture
async def on_page(console, monkeypatch) -> AsyncIterator[Callable[[str], Awaitable[Page]]]:
    """Starts the demo; its page, once it tells this."""
    monkeypatch.setattr(stage, "Script", Unchecked)
    async with AsyncExitStack() as stack:
        playing = asyncio.create_task(play(console, headless=False))

        async def opened(text: str) -> Page:
            shown = await told(console, text)
            address = re.findall(r"http://127\.0\.0\.1:\d+", shown)[0]
            client = httpx.AsyncClient(base_url=address, trust_env=False, timeout=PATIENCE)
            return Page(await stack.enter_async_context(client))

        yield opened
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            await playing


async def test_while_it_plays_the_page_is_only_watched(on_page):
    page = await on_page("play yourself")
    assert await page.do("lead") == "The tour still plays. Watch it; in a few seconds it is your turn."


async def test_its_bot_can_be_killed_and_started_again_on_the_page(on_page, console, bots, caplog):
    page = await on_page("Ctrl-C ends it.")
    assert "15 minutes later" in await page.do("later")
    assert await page.do("trouble", key="bot_killed", on=True) == "None"
    assert bots[0].exit_code == -signal.SIGKILL
    assert "tells it again when you start it" in await page.do("lead")
    port = int(re.findall(r"http://127\.0\.0\.1:(\d+)", printed(console))[-1])
    with socket.create_server(("127.0.0.1", port)):  # somebody took its place
        assert await page.do("trouble", key="bot_killed", on=False) == "The bot did not start."
    started = await page.do("trouble", key="bot_killed", on=False)
    assert started == "The bot runs again. Slack and Thumbtack told it what it had missed: 1."
    await told(console, "House Cleaning · San Francisco, CA")
    assert not bots[-1].mistakes
    gc.collect()
    assert "never retrieved" not in caplog.text
