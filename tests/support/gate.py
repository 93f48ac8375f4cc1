"""Thumbtack's side alone: the webhook routes over a database, with the inbox read when a test says so."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx
from sqlalchemy import select, text
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from bot.metrics import Metrics
from bot.visitors import on_http_exception
from storage.database import Database
from storage.inbox import InboxWriter
from storage.models import Row
from webhooks import routes
from webhooks.ingest import Ingest
from webhooks.verification import Credentials, LegacyAdmission, V4Admission

R = TypeVar("R", bound=Row)
USER = "thumbtack"
PASSWORD = "let-me-in"
PREVIOUS = "let-me-in-before"
SECRET = "let-me-in-by-secret"
RIGHT = Credentials(username=USER, passwords=[PASSWORD, PREVIOUS])


class Gate:
    """The webhook routes, the inbox behind them, and the means to look at what became of it."""

    def __init__(
        self, database: Database, *, credentials: Credentials | None = RIGHT, secret: str | None = SECRET
    ) -> None:
        self.database = database
        self.ahead = timedelta()
        self.writer = InboxWriter(database)
        self.metrics = Metrics()
        self.ingest = self.another_ingest()
        found = routes.routes(
            legacy=LegacyAdmission(credentials=credentials),
            v4=V4Admission(credentials=credentials, secret=secret),
            inbox=self.writer,
            counts=self.metrics,
            clock=self.clock,
        )
        self.app = Starlette(
            routes=found,
            middleware=[Middleware(routes.AtOnce, of=found)],
            exception_handlers={HTTPException: on_http_exception},
        )
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url="http://bot")

    def clock(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def another_ingest(self, database: Database | None = None) -> Ingest:
        return Ingest(
            database or self.database,
            default_channel="C0LEADS",
            reminds=False,
            counts=self.metrics,
            clock=self.clock,
        )

    async def post(self, path: str, body: Any, **kwargs: Any) -> httpx.Response:
        """A webhook as Thumbtack sends it; bytes are sent as they are, anything else as JSON."""
        kwargs.setdefault("auth", (USER, PASSWORD))
        kwargs.setdefault("method", "PUT" if path.endswith("/update") else "POST")
        kwargs.setdefault("headers", {"Content-Type": "application/json"})
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.http.request(url=path, content=content, **kwargs)

    async def ingested(self, *posts: tuple[str, Any]) -> None:
        """Post these, each accepted, and read all that may be read now."""
        for path, body in posts:
            assert (await self.post(path, body)).status_code in (200, 202)
        while await self.ingest.step():
            pass

    async def rows(self, row: type[R]) -> Sequence[R]:
        """Every row of a kind, oldest first."""
        async with self.database.reading() as tx:
            return (await tx.execute(select(row).order_by(text("id")))).scalars().all()


async def with_tables(database: Database) -> None:
    """Make the tables; where they stand already, nothing happens."""
    async with database.engine.begin() as connection:
        await connection.run_sync(Row.metadata.create_all)


@asynccontextmanager
async def gate(database_url: str, **kwargs: Any) -> AsyncIterator[Gate]:
    """A gate whose inbox is being written, over tables made in one go (the migrations have their own tests)."""
    database = Database(database_url)
    await with_tables(database)
    running = Gate(database, **kwargs)
    writer = asyncio.create_task(running.writer.run())
    try:
        yield running
    finally:
        writer.cancel()
        await asyncio.wait([writer])
        await running.writer.drain()
        await running.http.aclose()
        await database.close()
