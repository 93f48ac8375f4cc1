"""How much may be in hand at once: what comes beyond is told to come again soon, before its body is read.

A machine that takes more than it can store holds it in memory, answers everybody too late, and at last falls over.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from webhooks.often import Often
from webhooks.problems import Refused

AT_ONCE = 1_000
"""Webhooks; two commits' worth. The last of them waits for a second or two where a machine is slow."""

BYTES = 32 * 1024 * 1024
"""Of their bodies. A lead is 4 kB."""

RETRY_AFTER = "5"

LINE, WAIT = 1_000, 1.0
"""So many more may wait, their bodies unread, for so many seconds; then there is room, or they are told to come again."""


log = structlog.get_logger()


class Room:
    """What one process has in hand, from the first byte of a body until its answer.

    Only for callers whose credentials were right: nobody else may take it from Thumbtack.
    """

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        """Empty."""
        self._webhooks = 0
        self._bytes = 0
        self._waiting = 0
        self._full = Often(_tell, clock=clock)

    def taken(self, size: int) -> "Taken":
        """Have a body of so many bytes in hand meanwhile; raises Refused (`busy`) where there is no room for it soon."""
        return Taken(self, size)

    async def take(self, size: int) -> None:
        """See `taken`."""
        if self._is_full(size):
            if self._waiting < LINE:
                await self._wait()
            if self._is_full(size):
                self._full.once_more()
                raise Refused("busy", retry_after=RETRY_AFTER)
        self._webhooks += 1
        self._bytes += size

    def give_back(self, size: int) -> None:
        """What was taken for a body of this size is free again."""
        self._webhooks -= 1
        self._bytes -= size

    def _is_full(self, size: int) -> bool:
        return self._webhooks >= AT_ONCE or self._bytes + size > BYTES

    async def _wait(self) -> None:
        """Who is refused at once and asks again at once takes the time that storing needs."""
        self._waiting += 1
        try:
            await asyncio.sleep(WAIT)
        finally:
            self._waiting -= 1


class Taken:
    """What one webhook has of the room. A class takes a fifth of a generator's time, before each acknowledgement."""

    __slots__ = ("_room", "_size")

    def __init__(self, room: Room, size: int) -> None:
        """It is taken at the beginning of the block."""
        self._room = room
        self._size = size

    async def __aenter__(self) -> None:
        """Take it, maybe after a moment."""
        await self._room.take(self._size)

    async def __aexit__(self, *error: object) -> None:
        """Give it back."""
        self._room.give_back(self._size)


def _tell(times: int) -> None:
    log.warning("webhooks_too_many", times=times)
