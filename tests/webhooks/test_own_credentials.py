"""Credentials of single businesses: followed in the database, opened once, and good at one address alone."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text
from support.gate import gate, with_tables

from storage import businesses, webhooks
from storage.database import Database, StorageError, utcnow
from storage.models import Business, Environment, Inbox, Lead, WorkState
from storage.vault import Vault
from webhooks import own_credentials
from webhooks.own_credentials import OwnCredentials
from webhooks.verification import V4Admission

HERE, STAGING = Environment.PRODUCTION, Environment.STAGING
OAK, ELM = "510000000000000101", "510000000000000777"


async def add(database: Database, sealed: str, *, business_id: str = OAK, environment: Environment = HERE) -> int:
    """A business with a webhook of its own; our id of it."""
    async with database.transaction() as tx:
        business, _ = await businesses.ensure(
            tx, environment=environment, thumbtack_id=business_id, name="Bright Oak", now=utcnow()
        )
        await webhooks.add(
            tx, business, url=f"https://x/{business_id}", username="corkboard", password=sealed, now=utcnow()
        )
        return business.id or 0


def basic(password: str, username: str = "corkboard") -> dict[str, str]:
    return {"authorization": f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"}


@asynccontextmanager
async def following(database: Database, vault: Vault) -> AsyncIterator[OwnCredentials]:
    own = OwnCredentials(database, vault)
    task = asyncio.create_task(own.run())
    try:
        yield own
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not is_so():  # noqa: ASYNC110 -- what is waited for tells nobody
            await asyncio.sleep(0)


def opens(own: OwnCredentials, password: str) -> bool:
    found = own.of(HERE, OAK)
    return found is not None and found.allow(basic(password)["authorization"])


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    made = Database(database_url)
    await with_tables(made)
    yield made
    await made.close()


@pytest.fixture
def vault() -> Vault:
    return Vault([Fernet.generate_key().decode()])


async def test_each_opens_its_own_address_alone(database: Database, vault: Vault):
    await add(database, vault.seal("of-oak"))
    await add(database, vault.seal("of-elm"), business_id=ELM)
    own = OwnCredentials(database, vault)
    await own.load()
    v4 = V4Admission(credentials=None, secret=None, own=own)
    allowed = [
        (password, environment, business_id)
        for password in ("of-oak", "of-elm", "")
        for environment in Environment
        for business_id in (OAK, ELM, "1", None)
        if v4.allow(basic(password), environment=environment, business_id=business_id)
    ]
    assert allowed == [("of-oak", HERE, OAK), ("of-elm", HERE, ELM)]
    assert not v4.allow({"authorization": "Bearer of-oak"}, environment=HERE, business_id=OAK)


async def test_without_any_the_address_is_closed(database: Database, vault: Vault):
    own = OwnCredentials(database, vault)
    await own.load()
    assert not V4Admission(credentials=None, secret=None, own=own).configured
    await add(database, vault.seal("of-oak"))
    await own.load()
    assert V4Admission(credentials=None, secret=None, own=own).configured


async def test_a_commit_here_is_followed_at_once(database: Database, vault: Vault):
    async with following(database, vault) as own:
        await until(lambda: len(own) == 0)
        business_id = await add(database, vault.seal("of-oak"))
        await until(lambda: len(own) == 1)
        async with database.transaction() as tx:
            row = await webhooks.to_change(tx, business_id)
            assert row is not None
            await webhooks.lock_anew(tx, row, password=vault.seal("another"))
        await until(lambda: opens(own, "another"))
        async with database.transaction() as tx:
            await webhooks.forget(tx, business_id)
        await until(lambda: len(own) == 0)


async def test_what_another_process_commits_is_seen_soon(database: Database, vault: Vault, monkeypatch):
    monkeypatch.setattr(own_credentials, "EVERY", 0.01)
    another = Database(database.url.render_as_string(hide_password=False))
    async with following(database, vault) as own:
        await add(another, vault.seal("of-oak"))
        await until(lambda: len(own) == 1)
        assert opens(own, "of-oak")
    await another.close()


async def test_while_the_database_is_away_what_was_known_stays(database: Database, vault: Vault, monkeypatch):
    monkeypatch.setattr(own_credentials, "EVERY", 0.01)
    await add(database, vault.seal("of-oak"))
    async with following(database, vault) as own:
        await until(lambda: len(own) == 1)
        async with database.transaction() as tx:
            await tx.execute(text("ALTER TABLE webhook RENAME TO webhook_away"))
        with pytest.raises(StorageError):
            await own.load()
        assert own.of(HERE, OAK) is not None
        async with database.transaction() as tx:
            await tx.execute(text("ALTER TABLE webhook_away RENAME TO webhook"))
        await add(database, vault.seal("of-elm"), business_id=ELM)
        await until(lambda: len(own) == 2)


async def test_a_password_that_no_key_opens_lets_nobody_in_and_harms_no_other(database: Database, vault: Vault):
    await add(database, Vault([Fernet.generate_key().decode()]).seal("lost"))
    await add(database, vault.seal("of-elm"), business_id=ELM)
    own = OwnCredentials(database, vault)
    await own.load()
    assert (own.of(HERE, OAK), own.of(HERE, ELM) is not None) == (None, True)


async def test_passwords_are_never_shown(database: Database, vault: Vault):
    await add(database, vault.seal("of-oak"))
    own = OwnCredentials(database, vault)
    await own.load()
    async with database.reading() as tx:
        assert "gAAAA" not in repr(await webhooks.guards(tx))
    assert "of-oak" not in repr(own.of(HERE, OAK))


# Addresses that were written by hand, with the deployment's credentials


def a_lead(business: Any) -> dict[str, Any]:
    data = {"negotiationID": "1", "business": business} if business else {"negotiationID": "1"}
    return {"event": {"eventType": "NegotiationCreatedV4"}, "data": data}


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        (None, (OAK, None)),
        ({"businessID": OAK, "name": "Bright Oak"}, (OAK, "Bright Oak")),
        ({"businessID": ELM, "name": "Elm"}, (ELM, "Elm")),
        ({"businessID": OAK, "name": "Test Business for Webhooks"}, (OAK, None)),
    ],
)
async def test_there_the_body_says_whose_it_is_and_else_the_address(sqlite_url: str, named, expected):
    async with gate(sqlite_url) as running:
        await running.ingested((f"/v4/webhooks/{OAK}", a_lead(named)))
        (business,) = await running.rows(Business)
        assert (business.thumbtack_id, business.name) == expected
        assert [one.business_id for one in await running.rows(Lead)] == [business.id]


async def test_a_test_delivery_does_not_rename_the_business_whose_address_it_came_by(sqlite_url: str, vault: Vault):
    async with gate(sqlite_url) as running:
        await add(running.database, vault.seal("of-oak"))
        test = {"businessID": "586102014464466945", "name": "Test Business for Webhooks"}
        await running.ingested((f"/v4/webhooks/{OAK}", a_lead(test)))
        assert [(one.thumbtack_id, one.name) for one in await running.rows(Business)] == [(OAK, "Bright Oak")]
        assert [one.is_test for one in await running.rows(Lead)] == [True]


async def test_at_a_guarded_address_a_body_about_another_business_is_kept_aside(sqlite_url: str, vault: Vault):
    async with gate(sqlite_url) as running:
        await add(running.database, vault.seal("of-oak"))
        await running.ingested((f"/v4/webhooks/{OAK}", a_lead({"businessID": ELM})))
        assert await running.rows(Lead) == []
        assert [(one.state, one.reason) for one in await running.rows(Inbox)] == [(WorkState.DEAD, "NotTheirs")]


async def test_the_same_business_in_the_other_environment_is_another_one(sqlite_url: str, vault: Vault):
    async with gate(sqlite_url) as running:
        await add(running.database, vault.seal("of-oak"), environment=STAGING)
        await running.ingested((f"/v4/webhooks/{OAK}", a_lead({"businessID": ELM})))
        assert len(await running.rows(Lead)) == 1
        await running.ingested((f"/staging/v4/webhooks/{OAK}", a_lead({"businessID": ELM})))
        assert [one.reason for one in await running.rows(Inbox)] == [None, "NotTheirs"]
