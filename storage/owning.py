"""Who of the team has a lead, and what became of it; of two who press at once one has it, and the other is told who.

Each function takes the lead as `leads.to_change` gives it, and records what happened.
"""

from dataclasses import dataclass
from datetime import datetime

from storage import leads, waiting
from storage.database import Transaction
from storage.models import Lead, LeadOutcome


@dataclass(frozen=True, kw_only=True)
class Owned:
    """What came of an attempt to change who has a lead; `before` had it until then."""

    changed: bool
    before: str | None


def claim(tx: Transaction, lead: Lead, *, user: str, now: datetime) -> Owned:
    """A person takes a lead that nobody has; one that somebody has stays theirs."""
    before = lead.owner
    if before is not None:
        return Owned(changed=False, before=before)
    lead.owner, lead.owned_at = user, now
    leads.record(tx, lead, kind="claimed", via="slack", actor=user, now=now)
    return Owned(changed=True, before=None)


def release(tx: Transaction, lead: Lead, *, user: str, now: datetime) -> Owned:
    """Nobody has the lead from now on; who may say so is decided by the caller."""
    before = lead.owner
    if before is None:
        return Owned(changed=False, before=None)
    lead.owner, lead.owned_at = None, None
    leads.record(tx, lead, kind="released", via="slack", actor=user, now=now)
    return Owned(changed=True, before=before)


def hand_over(tx: Transaction, lead: Lead, *, to: str, user: str, now: datetime) -> Owned:
    """Another person has the lead from now on."""
    before = lead.owner
    if before == to:
        return Owned(changed=False, before=before)
    lead.owner, lead.owned_at = to, now
    leads.record(tx, lead, kind="handed_over", via="slack", actor=user, now=now)
    return Owned(changed=True, before=before)


def elsewhere(tx: Transaction, lead: Lead, *, user: str, now: datetime) -> bool:
    """A person called, or answered in another way: nobody is reminded; False where nothing waited for an answer."""
    if lead.waiting_since is None and lead.first_answer_at is not None:
        return False
    leads.answered(tx, lead, actor=user, via="elsewhere", now=now)
    return True


def finish(
    tx: Transaction, lead: Lead, outcome: LeadOutcome, *, user: str, now: datetime, cents: int | None = None
) -> bool:
    """What became of a lead, and for Won perhaps what it brought, in cents; False where that was known already."""
    if (lead.outcome, lead.won_cents) == (outcome, cents):
        return False
    lead.outcome, lead.outcome_at, lead.outcome_by, lead.won_cents = outcome, now, user, cents
    waiting.ended(lead)
    leads.record(tx, lead, kind=outcome, via="slack", actor=user, now=now)
    return True


def reopen(tx: Transaction, lead: Lead, *, user: str, now: datetime) -> bool:
    """It is not over after all; False where nobody had said that it was."""
    if lead.outcome is None:
        return False
    lead.outcome = lead.outcome_at = lead.outcome_by = lead.won_cents = None
    leads.record(tx, lead, kind="reopened", via="slack", actor=user, now=now)
    return True
