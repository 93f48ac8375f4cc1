"""One `serve` per SQLite file."""

import os

import pytest

from storage.file_lock import AlreadyServed, FileLock


def test_a_second_one_is_refused_with_a_sentence(tmp_path):
    file = tmp_path / "corkboard.db"
    with FileLock(file):
        with pytest.raises(AlreadyServed, match=f"holds {file}.*Stop it first, or use PostgreSQL"), FileLock(file):
            pass
        with FileLock(tmp_path / "other.db"):
            pass
    with FileLock(file):
        pass


def test_the_same_file_by_another_name_is_the_same_file(tmp_path):
    file, link = tmp_path / "corkboard.db", tmp_path / "link.db"
    file.touch()
    link.symlink_to(file)
    with FileLock(file), pytest.raises(AlreadyServed), FileLock(link):
        pass


def test_a_process_that_ends_anyhow_gives_it_back(tmp_path):
    file = tmp_path / "corkboard.db"
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        FileLock(file).__enter__()
        os.write(write, b"held")
        os.kill(os.getpid(), 9)
    assert os.read(read, 4) == b"held"
    os.waitpid(child, 0)
    with FileLock(file):
        pass
    os.close(read)
    os.close(write)
