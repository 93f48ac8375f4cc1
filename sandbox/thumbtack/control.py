"""A remote control for the stand-in: everything it can play and tell, for curl.

    POST   /control/lead      any fields of a lead, merged into a made-up one; answers with its id
    POST   /control/message   {"text": …, "lead_id": …}
    POST   /control/price     {"price": "$26.00", "state": "Charged", "lead_id": …}
    POST   /control/review    {"rating": "5", "text": …, "lead_id": …}   lead_id null: an unverified review
    POST   /control/v4/lead     as v4 tells it: any fields of its lead; "lead_id" of one that /v4/request made
    POST   /control/v4/request  likewise, but the bot is not told yet; /v4/change: it is otherwise from now on
    POST   /control/v4/message  {"text": …, "lead_id": …, "sender": "Customer", or "Business": typed in Thumbtack's app}
    POST   /control/v4/review   {"rating": 5, "text": …, "lead_id": …}
    POST   /control/v4/event    {"eventType": …, "data": {…}}   anything else
    GET    /control/received  what customers received; ?lead_id=… for one of them
    GET    /control/pro       what the pro allowed and what was set: consents, targeting, phone numbers, webhooks
    POST   /control/business  {"business_id": …, "name": …}   the pro has one business more
    POST   /control/scopes    {"legacy": ["messages"]}   the next consents grant these, whatever is asked for
    POST   /control/expire    every access token expires now
    POST   /control/revoke    {"generation": "legacy", "business_id": …}   no refresh works any more; nothing: of any
    POST   /control/faults    {"target": "message", "status": 503, "times": 2}, or "standing": true, until DELETE
    DELETE /control/faults    everything works again

Without `lead_id` it is the lead that came last. `"staging": true` plays Thumbtack's test environment; under /v4,
`"manner"` ("basic", "bearer", "header", "none") says how a pro's own webhook is called.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import httpx
from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.faults import Fault
from sandbox.thumbtack import control_v4
from sandbox.thumbtack.control_v4 import Mistake, Play

if TYPE_CHECKING:
    from sandbox.thumbtack.stand_in import ThumbtackStandIn  # it imports us

Asked = dict[str, Any]
M = TypeVar("M", bound=BaseModel)


class _FaultOrder(BaseModel):
    """A `Fault` and where and how often it shall happen."""

    target: str = "*"
    times: int = 1
    standing: bool = False
    status: int | None = Field(None, ge=200, le=599)
    body: Any = None
    headers: dict[str, str] = Field(default_factory=dict)
    lose_answer: bool = False
    cut: bool = False
    done: bool = False
    delay: float = 0.0


class _Business(BaseModel):
    """A business that the pro has."""

    business_id: str = Field(min_length=1)
    name: str = Field(min_length=1)


class _Scopes(BaseModel):
    """What the next consents grant, per API."""

    legacy: tuple[str, ...] | None = None
    v4: tuple[str, ...] | None = None


class _Revocation(BaseModel):
    """Whose tokens are revoked."""

    generation: Literal["legacy", "v4"] | None = None
    business_id: str | None = None


def control_routes(stand_in: "ThumbtackStandIn") -> list[Route]:
    """The routes of the remote control, to be mounted under /control."""
    control = _Control(stand_in)
    v4 = [Route(path, control.playing(play), methods=["POST"]) for path, play in control_v4.plays(stand_in).items()]
    return [
        *v4,
        Route("/lead", control.playing(control.lead), methods=["POST"]),
        Route("/message", control.playing(control.message), methods=["POST"]),
        Route("/price", control.playing(control.price), methods=["POST"]),
        Route("/review", control.playing(control.review), methods=["POST"]),
        Route("/received", control.received, methods=["GET"]),
        Route("/pro", control.pro, methods=["GET"]),
        Route("/business", control.add_business, methods=["POST"]),
        Route("/scopes", control.grant_scopes, methods=["POST"]),
        Route("/expire", control.expire, methods=["POST"]),
        Route("/revoke", control.revoke, methods=["POST"]),
        Route("/faults", control.add_fault, methods=["POST"]),
        Route("/faults", control.clear_faults, methods=["DELETE"]),
    ]


def _ordering(
    model: type[M],
) -> Callable[[Callable[["_Control", M], None]], Callable[["_Control", Request], Awaitable[Response]]]:
    """Makes an endpoint of a method that does what a body of this shape orders; the order is told back."""

    def decorate(do: Callable[["_Control", M], None]) -> Callable[["_Control", Request], Awaitable[Response]]:
        async def endpoint(control: "_Control", request: Request) -> Response:
            try:
                order = model.model_validate(await _asked(request))
            except (Mistake, ValidationError) as mistake:
                return JSONResponse({"error": str(mistake)}, 400)
            do(control, order)
            return JSONResponse(order.model_dump())

        return endpoint

    return decorate


class _Control:
    def __init__(self, stand_in: "ThumbtackStandIn") -> None:
        self._stand_in = stand_in

    def playing(self, play: Play) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint that plays and answers what the bot answered; null where it was not told."""

        async def endpoint(request: Request) -> Response:
            try:
                answer = await play(await _asked(request))
            except (Mistake, LookupError) as mistake:
                return JSONResponse({"error": str(mistake)}, 400)
            except httpx.HTTPError as error:
                return JSONResponse({"error": f"The bot could not be reached: {error}"}, 502)
            told = {"bot_status": answer and answer.status_code, "bot_answer": answer and answer.text}
            return JSONResponse({"lead_id": self._stand_in.last_lead_id} | told)

        return endpoint

    async def lead(self, asked: Asked) -> httpx.Response:
        return await self._stand_in.lead(
            staging=_staging(asked), **{key: value for key, value in asked.items() if key != "staging"}
        )

    async def message(self, asked: Asked) -> httpx.Response:
        text = str(asked.get("text", "Are you still available?"))
        return await self._stand_in.message(self._lead_of(asked), text, staging=_staging(asked))

    async def price(self, asked: Asked) -> httpx.Response:
        price, state = asked.get("price", "$26.00"), asked.get("state", "Charged")
        return await self._stand_in.price(self._lead_of(asked), price, state, staging=_staging(asked))

    async def review(self, asked: Asked) -> httpx.Response:
        unverified = "lead_id" in asked and asked["lead_id"] is None
        rating, text = str(asked.get("rating", "5")), str(asked.get("text", "Great work, would hire again."))
        return await self._stand_in.review(
            None if unverified else self._lead_of(asked), rating, text, staging=_staging(asked)
        )

    async def received(self, request: Request) -> Response:
        wanted = request.query_params.get("lead_id")
        heard = [one for one in self._stand_in.sent if wanted in (None, one.lead_id)]
        return JSONResponse({"received": [asdict(one) | {"at": one.at.isoformat()} for one in heard]})

    async def pro(self, _: Request) -> Response:
        stand_in, grants = self._stand_in, self._stand_in.grants
        owned = grants.businesses
        told = {
            "businesses": {one.business_id: one.name for one in owned.values()},
            "consents": [asdict(one) for one in grants.consents],
            "targeting": [asdict(one) | {"at": one.at.isoformat()} for one in stand_in.targeting_calls],
            "phones": {one: [phone.number for phone in stand_in.phones(one) if not phone.is_deleted] for one in owned},
            "webhooks": {one: [each.url for each in stand_in.subscriptions.of(one)] for one in owned},
        }
        return JSONResponse(told)

    @_ordering(_Business)
    def add_business(self, order: _Business) -> None:
        self._stand_in.grants.add_business(order.business_id, order.name)

    @_ordering(_Scopes)
    def grant_scopes(self, order: _Scopes) -> None:
        self._stand_in.grants.granted_scopes |= {name: scopes for name, scopes in order if scopes is not None}

    async def expire(self, _: Request) -> Response:
        self._stand_in.grants.expire_access_tokens()
        return JSONResponse({})

    @_ordering(_Revocation)
    def revoke(self, order: _Revocation) -> None:
        self._stand_in.grants.revoke(order.generation, order.business_id)

    @_ordering(_FaultOrder)
    def add_fault(self, order: _FaultOrder) -> None:
        fault = Fault(**order.model_dump(exclude={"target", "times", "standing"}))
        if order.standing:
            self._stand_in.faults.stand(order.target, fault)
        else:
            self._stand_in.faults.add(order.target, fault, times=order.times)

    async def clear_faults(self, _: Request) -> Response:
        self._stand_in.faults.clear()
        return JSONResponse({})

    def _lead_of(self, asked: Asked) -> str:
        lead_id = asked.get("lead_id") or self._stand_in.last_lead_id
        if lead_id is None:
            raise Mistake("There is no lead yet: POST one to /control/lead first, or name a lead_id.")
        return str(lead_id)


def _staging(asked: Asked) -> bool:
    return asked.get("staging") is True


async def _asked(request: Request) -> Asked:
    """The JSON object in a request; nothing at all counts as an empty one."""
    if not await request.body():
        return {}
    try:
        asked = await request.json()
    except ValueError:
        raise Mistake("The body is not JSON.") from None
    if not isinstance(asked, dict):
        raise Mistake("The body is not a JSON object.")
    return asked
