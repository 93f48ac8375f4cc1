"""What was wanted of new leads and what was confirmed: the newest wins, and a question answered twice has one effect."""

import asyncio
from datetime import UTC, datetime, timedelta

from storage import businesses, leads, targeting
from storage.database import Database
from storage.models import Environment, Lead, Targeting
from storage.targeting import Category

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PAINTING = Category(category_id="109", name="Interior Painting")


async def business(database: Database, name: str = "first") -> int:
    async with database.transaction() as tx:
        made, _ = await businesses.ensure(
            tx, environment=Environment.PRODUCTION, thumbtack_id=name, name=name.title(), now=NOW
        )
        return leads.known(made.id)


async def want(database: Database, business_id: int, *, category=None, enabled=False, key=None) -> Targeting | None:
    async with database.transaction() as tx:
        return await targeting.want(
            tx, business_id=business_id, category=category, enabled=enabled, by="U0OLGA", now=NOW, key=key
        )


async def confirm(database: Database, row: Targeting, **state) -> Targeting:
    async with database.transaction() as tx:
        held = await targeting.to_change(tx, row.id)
        given = {"enabled": False, "until": None, "by": "U0OLGA", "version": row.version} | state
        targeting.confirmed(held, **given, now=NOW)
        return held


async def test_each_wish_is_newer_than_the_one_before(database: Database):
    first = await business(database)
    assert [(await want(database, first)).version for _ in range(3)] == [1, 2, 3]
    other = await want(database, first, category=PAINTING)
    assert (other.version, other.category) == (1, "Interior Painting")


async def test_of_wishes_at_once_each_has_its_own_version(database: Database):
    first = await business(database)
    rows = await asyncio.gather(*(want(database, first) for _ in range(4)))
    assert sorted(row.version for row in rows) == [1, 2, 3, 4]


async def test_a_question_is_answered_once(database: Database):
    first = await business(database)
    rows = await asyncio.gather(*(want(database, first, key="q1") for _ in range(3)))
    assert len([row for row in rows if row is not None]) == 1
    assert await want(database, first, key="q2") is not None


async def test_only_what_was_confirmed_is_told(database: Database):
    first = await business(database)
    row = await want(database, first, category=PAINTING)
    whole = await want(database, first)
    async with database.reading() as tx:
        assert await targeting.of_business(tx, first) == []
    await confirm(database, row)
    await confirm(database, whole)
    async with database.reading() as tx:
        assert [one.category_id for one in await targeting.of_business(tx, first)] == ["", "109"]


async def test_a_confirmation_leaves_a_newer_wish_alone(database: Database):
    first = await business(database)
    older = await want(database, first)
    await want(database, first, enabled=True)
    row = await confirm(database, older)
    assert (row.set_enabled, row.enabled, row.set_version) == (False, True, 1)


async def test_a_resume_by_itself_leaves_a_wish_under_way_alone(database: Database):
    first = await business(database)
    row = await confirm(database, await want(database, first), until=NOW + timedelta(hours=1))
    await want(database, first)
    row = await confirm(database, row, enabled=True, by=None, version=None)
    assert (row.set_enabled, row.enabled) == (True, False)


async def test_what_was_given_up_is_as_it_was_before(database: Database):
    first = await business(database)
    until = NOW + timedelta(hours=1)
    row = await confirm(database, await want(database, first), until=until)
    newer = await want(database, first, enabled=True, key="q")
    async with database.transaction() as tx:
        held = await targeting.to_change(tx, row.id)
        await targeting.give_up(tx, held, newer.version - 1)  # nobody waits for that one any more
        assert held.enabled is True
        await targeting.give_up(tx, held, newer.version)
        assert (held.enabled, held.until, held.set_version) == (False, until, 1)
    assert await want(database, first, enabled=True, key="q") is not None


async def test_what_was_never_set_leaves_nothing_behind(database: Database):
    first = await business(database)
    row = await want(database, first)
    async with database.transaction() as tx:
        await targeting.give_up(tx, await targeting.to_change(tx, row.id), row.version)
    async with database.transaction() as tx:
        assert await targeting.to_change(tx, row.id) is None


async def test_a_resume_that_fails_counts_from_when_it_was_due(database: Database):
    first = await business(database)
    row = await confirm(database, await want(database, first), until=NOW + timedelta(hours=1))
    assert targeting.ends_at(row) == NOW + timedelta(hours=1)
    async with database.transaction() as tx:
        held = await targeting.to_change(tx, row.id)
        targeting.cannot_resume(held, now=NOW)
        targeting.cannot_resume(held, now=NOW + timedelta(hours=2))
        assert (held.enabled, held.failing_since, targeting.ends_at(held)) == (True, NOW, NOW)


async def test_categories_are_those_of_the_leads_as_the_newest_names_them(database: Database):
    first, second = await business(database), await business(database, "second")
    named = [
        (first, "109", "Interior painting"),
        (first, "109", "Interior Painting"),
        (first, "110", "decks"),
        (first, None, "Roofs"),
        (first, "111", None),
        (second, "112", "Lawns"),
    ]
    async with database.transaction() as tx:
        for number, (business_id, category_id, category) in enumerate(named):
            tx.add(
                Lead(
                    environment=Environment.PRODUCTION,
                    thumbtack_id=str(number),
                    generation="legacy",
                    business_id=business_id,
                    category_id=category_id,
                    category=category,
                )
            )
            await tx.flush()
    async with database.reading() as tx:
        assert await targeting.categories(tx, first) == [Category(category_id="110", name="decks"), PAINTING]


def test_a_change_is_named_by_its_row_and_confirmation():
    row = Targeting(id=7, business_id=1, enabled=True, asked_by="U", asked_at=NOW, set_version=3)
    assert targeting.named_by(targeting.name_of(row)) == (7, 3)
    for name in (None, "", "phone:7:3", "targeting:7", "targeting:x:3", "U0OLGA"):
        assert targeting.named_by(name) is None
