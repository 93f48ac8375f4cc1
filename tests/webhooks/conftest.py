"""The webhook routes alone, on each kind of database or on SQLite where the kind does not matter."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from support.gate import Gate, gate


@pytest.fixture
async def door(database_url: str) -> AsyncIterator[Gate]:
    async with gate(database_url) as running:
        yield running


@pytest.fixture
async def sqlite_door(sqlite_url: str) -> AsyncIterator[Gate]:
    async with gate(sqlite_url) as running:
        yield running


@pytest.fixture
async def administrator(postgres: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the PostgreSQL server that may kill others."""
    connection = await asyncpg.connect(postgres)
    yield connection
    await connection.close()
