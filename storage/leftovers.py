"""Whole copies of a SQLite file that lie beside it: an upgrade makes one first, a restore keeps what was there before.

What is erased from the database stands in them still, until somebody deletes them.
"""

from collections.abc import Iterator
from contextlib import suppress
from glob import escape
from pathlib import Path

BEFORE, REPLACED = "before-", "replaced-"
"""What their names go on with after the database's own: one of before an upgrade, one of before a restore."""


def of(file: Path) -> list[Path]:
    """All of them, with what SQLite kept of them beside; by name."""
    return sorted(one for kind in (BEFORE, REPLACED) for one in _beside(file, kind))


def keep_only(copied: Path, *, file: Path) -> None:
    """Delete the copies of earlier upgrades; one that cannot be deleted is left for `corkboard check` to name."""
    for older in _beside(file, BEFORE):
        if older != copied:
            with suppress(OSError):
                older.unlink()


def _beside(file: Path, kind: str) -> Iterator[Path]:
    return file.parent.glob(f"{escape(file.name)}.{kind}*")
