"""What operators ask: whether the process lives, whether a webhook can be stored, and how it fares.

Only the first two decide where a balancer sends Thumbtack: Slack being down is no reason to refuse a webhook.
"""

import asyncio
import hmac
import ipaddress
from collections.abc import Callable
from datetime import datetime

from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot import visitors
from bot.metrics import CONTENT_TYPE, Metrics
from storage import measuring, migrate
from storage.database import Database, StorageError
from storage.measuring import Measured
from storage.models import Environment
from webhooks.problems import Refused

PATIENCE = 3.0
"""Seconds that the database gets to answer; whoever asks gives up soon after."""

NO_ANSWER = "The database does not answer."

PROXIES = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""Headers of which a proxy sets at least one when it speaks for somebody."""


async def healthz(_request: Request) -> Response:
    """The process answers."""
    return JSONResponse({"alive": True})


class Ready:
    """`/readyz`: the database answers and has a shape that this program works with."""

    def __init__(self, database: Database, insiders: "Insiders") -> None:
        """Ask this database each time; the reason is for `insiders`."""
        self._database = database
        self._insiders = insiders

    async def __call__(self, request: Request) -> Response:
        """200 when a webhook can be stored, else 503; the reason only for an insider."""
        reason = await self._reason()
        if reason is None:
            return JSONResponse({"ready": True})
        told = {"ready": False} | ({"reason": reason} if self._insiders.include(request) else {})
        return JSONResponse(told, status_code=503, headers={"Retry-After": "5"})

    async def _reason(self) -> str | None:
        if self._lost_its_file():
            return NO_ANSWER
        try:
            async with asyncio.timeout(PATIENCE):
                shape = await migrate.shape(self._database)
        except (StorageError, OSError):
            return NO_ANSWER
        return None if shape.is_usable else shape.advice

    def _lost_its_file(self) -> bool:
        """A SQLite connection that is open goes on with a file that was deleted; what it stores is lost at the end."""
        return self._database.file is not None and not self._database.file.is_file()


class Measures:
    """`/metrics`: what was counted and how things stand, as Prometheus reads it."""

    def __init__(
        self,
        database: Database,
        metrics: Metrics,
        insiders: "Insiders",
        *,
        environment: Environment,
        clock: Callable[[], datetime],
    ) -> None:
        """Measure this database each time; figures are for `insiders` alone."""
        self._database = database
        self._metrics = metrics
        self._insiders = insiders
        self._environment = environment
        self._clock = clock

    async def __call__(self, request: Request) -> Response:
        """200, also where the database does not answer: then the figures say so."""
        if not self._insiders.include(request):
            return visitors.refusal(request, Refused("outsider"))
        measured = await self._measured()
        written = self._metrics.written(measured, now=self._clock())
        return Response(written, headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})

    async def _measured(self) -> Measured | None:
        try:
            async with asyncio.timeout(PATIENCE), self._database.reading() as tx:
                return await measuring.measure(tx, environment=self._environment, now=self._clock())
        except (StorageError, OSError):
            return None


class Insiders:
    """Who may know how the program fares: a direct caller on this machine, and whoever has METRICS_TOKEN."""

    def __init__(self, token: SecretStr | None) -> None:
        """`token`: None where nobody else may."""
        self._token = None if token is None else token.get_secret_value().encode()

    def include(self, request: Request) -> bool:
        """Whether this caller is one; the token is compared in constant time (RFC 6750, 2.1)."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if self._token is not None and scheme.lower() == "bearer":
            # Starlette reads a header's bytes as Latin-1.
            return hmac.compare_digest(given.strip().encode("latin-1", errors="replace"), self._token)
        return _is_local(request)


def _is_local(request: Request) -> bool:
    """A direct caller on loopback: not one that a proxy on this machine speaks for."""
    if request.client is None or any(header in request.headers for header in PROXIES):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
