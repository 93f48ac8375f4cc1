"""A migrated database of each kind, and a clock that stands still until a test moves it."""

from collections.abc import AsyncIterator

import pytest

from storage import migrate
from storage.database import Database


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An empty database of each kind, in the newest shape."""
    opened = Database(database_url)
    await migrate.upgrade(opened)
    yield opened
    await opened.close()
