"""How a lead stands with the team, told from its row alone."""

from enum import StrEnum

from storage.models import Lead, LeadOutcome

OVER = frozenset({"canceled", "cancelled"})
"""What v4 calls a request that came to its end without us. It publishes no list of what else it says."""


class LeadState(StrEnum):
    """How a lead stands; each is what people read on its card."""

    NEW = "New"
    CLAIMED = "Claimed"
    ANSWERED = "Answered"
    WAITING = "Waiting for us"
    WON = "Won"
    LOST = "Lost"
    CLOSED = "Closed"


FINISHED = frozenset({LeadState.WON, LeadState.LOST, LeadState.CLOSED})
QUIET = frozenset({LeadState.LOST, LeadState.CLOSED})
"""Where nobody is reminded: a thank-you after the end needs no answer."""

_BY_OUTCOME = {
    LeadOutcome.WON: LeadState.WON,
    LeadOutcome.LOST: LeadState.LOST,
    LeadOutcome.CLOSED: LeadState.CLOSED,
}


def of(lead: Lead) -> LeadState:
    """What the team said became of it; else whether Thumbtack ended it; else who has to do something."""
    if lead.outcome is not None:
        return _BY_OUTCOME[LeadOutcome(lead.outcome)]
    if (lead.status or "").casefold() in OVER:
        return LeadState.CLOSED
    if lead.first_answer_at is not None:
        return LeadState.ANSWERED if lead.waiting_since is None else LeadState.WAITING
    return LeadState.NEW if lead.owner is None else LeadState.CLAIMED
