"""Phone numbers as Thumbtack listed them last."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from storage import businesses, phones
from storage.database import Database
from storage.models import Environment
from storage.phones import Listed

NOW = datetime(2026, 9, 1, 18, 30, tzinfo=UTC)


def a_number(thumbtack_id, name="Ana", *, number="+15125550142", is_deleted=False, used=None):
    return Listed(thumbtack_id=thumbtack_id, number=number, name=name, last_activity_at=used, is_deleted=is_deleted)


@pytest.fixture
async def business_id(database: Database) -> int:
    async with database.transaction() as tx:
        business, _ = await businesses.ensure(
            tx, environment=Environment.PRODUCTION, thumbtack_id="901", name=None, now=NOW
        )
        return business.id or 0


async def stored(database, business_id, *listed, at=NOW):
    async with database.transaction() as tx:
        await phones.store(tx, business_id, listed, asked_at=at)


async def names(database, business_id):
    async with database.reading() as tx:
        return [one.name for one in await phones.registered(tx, business_id)]


async def test_the_list_is_taken_over(database, business_id):
    await stored(database, business_id, a_number("1"), a_number("2", None), a_number("3", "ben"), a_number("1", "Zoë"))
    assert await names(database, business_id) == ["ben", "Zoë", None]
    later = NOW + timedelta(minutes=1)
    await stored(database, business_id, a_number("1", "Front desk", number="+15125550143", used=NOW), at=later)
    async with database.reading() as tx:
        (one,) = await phones.registered(tx, business_id)
        gone = await phones.get(tx, (one.id or 0) + 1)
        assert await phones.get(tx, 999) is None
    assert (one.name, one.number, one.last_activity_at, one.listed_at) == ("Front desk", "+15125550143", NOW, later)
    assert gone is not None
    assert (gone.is_deleted, gone.listed_at) == (True, later)


async def test_what_is_deleted_may_come_back(database, business_id):
    await stored(database, business_id, a_number("1", is_deleted=True))
    assert await names(database, business_id) == []
    await stored(database, business_id, a_number("1"), at=NOW + timedelta(seconds=1))
    assert await names(database, business_id) == ["Ana"]


async def test_a_list_that_was_asked_for_earlier_does_not_undo_a_later_one(database, business_id):
    await stored(database, business_id, a_number("1", "New"), at=NOW + timedelta(seconds=1))
    await stored(database, business_id, a_number("1", "Old"), a_number("2", "Gone"))
    assert await names(database, business_id) == ["New"]


async def test_two_lists_at_once_leave_each_number_once(database, business_id):
    await asyncio.gather(
        *(stored(database, business_id, a_number("1", str(n)), at=NOW + timedelta(seconds=n)) for n in range(5))
    )
    assert await names(database, business_id) == ["4"]


def test_numbers_and_names_are_not_shown_where_a_list_is():
    assert "555" not in repr(a_number("1"))
    assert "Ana" not in repr(a_number("1"))
