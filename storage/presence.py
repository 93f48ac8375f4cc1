"""When the program was last there, for all replicas together, and what of Slack's events may have been missed."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlmodel import col

from storage import inserting
from storage.database import Transaction
from storage.models import Presence

SERVE = "serve"

AWAY = timedelta(minutes=5)
"""What is shorter than that loses nothing: Slack tries an event three times more, the last time after five minutes
(docs.slack.dev/apis/events-api#retries)."""

TRIES_LAST = timedelta(minutes=6)
"""How long after it happened Slack gives an event up."""

AT_THE_LATEST = timedelta(minutes=20)
"""Where one event after the other is missed, it is not waited longer for the last of them."""

_HELD = select(Presence).where(col(Presence.name) == SERVE).with_for_update().execution_options(populate_existing=True)


@dataclass(frozen=True, kw_only=True)
class Absence:
    """From when until when nobody was there, or (`on_and_off`) nobody for long: it was started and ended again and again."""

    since: datetime
    until: datetime
    on_and_off: bool = False


@dataclass(frozen=True, kw_only=True)
class Missed:
    """Events of messages written since then may not have reached us; noticed `at`."""

    since: datetime
    at: datetime


async def beat(
    tx: Transaction, *, now: datetime, lived: timedelta | None, reply_mode: str | None = None
) -> Absence | None:
    """Write down that the program is there, and its reply mode. After an absence, one caller of all replicas is told of it.

    `lived`: for how long the caller has been there, None where it starts.
    """
    insert = inserting.by(tx)
    await tx.execute(insert(Presence).values(name=SERVE, alive_at=now).on_conflict_do_nothing())
    row = (await tx.execute(_HELD)).scalar_one()
    before, row.alive_at, row.reply_mode = row.alive_at, now, reply_mode
    if row.unsteady_at != before:  # an older version of the program was there meanwhile, and did not look after it
        row.unsteady_since = None
    row.unsteady_at = now
    if lived is None:
        return _at_a_start(row, since=before)
    if lived >= AWAY:
        row.unsteady_since = None
    return Absence(since=before, until=now) if now - before > AWAY else None


def _at_a_start(row: Presence, *, since: datetime) -> Absence | None:
    """Whether Slack may have given something up: each of its tries may have met a time between two short lives.

    What was looked for at an earlier start of these need not be looked for again. Who comes back after one absence may
    stay: only from then on is it a time in which nobody did.
    """
    now, unsteady_since = row.alive_at, row.unsteady_since or min(since, row.alive_at)
    is_first = row.back_at is None or row.back_at < unsteady_since
    if is_first and now - since > AWAY:
        row.unsteady_since = now
        return Absence(since=since, until=now)
    row.unsteady_since = unsteady_since
    looked_at = max(unsteady_since, row.back_at or unsteady_since)
    return Absence(since=unsteady_since, until=now, on_and_off=True) if now - looked_at > AWAY else None


async def mode_before(tx: Transaction) -> str | None:
    """The reply mode under which the program was last there; None where nobody wrote it down."""
    return (await tx.execute(select(col(Presence.reply_mode)).where(col(Presence.name) == SERVE))).scalar_one_or_none()


async def came_back(tx: Transaction, *, now: datetime) -> None:
    """The absence that `beat` told of was one."""
    (await tx.execute(_HELD)).scalar_one().back_at = now


async def note(tx: Transaction, missed: Missed) -> None:
    """Keep that something was missed, until `due` says that it is time to look for it."""
    row = (await tx.execute(_HELD)).scalar_one_or_none()
    if row is not None:
        row.missed_since = min(missed.since, row.missed_since or missed.since)
        row.missed_at = max(missed.at, row.missed_at or missed.at)


async def due(tx: Transaction, *, now: datetime, at_once: bool = False) -> datetime | None:
    """Since when something was missed, once Slack has given up telling us of it (`at_once`: also before); told once."""
    row = (await tx.execute(_HELD)).scalar_one_or_none()
    if row is None or row.missed_since is None or row.missed_at is None:
        return None
    is_over = now - row.missed_at >= TRIES_LAST or now - row.missed_since >= AT_THE_LATEST
    if not (is_over or at_once):
        return None
    since, row.missed_since, row.missed_at = row.missed_since, None, None
    return since


async def find(tx: Transaction) -> Presence | None:
    """How it stands; None before the program ran for the first time."""
    return await tx.get(Presence, SERVE)
