"""The events that v4 pushes: an envelope that names the event, and the lead, message or review it is about.

Source: the OpenAPI description's `webhooks` and Thumbtack's pages "Manage Webhooks" and "Self-Serve Webhooks". All
events come to one address; what is not known yet is kept and answered like the rest.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from webhooks.thumbtack.facts import Fact, Generation, OtherEvent
from webhooks.thumbtack.payloads import v4
from webhooks.thumbtack.payloads.extra import jsonb_safe
from webhooks.thumbtack.payloads.ids import Ids, child, read_id, required_id

_LONGEST_TYPE = 100


@dataclass(frozen=True, kw_only=True)
class Event:
    """One kind of event: the id of its object, and how it is read."""

    object_id: str
    read: Callable[[Any], Fact]


_LEAD = Event(object_id="negotiationID", read=v4.read_negotiation)
_MESSAGE = Event(object_id="messageID", read=v4.read_message)
_REVIEW = Event(object_id="reviewID", read=v4.read_review)

EVENTS: Mapping[str, Event] = {
    "NegotiationCreatedV4": _LEAD,
    "MessageCreatedV4": _MESSAGE,
    "MessageCreated": _MESSAGE,  # as older copies of Thumbtack's pages call it
    "MessageSentV4": _MESSAGE,  # as the OpenAPI description calls it; the wire says MessageCreatedV4
    "ReviewCreatedV4": _REVIEW,
}


def ids(payload: Any) -> Ids:
    """The ids in an event, by plain look-ups: this runs before every acknowledgement.

    Raises ShapeError where there is no `event.eventType`, or where an event of `EVENTS` lacks the id of its object. An
    event that is not known needs no id.
    """
    kind, data = event_type(payload), child(payload, "data")
    known = EVENTS.get(kind)
    lead_id = read_id(data.get("negotiationID"))
    business_id = read_id(child(data, "business").get("businessID"))
    if known is None:
        return Ids(object_id=lead_id or kind, lead_id=lead_id, business_id=business_id)
    return Ids(object_id=required_id(data.get(known.object_id)), lead_id=lead_id, business_id=business_id)


def facts(payload: Any) -> list[Fact]:
    """What an event says. Raises ShapeError when `ids` does and where a message does not name its lead; nothing else."""
    kind = event_type(payload)
    known = EVENTS.get(kind)
    if known is not None:
        return [known.read(child(payload, "data"))]
    extra = {"event": payload["event"], "data": payload.get("data")}
    lead_id = ids(payload).lead_id
    return [OtherEvent(generation=Generation.V4, event_type=kind, lead_id=lead_id, extra=jsonb_safe(extra))]


def event_type(payload: Any) -> str:
    """What kind of event it is; ShapeError where it does not say."""
    return required_id(child(payload, "event").get("eventType"))[:_LONGEST_TYPE]
