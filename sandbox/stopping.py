"""Ends a command well when it is told to: by Ctrl-C, by SIGTERM, or because its terminal was closed."""

import asyncio
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):  # noqa: N818 -- no mistake: it was to end
    """The work was ended before it was done."""


@contextmanager
def told_to_stop() -> Iterator[asyncio.Event]:
    """An event that is set when this process is told to stop; inside the block nothing else happens then."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for each in _SIGNALS:
        loop.add_signal_handler(each, stop.set)
    try:
        yield stop
    finally:
        for each in _SIGNALS:
            loop.remove_signal_handler(each)


async def unless(interruption: Coroutine[Any, Any, object], work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns or raises, unless `interruption` ends first.

    Then the work is cancelled, and Stopped is raised, or what the interruption raised. Nothing goes on behind it.
    """
    interrupting, working = asyncio.ensure_future(interruption), asyncio.ensure_future(work)
    try:
        await asyncio.wait({interrupting, working}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        interrupting.result()
        raise Stopped
    finally:
        interrupting.cancel()
        working.cancel()
        await asyncio.wait({interrupting, working})
