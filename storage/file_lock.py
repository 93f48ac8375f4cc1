"""One `serve` per SQLite file, said in a sentence instead of by database locks."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self


class AlreadyServed(Exception):  # noqa: N818 -- it reads as the sentence it is
    """Another `corkboard serve` holds this SQLite file. Stop it first, or use PostgreSQL for several replicas."""

    def __init__(self, path: Path) -> None:
        """`path` is the database file."""
        super().__init__(
            f"Another `corkboard serve` holds {path}. Stop it first, or use PostgreSQL for several replicas."
        )


def lock_file(database: Path) -> Path:
    """Beside it: one for each database, by whichever of its names."""
    database = database.resolve()
    return database.with_name(f"{database.name}.lock")


class FileLock:
    """An advisory lock beside the database file; the system gives it back when the process ends, however it ends."""

    def __init__(self, database: Path) -> None:
        """Nothing is locked before the block is entered."""
        self._database = database
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        """Take the lock; raises AlreadyServed where another process has it."""
        descriptor = os.open(lock_file(self._database), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise AlreadyServed(self._database) from None
        self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give it back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
