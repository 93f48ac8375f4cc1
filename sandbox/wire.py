"""What goes over the wire between the bot and the stand-ins: who called whom, where, and the answer's status; never the words."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BOT, SLACK, THUMBTACK = "Corkboard", "Slack", "Thumbtack"
REMEMBERED = 60  # calls

IDLE = 1.0
"""Seconds that a connection to the bot is kept for the next call: well under the 5 s after which uvicorn closes it. A call on a
connection that is just being closed would be lost."""

_APIS = {
    "/slack/api/": SLACK,
    "/slack/response/": SLACK,
    "/thumbtack/legacy/": THUMBTACK,
    "/thumbtack/api/": THUMBTACK,
    "/thumbtack/oauth2/token": THUMBTACK,
}


@dataclass(frozen=True, kw_only=True)
class Went:
    """One call. `status`: None where no whole answer arrived."""

    number: int
    at: datetime
    caller: str
    called: str
    method: str
    path: str
    status: int | None


class Wire:
    """Remembers the last calls in both directions."""

    def __init__(self, *, clock: Callable[[], datetime], changed: Callable[[], None]) -> None:
        self.calls: deque[Went] = deque(maxlen=REMEMBERED)
        self._clock = clock
        self._changed = changed
        self._count = 0

    def client(self, caller: str) -> httpx.AsyncClient:
        """A client for what `caller` tells the bot."""
        return httpx.AsyncClient(transport=_Watched(self, caller), trust_env=False)

    def touched(self) -> None:
        """Somebody was at a page or a remote control, which may have changed anything."""
        self._changed()

    def went(self, *, caller: str, called: str, method: str, path: str, status: int | None) -> None:
        """A call was made, and answered or not."""
        self._count += 1
        self.calls.append(
            Went(
                number=self._count,
                at=self._clock(),
                caller=caller,
                called=called,
                method=method,
                path=path,
                status=status,
            )
        )
        self._changed()


class Watching:
    """ASGI middleware around both stand-ins: the bot's calls of their APIs are remembered."""

    def __init__(self, app: ASGIApp, wire: Wire) -> None:
        self._app = app
        self._wire = wire

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, and look at the status as it passes."""
        called = _called(scope)
        if called is None:
            await self._app(scope, receive, send)
            self._wire.touched()
            return
        answer: dict[str, Any] = {"status": None, "whole": False}

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer["status"] = message["status"]
            elif not message.get("more_body"):
                answer["whole"] = True
            await send(message)

        await self._app(scope, receive, watched)
        status = answer["status"] if answer["whole"] else None
        self._wire.went(caller=BOT, called=called, method=scope["method"], path=scope["path"], status=status)


class _Watched(httpx.AsyncHTTPTransport):
    """The network, with an eye on what a stand-in tells the bot."""

    def __init__(self, wire: Wire, caller: str) -> None:
        super().__init__(limits=httpx.Limits(keepalive_expiry=IDLE))
        self._wire = wire
        self._caller = caller

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Bring it, and remember what came of it."""
        status: int | None = None
        try:
            response = await super().handle_async_request(request)
            status = response.status_code
        finally:
            self._wire.went(
                caller=self._caller, called=BOT, method=request.method, path=request.url.path, status=status
            )
        return response


def is_the_bots(scope: Scope) -> bool:
    """Whether it is a call of Slack's or Thumbtack's API, which the bot makes and no person."""
    return _called(scope) is not None


def _called(scope: Scope) -> str | None:
    """Whose API that is; None for a page and the remote controls."""
    if scope["type"] != "http":
        return None
    return next((name for prefix, name in _APIS.items() if scope["path"].startswith(prefix)), None)
