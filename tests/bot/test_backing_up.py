"""The commands `backup` and `restore`: what they write, what they refuse with a sentence, and that nothing half done stays."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.fernet import Fernet
from support.commands import with_database

from bot import cli
from storage import migrate
from storage.database import Database, utcnow
from storage.file_lock import FileLock
from storage.models import Business, Environment, Seal
from storage.vault import Vault, key_file

KEY = "zH9o1mJmZUoY8D0m2rWn8q2c6a0m3S7mX0bqQ3B1u0Y="


class Kept:
    """A database in a folder of its own, sealed with `corkboard.key` beside it, and the commands that look after it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.file = Database(url).file or folder
        self.key = key_file(self.file)
        self.copies = folder / "copies"

    def run(self, *arguments: str | Path, **settings: str) -> Result:
        env = {"DATABASE_URL": self.url, "ENCRYPTION_KEYS": ""} | settings
        return CliRunner().invoke(cli.main, [str(one) for one in arguments], env=env)

    def backed_up(self, *more: str) -> Path:
        assert self.run("backup", self.copies, *more).exit_code == 0
        return max(self.copies.glob("*.db"))

    def businesses(self) -> list[str]:
        with closing(sqlite3.connect(self.file)) as opened:
            return [row[0] for row in opened.execute("SELECT thumbtack_id FROM business ORDER BY 1")]

    def add(self, thumbtack_id: str) -> None:
        async def write(database: Database) -> None:
            async with database.transaction() as tx:
                tx.add(Business(environment=Environment.PRODUCTION, thumbtack_id=thumbtack_id, created_at=utcnow()))

        with_database(self.url, write)

    def names(self) -> set[str]:
        return {path.name for path in self.file.parent.iterdir() if not path.name.endswith((".lock", "-wal", "-shm"))}


