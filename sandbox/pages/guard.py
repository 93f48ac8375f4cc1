"""Who may see the world outside and act in it: this machine's own browser on its own pages, and whoever is at a terminal here."""

from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Nothing from outside, nothing inline, in nobody's frame; and always the page of this very program."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_NOT_HERE = "This is only for a browser or a terminal on this machine, at the address that the program printed."


class Guard:
    """ASGI middleware before everything but what the bot calls (`is_the_bots`): others get nothing, and nothing happens."""

    def __init__(self, app: ASGIApp, is_the_bots: Callable[[Scope], bool]) -> None:
        self._app = app
        self._is_the_bots = is_the_bots

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on, or refuse it."""
        lets_in = scope["type"] != "http" or self._is_the_bots(scope) or is_ours(Request(scope))
        await (self._app if lets_in else not_here())(scope, receive, send)


def not_here() -> Response:
    """The answer for who may not."""
    return PlainTextResponse(f"{_NOT_HERE}\n", 403, headers=HEADERS)


def is_ours(request: Request, *, acts: bool = False) -> bool:
    """False for another site's name that was led here (DNS rebinding), and for what another site's page sends.

    `acts`: something changes, and a browser always says which page asks for that.
    """
    host = request.headers.get("host", "")
    if _name(host) not in _LOOPBACK:
        return False
    origin = request.headers.get("origin")
    return origin == f"http://{host}" or (origin is None and not acts)


def _name(host: str) -> str | None:
    """The name in a Host header, None for what is none."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
