"""What tests of commands do in the database before and after: without a loop of their own, as a command has its own."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from storage.database import Database


def with_database(url: str, work: Callable[[Database], Awaitable[Any]]) -> Any:
    """Do this with a database that is opened for it and closed."""

    async def go() -> Any:
        database = Database(url)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(go())
