"""Rotating keys: everything is sealed anew, and whatever is killed when, the keys that are there open everything."""

import asyncio
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select

from storage import businesses, connections, migrate, outbox, rotating, vault, webhooks
from storage.connections import Granted
from storage.database import Database, utcnow
from storage.models import Connection, Consent, Environment, Generation, Outbox, Seal
from storage.outbox import Kind
from storage.vault import Vault, VaultError, key_file, keys_beside, read_keys

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
URL = "https://hooks.slack.com/commands/1"


async def fill(database: Database, sealing: Vault) -> None:
    """Something sealed in every place that can hold it."""
    now = utcnow()
    async with database.transaction() as tx:
        await sealing.check(tx)
        granted = Granted(
            access_token=sealing.seal("access"), refresh_token=sealing.seal("refresh"),
            expires_at=now, renew_at=None, scopes=(),
        )  # fmt: skip
        await connections.add(
            tx, environment=Environment.PRODUCTION, generation=Generation.V4, team_id="T1", connected_by="U1",
            granted=granted, now=now,
        )  # fmt: skip
        ended = await connections.add(
            tx, environment=Environment.PRODUCTION, generation=Generation.LEGACY, team_id="T1", connected_by="U1",
            granted=granted, now=now,
        )  # fmt: skip
        connections.end(ended, now=now)
        tx.add(
            Consent(
                nonce="n",
                team_id="T1",
                user_id="U1",
                environment=Environment.PRODUCTION,
                generation=Generation.V4,
                verifier=sealing.seal("verifier"),
                expires_at=now + timedelta(minutes=10),
            )
        )
        payload = {
            "url": sealing.seal(URL),
            "body": {"text": "gAAAA is what somebody wrote"},
            "more": [sealing.seal("deep"), 1],
        }
        await outbox.enqueue(tx, Kind.ANSWER, now=now, payload=payload)


async def opened(database: Database, opening: Vault) -> list[str]:
    """Everything that was sealed, as these keys open it."""
    async with database.reading() as tx:
        seal = (await tx.execute(select(Seal))).scalar_one()
        connection = (await tx.execute(select(Connection).where(Connection.access_token.is_not(None)))).scalar_one()
        consent = (await tx.execute(select(Consent))).scalar_one()
        entry = (await tx.execute(select(Outbox))).scalar_one()
    sealed = (
        seal.canary, connection.access_token, connection.refresh_token, consent.verifier,
        entry.payload["url"], entry.payload["more"][0],
    )  # fmt: skip
    return [opening.open(one or "") for one in sealed]


EVERYTHING = ["corkboard", "access", "refresh", "verifier", URL, "deep"]


async def test_everything_is_sealed_with_the_first_key(database: Database):
    await fill(database, Vault([OLD]))
    rotated = await rotating.reseal(database, Vault([NEW, OLD]))
    assert (rotated.resealed, rotated.unopened) == (6, 0)
    assert await opened(database, Vault([NEW])) == EVERYTHING
    assert (await rotating.reseal(database, Vault([NEW]))).resealed == 0
    async with database.reading() as tx:
        entry = (await tx.execute(select(Outbox))).scalar_one()
    assert entry.payload["body"] == {"text": "gAAAA is what somebody wrote"}
    assert entry.payload["more"][1] == 1


async def test_what_no_key_opens_is_counted_and_left(database: Database):
    await fill(database, Vault([OLD]))
    rotated = await rotating.reseal(database, Vault([NEW]))
    assert (rotated.resealed, rotated.unopened) == (0, 4)  # what is inside an entry may be somebody's text
    assert await opened(database, Vault([OLD])) == EVERYTHING


async def test_more_rows_than_are_held_at_once(database: Database, monkeypatch):
    monkeypatch.setattr(rotating, "AT_ONCE", 2)
    sealing, now = Vault([OLD]), utcnow()
    async with database.transaction() as tx:
        for number in range(5):
            await outbox.enqueue(tx, Kind.ANSWER, now=now, payload={"url": sealing.seal(str(number))})
    assert (await rotating.reseal(database, Vault([NEW, OLD]))).resealed == 5
    async with database.reading() as tx:
        entries = (await tx.execute(select(Outbox).order_by(Outbox.id))).scalars().all()
    assert [Vault([NEW]).open(one.payload["url"]) for one in entries] == list("01234")


@pytest.fixture
async def beside(sqlite_url: str) -> AsyncIterator[tuple[Database, Path]]:
    """A SQLite database with the key in the file beside it, and everything in it sealed."""
    database = Database(sqlite_url)
    await migrate.upgrade(database)
    assert database.file is not None
    await fill(database, Vault.beside(database.file))
    yield database, key_file(database.file)
    await database.close()