@pytest.fixture
def kept(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    monkeypatch.chdir(tmp_path)
    one = Kept(sqlite_url, tmp_path)

    async def seal(database: Database) -> None:
        async with database.transaction() as tx:
            tx.add(Seal(canary=Vault.beside(one.file).seal("corkboard")))

    with_database(sqlite_url, migrate.upgrade)
    with_database(sqlite_url, seal)
    one.add("1")
    return one


def test_a_copy_and_its_key_are_for_their_owner_alone_and_come_back(kept):
    copy = kept.backed_up()
    assert {path.suffix for path in kept.copies.iterdir()} == {".db", ".key"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (kept.copies, *kept.copies.iterdir())} == {0o700, 0o600}
    kept.add("2")
    kept.key.write_text(f"{Fernet.generate_key().decode()}\n")
    told = kept.run("restore", copy)
    assert (told.exit_code, kept.businesses()) == (0, ["1"])
    assert kept.key.read_text() == copy.with_suffix(".key").read_text()
    (before,) = [name for name in kept.names() if name.startswith(f"{kept.file.name}.replaced-")]
    (key_before,) = [name for name in kept.names() if name.startswith("corkboard.key.replaced-")]
    assert f"{before} and {kept.folder / key_before}; delete it" in told.output
    with closing(sqlite3.connect(kept.file.with_name(before))) as opened:
        assert opened.execute("SELECT count(*) FROM business").fetchone() == (2,)
    assert stat.S_IMODE(kept.file.stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_restores_belongs_to_whom_the_folder_belongs_to(kept):
    copy = kept.backed_up()
    os.chown(kept.folder, 10_001, 10_002)
    assert kept.run("restore", copy).exit_code == 0
    put_back = (kept.file, kept.key, kept.file.with_name(f"{kept.file.name}.lock"))
    assert {(path.stat().st_uid, path.stat().st_gid) for path in put_back} == {(10_001, 10_002)}
    assert {stat.S_IMODE(path.stat().st_mode) for path in put_back} == {0o600}


def test_a_copy_goes_through_a_pipe_both_ways(kept):
    printed = kept.run("backup", "-")
    assert printed.stdout_bytes.startswith(b"SQLite format 3\0")
    assert str(kept.key) in printed.stderr
    kept.file.unlink()
    env = {"DATABASE_URL": kept.url}
    told = CliRunner().invoke(cli.main, ["restore", "-"], env=env, input=printed.stdout_bytes)
    assert (told.exit_code, kept.businesses()) == (0, ["1"])


def test_old_copies_are_deleted_with_their_keys_and_nothing_else(kept):
    kept.copies.mkdir()
    for name in (
        "corkboard-20200101-000000.db",
        "corkboard-20200101-000000.key",
        "corkboard-20200102-000000.db",
        "notes",
    ):
        (kept.copies / name).touch()
    kept.backed_up("--keep", "2")
    left = {path.name for path in kept.copies.iterdir()}
    assert "corkboard-20200101-000000.db" not in left
    assert "corkboard-20200101-000000.key" not in left
    assert {"corkboard-20200102-000000.db", "notes"} < left


@pytest.mark.parametrize("name", ["corkboard-1.db", "corkboard-backup.db", "corkboard-20200101-000000.db"])
def test_the_database_itself_and_what_has_another_name_is_never_deleted(kept, name):
    """However its owner called it, and in the very folder of the copies."""
    served = kept.file.rename(kept.folder / name)
    (kept.folder / "corkboard-mine.db").touch()
    address = f"sqlite+aiosqlite:///{served}"
    for _ in range(2):
        told = kept.run("backup", kept.folder, "--keep", "1", DATABASE_URL=address)
        assert told.exit_code == 0, told.output
        copy = Path(told.stdout.split()[1])
        assert (copy.exists(), copy.with_suffix(".key").exists()) == (True, True)
        copy.rename(kept.folder / "corkboard-20200102-000000.db")
        copy.with_suffix(".key").unlink()
    assert (served.exists(), (kept.folder / "corkboard-mine.db").exists()) == (True, True)


def test_while_no_key_opens_it_every_copy_before_is_kept(kept):
    copy = kept.backed_up().rename(kept.copies / "corkboard-20200101-000000.db")
    kept.key.unlink()
    told = kept.run("backup", kept.copies, "--keep", "1")
    assert (told.exit_code, copy.exists()) == (1, True)
    assert "No key here opens" in told.stderr


def test_a_database_without_our_tables_is_told(kept):
    kept.file.unlink()
    kept.file.touch()
    told = kept.run("backup", kept.copies)
    assert told.exit_code == 1
    assert "The database does not do as asked (OperationalError)." in told.stderr


@pytest.mark.parametrize("end", [".db", ".db.part"])
def test_of_two_backups_in_one_second_the_first_is_left_alone(kept, monkeypatch, end):
    monkeypatch.setattr("bot.backing_up.utcnow", lambda: datetime(2026, 9, 1, 3, tzinfo=UTC))
    kept.copies.mkdir()
    first = kept.copies / f"corkboard-20260901-030000{end}"
    first.write_text("the first")
    told = kept.run("backup", kept.copies)
    assert (told.exit_code, first.read_text()) == (1, "the first")
    assert "in the same second" in told.stderr


def test_what_was_left_of_a_killed_backup_goes_with_the_copies_of_its_time(kept):
    kept.copies.mkdir()
    begun = [kept.copies / f"corkboard-{day}-000000.db.part" for day in ("20200101", "20990101")]
    for part in begun:
        part.touch()
    kept.backed_up("--keep", "1")
    assert [part.exists() for part in begun] == [False, True]


def test_what_was_deleted_is_in_no_copy(kept):
    kept.add("a-business-that-was-forgotten")
    with closing(sqlite3.connect(kept.file)) as opened, opened:
        opened.execute("DELETE FROM business WHERE thumbtack_id LIKE 'a-%'")
    assert b"a-business-that-was-forgotten" not in kept.backed_up().read_bytes()


def torn(kept: Kept, copy: Path) -> str:
    content = bytearray(copy.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    copy.write_bytes(content)
    return "no whole SQLite file"


def cut(kept: Kept, copy: Path) -> str:
    copy.write_bytes(copy.read_bytes()[:100_000])
    return "no whole SQLite file"


def something_else(kept: Kept, copy: Path) -> str:
    copy.unlink()
    with closing(sqlite3.connect(copy)) as opened, opened:
        opened.execute("CREATE TABLE recipe (id INTEGER)")
    return "no database of Corkboard"


def without_its_key(kept: Kept, copy: Path) -> str:
    copy.with_suffix(".key").unlink()
    kept.key.write_text(f"{Fernet.generate_key().decode()}\n")
    return f"Put its key beside it, as {copy.stem}.key."


@pytest.mark.parametrize("spoil", [torn, cut, something_else, without_its_key])
def test_what_is_no_good_is_refused_and_nothing_changes(kept, spoil):
    copy = kept.backed_up()
    sentence = spoil(kept, copy)
    before = kept.names()
    told = kept.run("restore", copy)
    assert (told.exit_code, kept.businesses(), kept.names()) == (1, ["1"], before)
    assert sentence in told.output


def test_a_database_that_is_served_is_not_replaced(kept):
    copy = kept.backed_up()
    with FileLock(kept.file):
        told = kept.run("restore", copy)
    assert (told.exit_code, kept.businesses()) == (1, ["1"])
    assert "Stop it first" in told.output


def test_a_copy_that_no_key_opens_is_told(kept):
    told = kept.run("backup", kept.copies, ENCRYPTION_KEYS=KEY)
    assert told.exit_code == 1
    assert "No key here opens" in told.stderr
    assert "ENCRYPTION_KEYS in your settings" in told.stdout


def test_where_nothing_can_be_written_a_sentence_says_so(kept):
    (kept.folder / "copies").write_text("a file")
    told = kept.run("backup", kept.copies / "deeper")
    assert told.exit_code == 1
    assert told.stderr.endswith("not a directory. Mend that and try again.\n")


def test_a_database_that_is_not_there_is_told(kept):
    kept.file.unlink()
    assert kept.run("backup", kept.copies).exit_code == 2
    assert not kept.copies.exists()


@pytest.mark.parametrize(
    ("command", "code", "sentence"), [("backup", 1, "no pg_dump here"), ("restore", 2, "SQLite files")]
)
def test_postgresql_without_its_own_programs_is_told(kept, monkeypatch, command, code, sentence):
    monkeypatch.setenv("PATH", str(kept.folder))
    (kept.folder / "file").touch()
    argument = kept.copies if command == "backup" else kept.folder / "file"
    settings = {"DATABASE_URL": "postgresql+asyncpg://corkboard@127.0.0.1:1/corkboard", "ENCRYPTION_KEYS": KEY}
    told = kept.run(command, argument, **settings)
    assert told.exit_code == code
    assert sentence in told.stderr
    assert not list(kept.folder.glob("**/*.dump*"))
