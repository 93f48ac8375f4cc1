"""The real program as a process that ends by SIGKILL, between stand-ins that live on."""

import os
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from sandbox import outside
from sandbox.demo.bot_process import BotProcess, running_bot
from sandbox.faults import Fault
from sandbox.outside import CHANNEL, WEBHOOK_PASSWORD, WEBHOOK_USERNAME, Outside
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
        self.port = _free_port()
        self.bot: BotProcess
        self.http: httpx.AsyncClient
        self.settings: Mapping[str, str] = outside.settings(address, bot_url=f"http://127.0.0.1:{self.port}") | {
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
        async with running_bot(self.settings, folder=self.folder, port=self.port) as self.bot:
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
        replies = self.slack.thread(CHANNEL, self.card(name)["ts"])[1:]
        return [one["text"] for one in replies if one.get("bot_id")]

    def card(self, name: str) -> dict[str, Any]:
        """The first card of this name."""
        return next(one for one in self.cards if one["text"].startswith(name))

    def marks(self, ts: str) -> list[str]:
        return list(self.slack.reactions(CHANNEL, ts))


def _free_port() -> int:
    """The same one for every start: the bot's address is registered with Thumbtack."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
