"""The v4 endpoints about the pro, leads, messages and reviews.

Sources: Thumbtack's pages "Pro Profiles", "Users", "Messages", "Negotiations" and "Reviews" of its v4 documentation.
"""

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.faults import Faults
from sandbox.thumbtack.admission import Admission
from sandbox.thumbtack.answering import AnswerError, Door, json_body, problem
from sandbox.thumbtack.grants import Grant, Grants
from sandbox.thumbtack.pro_api import text_of
from sandbox.thumbtack.v4_bodies import iso
from sandbox.thumbtack.world import Sent, World

Json = dict[str, Any]

NEGOTIATION = "/v4/negotiations/{negotiation_id}"
PICTURE = "https://www.example.com/business.png"


class PartnerApi:
    """What is not about phones and webhooks; `faults`: "businesses", "self", "message", "messages", "negotiation", "reviews"."""

    def __init__(self, *, world: World, grants: Grants, faults: Faults) -> None:
        self._world = world
        self._grants = grants
        self._admission = Admission(grants)
        door, get = Door(faults), ("GET",)
        self.routes = [
            door.route("/v4/businesses", "businesses", self._businesses, methods=get),
            door.route("/v4/users/self", "self", self._self, methods=get),
            door.route(f"{NEGOTIATION}/messages", "message", self._send, methods=("POST",)),
            door.route(f"{NEGOTIATION}/messages", "messages", self._messages, methods=get),
            door.route(NEGOTIATION, "negotiation", self._negotiation, methods=get),
            door.route("/v4/businesses/{business_id}/reviews", "reviews", self._reviews, methods=get),
        ]

    async def _businesses(self, request: Request) -> Response:
        grant = self._admission.v4(request, "supply::businesses.list")
        limit, offset = _number(request, "limit", 20, most=100), _number(request, "offset", 0)
        page = grant.businesses[offset : offset + limit]
        return JSONResponse({"data": [self._business(one) for one in page], "pagination": {"limit": limit}})

    def _business(self, business_id: str) -> Json:
        return {
            "businessID": business_id,
            "name": self._grants.name_of(business_id),
            "imageURL": PICTURE,
        }

    async def _self(self, request: Request) -> Response:
        self._admission.v4(request, "supply::users.read")
        return JSONResponse({"userID": "1337", "email": "pro@example.com", "firstName": "Robin", "lastName": "Oak"})

    async def _send(self, request: Request) -> Response:
        grant = self._admission.v4(request, "supply::messages.write")
        text = text_of(await json_body(request))
        lead_id, business_id = self._lead(request, grant)
        sent = await self._world.receive(business_id=business_id, lead_id=lead_id, text=text, via="v4")
        return JSONResponse(self._from_business(sent), 201)

    async def _messages(self, request: Request) -> Response:
        grant = self._admission.v4(request, "supply::messages.read")
        lead_id, _ = self._lead(request, grant)
        limit = _number(request, "limit", 10, most=20)
        before, after = _time(request, "sentBefore"), _time(request, "sentAfter")
        found = sorted((one for one in self._written(lead_id)), key=lambda one: one[0], reverse=True)
        shown = [
            one for at, one in found if (before is None or at < before) and (after is None or at > after)
        ]  # newest first, as the page's sample reads
        return JSONResponse({"data": shown[:limit], "pagination": {"limit": limit}})

    async def _negotiation(self, request: Request) -> Response:
        grant = self._admission.v4(request, "supply::negotiations.read")
        lead_id, business_id = self._lead(request, grant)
        return JSONResponse(negotiation(self._world.leads.get(lead_id, {}), lead_id, self._business(business_id)))

    async def _reviews(self, request: Request) -> Response:
        grant = self._admission.v4(request)  # which scope it wants is not published
        business_id = request.path_params["business_id"]
        if business_id not in grant.businesses:
            return problem(404, "No such business.")
        limit, offset = _number(request, "limit", 10, most=100), _number(request, "offset", 0)
        found = [_review(one) for one in self._world.reviews if str(one.get("businessID")) == business_id]
        page = {"limit": limit, "offset": offset}
        return JSONResponse({"data": found[offset : offset + limit], "pagination": page})

    def _lead(self, request: Request, grant: Grant) -> tuple[str, str]:
        """The lead in the path and its business, which the token must be for: 404 otherwise."""
        lead_id: str = request.path_params["negotiation_id"]
        business_id = self._world.party_id(lead_id, "business") or next(iter(grant.businesses), "")
        if business_id not in grant.businesses or not self._world.knows(business_id, lead_id):
            raise AnswerError(problem(404, "No such negotiation."))
        return lead_id, business_id

    def _written(self, lead_id: str) -> list[tuple[datetime, Json]]:
        """Every message of a lead, with its time."""
        ours = (*self._world.sent, *self._world.typed)
        mine = [(one.at, self._from_business(one)) for one in ours if one.lead_id == lead_id]
        name = self._world.customer_name(lead_id) or "Customer"
        customer = {"customerID": self._world.party_id(lead_id, "customer") or "", "displayName": name}
        return mine + [
            (one.at, _message(one.message_id, lead_id, one.text, one.at) | {"from": "Customer", "customer": customer})
            for one in self._world.asked
            if one.lead_id == lead_id
        ]

    def _from_business(self, sent: Sent) -> Json:
        business = {"businessID": sent.business_id, "displayName": self._grants.name_of(sent.business_id)}
        return _message(sent.message_id, sent.lead_id, sent.text, sent.at) | {"from": "Business", "business": business}


