"""Posts a file to a running server, as Thumbtack would."""

import base64
import http.client
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from bot.settings import Settings
from webhooks import routes

TIMEOUT = 10.0  # seconds


class NoAnswer(Exception):  # noqa: N818 -- it reads as the sentence it is
    """The server did not answer; the message says why and what to do."""


class _Nowhere(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: urllib would take the password along."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """None makes of it the answer that it is."""


def replay(settings: Settings, body: bytes, *, route: str, url: str) -> tuple[int, str]:
    """Post to `route` of the server at `url`; the status and body that it answers. Raises NoAnswer."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise NoAnswer(f"{url} is no address of a server: it must begin with http:// or https://.")
    # this server is not behind a proxy of ours
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Nowhere())
    try:
        with direct.open(_request(settings, body, route=route, url=url), timeout=TIMEOUT) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "reason", None) or type(error).__name__
        raise NoAnswer(f"No answer from {url} ({why}). Does `corkboard serve` run there?") from None


def _request(settings: Settings, body: bytes, *, route: str, url: str) -> urllib.request.Request:
    webhook = routes.find(route)
    return urllib.request.Request(  # noqa: S310 -- only http and https get here
        url.rstrip("/") + route,
        data=body,
        method=webhook.method if webhook else "POST",
        headers={
            "Authorization": _authorization(settings, is_v4=webhook is not None and webhook.is_v4),
            "Content-Type": "application/json",
        },
    )


def _authorization(settings: Settings, *, is_v4: bool) -> str:
    """What the server takes: user name and password, or where v4's secret alone is set, that."""
    secret = settings.thumbtack_webhook_secret
    if is_v4 and secret is not None and settings.thumbtack_webhook_password is None:
        return f"Bearer {secret.get_secret_value()}"
    username = settings.thumbtack_webhook_username or ""
    password = settings.thumbtack_webhook_password
    pair = f"{username}:{password.get_secret_value() if password else ''}"
    return "Basic " + base64.b64encode(pair.encode()).decode()
