"""The sandbox page with a bot behind it, as `make demo` has them, in one process: what a browser's tests play with."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
from support.office import Door, Office

from sandbox import outside
from sandbox.outside import Outside
from sandbox.servers import serving
from storage import inbox, outbox


class OpenDoor(Door):
    """While no bot runs, whoever knocks is cut off, as by a process that is gone."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self.app is not None:
            await super().__call__(scope, receive, send)


@dataclass
class Process:
    """What the page may do to the bot (`sandbox.outside.BotControl`)."""

    place: Office

    @property
    def running(self) -> bool:
        return self.place.door.app is not None

    async def kill(self) -> None:
        if not self.running:
            raise ValueError("The bot does not run.")
        self.place.door.app = None
        await self.place.crash()

    async def start(self) -> None:
        if self.running:
            raise ValueError("The bot runs already.")
        await self.place.start()

    def put_forward(self, _by: timedelta) -> None:
        """The bot's clock is the world's here, which the page puts forward itself; wake what waited for it."""
        database = self.place._running_database()
        asyncio.get_running_loop().call_soon(database.wake, {outbox.TOPIC, inbox.TOPIC})


@dataclass(frozen=True)
class Play:
    """A bot, the world outside of it, and the page's address."""

    place: Office
    world: Outside
    url: str


@asynccontextmanager
async def playing(database_url: str, **knobs: Any) -> AsyncIterator[Play]:
    """A running bot in the sandbox. What is said goes out at once; `knobs` are settings to change."""
    world, door = Outside(), OpenDoor()
    async with (
        serving(door) as bot_url,
        world.serve() as address,
        httpx.AsyncClient(transport=httpx.ASGITransport(app=door), base_url="http://bot") as http,
    ):
        world.meet(address=address, bot_url=bot_url)
        place = Office(
            database_url, slack=world.slack, thumbtack=world.thumbtack, door=door, http=http, clock=world.clock
        )
        settings = outside.settings(address, bot_url=bot_url)
        place.knobs = {name.lower(): value for name, value in settings.items()} | {
            "database_url": database_url,
            "encryption_keys": "zH9o1mJmZUoY8D0m2rWn8q2c6a0m3S7mX0bqQ3B1u0Y=",
            "reply_hold_seconds": 0,
        }
        world.bot = Process(place)
        try:
            await place.start(**knobs)
            yield Play(place=place, world=world, url=address)
        finally:
            await place.stop()
            await place.database.close()
            await world.aclose()