def negotiation(lead: Json, lead_id: str, business: Json) -> Json:
    """A lead as v4 shows it: one that v4 pushed in those words, any other in those of its page's sample."""
    if "negotiationID" in lead:
        return lead
    request, customer = lead.get("request") or {}, lead.get("customer") or {}
    return {
        "negotiationID": lead_id,
        "status": "Open",
        "category": {"categoryID": request.get("categoryID", ""), "name": request.get("category", "")},
        "customer": {
            "customerID": customer.get("customerID", ""),
            "displayName": customer.get("name", ""),
            "location": request.get("location", {}),
        },
        "business": {"businessID": business["businessID"], "name": business["name"]},
        "details": request.get("details", []),
        "createTime": iso(datetime.fromtimestamp(int(lead.get("createTimestamp") or 0), UTC)),
    }


def _message(message_id: str, lead_id: str, text: str, at: datetime) -> Json:
    return {"messageID": message_id, "negotiationID": lead_id, "text": text, "attachments": [], "sentAt": iso(at)}


def _review(pushed: Json) -> Json:
    """A review as v4 lists it."""
    if "reviewText" in pushed:
        return {name: value for name, value in pushed.items() if name != "businessID"}
    created = datetime.fromtimestamp(int(pushed["createTime"]) / 1000, UTC)
    return {
        "reviewID": pushed["reviewID"],
        "reviewText": pushed["text"],
        "rating": int(pushed["rating"]),
        "createTime": iso(created),
        "reviewerName": pushed.get("reviewerNickname"),
        "negotiationID": pushed.get("leadID"),
        "categoryID": pushed.get("categoryID"),
        "images": [],
    }


def _number(request: Request, name: str, default: int, *, most: int | None = None) -> int:
    """A count in the query; a 400 for what is none."""
    given = request.query_params.get(name, str(default))
    if not given.isdecimal() or (most is not None and not 1 <= int(given) <= most):
        raise AnswerError(problem(400, f"{name} is not valid."))
    return int(given)


def _time(request: Request, name: str) -> datetime | None:
    """A date-time in the query; a 400 for what is none."""
    given = request.query_params.get(name)
    if given is None:
        return None
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        raise AnswerError(problem(400, f"{name} is not a date-time.")) from None
    if at.tzinfo is None:
        raise AnswerError(problem(400, f"{name} has no time zone."))
    return at
