"""The real program, ended by SIGKILL at the worst moments, loses nothing, says nothing twice and keeps the order."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox import outside
from sandbox.demo.bot_process import BotProcess, running_bot
from sandbox.faults import Fault
from sandbox.outside import CHANNEL, WEBHOOK_PASSWORD, WEBHOOK_USERNAME, Outside
from sandbox.servers import serving
from sandbox.thumbtack import bodies

PATIENCE = 20.0
HANGS = Fault(delay=60)
"""The work is done and its answer does not come: whoever is killed now cannot know."""

HANGS_UNDONE = Fault(status=503, delay=60)
"""Nothing is done, and no answer comes either."""


class World:
    """What is around the bot, which lives and dies as the test says."""

    def __init__(self, around: Outside, *, address: str, database_url: str, folder: Path) -> None:
        self.around = around
        self.address = address
        self.folder = folder
        self.bot: BotProcess
        self.http: httpx.AsyncClient
        self.settings: Mapping[str, str] = outside.settings(address) | {
            "DATABASE_URL": database_url,
            "ENCRYPTION_KEYS": "zH9o1mJmZUoY8D0m2rWn8q2c6a0m3S7mX0bqQ3B1u0Y=",
            "REPLY_HOLD_SECONDS": "0",
            "SLACK_RING": "",
        }

    @property
    def slack(self):
        return self.around.slack

    @asynccontextmanager
    async def life(self) -> AsyncIterator[None]:
        """One start of the bot, which ends by SIGKILL."""
        async with running_bot(self.settings, folder=self.folder) as self.bot:
            url = await self.bot.address()
            self.around.meet(address=self.address, bot_url=url)
            async with httpx.AsyncClient(base_url=url, auth=(WEBHOOK_USERNAME, WEBHOOK_PASSWORD)) as self.http:
                yield
            self.slack.faults.clear()
            self.around.thumbtack.faults.clear()
            os.kill(self.bot.pid, signal.SIGKILL)

    async def post(self, path: str, body: dict[str, Any], *, method: str = "POST") -> None:
        assert (await self.http.request(method, path, json=body)).status_code == 200

    async def lead(self, name: str) -> str:
        body = bodies.lead(bodies.SCENES[2], request={"category": name})
        await self.post("/v1/lead", body)
        return str(body["leadID"])

    async def seen(self, look, *, within: float = PATIENCE):
        return await self.slack.wait_until(look, timeout=within)

    @property
    def cards(self) -> list[dict[str, Any]]:
        shown = self.slack.messages(CHANNEL)
        return [one for one in shown if one.get("thread_ts", one["ts"]) == one["ts"]]

    @property
    def names(self) -> list[str]:
        return [one["text"].split(" · ")[0] for one in self.cards]

    def thread(self, name: str) -> list[str]:
        """What the bot said in a lead's thread, oldest first."""
        card = next(one for one in self.cards if one["text"].startswith(name))
        replies = self.slack.thread(CHANNEL, card["ts"])[1:]
        return [one["text"] for one in replies if one.get("bot_id")]

    def marks(self, ts: str) -> list[str]:
        return list(self.slack.reactions(CHANNEL, ts))


@pytest.fixture
async def world(sqlite_url, tmp_path) -> AsyncIterator[World]:
    around = Outside()
    async with serving(around.app) as address:
        yield World(around, address=address, database_url=sqlite_url, folder=tmp_path)
        await around.aclose()


async def test_killed_between_every_pair_of_steps(world: World):
    slack, thumbtack = world.slack, world.around.thumbtack
    async with world.life():  # the card is out, and nobody wrote that down
        slack.faults.add("chat.postMessage", HANGS)
        first = await world.lead("First")
        await world.seen(lambda: world.names == ["First"])
        await world.lead("Second")
        await world.post("/v1/message", bodies.message(first, "Message one"))
    async with world.life():  # found again, and what follows goes on; then a message is out in the same way
        await world.seen(lambda: "Second" in world.names and any("one" in text for text in world.thread("First")))
        slack.faults.add("chat.postMessage", HANGS)
        await world.post("/v1/message", bodies.message(first, "Message two"))
        await world.seen(lambda: any("two" in text for text in world.thread("First")))
        await world.post("/v1/message", bodies.message(first, "Message three"))
    async with world.life():  # a call that did nothing, an update and a mark that are out
        await world.seen(lambda: any("three" in text for text in world.thread("First")))
        slack.faults.add("chat.postMessage", HANGS_UNDONE)
        for method in ("chat.update", "reactions.add"):
            slack.faults.add(method, HANGS)
        await world.post("/v1/message", bodies.message(first, "Message four"))
        await world.post("/v1/lead/update", bodies.price(first, "$26.00"), method="PUT")
        note = await slack.say("U0ANA", CHANNEL, "note: call first", thread_ts=world.cards[0]["ts"])
        await world.seen(lambda: world.marks(note.ts) == ["memo"])
    async with world.life():  # webhooks were acknowledged and nothing else was done; a reply is out
        await world.seen(lambda: "$26.00" in str(world.cards[0]))
        thumbtack.faults.add("message", HANGS)
        reply = await slack.say("U0ANA", CHANNEL, "We come at 9.", thread_ts=world.cards[0]["ts"])
        await thumbtack.wait_until(lambda: thumbtack.received(first) == ["We come at 9."], timeout=PATIENCE)
        await asyncio.gather(*(world.lead(f"Late {number}") for number in range(5)))
    async with world.life():
        await world.seen(lambda: world.marks(reply.ts) == ["warning"])
        await world.seen(lambda: len(world.names) == 7)
        last = await slack.say("U0ANA", CHANNEL, "Or at 10?", thread_ts=world.cards[0]["ts"])
        await world.seen(lambda: world.marks(last.ts) == ["white_check_mark"])
        assert world.bot.mistakes == []
    assert world.names[:2] == ["First", "Second"]
    assert sorted(world.names[2:]) == [f"Late {number}" for number in range(5)]
    said = [text.split()[-1] for text in world.thread("First") if "Message" in text]
    assert said == ["one", "two", "three", "four"]
    assert sum("$26.00" in text for text in world.thread("First")) == 1
    assert world.marks(note.ts) == ["memo"]
    assert thumbtack.received(first) == ["We come at 9.", "Or at 10?"]


async def test_killed_again_and_again_while_much_is_said(world: World):
    leads = [f"Lead {number}" for number in range(12)]
    texts = ["one", "two", "three"]
    ids: dict[str, str] = {}

    def all_said() -> bool:
        return sorted(world.names) == sorted(leads) and all(
            len([text for text in world.thread(name) if "Message" in text]) == len(texts) for name in leads
        )

    for number in range(4):
        async with world.life():
            for name in leads[number * 4 : number * 4 + 4]:
                ids[name] = await world.lead(name)
            for name in list(ids)[-4:] if number < 3 else ():
                for text in texts:
                    await world.post("/v1/message", bodies.message(ids[name], f"Message {text}"))
            said = len(world.slack.called("chat.postMessage"))
            if number < 3:
                await world.seen(lambda before=said: len(world.slack.called("chat.postMessage")) >= before + 3)
            else:
                await world.seen(all_said)
    assert world.names == leads
    for name in leads:
        assert [text.split()[-1] for text in world.thread(name) if "Message" in text] == texts
