"""Who may see the page and act on it: this machine's own browser, and only on the page itself."""

from urllib.parse import urlsplit

from starlette.requests import Request

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


def is_ours(request: Request, *, acts: bool = False) -> bool:
    """False for another site's name that was led here (DNS rebinding), and for what another site's page sends.

    `acts`: something changes, and a browser always says which page asks for that.
    """
    host = request.headers.get("host", "")
    if urlsplit(f"//{host}").hostname not in _LOOPBACK:
        return False
    origin = request.headers.get("origin")
    return origin == f"http://{host}" or (origin is None and not acts)
