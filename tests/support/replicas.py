"""Several real `corkboard serve` on one PostgreSQL, behind a balancer that takes them in turn."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import outside
from sandbox.demo.bot_process import BotEndedError, BotProcess, running_bot
from sandbox.outside import CHANNEL, WEBHOOK_PASSWORD, WEBHOOK_USERNAME, Outside
from sandbox.servers import serving

PATIENCE = 40.0
ANEW = httpx.Limits(max_keepalive_connections=0)
"""A connection for each request: one that was kept may be closed by the other end in the moment that it is used."""

KEY = "zH9o1mJmZUoY8D0m2rWn8q2c6a0m3S7mX0bqQ3B1u0Y="


CUT = frozenset({"ReadError", "RemoteProtocolError", "WriteError"})
"""How it shows that a replica closed its address before it had taken a connection that the system already held for it."""


class Balancer:
    """Hands each request to the next server. One that does not listen is left out; nothing is asked twice."""

    def __init__(self) -> None:
        self.servers: list[str] = []
        self.answered: Counter[str] = Counter()
        self.failed: list[str] = []
        """Requests that were cut off, or that a server could not take."""
        self._http = httpx.AsyncClient(trust_env=False, timeout=PATIENCE, limits=ANEW)
        self.app = Starlette(routes=[Route("/{path:path}", self._pass_on, methods=["GET", "POST", "PUT"])])

    async def _pass_on(self, request: Request) -> Response:
        body = await request.body()
        headers = [(name, value) for name, value in request.headers.raw if name != b"host"]
        for server in list(self.servers):
            self.servers.append(self.servers.pop(0))
            try:
                answer = await self._http.request(
                    request.method, server + request.url.path, content=body, headers=headers
                )
            except httpx.ConnectError:
                continue
            except httpx.TransportError as error:
                self.failed.append(type(error).__name__)
                return Response(status_code=502)
            self.answered[server] += 1
            if answer.status_code >= 500:
                self.failed.append(str(answer.status_code))
            return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))
        self.failed.append("nobody there")
        return Response(status_code=503)

    async def aclose(self) -> None:
        await self._http.aclose()


class Replicas:
    """The world, the balancer, and the replicas that run now, each by the order of its start."""

    def __init__(
        self, world: Outside, balancer: Balancer, *, settings: dict[str, str], folder: Path, http: httpx.AsyncClient
    ) -> None:
        self.world, self.balancer, self.settings, self.folder, self.http = world, balancer, settings, folder, http
        self.bots: list[BotProcess] = []
        self._stack = AsyncExitStack()

    @property
    def slack(self) -> Any:
        return self.world.slack

    async def start(self, count: int = 1, *, workers: int = 1) -> None:
        """So many more."""
        started = [
            await self._stack.enter_async_context(running_bot(self.settings, folder=self.folder, workers=workers))
            for _ in range(count)
        ]
        self.balancer.servers += await asyncio.gather(*(bot.address() for bot in started))
        self.bots += started

    async def stop(self) -> BotProcess:
        """The oldest one is told to stop, and does."""
        bot = self.bots.pop(0)
        await bot.stop()
        return bot

    async def kill(self) -> None:
        """The oldest one is gone, from one instruction to the next."""
        bot = self.bots.pop(0)
        os.kill(bot.pid, signal.SIGKILL)
        with suppress(BotEndedError):
            await bot.ended()

    async def post(self, path: str, body: dict[str, Any], *, method: str = "POST") -> int:
        """A webhook, which some replica gets; the status. What was cut off is told again, as Thumbtack does."""
        for _ in range(3):
            answer = await self.http.request(method, path, json=body)
            if answer.status_code != 502:
                break
        return answer.status_code

    async def seen(self, look: Any) -> Any:
        return await self.slack.wait_until(look, timeout=PATIENCE)

    @property
    def cards(self) -> list[dict[str, Any]]:
        shown = self.slack.messages(CHANNEL)
        return [one for one in shown if one.get("thread_ts", one["ts"]) == one["ts"]]

    def card(self, name: str) -> dict[str, Any] | None:
        """The one card that begins so; None while it is not there."""
        found = [one for one in self.cards if one["text"].startswith(f"{name} ")]
        assert len(found) < 2, f"{name} has {len(found)} cards"
        return found[0] if found else None

    def thread(self, name: str) -> list[str]:
        """What stands below a lead's card, oldest first."""
        card = self.card(name)
        return [] if card is None else [one["text"] for one in self.slack.thread(CHANNEL, card["ts"])[1:]]

    def marks(self, ts: str) -> list[str]:
        return list(self.slack.reactions(CHANNEL, ts))

    async def aclose(self) -> None:
        await self._stack.aclose()


@asynccontextmanager
async def replicas(database_url: str, folder: Path, **knobs: str) -> AsyncIterator[Replicas]:
    """None of them runs yet."""
    world, balancer = Outside(), Balancer()
    async with serving(world.app) as address, serving(balancer.app) as url:
        settings = outside.settings(address, bot_url=url) | {
            "DATABASE_URL": database_url,
            "ENCRYPTION_KEYS": KEY,
            "REPLY_HOLD_SECONDS": "0",
            "SLACK_RING": "",
            **knobs,
        }
        world.meet(address=address, bot_url=url)
        world.slack.courier.pauses = (0.0, 0.0, 0.0)
        async with httpx.AsyncClient(
            base_url=url, auth=(WEBHOOK_USERNAME, WEBHOOK_PASSWORD), timeout=PATIENCE, trust_env=False, limits=ANEW
        ) as http:
            place = Replicas(world, balancer, settings=settings, folder=folder, http=http)
            try:
                yield place
            finally:
                await place.aclose()
                await world.aclose()
                await balancer.aclose()
