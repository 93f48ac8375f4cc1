"""What a webhook's body is, and how it is read: one reading per kind of body, whichever API sends it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from webhooks.thumbtack.facts import Fact
from webhooks.thumbtack.payloads import events, legacy
from webhooks.thumbtack.payloads.body import VOLATILE_V4
from webhooks.thumbtack.payloads.ids import Ids


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How one kind of body is read.

    `ids` runs before the acknowledgement, `facts` after it; what `ids` refuses with a ShapeError, `facts` does too. A body
    that `facts` alone refuses was accepted: it is kept, and a person is told. `asks_known`: the answer is 202 where the
    lead is unknown. `means_again`: the same body may mean something again. `ignoring`: what does not count when two
    bodies are compared, by dotted paths. `named`: what the body says that it is, where the address does not; for a body
    that `ids` accepts.
    """

    ids: Callable[[Any], Ids]
    facts: Callable[[Any], list[Fact]]
    asks_known: bool = False
    means_again: bool = False
    ignoring: tuple[str, ...] = ()
    named: Callable[[Any], str] | None = None


def _legacy(kind: legacy.Kind, *, asks_known: bool = False, means_again: bool = False) -> Reading:
    return Reading(
        ids=lambda payload: legacy.ids(kind, payload),
        facts=lambda payload: legacy.facts(kind, payload),
        asks_known=asks_known,
        means_again=means_again,
    )


LEAD = _legacy(legacy.Kind.LEAD)
MESSAGE = _legacy(legacy.Kind.MESSAGE, asks_known=True)
LEAD_UPDATE = _legacy(legacy.Kind.LEAD_UPDATE, asks_known=True, means_again=True)
"""Messages and updates answer 202 where their lead is unknown (the Pro API's page, "Messages" and "Update Lead").
The same update may mean something again: Charged, Refunded, Charged is three changes."""

REVIEW = _legacy(legacy.Kind.REVIEW)
EVENT = Reading(ids=events.ids, facts=events.facts, ignoring=VOLATILE_V4, named=events.event_type)
"""Every event of v4: what it is stands in the body."""
