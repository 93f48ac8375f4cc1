"""What others could notice of the bot, as steps one after the other: each commit, each call out before and after, each webhook."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Self

import aiohttp
import httpx
from sqlalchemy import event

from storage.appending import PostgresAppender, SqliteAppender
from storage.database import Database, Transaction
from storage.one_hop import HereCursor
from storage.transaction import HERE

Step = Callable[[str], Awaitable[None]]
"""Told by its name what is about to be done."""


def stepping(put: Callable[[Any, str, Any], None], step: Step, *, besides: Database | None = None) -> None:
    """Let each step of this process be told before it is done; `put` sets an attribute. `besides`: the test's own."""
    put(Database, "transaction", _transaction(step, Database.transaction, besides))
    for appender in (SqliteAppender, PostgresAppender):
        put(appender, "append", _before(step, "webhooks stored", appender.append))
    put(aiohttp.ClientSession, "_request", _around(step, aiohttp.ClientSession._request))
    handle = httpx.AsyncHTTPTransport.handle_async_request
    put(httpx.AsyncHTTPTransport, "handle_async_request", _around(step, handle))


def _transaction(step: Step, original: Any, besides: Database | None) -> Any:
    """A transaction that wrote something is a step before its commit."""

    @asynccontextmanager
    async def transaction(database: Database, **how: Any) -> AsyncIterator[Transaction]:
        async with original(database, **how) as tx:
            if database is besides:
                yield tx
                return
            wrote: list[str] = []
            with _noted(wrote, tx, (await tx.connection()).sync_connection):
                yield tx
                await tx.flush()
            if wrote:
                await step(f"commit of {wrote[0]}")

    return transaction


@contextmanager
def _noted(wrote: list[str], tx: Transaction, connection: Any) -> Iterator[None]:
    """Note what this transaction writes, with SQLAlchemy and without (see `storage.prepared`)."""
    driver: Any = tx.info.get(HERE)

    def by_sqlalchemy(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if not isinstance(cursor, HereCursor):
            _note(wrote, statement)

    class Noting(HereCursor):
        def execute(self, sql: str, parameters: Any = ()) -> Self:
            _note(wrote, sql)
            return super().execute(sql, parameters)

    event.listen(connection, "before_cursor_execute", by_sqlalchemy)
    if driver is not None:
        driver.here_cursor = lambda: driver._conn.cursor(Noting)
    try:
        yield
    finally:
        event.remove(connection, "before_cursor_execute", by_sqlalchemy)
        if driver is not None:
            del driver.here_cursor


def _note(wrote: list[str], statement: str) -> None:
    verb, _, rest = statement.lstrip().partition(" ")
    if verb in ("INSERT", "UPDATE", "DELETE"):
        wrote.append(f"{verb} {rest.split(' SET ')[0].split(' (')[0]}")


def _before(step: Step, name: str, original: Any) -> Any:
    async def stepped(*arguments: Any, **named: Any) -> Any:
        await step(name)
        return await original(*arguments, **named)

    return stepped


def _around(step: Step, original: Any) -> Any:
    """A call out is a step before it is made, and one after the other side did as asked."""

    async def calling(client: Any, *asked: Any, **named: Any) -> Any:
        name = str(asked[1] if len(asked) > 1 else asked[0].url).partition("?")[0].rpartition("/")[2]
        if name == "auth.test":
            return await original(client, *asked, **named)
        await step(f"call of {name}")
        answer = await original(client, *asked, **named)
        try:
            await step(f"answer to {name}")
        except BaseException:
            if isinstance(answer, httpx.Response):
                await answer.aclose()
            else:
                answer.close()
            raise
        return answer

    return calling
