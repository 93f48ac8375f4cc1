"""The endpoints of the Pro API (v1) that the bot calls, refusing what the real one refuses.

Source: the Pro API's page, "Thumbtack Endpoints", "Create Test Data on Thumbtack" and "Errors". What an error's body
looks like there is not published; here it is the problem of Thumbtack's newer API, with a trace id.
"""

import asyncio
import base64
import binascii
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from sandbox.faults import CutResponse, Fault, Faults
from sandbox.thumbtack import bodies
from sandbox.thumbtack.world import World

LONGEST_TEXT = 16_384  # of a message, in characters

_TITLES = {
    400: "Your request is not valid.",
    401: "Your credentials are not valid.",
    404: "The requested resource was not found.",
    429: "You made too many requests, too quickly.",
    500: "We had a problem with our server. Try again later.",
    503: "We're temporarily unavailable to serve your request. Please try again later.",
}

Handler = Callable[[Request], Awaitable[Response]]


class ProApi:
    """The v1 endpoints; `faults` are taken by the names "message" and "create-lead"."""

    def __init__(self, *, username: str, password: str, world: World, faults: Faults) -> None:
        self._expected = f"{username}:{password}".encode()
        self._world = world
        self._faults = faults
        self.routes = [
            self._route("/v1/business/{business_id}/lead/{lead_id}/message", "message", self._message),
            self._route("/v1/test/create-lead", "create-lead", self._create_lead),
        ]

    def _route(self, path: str, target: str, handler: Handler) -> Route:
        async def endpoint(request: Request) -> Response:
            return await _failing(self._faults.take(target), lambda: self._admitted(request, handler))

        return Route(path, endpoint, methods=["POST"])

    async def _admitted(self, request: Request, handler: Handler) -> Response:
        """Answer as everything here does first: credentials, then the content type."""
        if not secrets.compare_digest(_basic(request), self._expected):
            return problem(401, headers={"WWW-Authenticate": "Basic"})
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return problem(400, "Content-Type must be application/json.")
        return await handler(request)

    async def _message(self, request: Request) -> Response:
        body = await json_object(request)
        text = body.get("text") if body is not None else None
        if not isinstance(text, str) or not 1 <= len(text) <= LONGEST_TEXT:
            return problem(400, f"text must be 1 to {LONGEST_TEXT} characters.")
        business_id, lead_id = request.path_params["business_id"], request.path_params["lead_id"]
        if not self._world.knows(business_id, lead_id):
            return problem(404, "No such lead.")
        await self._world.receive(business_id=business_id, lead_id=lead_id, text=text)
        return JSONResponse({"status": "success"})

    async def _create_lead(self, request: Request) -> Response:
        body = await json_object(request)
        if body is None:
            return problem(400, "The body must be a JSON object, an empty one if there is no businessID.")
        made = bodies.lead(business={"businessID": str(body.get("businessID", bodies.new_id()))})
        self._world.remember(made)
        return JSONResponse(made)


def problem(status: int, detail: str | None = None, *, headers: dict[str, str] | None = None) -> JSONResponse:
    """An error as Thumbtack words it."""
    content = {"type": "about:blank", "title": _TITLES.get(status, "Error"), "status": status}
    content |= {"traceID": secrets.token_hex(8)} | ({"detail": detail} if detail else {})
    return JSONResponse(content, status, headers)


async def json_object(request: Request) -> dict[str, Any] | None:
    """The body of a request, None unless it is a JSON object."""
    try:
        body = await request.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _basic(request: Request) -> bytes:
    """What stands in `Authorization: Basic`, decoded; empty where nothing readable does."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    try:
        return base64.b64decode(value, validate=True) if scheme.lower() == "basic" else b""
    except (binascii.Error, ValueError):
        return b""


async def _failing(fault: Fault | None, work: Callable[[], Awaitable[Response]]) -> Response:
    """Do the work and answer, unless a fault says otherwise."""
    if fault is None:
        return await work()
    if fault.cut or fault.status is not None:
        await asyncio.sleep(fault.delay)
        return CutResponse() if fault.cut else _answer_of(fault)
    response = await work()
    await asyncio.sleep(fault.delay)
    return CutResponse() if fault.lose_answer else response


def _answer_of(fault: Fault) -> Response:
    status = fault.status or 200
    if isinstance(fault.body, str | bytes):
        return HTMLResponse(fault.body, status, fault.headers)
    if fault.body is None and status >= 400:
        return problem(status, headers=fault.headers)
    return JSONResponse(fault.body, status, fault.headers)
