"""The webhook routes as a table, each with its twin for Thumbtack's staging environment."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from starlette.routing import BaseRoute, Route

from storage.inbox import InboxWriter
from storage.models import Environment
from webhooks.receiver import Receiver
from webhooks.thumbtack.payloads.legacy import Kind
from webhooks.verification import Credentials


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """One address that Thumbtack calls."""

    method: str
    path: str
    kind: Kind


LEGACY = (
    Webhook(method="POST", path="/v1/lead", kind=Kind.LEAD),
    Webhook(method="POST", path="/v1/message", kind=Kind.MESSAGE),
    Webhook(method="PUT", path="/v1/lead/update", kind=Kind.LEAD_UPDATE),
    Webhook(method="POST", path="/v1/review", kind=Kind.REVIEW),
)

PREFIXES = {Environment.PRODUCTION: "", Environment.STAGING: "/staging"}


def routes(*, credentials: Credentials | None, inbox: InboxWriter, clock: Callable[[], datetime]) -> list[BaseRoute]:
    """Starlette's routes for every webhook in every environment."""
    return [
        Route(
            prefix + webhook.path,
            Receiver(
                kind=webhook.kind,
                route=prefix + webhook.path,
                environment=environment,
                credentials=credentials,
                inbox=inbox,
                clock=clock,
            ),
            methods=[webhook.method],
        )
        for environment, prefix in PREFIXES.items()
        for webhook in LEGACY
    ]


def kind_of(route: str) -> Kind:
    """What a stored body is, by the route it came by; raises ValueError where that is none of ours."""
    webhook = find(route)
    if webhook is None:
        raise ValueError(f"no such webhook route: {route}")
    return webhook.kind


def find(route: str) -> Webhook | None:
    """The webhook behind a path, in any environment."""
    paths = {prefix + webhook.path: webhook for prefix in PREFIXES.values() for webhook in LEGACY}
    return paths.get(route)
