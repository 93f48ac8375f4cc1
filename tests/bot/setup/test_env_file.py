"""The file .env: changed in place, whole or not at all, and read as the program reads it."""

import os
import stat
from io import StringIO
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from bot.setup import env_file
from bot.setup.env_file import EnvFile, NoEnvFile

FILE = Path(".env")

BEFORE = """\
# Written by hand
export SLACK_BOT_TOKEN='xoxb-old'  # of Olga's app
slack_ring = U0ANA

OTHER_PROGRAM=untouched # ours too
LOG_LEVEL=info
  LOG_LEVEL="debug"
SLACK_KEEPERS= # nobody yet
what is this
PRIVACY"""

AFTER = """\
# Written by hand
export SLACK_BOT_TOKEN=xoxb-new  # of Olga's app
slack_ring=U0ANA,S0CREW

OTHER_PROGRAM=untouched # ours too
LOG_LEVEL=info
  LOG_LEVEL=
SLACK_KEEPERS=U0OLGA # nobody yet
what is this
PRIVACY=private

# Where it is kept
DATABASE_URL='postgresql+asyncpg://me:p#w@host/it''s a name'
""".replace("it''s", "it\\'s")


def test_values_change_in_their_lines_and_everything_else_stays():
    changed = EnvFile(path=FILE, text=BEFORE).changed(
        {
            "SLACK_BOT_TOKEN": "xoxb-new",
            "SLACK_RING": "U0ANA,S0CREW",
            "LOG_LEVEL": None,
            "SLACK_KEEPERS": "U0OLGA",
            "PRIVACY": "private",
            "DATABASE_URL": "postgresql+asyncpg://me:p#w@host/it's a name",
            "REPLY_MODE": None,
        },
        notes={"DATABASE_URL": "Where it is kept"},
    )
    assert changed == AFTER
    assert EnvFile(path=FILE, text=changed).values()["DATABASE_URL"].endswith("it's a name")


def test_lines_that_end_as_windows_ends_them_stay_so():
    changed = EnvFile(path=FILE, text="A=1\r\nB=2\r\n").changed({"A": "3"}, notes={})
    assert changed == "A=3\r\nB=2\r\n"


@given(value=st.text(), before=st.sampled_from(["", "X=1", "X='a b' # c\n", "Y=2\nX=\n", 'export X="q\\"q"\nY=2']))
def test_what_can_be_kept_is_read_again_as_it_was(value, before):
    if env_file.unkeepable(value) or not value:
        return
    text = EnvFile(path=FILE, text=before).changed({"X": value}, notes={})
    found = dotenv_values(stream=StringIO(text))
    assert found["X"] == value
    assert found.get("Y") == ("2" if "Y" in before else None)


def test_it_is_written_for_its_owner_alone():
    FILE.write_text("A=1\n")
    FILE.chmod(0o644)
    env_file.read(FILE).write("A=2\n")
    assert FILE.read_text() == "A=2\n"
    assert stat.S_IMODE(FILE.stat().st_mode) == 0o600


def test_a_link_stays_a_link(tmp_path):
    kept = tmp_path / "elsewhere"
    kept.mkdir()
    (kept / "real").write_text("A=1\n")
    FILE.symlink_to(kept / "real")
    env_file.read(FILE).write("A=2\n")
    assert FILE.is_symlink()
    assert (kept / "real").read_text() == "A=2\n"


@pytest.mark.parametrize("step", ["fsync", "chown", "replace"])
def test_ended_in_the_middle_of_writing_it_is_as_it_was(monkeypatch, step):
    FILE.write_text("A=1\n")
    file = env_file.read(FILE)

    def ends(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(Path if step == "replace" else os, step, ends)
        with pytest.raises(KeyboardInterrupt):
            file.write("A=2\n")
    assert FILE.read_text() == "A=1\n"
    assert [path.name for path in Path().iterdir() if path.name.startswith(".env")] == [".env"]


def test_what_somebody_else_wrote_meanwhile_is_not_lost():
    file = env_file.read(FILE)
    FILE.write_text("A=by another\n")
    with pytest.raises(NoEnvFile, match="changed by somebody else"):
        file.write("A=2\n")
    assert FILE.read_text() == "A=by another\n"


def test_a_full_disk_is_a_sentence(monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NoEnvFile, match="no space left"):
        env_file.read(FILE).write("A=2\n")
    assert not FILE.exists()


@pytest.mark.parametrize(("content", "says"), [(b"A=\xff", "UTF-8"), (None, "is a directory")])
def test_a_file_that_cannot_be_read_is_a_sentence(content, says):
    FILE.mkdir() if content is None else FILE.write_bytes(content)
    with pytest.raises(NoEnvFile, match=says):
        env_file.read(FILE)
