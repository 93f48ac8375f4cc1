"""What becomes of the work when channels close, the app is cut off or not heard, or a person leaves; the keepers are told once."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import structlog

from bot.services import Services
from storage import channels, closing, departing, leases, news, outbox, sockets
from storage.database import Transaction
from storage.outbox import Kind

log = structlog.get_logger()

TOLD_NOT_HEARD = "told:not_heard"

TOLD_AFTER = timedelta(minutes=2)
"""How long Slack is not heard before somebody is told: what is away with it, our own network, cannot be told before."""

TOLD_AGAIN = timedelta(hours=6)
"""How long nobody is told again that Slack is not heard."""


class Closed(StrEnum):
    """Why nothing can be posted to a channel."""

    ARCHIVED = "archived"
    REMOVED = "removed"
    DELETED = "deleted"
    REFUSED = "refused"


BY_ANSWER: Mapping[str, Closed] = {"is_archived": Closed.ARCHIVED, "not_in_channel": Closed.REMOVED}
"""What Slack answers a post, where that says why; a channel that is "not found" may as well be private."""

ANSWERS: Mapping[Closed, str] = {
    Closed.ARCHIVED: "is_archived",
    Closed.REMOVED: "not_in_channel",
    Closed.DELETED: "channel_not_found",
    Closed.REFUSED: "restricted_action",
}
"""What Slack answers to a post then: the reason whose sentence people read (see `bot.errors`)."""


async def channel_closed(
    tx: Transaction, services: Services, channel: str, *, team_id: str, why: Closed, now: datetime
) -> None:
    """Slack told that nothing can be posted to a channel any more: see `storage.closing`."""
    await _close(tx, services, channel, team_id=team_id, why=why, reason=ANSWERS[why], now=now)


async def channel_refuses(tx: Transaction, services: Services, channel: str, *, reason: str, now: datetime) -> None:
    """Slack refused posts to a channel again and again for a `reason` that a person must mend, and told of no event."""
    identity = services.slack.known_identity
    if identity is None or await channels.is_closed(tx, channel):
        return
    why = BY_ANSWER.get(reason, Closed.REFUSED)
    await _close(tx, services, channel, team_id=identity.team_id, why=why, reason=reason, now=now)


async def _close(
    tx: Transaction, services: Services, channel: str, *, team_id: str, why: Closed, reason: str, now: datetime
) -> None:
    default = services.settings.slack_leads_channel
    if await closing.closed(tx, team_id=team_id, channel=channel, reason=why, now=now, default=default):
        notice = "held" if channel == default else "channel_closed"
        payload = {"notice": notice, "channel": channel, "reason": reason}
        await outbox.enqueue(tx, Kind.POST_NOTICE, now=now, payload=payload)
        log.warning("channel_closed", channel=channel, reason=reason)


async def channel_mended(tx: Transaction, channel: str, *, team_id: str, now: datetime) -> None:
    """One can post to a channel again, as it seems: what waits there is tried at once, and new leads go there again."""
    if await closing.mended(tx, team_id=team_id, channel=channel, now=now):
        log.info("channel_mended", channel=channel)


async def channel_works(tx: Transaction, services: Services, channel: str, *, now: datetime) -> None:
    """A post went through to a channel that was held."""
    identity = services.slack.known_identity
    if identity is not None and await channels.is_closed(tx, channel):
        await channel_mended(tx, channel, team_id=identity.team_id, now=now)


async def cut_off(tx: Transaction, *, reason: str, now: datetime) -> None:
    """Slack took our access away: everything waits, and the keepers are told of it once they can be."""
    log.critical("slack_cut_off", reason=reason)
    if not await news.waits(tx, "cut_off"):
        payload = {"notice": "cut_off", "reason": reason, "at": now.isoformat()}
        await outbox.enqueue(tx, Kind.POST_NOTICE, now=now, payload=payload)


async def not_heard(tx: Transaction, *, now: datetime) -> None:
    """Slack gives no connection, to no process of ours: the keepers are told where that lasts, once in a while."""
    if await sockets.held(tx, now=now):
        return
    if await leases.acquire(tx, TOLD_NOT_HEARD, owner=secrets.token_hex(8), now=now, lasts=TOLD_AGAIN):
        payload = {"notice": "not_heard"}
        await outbox.enqueue(tx, Kind.POST_NOTICE, now=now, payload=payload, due_at=now + TOLD_AFTER)


async def is_heard(tx: Transaction, *, now: datetime) -> bool:
    """Whether a process has a connection again, or opens one just now: then nobody need be told, until it fails again."""
    if not await sockets.held(tx, now=now):
        return False
    await leases.give_up(tx, TOLD_NOT_HEARD)
    return True


async def person_left(tx: Transaction, user: str, *, now: datetime) -> None:
    """Somebody was deactivated: their leads are anybody's again, and the keepers are told."""
    departed = await departing.leave(tx, user, now=now)
    if departed:
        log.info("person_left", user_id=user, leads=len(departed.leads), businesses=len(departed.businesses))
        payload: dict[str, Any] = {"notice": "person_left", "user": user, "leads": list(departed.leads)}
        payload["businesses"] = list(departed.businesses)
        await outbox.enqueue(tx, Kind.POST_NOTICE, now=now, payload=payload)
