"""The real program, ended by a real SIGKILL at one step after the other of what it does for Thumbtack and for people."""

import asyncio
import json
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.world import PATIENCE, World

from sandbox.demo.bot_process import BotEndedError, BotProcess, running_bot
from sandbox.outside import APP_TOKEN, BUSINESSES, CHANNEL, WEBHOOK_PASSWORD, WEBHOOK_USERNAME, Outside
from sandbox.servers import serving
from sandbox.slack import Answer
from sandbox.thumbtack import bodies

ADMIN = "U0OLGA"
MANY = os.environ.get("KILLED_PROCESSES") == "many"
"""Also with lives of each length, which takes half an hour."""

NEVER = "0"
A_FEW = ("7", "30 answer to chat.postMessage", "30 answer to targeting")
"""The last steps of lives that follow each other; what a start itself does is among them."""

PLANS = [
    pytest.param(A_FEW, id="few"),
    *([pytest.param((str(n),) * 6, id=str(n)) for n in range(4, 41)] if MANY else []),
]
WAYS = ["socket", "https"] if MANY else ["socket"]


@pytest.fixture(params=WAYS)
async def world(request, sqlite_url: str, tmp_path: Path) -> AsyncIterator[World]:
    around = Outside()
    async with serving(around.app) as address:
        made = World(around, address=address, database_url=sqlite_url, folder=tmp_path)
        if request.param == "socket":
            await around.slack.sockets.start()
            made.settings = made.settings | {"SLACK_APP_TOKEN": APP_TOKEN, "SLACK_SIGNING_SECRET": ""}
        yield made
        await around.aclose()


class Lives:
    """One life of the bot after the other, and what Thumbtack and people do meanwhile, who try again what was not taken."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.deaths: list[str] = []
        self._up = asyncio.Event()

    @asynccontextmanager
    async def lived(self, last_steps: Iterable[str]) -> AsyncIterator[None]:
        """It dies at these steps, and then lives on."""
        async with asyncio.timeout(3 * PATIENCE), asyncio.TaskGroup() as group:
            living = group.create_task(self._live(last_steps))
            yield
            living.cancel()

    async def _live(self, last_steps: Iterable[str]) -> None:
        tests = Path(__file__).parents[1]
        # The program first: there is a folder `sandbox` among the tests too.
        path = f"{tests.parent}{os.pathsep}{tests}"
        for last in (*last_steps, NEVER):
            settings = self.world.settings | {"LAST_STEP": last, "PYTHONPATH": path}
            async with running_bot(
                settings, folder=self.world.folder, port=self.world.port, program="support.mortal"
            ) as bot:
                await self._one(bot)
            assert last != NEVER, f"it ended by itself: {list(bot.log)}"
            assert bot.exit_code == -9, (bot.exit_code, bot.log)
            assert bot.mistakes == []

    async def _one(self, bot: BotProcess) -> None:
        try:
            url = await bot.address()
            self.world.around.meet(address=self.world.address, bot_url=url)
            self._up.set()
            await bot.ended()
        except BotEndedError:
            self._up.clear()
            self.deaths += [json.loads(line)["step"] for line in bot.log if '"event": "died"' in line]

    async def told(self, path: str, body: dict[str, Any], *, method: str = "POST") -> None:
        """Thumbtack tells something until it is taken."""
        auth = (WEBHOOK_USERNAME, WEBHOOK_PASSWORD)
        while True:
            await self._up.wait()
            try:
                async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.world.port}", auth=auth) as http:
                    answer = await http.request(method, path, json=body)
            except httpx.TransportError:
                await asyncio.sleep(0.05)  # until it is known that it died
                continue
            assert answer.status_code in (200, 202), answer.text
            return

    async def insisted(self, deed: Callable[[], Awaitable[Answer]]) -> Answer:
        """A person does something until Slack says that it worked."""
        while True:
            await self._heard()
            answer = await deed()
            if answer.ok:
                return answer
            await asyncio.sleep(0.05)  # likewise

    async def wrote(self, text: str, thread: str) -> str:
        """A person writes something once, and Slack tells it until it is taken; its ts."""
        answer = await self.world.slack.say("U0ANA", CHANNEL, text, thread_ts=thread)
        while not answer.ok:
            await asyncio.sleep(0.05)
            await self._heard()
            answer = await self.world.slack.redeliver(answer)
        return str(answer.ts)

    async def _heard(self) -> None:
        await self._up.wait()
        if "SLACK_APP_TOKEN" in self.world.settings:
            await self.world.slack.sockets.until(1, within=3 * PATIENCE)


async def seen(world: World, look: Callable[[], Any]) -> None:
    await world.seen(look, within=3 * PATIENCE)


async def connected(lives: Lives) -> None:
    """The first business, for its targeting; the other one has nothing but its lead."""
    slack = lives.world.slack
    await lives.insisted(lambda: slack.command(ADMIN, "/thumbtack", "connect"))
    shown = slack.ephemerals(ADMIN)[-1]["blocks"]
    link = next(one["accessory"]["url"] for one in shown if "Messages, targeting" in str(one) and "accessory" in one)
    async with httpx.AsyncClient(trust_env=False) as browser:
        leaving = await browser.get(link)
        back = await lives.world.around.thumbtack.consent(leaving.headers["location"], businesses=[BUSINESSES[0][0]])
        assert (await browser.get(back)).status_code == 200


async def inbound(lives: Lives) -> list[str]:
    """A lead, what its customer says, its price and its review, and a note of the team's; the lines below the card."""
    world, lead = lives.world, bodies.lead(request={"category": "First"})
    await lives.told("/v1/lead", lead)
    for text in ("one", "two"):
        await lives.told("/v1/message", bodies.message(lead["leadID"], f"Message {text}"))
    await seen(world, lambda: "First" in world.names)
    ts = await lives.wrote("note: call first", world.card("First")["ts"])
    await lives.told("/v1/lead/update", bodies.price(lead["leadID"], "$26.00"), method="PUT")
    await lives.told("/v1/review", bodies.review(lead["leadID"], "5", "Tidy"))
    told = ("Message one", "Message two", "$26.00", "Tidy")
    await seen(world, lambda: all(one in str(world.thread("First")) for one in told))
    await seen(world, lambda: world.marks(ts) == ["memo"])
    return [one for text in world.thread("First") for one in told if one in text]


