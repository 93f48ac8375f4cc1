"""Which place a lead gets: rules in their order, the business's own channel, what is for all; and changing the rules."""

import asyncio
import itertools
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from storage import channels, routing, rules
from storage.database import Database, Transaction, utcnow
from storage.models import Audit, Business, Environment, Lead, Route
from storage.routing import Matter, Place
from storage.rules import By, Rule

ALL, OWN, OTHER, PAINT = "C0ALL000", "C0OWN000", "C0OTHER0", "C0PAINT0"
OAK, ELM = "510000000000000101", "510000000000000202"
_NUMBERS = itertools.count()
BY = By(team_id="T0CORKBOARD", actor="U0OLGA", now=utcnow())


async def business(tx: Transaction, thumbtack_id: str = OAK, channel: str | None = None) -> Business:
    row = Business(
        environment=Environment.PRODUCTION, thumbtack_id=thumbtack_id, created_at=utcnow(), channel=channel, name="Oak"
    )
    tx.add(row)
    await tx.flush()
    return row


async def lead(tx: Transaction, of: Business | None, **columns: Any) -> Lead:
    values = {
        "category": "Interior Painting",
        "category_id": "122",
        "zip_code": "94301",
        "charge_cents": 3150,
    } | columns
    row = Lead(
        environment=Environment.PRODUCTION,
        thumbtack_id=f"L{next(_NUMBERS)}",
        generation="legacy",
        business_id=of.id if of else None,
        **values,
    )
    tx.add(row)
    await tx.flush()
    return row


async def place(
    tx: Transaction, *wanted: Rule, of: Business | None = None, default: str | None = ALL, **columns
) -> Place:
    await rules.replace_all(tx, wanted, by=BY)
    return await routing.place_of(tx, await lead(tx, of, **columns), default=default)


async def close(tx: Transaction, channel: str) -> None:
    await channels.close(tx, team_id="T0CORKBOARD", channel=channel, reason="archived", now=utcnow())


async def test_every_condition_of_a_rule_must_hold(database: Database):
    async with database.transaction() as tx:
        oak = await business(tx)
        fits = (
            Rule(channel=PAINT, business=OAK),
            Rule(channel=PAINT, category="  interior   PAINTING "),
            Rule(channel=PAINT, category="122"),
            Rule(channel=PAINT, zip_prefix="943"),
            Rule(channel=PAINT, min_cents=3150),
            Rule(channel=PAINT, business=OAK, category="122", zip_prefix="94301", min_cents=0),
        )
        for rule in fits:
            assert (await place(tx, rule, of=oak)).channel == PAINT, rule
        misfits = (
            Rule(channel=PAINT, business=ELM),
            Rule(channel=PAINT, category="Painting"),
            Rule(channel=PAINT, zip_prefix="9431"),
            Rule(channel=PAINT, min_cents=3151),
            Rule(channel=PAINT, business=OAK, category="122", zip_prefix="94301", min_cents=10_000),
        )
        for rule in misfits:
            assert (await place(tx, rule, of=oak)).channel == ALL, rule


async def test_what_a_lead_does_not_tell_fits_no_condition(database: Database):
    async with database.transaction() as tx:
        unknown = {"category": None, "category_id": None, "zip_code": None, "charge_cents": None}
        for rule in (
            Rule(channel=PAINT, business=OAK),
            Rule(channel=PAINT, category="122"),
            Rule(channel=PAINT, zip_prefix="9"),
            Rule(channel=PAINT, min_cents=0),
        ):
            assert (await place(tx, rule, **unknown)).channel == ALL, rule


async def test_the_first_rule_that_fits_decides_and_says_whom_to_mention(database: Database):
    async with database.transaction() as tx:
        oak = await business(tx, channel=OWN)
        first, second = Rule(channel=PAINT, zip_prefix="94", ring=("U0BEN",)), Rule(channel=OTHER, category="122")
        found = await place(tx, first, second, of=oak)
        assert (found.channel, found.ring) == (PAINT, ("U0BEN",))
        assert (await place(tx, second, first, of=oak)).channel == OTHER
        [row, _] = await routing.rules(tx)
        assert (await routing.place_of(tx, await lead(tx, oak, zip_code="1"), default=ALL)).rule == row.id
        assert (await place(tx, Rule(channel=PAINT, zip_prefix="1"), of=oak)).channel == OWN


async def test_a_rule_without_conditions_comes_behind_the_own_channels_wherever_it_stands(database: Database):
    async with database.transaction() as tx:
        oak, elm = await business(tx, channel=OWN), await business(tx, ELM)
        everything = Rule(channel=OTHER)
        assert (await place(tx, everything, of=oak)).channel == OWN
        assert (await place(tx, everything, of=elm, zip_code="2")).channel == OTHER
        assert (await place(tx, everything, Rule(channel=PAINT, zip_prefix="94"), of=elm)).channel == PAINT
        assert (await place(tx, everything, of=elm, default=None, zip_code="3")).channel == OTHER


async def test_a_business_never_posts_into_anothers_channel_unless_a_rule_names_it(database: Database):
    async with database.transaction() as tx:
        oak, elm = await business(tx, channel=OWN), await business(tx, ELM)
        assert (await place(tx, Rule(channel=OWN, zip_prefix="94"), of=elm)).channel == ALL
        assert (await place(tx, Rule(channel=OWN), of=elm, zip_code="2")).channel == ALL
        assert (await place(tx, of=elm, default=OWN, zip_code="3")).channel is None
        assert (await place(tx, of=None, default=OWN, zip_code="4")).channel is None
        assert (await place(tx, of=oak, default=OWN)).channel == OWN
        assert (await place(tx, Rule(channel=OWN, zip_prefix="94"), of=oak, zip_code="94")).channel == OWN
        assert (await place(tx, Rule(channel=OWN, business=ELM), of=elm, zip_code="5")).channel == OWN


