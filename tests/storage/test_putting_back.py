"""A copy takes the place of a SQLite database, and the machine may stop at any moment of that."""

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

from storage import backups
from storage.backups import Found


class MachineStopped(Exception):  # noqa: N818 -- it says what happened
    """No line after that ran."""


class Stopping:
    """The file system of a machine that stops before it does one more of the things that change names."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, after: int) -> None:
        self.left = after
        for name in ("replace", "rename", "link", "unlink"):
            monkeypatch.setattr(os, name, self._counted(getattr(os, name)))

    def _counted(self, real):
        def change(*arguments, **how):
            if self.left == 0:
                raise MachineStopped
            self.left -= 1
            return real(*arguments, **how)

        return change


def notes(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as opened, suppress(sqlite3.OperationalError):
        return [row[0] for row in opened.execute("SELECT text FROM note")]
    return []


def made(folder: Path) -> tuple[Path, Found]:
    """A database whose last row is beside it only, as a kill leaves it, and a copy that is to take its place."""
    source, database, copy = folder / "source.db", folder / "corkboard.db", folder / "taken.db"
    with closing(sqlite3.connect(source, isolation_level=None)) as opened:
        opened.execute("PRAGMA journal_mode = WAL")
        opened.execute("CREATE TABLE note (text TEXT)")
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        opened.execute("INSERT INTO note VALUES ('the last one')")
        for end in ("", "-wal", "-shm"):
            shutil.copy(f"{source}{end}", f"{database}{end}")
    with closing(sqlite3.connect(copy)) as opened, opened:
        opened.execute("CREATE TABLE note (text TEXT)")
        opened.execute("INSERT INTO note VALUES ('of the copy')")
    return database, Found(file=copy)


@pytest.mark.parametrize("after", range(5))
def test_a_machine_that_stops_leaves_one_of_both_and_loses_nothing(tmp_path, monkeypatch, after):
    database, found = made(tmp_path)
    with monkeypatch.context() as patch, suppress(MachineStopped):
        Stopping(patch, after=after)
        backups.put_back(found, database=database, key=tmp_path / "corkboard.key", aside="replaced")
    assert database.exists()
    now = notes(database)  # what the next start finds
    assert now in (["the last one"], ["of the copy"])
    assert now == ["the last one"] or notes(tmp_path / "corkboard.db.replaced") == ["the last one"]


@pytest.mark.parametrize("can_be_read", [True, False])
def test_a_torn_file_is_set_aside_with_what_is_beside_it(tmp_path, monkeypatch, can_be_read):
    database, found = made(tmp_path)
    database.write_bytes(b"torn to pieces")
    if not can_be_read:
        monkeypatch.setattr(backups, "_fold_in", lambda _: None)
    backups.put_back(found, database=database, key=tmp_path / "corkboard.key", aside="replaced")
    assert notes(database) == ["of the copy"]
    aside = [file.read_bytes() for file in tmp_path.glob("corkboard.db.replaced*")]
    assert any(content.startswith(b"torn to pieces") for content in aside)
    assert any(b"the last one" in content for content in aside)


def test_where_a_file_cannot_have_two_names_it_is_set_aside_all_the_same(tmp_path, monkeypatch):
    def refused(*_arguments):
        raise PermissionError

    database, found = made(tmp_path)
    monkeypatch.setattr(os, "link", refused)
    backups.put_back(found, database=database, key=tmp_path / "corkboard.key", aside="replaced")
    assert (notes(database), notes(tmp_path / "corkboard.db.replaced")) == (["of the copy"], ["the last one"])
