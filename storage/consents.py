"""People's ways to Thumbtack's consent page and back: each is good once, and for a short time."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, delete, select, update
from sqlmodel import col

from storage.database import Transaction
from storage.models import Consent, Environment, Generation

REMEMBERED_FOR = timedelta(days=1)
"""How long one that is over is kept, so that whoever comes back by it hears what happened to it."""


async def add(
    tx: Transaction,
    *,
    nonce: str,
    team_id: str,
    user_id: str,
    environment: Environment,
    generation: Generation,
    business_id: int | None,
    verifier: str,
    expires_at: datetime,
    now: datetime,
) -> Consent:
    """A new one; those that are long over are forgotten. `verifier` is sealed."""
    await tx.execute(delete(Consent).where(col(Consent.expires_at) < now - REMEMBERED_FOR))
    consent = Consent(
        nonce=nonce,
        team_id=team_id,
        user_id=user_id,
        environment=environment,
        generation=generation,
        business_id=business_id,
        verifier=verifier,
        expires_at=expires_at,
    )
    tx.add(consent)
    await tx.flush()
    return consent


async def by_nonce(tx: Transaction, nonce: str) -> Consent | None:
    """The one that a state names."""
    return (await tx.execute(select(Consent).where(col(Consent.nonce) == nonce))).scalar_one_or_none()


async def latest_open(
    tx: Transaction, *, team_id: str, user_id: str, generation: Generation, now: datetime
) -> Consent | None:
    """The last one that this person began and has not come back by."""
    query = select(Consent).where(
        col(Consent.team_id) == team_id,
        col(Consent.user_id) == user_id,
        col(Consent.generation) == generation,
        col(Consent.used_at).is_(None),
        col(Consent.expires_at) > now,
    )
    return (await tx.execute(query.order_by(col(Consent.id).desc()).limit(1))).scalar_one_or_none()


async def claim(tx: Transaction, consent: Consent, *, now: datetime) -> bool:
    """Use it up; False where it is over, or somebody came back by it before, also at this very moment."""
    open_still = (col(Consent.id) == consent.id, col(Consent.used_at).is_(None), col(Consent.expires_at) > now)
    result: CursorResult[Any] = await tx.execute(  # type: ignore[assignment]  # an UPDATE gives a CursorResult
        update(Consent).where(*open_still).values(used_at=now).execution_options(synchronize_session=False)
    )
    return result.rowcount == 1
