"""A transaction as the functions of this package know it: SQLAlchemy's session, without its detour where nothing is waited for.

An asynchronous session runs each call in a greenlet of its own, so that the driver can wait for its database in the midst of
it. What a brief transaction on SQLite asks is answered on the spot (see `storage.one_hop`), and takes half the time without.
"""

from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import PendingRollbackError
from sqlalchemy.ext.asyncio import AsyncSession

from storage.one_hop import OneHopConnection

HERE = "here"
"""Of a session's `info`: the driver's connection, while statements are executed here."""


ASKED = "asked"
"""Of a session's `info`: it has its connection, and has begun on it."""


class Transaction(AsyncSession):
    """What `Database.transaction()` gives: handed to the functions of this package, never used directly by others."""

    if not TYPE_CHECKING:  # each keeps the many types that SQLAlchemy gives it

        async def execute(self, *what: Any, **how: Any) -> Any:
            """See `AsyncSession.execute`."""
            return await self._asked("execute", *what, **how)

        async def get(self, *what: Any, **how: Any) -> Any:
            """See `AsyncSession.get`."""
            return await self._asked("get", *what, **how)

        async def flush(self, *what: Any, **how: Any) -> None:
            """See `AsyncSession.flush`."""
            await self._asked("flush", *what, **how)

    async def _asked(self, name: str, *what: Any, **how: Any) -> Any:
        here: OneHopConnection | None = self.info.get(HERE)
        if here is None:
            given = await getattr(super(), name)(*what, **how)
            if name == "execute":  # the others ask nothing where there is nothing to ask
                self.info[ASKED] = True
            return given
        answer = getattr(self.sync_session, name)(*what, **how)
        await here.give_way()
        return answer


def refuse_broken(tx: Transaction) -> None:
    """Raise StorageError where a flush failed: what it had written is half of something, which nobody may add to or commit."""
    if not tx.sync_session.is_active:
        raise PendingRollbackError("a flush failed, and whoever asked for it went on")
