"""The webhook routes as a table, each with its twin for Thumbtack's staging environment."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from urllib.parse import quote, unquote

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from storage.inbox import InboxWriter
from storage.models import Environment
from webhooks.counting import Counts
from webhooks.guessing import Guesses
from webhooks.receiver import Receiver
from webhooks.room import Room
from webhooks.thumbtack.payloads import kinds
from webhooks.thumbtack.payloads.kinds import Reading
from webhooks.verification import Admission


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """One address that Thumbtack calls; `{business_id}` in it is any business."""

    method: str
    path: str
    reading: Reading
    is_v4: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """Where it is found. People paste v4's address into Thumbtack's screen, some of them with a slash at its end."""
        return (self.path, f"{self.path}/") if self.is_v4 else (self.path,)


WEBHOOKS = (
    Webhook(method="POST", path="/v1/lead", reading=kinds.LEAD),
    Webhook(method="POST", path="/v1/message", reading=kinds.MESSAGE),
    Webhook(method="PUT", path="/v1/lead/update", reading=kinds.LEAD_UPDATE),
    Webhook(method="POST", path="/v1/review", reading=kinds.REVIEW),
    Webhook(method="POST", path="/v4/webhooks", reading=kinds.EVENT, is_v4=True),
    Webhook(method="POST", path="/v4/webhooks/{business_id}", reading=kinds.EVENT, is_v4=True),
)

_NAMED = "/{business_id}"

PREFIXES = {Environment.PRODUCTION: "", Environment.STAGING: "/staging"}


def routes(
    *, legacy: Admission, v4: Admission, inbox: InboxWriter, counts: Counts, clock: Callable[[], datetime]
) -> list[BaseRoute]:
    """Starlette's routes for every webhook in every environment. `legacy` and `v4`: who may call them."""
    guesses, room = Guesses(clock=clock), Room(clock=clock)
    return [
        Route(
            prefix + path,
            Receiver(
                path=prefix + webhook.path,
                reading=webhook.reading,
                environment=environment,
                admission=v4 if webhook.is_v4 else legacy,
                guesses=guesses,
                room=room,
                inbox=inbox,
                counts=counts,
                clock=clock,
            ),
            methods=[webhook.method],
        )
        for environment, prefix in PREFIXES.items()
        for webhook in WEBHOOKS
        for path in webhook.paths
    ]


class AtOnce:
    """Middleware that finds the webhooks whose addresses name nobody by one look, instead of pattern by pattern.

    It stands within what answers for our mistakes. All the rest is found by Starlette's router behind it.
    """

    def __init__(self, app: ASGIApp, *, of: Iterable[BaseRoute]) -> None:
        """`of`: the routes that `routes` gave."""
        self._app = app
        self._found = {
            (method, route.path): route
            for route in of
            if isinstance(route, Route) and "{" not in route.path
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request to its receiver, or on."""
        route = self._found.get((scope.get("method", ""), scope.get("path", "")))
        if route is None:
            await self._app(scope, receive, send)
            return
        scope["route"], scope["path_params"] = route, {}
        await route.app(scope, receive, send)


def reading_of(route: str) -> Reading:
    """How a stored body is read, by the route it came by; raises ValueError where that is none of ours."""
    webhook = find(route)
    if webhook is None:
        raise ValueError(f"no such webhook route: {route}")
    return webhook.reading


def find(route: str) -> Webhook | None:
    """The webhook behind a path, in any environment."""
    return next((webhook for pattern, webhook in _patterns() if pattern.fullmatch(route)), None)


def business_of(route: str) -> str | None:
    """The business that a stored route is the address of, by Thumbtack's id; None where it is that of any."""
    webhook = find(route)
    if webhook is None or not webhook.path.endswith(_NAMED):
        return None
    return unquote(route.rpartition("/")[2]).strip() or None


def address(public_url: str | None, environment: Environment, business_id: str) -> str | None:
    """Where v4 is to bring the events of one business; None where nobody reaches us."""
    if public_url is None:
        return None
    return f"{public_url.rstrip('/')}{PREFIXES[environment]}/v4/webhooks/{quote(business_id, safe='')}"


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], Webhook], ...]:
    return tuple(
        (re.compile(prefix + webhook.path.replace("{business_id}", "[^/]+")), webhook)
        for prefix in PREFIXES.values()
        for webhook in WEBHOOKS
    )
