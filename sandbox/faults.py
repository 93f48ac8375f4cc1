"""Named ways in which a stand-in fails on request, once or several times, as the real services were seen to fail."""

import asyncio
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One failure of one call.

    `status`/`body`/`headers`: answered instead of working; with `done` the work is done all the same. `lose_answer`: the
    work is done, then the connection is cut. `cut`: the connection is cut and nothing is done. `delay`: seconds to wait
    before answering.
    """

    status: int | None = None
    body: Any = None  # bytes or str are sent as they are (text/html), anything else as JSON
    headers: dict[str, str] = field(default_factory=dict)
    lose_answer: bool = False
    cut: bool = False
    done: bool = False
    delay: float = 0.0

    @property
    def instead(self) -> bool:
        """True when the call's work is not done at all."""
        return self.cut or (self.status is not None and not self.done)

    def response(self) -> Response:
        """What goes over the wire in place of the answer."""
        if self.cut or self.lose_answer:
            return CutResponse()
        status = self.status or 200
        if self.body is None or isinstance(self.body, str | bytes):
            return HTMLResponse(self.body or b"", status, self.headers)
        return JSONResponse(self.body, status, self.headers)


class Faults:
    """What shall go wrong next, per target (a Slack method, a Thumbtack call; "*" is any)."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Fault]] = defaultdict(deque)
        self._standing: dict[str, Fault] = {}
        self.happened: Counter[str] = Counter()
        """How many calls of each target failed so far."""

    def add(self, target: str, fault: Fault, *, times: int = 1) -> None:
        """Let the next `times` calls of `target` fail so."""
        self._waiting[target].extend([fault] * times)

    def stand(self, target: str, fault: Fault) -> None:
        """Let every call of `target` fail so until `clear`."""
        self._standing[target] = fault

    def stands(self, target: str) -> bool:
        """Whether every call of `target` fails until `clear`."""
        return target in self._standing

    def waits(self, target: str) -> bool:
        """Whether the next call of `target` fails."""
        return bool(self._waiting.get(target))

    def clear(self, target: str | None = None) -> None:
        """`target` works again; without it, everything does."""
        if target is not None:
            self._waiting.pop(target, None)
            self._standing.pop(target, None)
            return
        self._waiting.clear()
        self._standing.clear()

    def take(self, target: str) -> Fault | None:
        """The failure for a call of `target` that is being answered now, if any."""
        fault = self._next(target)
        if fault is not None:
            self.happened[target] += 1
        return fault

    def _next(self, target: str) -> Fault | None:
        for name in (target, "*"):
            if waiting := self._waiting.get(name):
                return waiting.popleft()
            if name in self._standing:
                return self._standing[name]
        return None


async def hold(request: Request, seconds: float) -> None:
    """Wait `seconds` before answering, but no longer than the caller does; the request's body must have been read."""
    if not seconds:
        return
    gone = asyncio.ensure_future(request.receive())
    await asyncio.wait({gone}, timeout=seconds)
    gone.cancel()


class CutResponse(Response):
    """An answer that never arrives: fewer bytes than announced, then the server closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Announce a body and stop: uvicorn drops a connection whose answer was left unfinished."""
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000000")]})
        await send({"type": "http.response.body", "body": b"", "more_body": True})
