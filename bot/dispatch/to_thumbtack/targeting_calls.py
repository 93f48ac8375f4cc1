"""The call that switches new leads on or off at Thumbtack, what its failures mean, and how its success is noted."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot import features
from bot.blocks import targeting as blocks
from bot.blocks.targeting import Cannot, Subject
from bot.dispatch.to_thumbtack.failing import ThumbtackFailure
from bot.failures import Sort
from bot.services import Services
from storage import audit, outbox, targeting
from storage.database import Transaction
from storage.models import Audit, Business, Connection, ConnectionState, Generation, Targeting
from storage.outbox import Kind
from webhooks.thumbtack import errors

RECALL_EVERY = timedelta(days=1)
"""How often a pause without an end is recalled."""


async def switch(
    services: Services, connection: Connection | None, business: Business, category_id: str | None, *, enabled: bool
) -> None:
    """Have Thumbtack set it, once. Raises ThumbtackFailure."""
    if business.environment != services.settings.thumbtack_environment:
        raise ThumbtackFailure(Sort.REFUSED, Cannot.OTHER_ENVIRONMENT)
    if connection is None:
        raise ThumbtackFailure(Sort.REFUSED, Cannot.NOT_CONNECTED)
    if connection.state == ConnectionState.BROKEN:
        raise ThumbtackFailure(Sort.REFUSED, Cannot.RECONNECT)
    if features.TARGETING not in features.works(Generation.LEGACY, connection.scopes):
        raise ThumbtackFailure(Sort.REFUSED, Cannot.SCOPE_MISSING)
    tokens = services.tokens.of(connection.id or 0)
    try:
        await services.thumbtack.set_targeting(
            tokens, business_id=business.thumbtack_id, category_id=category_id, enabled=enabled
        )
    except errors.CallError as error:
        raise _failure(error, of_category=category_id is not None) from error


def _failure(error: errors.CallError, *, of_category: bool) -> ThumbtackFailure:
    """What Thumbtack's answer means here: setting it again does no harm, so only a refusal is final.

    A 401 with a fresh token says that the service is not this account's (the Pro API's page, "Targeting Endpoints").
    """
    if isinstance(error, errors.ReconnectRequired):
        return ThumbtackFailure(Sort.REFUSED, Cannot.NOT_YOURS if error.status == 401 else Cannot.RECONNECT, error)
    if isinstance(error, errors.ScopeMissing):
        return ThumbtackFailure(Sort.REFUSED, Cannot.SCOPE_MISSING, error)
    if isinstance(error, errors.RequestRejected):
        no_such = Cannot.NO_SUCH_CATEGORY if of_category else Cannot.NO_SUCH_SERVICE
        reasons = {400: Cannot.BAD_REQUEST, 401: Cannot.NOT_YOURS, 404: no_such}
        return ThumbtackFailure(Sort.REFUSED, reasons.get(error.status or 0, Cannot.REJECTED), error)
    if isinstance(error, errors.RateLimited):
        return ThumbtackFailure(Sort.LATER, Cannot.SLOW_DOWN, error)
    if isinstance(error, errors.UnexpectedResponse):
        return ThumbtackFailure(Sort.LATER, Cannot.UNEXPECTED, error)
    return ThumbtackFailure(Sort.LATER, Cannot.NO_ANSWER, error)


async def note(
    tx: Transaction,
    row: Targeting,
    *,
    enabled: bool,
    until: datetime | None,
    by: str | None,
    version: int | None,
    team_id: str | None,
    now: datetime,
) -> Audit:
    """Write down what Thumbtack confirmed, and plan what follows from it. `version`: of a person's wish."""
    before, after = targeting.state_of(row), {"enabled": enabled, "until": until.isoformat() if until else None}
    targeting.confirmed(row, enabled=enabled, until=until, by=by, version=version, now=now)
    change = audit.record(
        tx,
        team_id=team_id,
        actor=by,
        action="targeting_set",
        subject=targeting.name_of(row),
        business_id=row.business_id,
        before=before,
        after={**after, "category": row.category} if row.category else after,
        now=now,
    )
    await tx.flush()
    if not enabled:
        plan = {"targeting_id": row.id, "set_version": row.set_version, "team_id": team_id}
        kind, due_at = (Kind.RECALL_PAUSE, now + RECALL_EVERY) if until is None else (Kind.SET_TARGETING, until)
        await outbox.enqueue(tx, kind, now=now, payload=plan, due_at=due_at)
    return change


def subject_of(row: Targeting, business: Business) -> Subject:
    """Whose leads a row is about, for people."""
    return Subject(business=blocks.named(business.name, business.thumbtack_id), category=row.category)


async def notice(tx: Transaction, name: str, now: datetime, payload: Mapping[str, Any]) -> None:
    """Tell what stands in `bot.dispatch.to_slack.targeting_notices` under this name."""
    await outbox.enqueue(tx, Kind.POST_NOTICE, now=now, payload={**payload, "notice": name})
