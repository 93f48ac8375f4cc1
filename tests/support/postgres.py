"""PostgreSQL for the tests: one server, and databases that go from test to test as long as they can be made like new."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from support.addresses import database_address

UNHURRIED = ("fsync", "full_page_writes", "synchronous_commit", "autovacuum")
"""What is killed in tests is the bot, never this server: it need not wait for its disk. Nobody tidies up behind a test's back."""

ROOM = 8 << 20
"""Bytes that a database may grow before another takes its place: what was deleted still lies in its files."""

SHAPE = """
    SELECT md5(string_agg(c::text, '' ORDER BY c.oid)),
        (SELECT md5(string_agg(concat_ws(' ', attrelid, attname, atttypid, attnotnull, atthasdef), '' ORDER BY attrelid, attnum))
         FROM pg_attribute JOIN pg_class t ON t.oid = attrelid WHERE t.relnamespace = 'public'::regnamespace),
        (SELECT count(*) FROM pg_constraint), (SELECT count(*) FROM pg_trigger),
        (SELECT count(*) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
         WHERE d.datname = current_database()),
        (SELECT string_agg(version_num, ' ') FROM alembic_version)
    FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
"""
"""Tables, indexes, what is known of how full they are, and settings: the same in every copy that nobody altered or analysed."""

SIZE = "SELECT pg_database_size(current_database())"
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
REWIND = "SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S'"
LEAVE = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


async def hurry(admin: str) -> None:
    """Have a server work without the care that a user's needs."""
    async with connected(admin) as connection:
        for setting in UNHURRIED:
            await connection.execute(f"ALTER SYSTEM SET {setting} = off")
        await connection.execute("SELECT pg_reload_conf()")


@asynccontextmanager
async def connected(uri: str, name: str | None = None) -> AsyncIterator[Any]:
    """A connection of the driver's own, to another database of that server if it is named."""
    connection = await asyncpg.connect(uri, **({} if name is None else {"database": name}))
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def made(admin: str) -> AsyncIterator[str]:
    """The address of a database without a table, there for one test."""
    name = await create(admin, "template1")
    try:
        yield database_address(admin, name)
    finally:
        await drop(admin, name)


async def create(admin: str, template: str) -> str:
    """Copy a database file by file, which takes half the time of copying it through the log."""
    name = f"test_{secrets.token_hex(6)}"
    async with connected(admin) as connection:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    return name


async def drop(admin: str, name: str) -> None:
    """Be rid of a database, whoever is still in it."""
    async with connected(admin) as connection:
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


class Databases:
    """Copies of a template, each lent to one test at a time: emptying one takes a tenth of the time of making one."""

    def __init__(self, admin: str, template: str) -> None:
        self._admin = admin
        self._template = template
        self._spare: list[str] = []
        self._new: tuple[Any, int] | None = None
        self._empty = ""

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[str]:
        """The address of a database of the newest shape with nothing in it."""
        if self._new is None:
            await self._look()
        name = self._spare.pop() if self._spare else await create(self._admin, self._template)
        try:
            yield database_address(self._admin, name)
        finally:
            if await self._is_like_new(name):
                self._spare.append(name)
            else:
                await drop(self._admin, name)

    async def _look(self) -> None:
        async with connected(self._admin, self._template) as connection:
            tables = [row[0] for row in await connection.fetch(TABLES)]
            self._empty = ";".join([*(f'DELETE FROM "{table}"' for table in tables), REWIND])
            self._new = await connection.fetchrow(SHAPE), await connection.fetchval(SIZE)

    async def _is_like_new(self, name: str) -> bool:
        """Throw out who is still there and all that is in it; whether it cannot be told from a new one then."""
        assert self._new is not None
        shape, size = self._new
        try:
            async with connected(self._admin, name) as connection:
                await connection.fetch(LEAVE)
                if await connection.fetchrow(SHAPE) != shape or await connection.fetchval(SIZE) > size + ROOM:
                    return False
                await connection.execute(f"SET session_replication_role = replica; {self._empty}")
                return True
        except asyncpg.PostgresError:  # a test closed it
            return False