async def test_the_file_gets_a_new_key_and_keeps_the_one_before(beside):
    database, file = beside
    (first,) = read_keys(file)
    await rotating.rotate_file(database, file)
    second, kept = read_keys(file)
    assert (kept, second != first) == (first, True)
    assert await opened(database, Vault([second])) == EVERYTHING
    await rotating.rotate_file(database, file)
    third, kept = read_keys(file)
    assert (kept, third in (first, second)) == (second, False)
    assert await opened(database, Vault([third])) == EVERYTHING
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {one.name for one in file.parent.glob("corkboard.key*")} == {"corkboard.key", "corkboard.key.lock"}


async def test_a_running_program_follows_two_rotations_and_never_seals_with_a_key_that_is_gone(beside):
    database, file = beside
    running = Vault.beside(database.file)
    running.seal("warm")
    await rotating.rotate_file(database, file)
    assert await opened(database, running) == EVERYTHING
    await rotating.rotate_file(database, file)
    sealed = running.seal("new")
    assert Vault(read_keys(file)[:1]).open(sealed) == "new"
    assert await opened(database, running) == EVERYTHING


async def test_a_key_file_that_somebody_spoils_leaves_the_running_program_its_keys(beside):
    database, file = beside
    running = Vault.beside(database.file)
    file.write_text("half a k")
    assert running.open(running.seal("still")) == "still"
    file.unlink()
    assert await opened(database, running) == EVERYTHING
    with pytest.raises(VaultError):
        running.open(Vault([NEW]).seal("theirs"))


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("step", range(6))
async def test_cut_off_at_any_step_the_file_opens_everything_and_the_next_rotation_tidies_up(beside, step, monkeypatch):
    database, file = beside
    await rotating.rotate_file(database, file)
    steps = iter(range(6))

    def cut() -> None:
        if next(steps) == step:
            raise Killed

    replace_keys, reseal = vault.replace_keys, rotating.reseal

    def replacing(path, keys):
        cut()
        replace_keys(path, keys)
        cut()

    async def resealing(database, vault):
        cut()
        done = await reseal(database, vault)
        cut()
        return done

    with monkeypatch.context() as cutting:
        cutting.setattr(vault, "replace_keys", replacing)
        cutting.setattr(rotating, "reseal", resealing)
        with pytest.raises(Killed):
            await rotating.rotate_file(database, file)
    assert await opened(database, Vault(read_keys(file))) == EVERYTHING
    await rotating.rotate_file(database, file)
    assert len(read_keys(file)) == 2
    assert await opened(database, Vault(read_keys(file)[:1])) == EVERYTHING


ROTATING = """
import asyncio, sys
from pathlib import Path
from storage import rotating
from storage.database import Database
async def main():
    database = Database(sys.argv[1])
    while True:
        await rotating.rotate_file(database, Path(sys.argv[2]))
        print("rotated", flush=True)
asyncio.run(main())
"""


async def test_a_process_that_is_killed_at_any_moment_leaves_keys_that_open_everything(beside):
    database, file = beside
    for round_ in range(3):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", ROTATING, database.url.render_as_string(), str(file),
            stdout=asyncio.subprocess.PIPE, cwd=Path(rotating.__file__).parents[1],
        )  # fmt: skip
        assert process.stdout is not None
        for _ in range(1 + round_):
            await process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        assert await opened(database, Vault(read_keys(file))) == EVERYTHING
    assert keys_beside(database.file or file) == read_keys(file)


async def test_two_that_rotate_at_once_take_turns(beside):
    database, file = beside
    others = [Database(database.url.render_as_string()) for _ in range(2)]
    await asyncio.gather(*(asyncio.to_thread(asyncio.run, _rotate_and_close(one, file)) for one in others))
    assert len(read_keys(file)) == 2
    assert await opened(database, Vault(read_keys(file)[:1])) == EVERYTHING


async def _rotate_and_close(database: Database, file: Path) -> None:
    await rotating.rotate_file(database, file)
    await database.close()


async def test_the_password_of_a_webhook_is_sealed_anew(database: Database):
    async with database.transaction() as tx:
        business, _ = await businesses.ensure(
            tx, environment=Environment.PRODUCTION, thumbtack_id="1", name=None, now=utcnow()
        )
        sealed = Vault([OLD]).seal("let-me-in")
        await webhooks.add(tx, business, url="https://x", username="corkboard", password=sealed, now=utcnow())
    assert (await rotating.reseal(database, Vault([NEW, OLD]))).resealed == 1
    async with database.reading() as tx:
        (guard,) = await webhooks.guards(tx)
    assert Vault([NEW]).open(guard.password) == "let-me-in"
