"""Webhooks that wait for their answer go first: other work with the database stands back while they pour in.

SQLite has one writer at a time, and the whole program shares one event loop. Who writes takes turns here, not at the
database's lock, which knows no order. What nobody waits for (reading the inbox, delivering the outbox) is done `behind`:
idle that costs nothing, and under load it gets a seventh of the time, so that it never stands still either.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any

REST = 6.0
"""How much longer than it worked other work rests when webhooks arrived meanwhile: it gets a seventh of the time."""

LONGEST_REST = 0.25
"""Seconds for which it rests at a time, however much of it there is: reading and delivering each go on about twice a second."""

PAUSE = 0.01
"""Seconds without a webhook after which rest is over: longer than a group commit takes PostgreSQL, after which those come who
waited for it. A few dozen a second, which one machine can take beside all else, would else stop everything six times as long as
it took."""

Queue = deque[asyncio.Future[None]]


@dataclass(frozen=True)
class Turn:
    """A turn to write, had while a block runs. It knows nothing of who has it: one serves all, and costs next to nothing."""

    take: Callable[[], Awaitable[None]]
    give: Callable[[], None]

    async def __aenter__(self) -> None:
        await self.take()

    async def __aexit__(self, *_: object) -> None:
        self.give()


class Precedence:
    """Hands out turns to write, and keeps the pace of what is done behind."""

    def __init__(self, *, exclusive: bool, clock: Callable[[], float] = monotonic) -> None:
        """`exclusive`: one writer at a time (SQLite); else there are no turns, only the pace. `clock`: in seconds."""
        self._exclusive, self._clock = exclusive, clock
        self._expected = False
        self._first: Queue = deque()
        self._others: Queue = deque()
        self._has_turn: Queue | None = None  # of whom somebody writes
        self._arrived = 0
        self._arrived_at = self._rest_until = 0.0
        self._line = asyncio.Lock()
        self._waited: dict[asyncio.Task[Any] | None, float] = {}
        self._turn_first = Turn(partial(self._take, self._first), self._stored)
        self._turn = Turn(partial(self._take, self._others), self._give)

    def arrived(self) -> None:
        """A webhook has come and waits for its answer: the next turn is its, by `first`, though that may be asked for later."""
        self._arrived += 1
        self._arrived_at = self._clock()
        self._expected = True

    def first(self) -> Turn:
        """A turn to write, before all others that wait for one."""
        return self._turn_first

    def turn(self) -> Turn:
        """A turn to write."""
        return self._turn

    @asynccontextmanager
    async def behind(self) -> AsyncIterator[None]:
        """Do a short piece of work that nobody waits for; all such work rests if webhooks had to wait for it.

        While it rests there is one piece at a time, in the order in which they were to begin: two that rest for themselves
        would have twice the time. What a piece waited for its own turn is not counted, for webhooks went on meanwhile.
        """
        clock, task = self._clock, asyncio.current_task()
        async with self._line if self._rest_until > clock() else nullcontext():
            await self._rest()
            arrived, began, self._waited[task] = self._arrived, clock(), 0.0
            try:
                yield
            finally:
                ended, waited = clock(), self._waited.pop(task)
                if self._arrived != arrived:
                    rest_until = max(self._rest_until, ended) + REST * (ended - began - waited)
                    self._rest_until = min(rest_until, ended + LONGEST_REST)

    async def _rest(self) -> None:
        """Until its time is over, or no webhook comes any more. Those that came while the event loop was busy show only now."""
        clock, seen = self._clock, self._clock() + PAUSE
        while (left := min(self._rest_until, max(seen, self._last_at() + PAUSE)) - clock()) > 0:  # noqa: ASYNC110 -- for time
            await asyncio.sleep(left)
        self._rest_until = min(self._rest_until, clock())

    def _last_at(self) -> float:
        """When webhooks came last: just now, as long as one writer stores some, for whoever waits for that sends no others."""
        is_waited_for = self._exclusive and (self._expected or self._first or self._has_turn is self._first)
        return self._clock() if is_waited_for else self._arrived_at

    async def _take(self, queue: Queue) -> None:
        if not self._exclusive:
            return
        is_first = queue is self._first
        if self._has_turn is not None or (self._expected and not is_first):
            await self._wait(queue)
        self._has_turn = queue
        if is_first:
            self._expected = False

    def _stored(self) -> None:
        self._arrived_at = self._clock()
        self._give()

    async def _wait(self, queue: Queue) -> None:
        task = asyncio.current_task()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        asked_at = self._clock()
        try:
            await turn
            if task in self._waited:
                self._waited[task] += self._clock() - asked_at
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give()  # the turn came in the moment we were told to stop: it is passed on
            raise

    def _give(self) -> None:
        if not self._exclusive:
            return
        for queue in (self._first, self._others):
            while queue:
                turn = queue.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._has_turn = None
