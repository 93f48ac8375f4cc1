"""Rows that are added or read without the session's part in it are the rows, and the objects, that it would have made."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from sqlalchemy import bindparam, select, update
from sqlmodel import col
from support.hearing import hearing

from storage import leads
from storage.adding import adding
from storage.database import Database, Transaction
from storage.models import Business, Environment, Lead, LeadEvent, Message, Outbox, Row
from storage.prepared import Prepared
from storage.whole import Whole

AT = datetime(2026, 3, 4, 5, 6, 7, 890123, tzinfo=UTC)
LEAD: dict[str, Any] = {"environment": Environment.PRODUCTION, "thumbtack_id": "1", "generation": "v4"}
GIVEN: dict[type[Row], dict[str, Any]] = {
    Lead: LEAD | {"received_at": AT, "details": [{"question": "ä", "answer": None}], "extra": {"a": {"b": 1}}},
    Message: {"lead_id": 1, "environment": "staging", "direction": "inbound", "text": "Ja?", "stored_at": AT},
    Outbox: {
        "delivery_id": "d", "kind": "answer", "payload": {"text": "Hi"}, "created_at": AT, "state": "pending", "due_at": AT,
    },
    LeadEvent: {"lead_id": 1, "kind": "named", "via": "thumbtack", "at": AT},
}  # fmt: skip
WHOLE = Whole(Lead)
BY_ID = Prepared(select(*WHOLE.columns).where(col(Lead.id) == bindparam("of")))

Begin = Callable[[], AbstractAsyncContextManager[Transaction]]


@pytest.fixture(params=[True, False], ids=["brief", "at length"])
async def begin(request: pytest.FixtureRequest, database: Database) -> Begin:
    """The same is made either way; there is one lead."""
    async with database.transaction() as tx:
        tx.add(Lead(**LEAD | {"thumbtack_id": "0"}))
    return partial(database.transaction, brief=request.param)


def columns(row: Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in type(row).model_fields}


@pytest.mark.parametrize("row", GIVEN, ids=lambda row: row.__name__)
async def test_what_is_not_given_is_as_the_class_says(begin: Begin, database: Database, row: type[Row]):
    given = GIVEN[row]
    async with begin() as tx:
        added = await adding(row, *given).scalar(tx, **given)
    named = {"thumbtack_id": "2"} if row is Lead else {"delivery_id": "e"} if row is Outbox else {}
    async with database.transaction() as tx:
        made: Any = row(**given | named)
        tx.add(made)
    async with database.reading() as tx:
        found = [columns(await tx.get_one(row, one)) for one in (added, made.id)]
    assert found[0] == found[1] | {"id": added} | {name: given[name] for name in named}


async def read(tx: Transaction, lead_id: int) -> Lead:
    return WHOLE.of(tx, await BY_ID.first(tx, of=lead_id))


async def test_what_is_read_whole_is_the_object_that_the_session_knows(begin: Begin, database: Database):
    async with begin() as tx:
        lead_id = await adding(Lead, *GIVEN[Lead]).scalar(tx, **GIVEN[Lead])
    asked: list[str] = []
    async with begin() as tx:
        lead = await read(tx, lead_id)
        with hearing(asked.append):
            assert await tx.get(Lead, lead_id) is lead
            kept = columns(lead)
    assert asked == []
    async with database.reading() as tx:
        assert columns(await tx.get_one(Lead, lead_id)) == kept


async def test_what_is_changed_of_it_is_written_and_it_stays_one(begin: Begin, database: Database):
    async with begin() as tx:
        lead = await read(tx, 1)
        lead.title = "Paint a fence"
        assert await read(tx, 1) is lead
        await tx.execute(
            update(Lead).where(col(Lead.id) == 1).values(city="Boston").execution_options(synchronize_session=False)
        )
        assert (await read(tx, 1)).city is None, "as any object that the session holds"
    async with database.reading() as tx:
        found = await tx.get_one(Lead, 1)
    assert (found.title, found.city) == ("Paint a fence", "Boston")


async def test_a_join_that_found_nothing_is_no_object(begin: Begin):
    business = Whole(Business)
    async with begin() as tx:
        assert business.any_of(tx, [None] * len(business.names)) is None


async def test_a_lead_is_changed_once_and_shows_it(begin: Begin, database: Database):
    asked: list[str] = []
    async with begin() as tx:
        lead = await read(tx, 1)
        with hearing(asked.append):
            await leads.change(tx, lead, waiting_since=AT, snoozed_until=None, ring=["U0BEN"])
            await leads.change(tx, lead, waiting_since=AT, ring=["U0BEN"])
            assert (lead.waiting_since, lead.ring) == (AT, ["U0BEN"])
            await tx.flush()
    written = [one for one in asked if one.startswith("UPDATE")]  # asyncpg's own are not heard
    assert ["snoozed_until" in one for one in written] == [False] * database.is_sqlite
    async with database.reading() as tx:
        found = await tx.get_one(Lead, 1)
    assert (found.waiting_since, found.ring) == (AT, ["U0BEN"])
