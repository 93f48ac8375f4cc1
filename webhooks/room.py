"""How much may be in hand at once: what comes beyond is told to come again soon, before its body is read.

A machine that takes more than it can store holds it in memory, answers everybody too late, and at last falls over.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import structlog

from webhooks.often import Often
from webhooks.problems import Refused

AT_ONCE = 1_000
"""Webhooks; two commits' worth. The last of them waits for a second or two where a machine is slow."""

BYTES = 32 * 1024 * 1024
"""Of their bodies. A lead is 4 kB."""

RETRY_AFTER = "5"


log = structlog.get_logger()


class Room:
    """What one process has in hand, from the first byte of a body until its answer.

    Only for callers whose credentials were right: nobody else may take it from Thumbtack.
    """

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        """Empty."""
        self._webhooks = 0
        self._bytes = 0
        self._full = Often(_tell, clock=clock)

    @contextmanager
    def taken(self, size: int) -> Iterator[None]:
        """Have a body of so many bytes in hand meanwhile; raises Refused (`busy`) where there is no room for it."""
        if self._webhooks >= AT_ONCE or self._bytes + size > BYTES:
            self._full.once_more()
            raise Refused("busy", retry_after=RETRY_AFTER)
        self._webhooks += 1
        self._bytes += size
        try:
            yield
        finally:
            self._webhooks -= 1
            self._bytes -= size


def _tell(times: int) -> None:
    log.warning("webhooks_too_many", times=times)
