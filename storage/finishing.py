"""Work that is brought to its end although its task is cancelled: a transaction is not cut off half way."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def finish(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`. Whoever is cancelled meanwhile is so only after it ended."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        task.cancelled() or task.exception()  # looked at, so that asyncio does not complain that nobody did
        raise
