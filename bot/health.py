"""Whether the process lives, and whether a webhook can be stored; nothing else makes a balancer turn Thumbtack away."""

import asyncio
import ipaddress

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from storage import migrate
from storage.database import Database, StorageError

PATIENCE = 3.0
"""Seconds that the database gets to answer; whoever asks gives up soon after."""

NO_ANSWER = "The database does not answer."

PROXIES = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""Headers of which a proxy sets at least one when it speaks for somebody."""


async def healthz(_request: Request) -> Response:
    """The process answers."""
    return JSONResponse({"alive": True})


class Ready:
    """`/readyz`: the database answers and has the shape this program wants."""

    def __init__(self, database: Database) -> None:
        """Ask this database each time."""
        self._database = database

    async def __call__(self, request: Request) -> Response:
        """200 when a webhook can be stored, else 503; the reason only for a caller on this machine."""
        reason = await self._reason()
        if reason is None:
            return JSONResponse({"ready": True})
        told = {"ready": False} | ({"reason": reason} if _is_local(request) else {})
        return JSONResponse(told, status_code=503, headers={"Retry-After": "5"})

    async def _reason(self) -> str | None:
        if self._lost_its_file():
            return NO_ANSWER
        try:
            async with asyncio.timeout(PATIENCE):
                shape = await migrate.shape(self._database)
        except (StorageError, OSError):
            return NO_ANSWER
        return None if shape.is_current else shape.advice

    def _lost_its_file(self) -> bool:
        """A SQLite connection that is open goes on with a file that was deleted; what it stores is lost at the end."""
        return self._database.file is not None and not self._database.file.is_file()


def _is_local(request: Request) -> bool:
    """A direct caller on loopback: not one that a proxy on this machine speaks for."""
    if request.client is None or any(header in request.headers for header in PROXIES):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
