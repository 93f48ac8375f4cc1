"""What happened on Thumbtack, as JSON that the page draws: a conversation for each lead, and the pro's businesses."""

import html
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sandbox.pages.deeds import Json
from sandbox.thumbtack import v4_bodies
from sandbox.thumbtack.grants import Generation
from sandbox.thumbtack.world import World

if TYPE_CHECKING:
    from sandbox.outside import Outside

_GENERATIONS: tuple[tuple[Generation, str], ...] = (("legacy", "Pro API"), ("v4", "newer API"))


def view(world: "Outside", as_user: str) -> Json:  # noqa: ARG001 -- every part of the page takes both; customers do not care who acts in Slack
    """All leads, the newest first, each as its customer sees it, and what is set for each business."""
    known = world.thumbtack.world
    return {
        "leads": [_lead(known, lead_id) for lead_id in reversed(known.leads)],
        "businesses": list(_businesses(world)),
    }


def _lead(world: World, lead_id: str) -> Json:
    """One conversation. `told`: whether Thumbtack has told the bot of the lead yet."""
    lead = world.leads[lead_id]
    is_v4 = world.is_v4(lead_id)
    return {
        "id": lead_id,
        "v4": is_v4,
        "told": lead_id not in world.untold,
        "customer": world.customer_name(lead_id) or "A customer",
        "phone": (lead.get("customer") or {}).get("phone"),
        "business": (lead.get("business") or {}).get("name"),
        "cost": lead.get("leadPrice"),
        "charge": lead.get("chargeState"),
        **_request(lead),
        "price": _estimate(lead) if is_v4 else lead.get("price"),
        "written": sorted(_written(world, lead_id), key=lambda one: (one["at"], one["id"])),
    }


def _request(lead: Json) -> Json:
    """What was asked for, in the words of either API."""
    request = lead.get("request") or {}
    category = request.get("category")
    return {
        "what": _words(category.get("name") if isinstance(category, dict) else category) or "Something",
        "about": _words(request.get("description")),
        "where": _place(request.get("location") or {}),
        "when": _words(request.get("schedule")),
        "times": list(_times(request)),
        "answers": [
            {"question": _words(one.get("question")), "answer": _words(one.get("answer"))}
            for one in request.get("details") or ()
        ],
        "photos": [
            {"name": _words(one.get("fileName")), "title": _words(one.get("description"))}
            for one in request.get("attachments") or ()
        ],
    }


def _words(told: object) -> str:
    """A text of Thumbtack's, which may be anything where somebody played it by hand, and holds entities of HTML."""
    return html.unescape(str(told or ""))


def _place(location: Json) -> str:
    parts = (location.get(part) for part in ("address1", "address2", "city", "state", "zipCode"))
    return ", ".join(_words(part) for part in parts if part)


def _times(request: Json) -> Iterator[Json]:
    """The windows that a customer proposed, or the time they booked, as instants."""
    for window in request.get("proposedTimes") or ():
        yield {"start": _words(window.get("start")), "end": window.get("end")}
    if booking := request.get("booking"):
        yield {"start": _words(booking.get("start")), "end": None}


def _estimate(lead: Json) -> str | None:
    total = (lead.get("estimate") or {}).get("total")
    return str(total) if total else None


def _written(world: World, lead_id: str) -> Iterator[Json]:
    """All that either side wrote; `by` the "customer", the "bot" (by the API), somebody in Thumbtack's "app", or a "review"."""
    for asked in world.asked:
        if asked.lead_id == lead_id:
            yield _message(asked.message_id, asked.text, asked.at, by="customer")
    for by, sent in (("bot", world.sent), ("app", world.typed)):
        for one in sent:
            if one.lead_id == lead_id:
                yield _message(one.message_id, one.text, one.at, by=by)
    for review in world.reviews:
        if lead_id in (review.get("leadID"), review.get("negotiationID")):
            yield _review(review)


def _message(message_id: str, text: str, at: datetime, *, by: str) -> Json:
    return {"id": message_id, "text": text, "at": v4_bodies.iso(at), "by": by}


def _review(review: Json) -> Json:
    """A review in the words of either API; the Pro API counts milliseconds."""
    created = review["createTime"]
    at = created if "reviewText" in review else v4_bodies.iso(datetime.fromtimestamp(int(created) / 1000, UTC))
    stars = str(review["rating"]).partition(".")[0]
    rating = max(0, min(5, int(stars))) if stars.isdecimal() else 0
    text = _words(review.get("text", review.get("reviewText")))
    return {"id": str(review["reviewID"]), "text": text, "at": at, "by": "review", "rating": rating}


def _businesses(world: "Outside") -> Iterator[Json]:
    """Each with the APIs that a pro allowed, and whether new leads come (None: nobody set it)."""
    thumbtack = world.thumbtack
    for business in thumbtack.grants.businesses.values():
        yield {
            "id": business.business_id,
            "name": business.name,
            "allowed": [
                name
                for generation, name in _GENERATIONS
                if any(business.business_id in one.businesses for one in thumbtack.grants.live(generation))
            ],
            "leads_come": thumbtack.targeting.get((business.business_id, None)),
        }
