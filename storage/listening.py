"""What other processes commit, heard at once: PostgreSQL's LISTEN and NOTIFY, on a connection of its own; and its time.

Nothing depends on being told: everybody also looks unasked, more often while nobody tells us. A transaction that touched
a topic notifies in itself (`Database.transaction`), so that whoever is told finds it. What is appended to the inbox tells
nobody: the process that took it reads it, and the answer to Thumbtack must not wait for PostgreSQL's one queue of
notifications.
"""

import asyncio
from contextlib import suppress
from typing import Any

import structlog

from storage import shared_clock
from storage.database import NUDGES, Database, StorageError
from storage.shared_clock import SharedClock

AGAIN_AFTER = 2.0
"""Seconds until a connection that was lost is opened again."""

PROVED_EVERY = 30.0
"""Seconds after which is tried whether we are still told: a connection may die without a word, or a pooler swallow it."""

PROVED_WITHIN = 10.0
"""Seconds in which we must hear what we told ourselves."""

PROOF = "proof"

ACTED_ON_AFTER = 0.05
"""Seconds after which we look at what another process told of, and at all that it tells meanwhile.

It mostly does what it told of itself, at once: to look after each of its commits would find nothing, many times a second.
"""

AGREED_IN = 3
"""How often PostgreSQL is asked for its time, until it answers soon enough."""

FAREWELL_WITHIN = 3.0
"""Seconds that saying farewell may take, at shutdown."""

log = structlog.get_logger()


class Listening:
    """The task that wakes this process when another one committed something. On SQLite there is no other."""

    def __init__(self, database: Database, clock: SharedClock) -> None:
        """Nothing is opened before `run` or `agree`."""
        self._database = database
        self._clock = clock
        self._proved = asyncio.Event()
        self._told: set[str] = set()
        self._was_lost = False

    async def agree(self) -> None:
        """Set the clock by PostgreSQL's, before anything is claimed and now and then; a slow answer changes nothing."""
        if self._database.is_sqlite:
            return
        async with self._database.asyncpg_connection() as connection:
            for _ in range(AGREED_IN):
                asked_at = shared_clock.machines()
                theirs = await connection.fetchval("SELECT clock_timestamp()")
                if self._clock.compare(theirs, asked_at=asked_at, heard_at=shared_clock.machines()):
                    return

    async def run(self) -> None:
        """Listen until cancelled, through connections that are lost; at the end the others look at what we leave."""
        if self._database.is_sqlite:
            return
        lost = _lost()
        try:
            while True:
                try:
                    await self._listen()
                except lost as error:
                    self._lost(error)
                await asyncio.sleep(AGAIN_AFTER)
        finally:
            if self._database.is_told:
                self._database.is_told = False
                with suppress(*lost):
                    await self._farewell()

    async def _listen(self) -> None:
        """Until the connection is lost, which raises one of `_lost()`."""
        ended = asyncio.Event()
        async with self._database.kept_asyncpg_connection() as connection:
            connection.add_termination_listener(lambda _connection: ended.set())
            await connection.add_listener(NUDGES, self._heard)
            while True:
                await self._prove()
                await self.agree()
                await _until(ended, PROVED_EVERY)

    async def _prove(self) -> None:
        """Tell ourselves something by another connection. What came before we listened is looked for once."""
        self._proved.clear()
        await self._tell(PROOF)
        async with asyncio.timeout(PROVED_WITHIN):
            await self._proved.wait()
        if self._database.is_told:
            return
        self._database.is_told = True
        self._database.wake(self._database.topics)
        if self._was_lost:
            log.info("nudges_heard_again")
        self._was_lost = False

    def _lost(self, error: BaseException) -> None:
        self._database.is_told = False
        self._database.wake(self._database.topics)  # who sleeps long would not look before its time
        if not self._was_lost:
            log.warning("nudges_not_heard", error=type(error).__name__)
        self._was_lost = True

    def _heard(self, _connection: Any, _process: int, _channel: str, nudge: str) -> None:
        topic, _, who = nudge.partition(" ")
        if who == self._database.who:
            if topic == PROOF:
                self._proved.set()
            return
        if not self._told:
            asyncio.get_running_loop().call_later(ACTED_ON_AFTER, self._act)
        self._told.add(topic)

    def _act(self) -> None:
        told, self._told = self._told, set()
        self._database.wake(told)

    async def _tell(self, *topics: str) -> None:
        async with self._database.asyncpg_connection() as connection:
            for topic in topics:
                await connection.execute("SELECT pg_notify($1, $2)", NUDGES, self._database.nudge(topic))

    async def _farewell(self) -> None:
        """What we stored and did not come to, the others need not wait for."""
        async with asyncio.timeout(FAREWELL_WITHIN):
            await self._tell(*sorted(self._database.topics))


def _lost() -> tuple[type[Exception], ...]:
    """What is raised where the connection is lost."""
    import asyncpg  # noqa: PLC0415 -- on SQLite, where nobody listens, it is not loaded

    return StorageError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError


async def _until(ended: asyncio.Event, seconds: float) -> None:
    """Wait so long; raises ConnectionError where the connection ends meanwhile."""
    try:
        async with asyncio.timeout(seconds):
            await ended.wait()
    except TimeoutError:
        return
    raise ConnectionError
