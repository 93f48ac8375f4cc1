"""Nothing comes for a business any more: its keepers are told once, by day, and the doctor says so too."""

import secrets
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update
from sqlmodel import col
from support.figures import scraped
from support.office import ADMIN, Office

from bot import jobs
from bot import settings as bot_settings
from bot.doctor.examination import examine
from bot.doctor.findings import Area, State
from sandbox.slack.failures import down
from sandbox.thumbtack import bodies
from storage import targeting
from storage.models import Business, Environment, Generation, Lead

ONE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
"""For what does not depend on the kind of database."""

CHICAGO = ZoneInfo("America/Chicago")

pytestmark = pytest.mark.knobs(slack_keepers=ADMIN, time_zone="America/Chicago")


async def had_daily(place: Office, count: int) -> int:
    """A business that had a lead on each day until now; our id of it."""
    assert (await place.post("/v1/lead", bodies.lead())).status_code == 200
    await place.at_rest()
    (business,) = await place.rows(Business)
    given = {"environment": Environment.PRODUCTION, "generation": Generation.LEGACY, "business_id": business.id}
    async with place.database.transaction() as tx:
        for back in range(count, 0, -1):
            at = place.clock() - timedelta(days=back)
            tx.add(Lead(**given, thumbtack_id=secrets.token_hex(8), received_at=at))
    return business.id or 0


async def later(place: Office, *, days: int, hour: int = 12) -> None:
    """So many days later, at this hour in Chicago; somebody was there all the time."""
    then = (place.clock() + timedelta(days=days)).astimezone(CHICAGO).replace(hour=hour, minute=0)
    await place.advance(seconds=(then - place.clock()).total_seconds())


async def told(place: Office) -> list[str]:
    """What the keeper was told of silences, after it was looked for them once more."""
    await jobs.notice_silence(place.door.app.state.services)
    await place.at_rest()
    return [one for one in place.told() if "Nothing came" in one]


async def checked(place: Office) -> list[str]:
    """What the doctor says of it."""
    settings = bot_settings.load(_env_file=None, **place.knobs)
    found = await examine(settings, clock=place.clock, reach=_nobody)
    return [one.told for one in found if one.area is Area.WEBHOOKS and "nothing came since" in one.told]


async def _nobody(_url: str) -> int | None:
    return None


async def test_the_keepers_are_told_once_in_each_silence(place: Office):
    await had_daily(place, 20)
    await later(place, days=2)
    assert (await told(place), await checked(place)) == ([], [])
    await later(place, days=3)
    assert (await scraped(place.http))("silent_businesses") == 0
    (said,) = await told(place)
    assert bodies.BUSINESS_NAME in said
    assert len(await checked(place)) == 1
    assert (await scraped(place.http))("silent_businesses") == 1
    await later(place, days=3)
    assert len(await told(place)) == 1
    assert (await place.post("/v1/lead", bodies.lead())).status_code == 200
    await place.at_rest()
    assert (len(await told(place)), await checked(place)) == (1, [])
    assert (await scraped(place.http))("silent_businesses") == 0
    await later(place, days=15)
    assert len(await told(place)) == 2


@ONE
async def test_nobody_is_told_at_night(place: Office):
    await had_daily(place, 20)
    await later(place, days=6, hour=3)
    assert (await told(place), len(await checked(place))) == ([], 1)
    await later(place, days=0, hour=9)
    assert len(await told(place)) == 1


@ONE
async def test_of_few_leads_nothing_is_told(place: Office):
    await had_daily(place, 8)
    await later(place, days=30)
    assert await told(place) == []


@pytest.mark.parametrize("still", [True, False], ids=["paused", "resumed lately"])
@ONE
async def test_a_pause_is_no_silence(place: Office, *, still: bool):
    business_id = await had_daily(place, 20)
    await later(place, days=8)
    async with place.database.transaction() as tx:
        row = await targeting.want(
            tx, business_id=business_id, category=None, enabled=not still, by=ADMIN, now=place.clock()
        )
        assert row is not None
        targeting.confirmed(row, enabled=not still, until=None, by=ADMIN, version=row.version, now=place.clock())
    await later(place, days=2)
    assert await told(place) == []
    await later(place, days=3)
    assert len(await told(place)) == (0 if still else 1)


@ONE
async def test_after_an_absence_of_ours_it_is_waited_again(place: Office):
    await had_daily(place, 20)
    await place.stop()
    place.clock.ahead += timedelta(days=8)
    await place.start()
    await later(place, days=1)
    assert await told(place) == []
    await later(place, days=4)
    assert len(await told(place)) == 1


@ONE
async def test_a_lead_that_comes_before_it_is_told_ends_it(place: Office):
    await had_daily(place, 20)
    await later(place, days=6)
    place.slack.faults.stand("conversations.open", down())
    await told(place)
    async with place.database.transaction() as tx:
        await tx.execute(update(Lead).where(col(Lead.id) == 1).values(received_at=place.clock()))
    place.slack.faults.clear()
    await place.advance(minutes=5)
    assert await told(place) == []


@ONE
async def test_the_doctor_says_whether_anybody_is_there(place: Office):
    async def runs() -> State:
        settings = bot_settings.load(_env_file=None, **place.knobs)
        found = await examine(settings, clock=place.clock, reach=_nobody)
        return next(one.state for one in found if one.subject == "corkboard serve")

    assert await runs() is State.OK
    await place.stop()
    await place.advance(minutes=4)
    assert await runs() is State.BROKEN
