"""What follows from an absence: threads are read back, the channels are told; and from a business's: the keepers are."""

from datetime import datetime, timedelta

import structlog

from bot import silence, zones
from bot.hours import Hours
from bot.services import Services
from bot.silence import Silence
from storage import businesses, hearing, outbox, polling, presence, reading_back
from storage.database import StorageError, Transaction
from storage.hearing import Habit
from storage.models import Business
from storage.outbox import Kind
from storage.presence import AWAY, Absence

WORTH_TELLING = timedelta(minutes=20)
"""Somebody who restarts the program a few times while they set it up need not tell the channels."""

log = structlog.get_logger()


async def look(services: Services, *, at_start: bool = False) -> None:
    """Write down that we are there; after an absence, and after Slack could not tell us something, make up for it.

    One of all replicas finds the absence. Everything is in the outbox then, in one transaction with the end of it.
    """
    now, missed = services.clock(), services.attention.missed
    async with services.database.transaction() as tx:
        mode = await presence.mode_before(tx) or services.settings.reply_mode
        lived = None if at_start else services.attention.lived
        away = await presence.beat(tx, now=now, lived=lived, reply_mode=services.settings.reply_mode)
        if away is not None and services.attention.was_there:
            away = None  # it was the clock that jumped
        if missed is not None:
            await presence.note(tx, missed)
        since = await presence.due(tx, now=now, at_once=at_start or away is not None)
        if away is not None:
            since = away.since if since is None else min(since, away.since)
            await presence.came_back(tx, now=now)
            await _tell(tx, services, away)
        threads = 0 if since is None else await reading_back.enqueue(tx, since=since, now=now, mode=mode)
    services.attention.beaten()
    if missed is not None:
        services.attention.written_down(missed)
    if away is not None:
        async with services.database.transaction() as tx:
            await polling.hasten(tx, environment=services.settings.thumbtack_environment, now=now)
        told = {"since": away.since.isoformat(), "until": away.until.isoformat(), "on_and_off": away.on_and_off}
        log.warning("was_away", **told, threads=threads)
    elif since is not None:
        log.warning("events_missed", since=since.isoformat(), threads=threads)


async def leave(services: Services) -> None:
    """We end, cleanly: write down until when we were there; where that cannot be, the last time that it was counts."""
    try:
        await look(services)
    except (StorageError, OSError) as error:
        log.warning("presence_not_stored", error=type(error).__name__)


async def look_for_silences(services: Services) -> None:
    """Tell the keepers of each business for which nothing comes any more, once in each silence, by day."""
    now, settings = services.clock(), services.settings
    async with services.database.reading() as tx:
        habits = await hearing.habits(tx, environment=settings.thumbtack_environment, now=now)
    for habit in habits:
        found = silence.of_habit(habit, now=now)
        zone = zones.of_lead(habit.last, habit.business, always=settings.time_zone)
        if found is None or _is_told(habit):
            continue
        if silence.may_be_told(now, hours=Hours.of(habit.business.hours, zone), zone=zone):
            async with services.database.transaction() as tx:
                await _tell_keepers(tx, habit.business, found, now=now)


def _is_told(habit: Habit) -> bool:
    """Whether the keepers know of it: no lead came since they were told."""
    told_at = habit.business.silence_told_at
    return told_at is not None and told_at >= habit.times[-1]


async def _tell_keepers(tx: Transaction, business: Business, found: Silence, *, now: datetime) -> None:
    known = await businesses.get(tx, business.id)
    if known is None:
        return
    known.silence_told_at = now
    payload = {
        "notice": "silent",
        "business_id": known.id,
        "since": found.since.isoformat(),
        "usual": found.usual.total_seconds(),
        "longest": found.longest.total_seconds(),
    }
    await outbox.enqueue(tx, Kind.POST_NOTICE, now=now, payload=payload)
    log.warning("business_silent", business_id=known.id, since=payload["since"])


async def _tell(tx: Transaction, services: Services, away: Absence) -> None:
    """Tell the channels: of an absence at once, of a time in which nobody stayed for long once it is over."""
    default = services.settings.slack_leads_channel
    told = {"notice": "was_away", "since": away.since.isoformat(), "until": away.until.isoformat()}
    if away.on_and_off and away.until - away.since < WORTH_TELLING:
        return
    for channel in await reading_back.channels_in_use(tx, default=default, now=away.until):
        if away.on_and_off:
            await _tell_later(tx, channel, told, now=away.until)
        else:
            await outbox.enqueue(tx, Kind.POST_NOTICE, now=away.until, payload={**told, "channel": channel})


async def _tell_later(tx: Transaction, channel: str, told: dict[str, str], *, now: datetime) -> None:
    """Let a channel be told once somebody stayed; what waits there to be told since the last time says this instead."""
    lane, due_at = f"away:{channel}", now + 2 * AWAY  # the next such start would be earlier
    payload = {**told, "channel": channel, "on_and_off": True}
    waits = await outbox.pending_of(tx, lane, Kind.POST_NOTICE)
    if waits is None:
        await outbox.enqueue(tx, Kind.POST_NOTICE, now=now, lane=lane, payload=payload, due_at=due_at)
    else:
        waits.payload, waits.due_at = payload, due_at
