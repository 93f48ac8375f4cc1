"""Disconnecting a business: from this moment nothing is sent for it, whatever Thumbtack says to it later."""

from collections.abc import Sequence
from typing import Any

from bot import replies
from bot.errors import Reason
from bot.reply_rules import Desk
from storage import audit, connections, erasing, leads, messages, outbox, targeting, webhooks
from storage.connections import Left
from storage.models import Business, Erasure, Generation, ReplyState
from storage.outbox import Kind
from webhooks import cards


async def stop(
    desk: Desk, business: Business, *, team_id: str | None, user: str, sealed_url: str | None, erase: bool
) -> None:
    """End what speaks for a business, give waiting replies back to their writers, and let Thumbtack be told.

    `sealed_url`: where the person is told what came of it; `erase`: everything of it is forgotten a day later.
    """
    business_id, erasure = leads.known(business.id), None
    if erase:
        erasure = await erasing.plan(desk.tx, business, team_id=team_id, asked_by=user, now=desk.now)
    left = await leave(desk, business, user=user, sealed_url=sealed_url, erasure=erasure)
    business.disconnected_at = desk.now
    await give_back(desk, business_id)
    await cards.refresh(desk.tx, [business_id], now=desk.now)
    audit.record(
        desk.tx,
        team_id=team_id,
        actor=user,
        action="disconnected" if left else "erasure_planned",
        business_id=business_id,
        before={"connected": [str(one.generation) for one in left]},
        after={"erased": erase},
        now=desk.now,
    )


async def leave(
    desk: Desk, business: Business, *, user: str | None, sealed_url: str | None, erasure: Erasure | None = None
) -> Sequence[Left]:
    """Forget the tokens that speak for a business, at both APIs, and queue telling Thumbtack (and `user`) of it."""
    business_id = leads.known(business.id)
    left = await connections.leave(desk.tx, business_id, now=desk.now)
    webhook_id = await webhooks.forget(desk.tx, business_id)
    if not left and user is None:
        return left
    payload = {
        "business_id": business_id,
        "thumbtack_id": business.thumbtack_id,
        "steps": [str(one.generation) for one in left],
        "came": {},
        "user": user,
        "url": sealed_url,
        "erasure_id": erasure.id if erasure else None,
        "webhook_id": webhook_id,
        "paused": any(row.set_enabled is False for row in await targeting.of_business(desk.tx, business_id)),
        **_token(left),
    }
    await outbox.enqueue(desk.tx, Kind.DISCONNECT, now=desk.now, payload=payload)
    return left


def _token(left: Sequence[Left]) -> dict[str, Any]:
    """The v4 access token, sealed as it was: with it our webhooks can be removed until it expires, within the hour."""
    for one in left:
        if one.generation is Generation.V4 and one.access_token is not None and one.expires_at is not None:
            return {"token": one.access_token, "token_until": one.expires_at.isoformat()}
    return {}


async def give_back(desk: Desk, business_id: int) -> None:
    """Replies that wait to be sent are refused, so that their writers know: each with a line in its thread."""
    for message_id in await messages.waiting_of(desk.tx, business_id):
        message = await messages.to_change(desk.tx, message_id)
        if message is None or message.state not in replies.GOING:
            continue
        await replies.withdraw(desk, message, ReplyState.REFUSED, reason=Reason.DISCONNECTED)
        await replies.outcome(desk, message, "refused", reason=Reason.DISCONNECTED)
