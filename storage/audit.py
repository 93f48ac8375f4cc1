"""Who changed what: appended to, and shown by `/thumbtack status`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from storage.database import Transaction
from storage.models import Audit

SEEN = frozenset({"lead_opened", "lead_found", "review_opened"})
"""Entries of who saw something private: on the record, and no change of anything."""


def record(
    tx: Transaction,
    *,
    team_id: str | None,
    actor: str | None,
    action: str,
    now: datetime,
    subject: str | None = None,
    business_id: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> Audit:
    """Append one change. `actor`: a Slack user id, None for Corkboard itself; no customer's data in any of it.

    The row has its id once the transaction is flushed.
    """
    row = Audit(
        team_id=team_id,
        actor=actor,
        action=action,
        subject=subject,
        business_id=business_id,
        before=dict(before or {}),
        after=dict(after or {}),
        at=now,
    )
    tx.add(row)
    return row


async def get(tx: Transaction, audit_id: int) -> Audit | None:
    """One change by our id."""
    return await tx.get(Audit, audit_id)