async def test_a_closed_channel_is_passed_over_and_kept_where_there_is_no_other(database: Database):
    async with database.transaction() as tx:
        oak = await business(tx, channel=OWN)
        rule = Rule(channel=PAINT, zip_prefix="94", ring=("U0BEN",))
        await close(tx, PAINT)
        found = await place(tx, rule, of=oak)
        assert (found.channel, found.instead_of, found.ring, found.rule) == (OWN, PAINT, ("U0BEN",), None)
        await close(tx, OWN)
        assert (await place(tx, rule, of=oak, zip_code="940")).channel == ALL
        await close(tx, ALL)
        found = await place(tx, rule, of=oak, zip_code="941")
        assert (found.channel, found.instead_of) == (PAINT, None)
        await channels.reopen(tx, team_id="T0CORKBOARD", channel=OWN)
        assert (await place(tx, rule, of=oak, zip_code="942")).channel == OWN


async def test_a_review_without_a_lead_goes_where_its_business_says(database: Database):
    async with database.transaction() as tx:
        oak, elm = await business(tx, channel=OWN), await business(tx, ELM)
        await rules.replace_all(tx, [Rule(channel=PAINT, zip_prefix="9"), Rule(channel=OTHER, business=ELM)], by=BY)
        for whose, goes in ((oak, OWN), (elm, OTHER), (None, ALL)):
            assert (await routing.place_for(tx, Matter(business=whose), default=ALL)).channel == goes
        assert (await routing.place_for(tx, Matter(business=None), default=OWN)).channel is None


CHANNELS = st.sampled_from([ALL, OWN, OTHER, PAINT])
SOME = st.builds(
    Rule,
    channel=CHANNELS,
    business=st.sampled_from([None, OAK]),
    category=st.sampled_from([None, "122", "x"]),
    zip_prefix=st.sampled_from([None, "94", "1"]),
    min_cents=st.sampled_from([None, 1, 10_000]),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=st.lists(SOME, max_size=6), closed=st.sets(CHANNELS), default=st.none() | CHANNELS)
def test_whatever_the_rules_a_business_without_a_channel_stays_out_of_anothers(wanted, closed, default):
    oak, elm = Business(id=1, thumbtack_id=OAK, channel=OWN), Business(id=2, thumbtack_id=ELM)
    rows = [Route(id=n, position=n, **vars(rule) | {"ring": []}) for n, rule in enumerate(wanted)]
    matter = Matter(business=elm, categories=frozenset({"122"}), zip_code="94301", cost_cents=3150)
    owners = {OWN: frozenset({oak.id})}
    found = routing.chosen(rows, matter, owners, closed=frozenset(closed), default=default)
    assert found.channel != OWN
    if found.channel in closed:  # only where every other place is closed too
        assert default is None or default in closed or default == OWN


# Changing them


async def listed(tx: Transaction) -> list[Rule]:
    return [rules.rule_of(row) for row in await routing.rules(tx)]


async def test_rules_are_added_changed_moved_and_removed_on_the_record(database: Database):
    one, two, three = (Rule(channel=PAINT, zip_prefix=zip_) for zip_ in ("1", "2", "3"))
    async with database.transaction() as tx:
        rows = [await rules.save(tx, rule, rule_id=None, by=BY) for rule in (one, two, three)]
        assert await rules.move_up(tx, rows[2].id, by=BY)
        assert await listed(tx) == [one, three, two]
        assert not await rules.move_up(tx, rows[0].id, by=BY)
        assert not await rules.move_up(tx, 999, by=BY)
        await rules.save(tx, Rule(channel=OTHER, min_cents=1), rule_id=rows[2].id, by=BY)
        assert await rules.remove(tx, rows[0].id, by=BY)
        assert not await rules.remove(tx, rows[0].id, by=BY)
        assert await listed(tx) == [Rule(channel=OTHER, min_cents=1), two]
    async with database.reading() as tx:
        found = (await tx.execute(select(Audit).order_by(Audit.id))).scalars().all()
    told = [(one.action, one.before, one.after) for one in found]
    assert [action for action, *_ in told] == [*["route_set"] * 3, "route_moved", "route_set", "route_removed"]
    assert told[4][1:] == ({"zip": "3", "channel": PAINT}, {"min_cents": 1, "channel": OTHER})


async def test_the_same_rule_is_not_added_twice_and_everything_else_is_one(database: Database):
    async with database.transaction() as tx:
        for _ in range(2):
            await rules.save(tx, Rule(channel=PAINT, zip_prefix="1"), rule_id=None, by=BY)
        for channel in (OTHER, PAINT, PAINT):
            await rules.for_everything_else(tx, channel, by=BY)
        assert await listed(tx) == [Rule(channel=PAINT, zip_prefix="1"), Rule(channel=PAINT)]


async def test_of_two_who_change_at_once_neither_undoes_the_other(database: Database):
    async def add(zip_: str) -> None:
        async with database.transaction() as tx:
            await rules.save(tx, Rule(channel=PAINT, zip_prefix=zip_), rule_id=None, by=BY)

    await asyncio.gather(*(add(str(number)) for number in range(5)))
    async with database.reading() as tx:
        rows = await routing.rules(tx)
    assert [row.position for row in rows] == [0, 1, 2, 3, 4]
    assert {row.zip_prefix for row in rows} == {"0", "1", "2", "3", "4"}
