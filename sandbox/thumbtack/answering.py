"""How every endpoint of the stand-in answers: failures on request first, and errors as Thumbtack words them."""

import base64
import binascii
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from sandbox.faults import CutResponse, Fault, Faults, hold

_TITLES = {
    400: "Your request is not valid.",
    401: "Your credentials are not valid.",
    403: "You are not allowed to do this.",
    404: "The requested resource was not found.",
    409: "Your request conflicts with the current state.",
    429: "You made too many requests, too quickly.",
    500: "We had a problem with our server. Try again later.",
    502: "The service behind us did not answer.",
    503: "We're temporarily unavailable to serve your request. Please try again later.",
}

Handler = Callable[[Request], Awaitable[Response]]


class AnswerError(Exception):
    """The work ends with this answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class Door:
    """Makes routes that fail on request and answer what handlers raise."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def route(self, path: str, target: str, handler: Handler, *, methods: Sequence[str] = ("POST",)) -> Route:
        """An endpoint whose failures go by the name `target`."""

        async def endpoint(request: Request) -> Response:
            await request.body()
            return await _failing(request, self._faults.take(target), handler)

        return Route(path, endpoint, methods=list(methods))


def problem(
    status: int, detail: str | None = None, *, headers: dict[str, str] | None = None, **more: Any
) -> JSONResponse:
    """An error as Thumbtack words it (its "Troubleshooting" page); `more`: further members."""
    content: dict[str, Any] = {"type": "about:blank", "title": _TITLES.get(status, "Error"), "status": status}
    content |= {"traceID": secrets.token_hex(8)} | ({"detail": detail} if detail else {}) | more
    return JSONResponse(content, status, headers)


async def json_object(request: Request) -> dict[str, Any] | None:
    """The body of a request, None unless it is a JSON object."""
    try:
        body = await request.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


async def json_body(request: Request) -> dict[str, Any]:
    """The JSON object in a request that says it is JSON; both generations want that, and anything else is a 400."""
    if not is_media_type(request, "application/json"):
        raise AnswerError(problem(400, "Content-Type must be application/json."))
    body = await json_object(request)
    if body is None:
        raise AnswerError(problem(400, "The body must be a JSON object."))
    return body


async def form(request: Request) -> dict[str, str]:
    """The fields of a form; the first of several with one name."""
    return {name: values[0] for name, values in (await form_lists(request)).items()}


async def form_lists(request: Request) -> dict[str, list[str]]:
    """The fields of a form, each with all its values."""
    return parse_qs((await request.body()).decode(errors="replace"), keep_blank_values=True)


def is_media_type(request: Request, media_type: str) -> bool:
    """Whether the request's body says it is of this type, whatever its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == media_type


def basic(request: Request) -> bytes:
    """What stands in `Authorization: Basic`, decoded; empty where nothing readable does."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    try:
        return base64.b64decode(value, validate=True) if scheme.lower() == "basic" else b""
    except (binascii.Error, ValueError):
        return b""


def bearer(request: Request) -> str:
    """The token in `Authorization: Bearer`; empty where there is none."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


async def _failing(request: Request, fault: Fault | None, handler: Handler) -> Response:
    """Do the work and answer, unless a fault says otherwise."""
    if fault is not None and fault.instead:
        await hold(request, fault.delay)
        return CutResponse() if fault.cut else _answer_of(fault)
    try:
        response = await handler(request)
    except AnswerError as refused:
        response = refused.response
    if fault is None:
        return response
    await hold(request, fault.delay)
    if fault.lose_answer:
        return CutResponse()
    return response if fault.status is None else _answer_of(fault)


def _answer_of(fault: Fault) -> Response:
    status = fault.status or 200
    if isinstance(fault.body, str | bytes):
        return HTMLResponse(fault.body, status, fault.headers)
    if fault.body is None and status >= 400:
        return problem(status, headers=fault.headers)
    return JSONResponse(fault.body, status, fault.headers)
