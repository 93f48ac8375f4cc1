"""Ends the bot between two of its steps, as SIGKILL would: at any commit, call out or answer that others could notice."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from support.deliveries import unsettled
from support.office import Door, Office
from support.steps import stepping

from sandbox.slack import Answer
from storage.outbox import CLAIM_FOR

EVERY = 7
"""How many steps a life has: with as many first deaths, every step of a flow is once the last one."""

DEATHS = 8
"""So often it dies at most in one run: what takes more than that many steps would never be done otherwise."""

NEVER = -1

SOON = timedelta(minutes=30)
"""What is due later than that is not waited for: the end of a pause, an erasure."""


class KilledError(OSError):
    """What a step of a dead process meets that was waited for although its task was cancelled."""


class Steps:
    """Counts what the bot does while it is `armed`, and ends it now and then: nothing after that is done any more."""

    def __init__(self, place: Office) -> None:
        self.place = place
        self.taken: list[str] = []
        self.deaths: list[str] = []
        self.dead = asyncio.Event()
        self._buried = asyncio.Event()
        self._last: int | None = None
        self._at: str | None = None

    @contextmanager
    def armed(self, first: int | str) -> Iterator[None]:
        """The bot dies at step number `first`, counted from 1 and from now, and after each `EVERY` more, `DEATHS` times.

        With a name, it dies the first time that it comes to such a step, and never again.
        """
        self.taken, self.deaths = [], []
        self._last, self._at = (first, None) if isinstance(first, int) else (NEVER, first)
        yield
        self._last = self._at = None

    async def step(self, name: str) -> None:
        """What `name` tells is about to be done; whoever is dead does not come back from here."""
        if self._last is not None and not self.dead.is_set():
            self.taken.append(name)
            if len(self.taken) == self._last or name == self._at:
                self._at = None
                self.deaths.append(name)
                self.dead.set()
        if self.dead.is_set():
            await self._buried.wait()
            raise KilledError

    async def revive(self) -> None:
        """Bury what died, and start the bot again."""
        was_armed, self._last = self._last not in (None, NEVER), None
        ended = asyncio.create_task(self.place.crash())
        await asyncio.sleep(0)  # it cancels everything before anything of it hears that it is dead
        self._buried.set()
        await ended
        self.dead.clear()
        self._buried.clear()
        await self.place.start()
        if not self.place.database.is_sqlite:  # nobody can know there whether whoever holds a claim is dead
            await self.place.advance(seconds=CLAIM_FOR.total_seconds() + 1)
        if was_armed:
            self._last = len(self.taken) + EVERY if len(self.deaths) < DEATHS else NEVER


class Outside:
    """Thumbtack and people, who try again what was not answered, as they do; the bot is started again once it died."""

    def __init__(self, place: Office, steps: Steps) -> None:
        self.place = place
        self.steps = steps

    async def told(self, path: str, body: Any, *, method: str = "POST") -> None:
        """Thumbtack tells something until it is taken."""
        while True:
            try:
                answer = await self.place.post(path, body, method=method)
            except httpx.ConnectError:
                await self.steps.revive()
                continue
            assert answer.status_code in (200, 202), answer.text
            return

    async def heard(self, deed: Awaitable[Answer]) -> str:
        """A person does something, and Slack tells it until it is taken; its ts."""
        answer = await deed
        while not answer.ok:
            await self._mended(answer)
            answer = await self.place.slack.redeliver(answer)
        return str(answer.ts)

    async def insisted(self, deed: Callable[[], Awaitable[Answer]]) -> None:
        """A person does what Slack tells once, and does it again where Slack says that it did not work."""
        answer = await deed()
        while not answer.ok:
            await self._mended(answer)
            answer = await deed()

    async def _mended(self, answer: Answer) -> None:
        assert answer.failure == "connection_failed", answer
        await self.steps.revive()

    async def rest(self, **pause: float) -> None:
        """Until nothing is due soon any more, letting time pass; and the bot is started again whenever it died."""
        while True:
            resting = asyncio.create_task(self._quiet(**(pause or {"minutes": 5})))
            died = asyncio.create_task(self.steps.dead.wait())
            await asyncio.wait({resting, died}, return_when=asyncio.FIRST_COMPLETED)
            died.cancel()
            if not self.steps.dead.is_set():
                await resting
                return
            resting.cancel()
            await asyncio.wait({resting})
            await self.steps.revive()

    async def _quiet(self, **pause: float) -> None:
        for _ in range(60):
            await self.place.at_rest()
            soon = self.place.clock() + SOON
            if not [one for one in await unsettled(self.place) if one.due_at < soon]:
                return
            await self.place.advance(**pause)
        raise AssertionError("something waits for ever")


@asynccontextmanager
async def killable(place: Office, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Outside]:
    """The running office, its bot stepping as it is told."""
    steps = Steps(place)
    stepping(monkeypatch.setattr, steps.step, besides=place.database)
    monkeypatch.setattr(Door, "__call__", _door(steps, Door.__call__))
    yield Outside(place, steps)


def _door(steps: Steps, original: Any) -> Any:
    """To answer who called us is a step too; whoever called a process that died hears that nobody is there."""

    async def called(door: Door, scope: Any, receive: Any, send: Any) -> None:
        async def answer(message: Any) -> None:
            if message["type"] == "http.response.start":
                await steps.step(f"answering {scope['path']}")
            await send(message)

        work = asyncio.create_task(original(door, scope, receive, answer))
        died = asyncio.create_task(steps.dead.wait())
        try:
            await asyncio.wait({work, died}, return_when=asyncio.FIRST_COMPLETED)
            if steps.dead.is_set():
                raise httpx.ConnectError("nobody is there")
            await work
        finally:
            for task in (work, died):
                task.cancel()
            await asyncio.wait({work, died})

    return called
