"""Brief transactions on SQLite: as long as they are, nothing waits but COMMIT, and nothing needs SQLAlchemy's waiting.

Its sessions run each call in a greenlet, take a connection out of the pool for each transaction and look it over when they put
it back; that takes twice the time of beginning and committing. Here the connection and its session are kept between brief
transactions. They begin in the event loop, where another process does not hold the lock just then, and are committed in the
connection's thread. Whoever comes has the turn to write.

The inbox is appended to by the same connection (`storage.appending`): with one of its own, each of the two would throw away
what it knows of the file after each commit of the other, and read it again.
"""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from storage.one_hop import OneHopConnection, told
from storage.transaction import HERE, Transaction, refuse_broken

T = TypeVar("T")


@dataclass(frozen=True)
class _Kept:
    """A connection, as SQLAlchemy knows it and as its driver does, and the session that is used with it again and again."""

    connection: AsyncConnection
    driver: OneHopConnection
    tx: Transaction


class Brief:
    """Makes brief transactions; at most one at a time."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Nothing is opened before the first."""
        self._engine = engine
        self._kept: _Kept | None = None
        self._keeps = True

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """See `storage.database.Database.transaction`."""
        async with self._taken() as kept:
            tx, driver = kept.tx, kept.driver
            tx.info.clear()  # only now: what was noted is looked at after the commit
            driver.here = True
            try:
                await _begun(driver)
                tx.info[HERE] = driver
                yield tx
                if tx.in_transaction():
                    refuse_broken(tx)
                    await tx.flush()
                await _committed(driver)
                driver.here = True  # also where it took its time (`storage.database.at_length`)
                if tx.in_transaction():
                    tx.sync_session.commit()  # all was done, and it takes note of it
            except Exception:
                await driver.rollback()
                raise
            finally:
                driver.here = True
                tx.info.pop(HERE, None)
                tx.sync_session.close()

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """See `storage.database.Database.do_in_sqlite`."""
        async with self._taken() as kept:
            return await kept.driver.do(work)

    async def close(self) -> None:
        """Keep nothing any more, nor what a transaction that is under way has."""
        self._keeps = False
        await self.let_go()

    async def let_go(self) -> None:
        """Put the connection back, for whoever has the turn to write now and takes it out of the pool."""
        kept, self._kept = self._kept, None
        if kept is not None:
            await self._put_back(kept)

    @asynccontextmanager
    async def _taken(self) -> AsyncIterator[_Kept]:
        """The connection, in no transaction; kept for the next, unless something went wrong with it."""
        kept, self._kept = self._kept or await self._open(), None
        try:
            if kept.driver.in_transaction:  # somebody used the last one after its end
                kept.tx.sync_session.close()
                await kept.driver.rollback()
            yield kept
        except Exception:
            await self._put_back(kept)
            raise
        except BaseException:  # told to stop: what its thread does just now is nobody's business any more
            await kept.connection.invalidate()
            raise
        if self._keeps:
            self._kept = kept
        else:
            await self._put_back(kept)

    async def _put_back(self, kept: _Kept) -> None:
        kept.driver.here = False
        kept.driver.be_patient()
        if self._keeps:
            await kept.connection.close()
        else:
            await kept.connection.invalidate()  # closed for good: nobody would do so to what comes back into the pool

    async def _open(self) -> _Kept:
        connection = await self._engine.connect()
        driver: Any = (await connection.get_raw_connection()).driver_connection
        driver.hurry()
        return _Kept(connection, driver, Transaction(connection, expire_on_commit=False))


async def _begun(driver: OneHopConnection) -> None:
    try:
        await driver.begin()
    except sqlite3.Error as error:
        raise told(error) from error


async def _committed(driver: OneHopConnection) -> None:
    try:
        await driver.commit()
    except sqlite3.Error as error:
        raise told(error) from error
