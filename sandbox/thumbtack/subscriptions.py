"""v4's webhooks of a business: list, create, look at, replace, delete, and fire a test lead.

Source: Thumbtack's "Pro Profiles" page. What test-negotiation answers is not published.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.faults import Faults
from sandbox.thumbtack.admission import Admission
from sandbox.thumbtack.answering import AnswerError, Door, json_body, problem
from sandbox.thumbtack.bodies import new_id
from sandbox.thumbtack.grants import Grants
from sandbox.thumbtack.v4_bodies import iso

Json = dict[str, Any]

WEBHOOKS = "/v4/businesses/{business_id}/webhooks"
READ, WRITE = "supply::webhooks.read", "supply::webhooks.write"
EVENT_TYPES = frozenset(
    {
        "NegotiationCreatedV4",
        "MessageCreatedV4",
        "ReviewCreatedV4",
        "IncentiveUsedV4",
        "PresetJobMatchedV4",
        "PresetJobStatusChangedV4",
        "PresetJobCancelledV4",
        "PresetJobUpdatedV4",
        "PresetJobCompletedV4",
    }
)
_LOCAL = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """Where the events of a business go. `auth` is what we would show there; it is never told."""

    webhook_id: str
    business_id: str
    url: str
    event_types: tuple[str, ...]
    enabled: bool = True
    auth: dict[str, str] | None = field(default=None, repr=False)

    @property
    def auth_type(self) -> str:
        """None, Basic or CustomHeader."""
        if self.auth is None:
            return "None"
        return "Basic" if "username" in self.auth else "CustomHeader"


Deliver = Callable[[Subscription, Json], Awaitable[object]]


class Subscriptions:
    """All webhooks; `faults` are taken by the name "webhooks". `deliver` brings a body to where one leads."""

    def __init__(self, *, grants: Grants, faults: Faults, clock: Callable[[], datetime], deliver: Deliver) -> None:
        self._books: dict[str, dict[str, Subscription]] = defaultdict(dict)
        self._admission = Admission(grants)
        self._grants = grants
        self._clock = clock
        self._deliver = deliver
        door, one = Door(faults), f"{WEBHOOKS}/{{webhook_id}}"
        self.routes = [
            door.route(WEBHOOKS, "webhooks", self._list, methods=("GET",)),
            door.route(WEBHOOKS, "webhooks", self._create, methods=("POST",)),
            door.route(f"{WEBHOOKS}/test-negotiation", "webhooks", self._fire, methods=("POST",)),
            door.route(one, "webhooks", self._get, methods=("GET",)),
            door.route(one, "webhooks", self._replace, methods=("PUT",)),
            door.route(one, "webhooks", self._delete, methods=("DELETE",)),
        ]

    def of(self, business_id: str) -> list[Subscription]:
        """The webhooks of a business, oldest first."""
        return list(self._books[business_id].values())

    def wanting(self, business_id: str, event_type: str) -> list[Subscription]:
        """Those that are told of such an event, oldest first."""
        return [one for one in self.of(business_id) if one.enabled and event_type in one.event_types]

    def add(self, business_id: str, url: str, *event_types: str, auth: dict[str, str] | None = None) -> Subscription:
        """A webhook is there."""
        types = event_types or ("NegotiationCreatedV4", "MessageCreatedV4")
        made = Subscription(webhook_id=new_id(), business_id=business_id, url=url, event_types=types, auth=auth)
        return self._keep(made)

    async def _list(self, request: Request) -> Response:
        business_id = self._admission.v4_business(request, READ)
        return JSONResponse({"data": [_told(one) for one in self.of(business_id)]})

    async def _create(self, request: Request) -> Response:
        business_id = self._admission.v4_business(request, WRITE)
        made = _read(await json_body(request), webhook_id=new_id(), business_id=business_id)
        return JSONResponse(_told(self._keep(made)), 201)

    async def _get(self, request: Request) -> Response:
        return JSONResponse(_told(self._known(request, READ)))

    async def _replace(self, request: Request) -> Response:
        old = self._known(request, WRITE)
        new = _read(await json_body(request), webhook_id=old.webhook_id, business_id=old.business_id)
        return JSONResponse(_told(self._keep(new)))

    async def _delete(self, request: Request) -> Response:
        gone = self._known(request, WRITE)
        del self._books[gone.business_id][gone.webhook_id]
        return Response(status_code=204)

    async def _fire(self, request: Request) -> Response:
        business_id = self._admission.v4_business(request, WRITE)
        event_type = "NegotiationCreatedV4"
        for one in self.wanting(business_id, event_type):
            with suppress(httpx.HTTPError):  # one that is not reached has missed it
                await self._deliver(one, test_negotiation(one.webhook_id, business_id, at=self._clock()))
        return JSONResponse({})

    def _known(self, request: Request, scope: str) -> Subscription:
        business_id = self._admission.v4_business(request, scope)
        found = self._books[business_id].get(request.path_params["webhook_id"])
        if found is None:
            raise AnswerError(problem(404, "No such webhook."))
        return found

    def _keep(self, one: Subscription) -> Subscription:
        self._books[one.business_id][one.webhook_id] = one
        return one


def test_negotiation(webhook_id: str, business_id: str, *, at: datetime) -> Json:
    """The lead of a test delivery; only its names tell that it is one."""
    customer_id = new_id()
    return {
        "event": {
            "eventType": "NegotiationCreatedV4",
            "description": "",
            "webhookID": webhook_id,
            "triggeredAt": iso(at),
        },
        "data": {
            "negotiationID": new_id(),
            "createdAt": iso(at),
            "status": "Open",
            "business": {"businessID": business_id, "name": "Test Business for Webhooks"},
            "customer": {
                "customerID": customer_id,
                "firstName": "Test",
                "lastName": "Customer",
                "phone": "1234567890",
            },
            "request": {
                "requestID": new_id(),
                "customerID": customer_id,
                "description": "Need Full Service Lawn Care",
                "category": {"categoryID": "240123621172183344", "name": "Full Service Lawn Care"},
                "location": {"city": "San Francisco", "state": "CA", "zipCode": "94103"},
                "details": [{"question": "Frequency of services", "answer": "One time only"}],
            },
            "estimate": {"type": "Fixed", "pricePerUnit": "150.00", "unitQuantity": 1, "total": "$150.00"},
            "leadPrice": "$25.00",
            "chargeState": "Created",
        },
    }


def _read(body: Json, *, webhook_id: str, business_id: str) -> Subscription:
    """The webhook that a body describes; a 400 for one that Thumbtack would not take."""
    url, types, auth = body.get("webhookURL"), body.get("eventTypes"), body.get("auth")
    if not isinstance(url, str) or not _is_https(url):
        raise AnswerError(problem(400, "webhookURL must match ^https://", errors=[]))
    if not isinstance(types, list) or not types or not set(map(str, types)) <= EVENT_TYPES:
        raise AnswerError(problem(400, "eventTypes must hold known types.", errors=[]))
    if auth is not None and (
        not isinstance(auth, dict) or set(auth) not in ({"username", "password"}, {"header", "value"})
    ):
        raise AnswerError(problem(400, "auth must be username and password, or header and value.", errors=[]))
    return Subscription(
        webhook_id=webhook_id,
        business_id=business_id,
        url=url,
        event_types=tuple(types),
        enabled=body.get("enabled", True) is True,
        auth=auth,
    )


def _is_https(url: str) -> bool:
    """As Thumbtack's specification wants it; a bot on this machine may do without, so that it can be tried."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL)


def _told(one: Subscription) -> Json:
    return {
        "webhookID": one.webhook_id,
        "webhookURL": one.url,
        "enabled": one.enabled,
        "authType": one.auth_type,
        "businessID": one.business_id,
        "eventTypes": list(one.event_types),
    }
