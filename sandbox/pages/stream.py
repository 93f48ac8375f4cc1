"""The page's news: the whole state as server-sent events, one whenever something changed (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from sandbox.pages import parts

if TYPE_CHECKING:
    from sandbox.outside import Outside

TOGETHER = 0.05
"""Seconds in which several changes become one event."""

HEARTBEAT = 15.0
"""Seconds of silence after which a comment shows that the connection lives."""


async def news(world: "Outside", as_user: str) -> AsyncIterator[bytes]:
    """The state now, then at each change, until the world ends."""
    last = b""
    while not world.ended:
        changes = world.changes()
        now = json.dumps(parts.state(world, as_user)).encode()  # orjson takes no half of an emoji
        if now != last:
            yield b"data: " + now + b"\n\n"
            last = now
        if not await _any(changes):
            yield b": all is well\n\n"
        await asyncio.sleep(TOGETHER)


async def _any(changes: "list[asyncio.Event]") -> bool:
    """True as soon as one of them happened, False when none did for a while."""
    waiting = [asyncio.ensure_future(change.wait()) for change in changes]
    try:
        done, _ = await asyncio.wait(waiting, timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)
    finally:
        for one in waiting:
            one.cancel()
