"""What follows from an absence: threads are read back, the channels are told, and Thumbtack's v4 is asked again."""

import structlog

from bot.services import Services
from storage import outbox, polling, presence, reading_back
from storage.database import Transaction
from storage.outbox import Kind
from storage.presence import Absence

log = structlog.get_logger()


async def look(services: Services, *, at_start: bool = False) -> None:
    """Write down that we are there; after an absence, and after Slack could not tell us something, make up for it.

    One of all replicas finds the absence. Everything is in the outbox then, in one transaction with the end of it.
    """
    now, missed = services.clock(), services.attention.missed
    async with services.database.transaction() as tx:
        away = await presence.beat(tx, now=now)
        if missed is not None:
            await presence.note(tx, missed)
        since = await presence.due(tx, now=now, at_once=at_start or away is not None)
        if away is not None:
            since = away.since if since is None else min(since, away.since)
            await _tell(tx, services, away)
        threads = 0 if since is None else await reading_back.enqueue(tx, since=since, now=now)
    if missed is not None:
        services.attention.written_down(missed)
    if away is not None:
        async with services.database.transaction() as tx:
            await polling.hasten(tx, environment=services.settings.thumbtack_environment, now=now)
        log.warning("was_away", since=away.since.isoformat(), until=away.until.isoformat(), threads=threads)
    elif since is not None:
        log.warning("events_missed", since=since.isoformat(), threads=threads)


async def _tell(tx: Transaction, services: Services, away: Absence) -> None:
    default = services.settings.slack_leads_channel
    told = {"notice": "was_away", "since": away.since.isoformat(), "until": away.until.isoformat()}
    for channel in await reading_back.channels_in_use(tx, default=default, now=away.until):
        await outbox.enqueue(tx, Kind.POST_NOTICE, now=away.until, payload={**told, "channel": channel})