async def pause(lives: Lives) -> None:
    """New leads are paused."""
    slack, thumbtack = lives.world.slack, lives.world.around.thumbtack
    await lives.insisted(lambda: slack.command(ADMIN, "/thumbtack", f"pause {BUSINESSES[0][1]}"))
    await thumbtack.wait_until(lambda: False in thumbtack.targeting.values(), timeout=3 * PATIENCE)


async def erased(lives: Lives) -> list[Any]:
    """A business is erased, a day later by the database's clock; what is left of it."""
    world, (thumbtack_id, name) = lives.world, BUSINESSES[1]
    card = world.card("Second")
    await lives.insisted(lambda: world.slack.command(ADMIN, "/thumbtack", f"disconnect {name}"))
    await lives.insisted(lambda: world.slack.submit(ADMIN, {"how": "erase"}))
    with sqlite3.connect(world.folder / "corkboard.db") as database:
        database.execute("UPDATE outbox SET due_at = created_at WHERE kind = 'erase'")
    await seen(world, lambda: card["ts"] not in [one["ts"] for one in world.cards])
    with sqlite3.connect(world.folder / "corkboard.db") as database:
        left = "SELECT thumbtack_id FROM business WHERE thumbtack_id = ? UNION SELECT body FROM inbox WHERE body LIKE ?"
        return database.execute(left, (thumbtack_id, f"%{thumbtack_id}%")).fetchall()


@pytest.mark.parametrize("last_steps", PLANS)
async def test_killed_at_one_step_after_the_other(world: World, last_steps: tuple[str, ...]):
    lives, business = Lives(world), dict(zip(("businessID", "name"), BUSINESSES[1], strict=True))
    second = bodies.lead(business=business, request={"category": "Second"})
    async with lives.lived(()):
        await lives.told("/v1/lead", second)
        await connected(lives)
        await seen(world, lambda: "Second" in world.names)
    async with lives.lived(last_steps):
        lines, left, _ = await asyncio.gather(inbound(lives), erased(lives), pause(lives))
    assert lines == ["Message one", "Message two", "$26.00", "Tidy"]
    assert (world.names.count("First"), left) == (1, [])
    assert len(lives.deaths) == len(last_steps), lives.deaths
