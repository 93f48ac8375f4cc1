"""Receives a webhook: bytes, verified, read as far as its ids, stored, answered. Nothing slow stands before the answer."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from storage.inbox import Arrival, InboxWriter, NotStored
from storage.models import Environment
from webhooks import guessing
from webhooks.counting import Counts
from webhooks.guessing import Guesses
from webhooks.problems import Refused, problem
from webhooks.room import Room
from webhooks.thumbtack.errors import JsonError, ShapeError
from webhooks.thumbtack.payloads.body import body_hash, read_json
from webhooks.thumbtack.payloads.ids import read_id
from webhooks.thumbtack.payloads.kinds import Reading
from webhooks.verification import Admission

MAX_BODY = 1024 * 1024
"""1 MiB; Thumbtack's own bodies are a few kB."""

STORED_WITHIN = 10.0
"""Seconds after which whoever calls is told to send it again, though it may be stored yet: a repeat does no harm."""

RETRY_AFTER = "5"

TOLD_TOGETHER = frozenset({"guessing", "busy"})
"""Refusals of which there may be very many: they are counted, and the log is told of all together."""

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """The ASGI endpoint of one webhook route."""

    reading: Reading
    environment: Environment
    admission: Admission
    guesses: Guesses
    room: Room
    inbox: InboxWriter
    counts: Counts
    clock: Callable[[], datetime]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a refusal is a problem document with its reason."""
        request, began = Request(scope, receive), time.perf_counter()
        try:
            response = await self._answer(request)
            self.counts.accepted(_path(request), seconds=time.perf_counter() - began)
        except Refused as refused:
            if refused.reason not in TOLD_TOGETHER:
                log.info("webhook_refused", route=request.scope["route"].path, reason=refused.reason)
            self.counts.refused(refused.reason)
            response = problem(refused)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        named = read_id(request.path_params.get("business_id"))
        self._verify(request, named)
        async with self.room.taken(_announced(request)):
            return await self._store(request, named)

    async def _store(self, request: Request, named: str | None) -> Response:
        arrival = self._read(await read_body(request), route=_address(request, named), named=named)
        try:
            async with asyncio.timeout(STORED_WITHIN):
                known = await self.inbox.append(arrival)
        except (NotStored, TimeoutError) as error:
            log.warning(
                "webhook_not_stored", route=request.scope["route"].path, error=str(error) or type(error).__name__
            )
            raise Refused("storage", retry_after=RETRY_AFTER) from None
        status = 202 if arrival.asks_known and not known else 200
        return Response(b"{}", status_code=status, media_type="application/json")

    def _verify(self, request: Request, business_id: str | None) -> None:
        if not self.admission.configured:
            raise Refused("not_configured")
        if not self.admission.allow(request.headers, environment=self.environment, business_id=business_id):
            if self.guesses.one_more():
                raise Refused("guessing", retry_after=guessing.RETRY_AFTER)
            raise Refused("credentials")
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise Refused("media_type")

    def _read(self, body: bytes, *, route: str, named: str | None) -> Arrival:
        """`named`: the business that the address is for."""
        try:
            payload = read_json(body)
        except JsonError as error:
            raise Refused("json") from error
        try:
            ids = self.reading.ids(payload)
        except ShapeError as error:
            raise Refused("shape", detail=str(error)) from error
        digest = body_hash(payload, ignoring=self.reading.ignoring)
        return Arrival(
            environment=self.environment,
            route=route,
            lane=f"{self.environment}:{ids.lead_id or ids.object_id}",
            body=body,
            body_hash=digest,
            dedupe=None if self.reading.means_again else f"{route} {digest}",
            lead_thumbtack_id=ids.lead_id,
            business_thumbtack_id=ids.business_id or named,
            received_at=self.clock(),
            asks_known=self.reading.asks_known,
        )


def _address(request: Request, named: str | None) -> str:
    """The route with the business in it, as a database takes it whatever the caller wrote there."""
    path = _path(request)
    return path.replace("{business_id}", quote(named or " ", safe="")) if "{" in path else path


def _path(request: Request) -> str:
    """The route as it is written in the table, with and without a slash at its end the same."""
    path: str = request.scope["route"].path
    return path.rstrip("/")


async def read_body(request: Request) -> bytes:
    """The whole body of a request; raises Refused as soon as it is larger than `MAX_BODY`, ClientDisconnect when cut."""
    _announced(request)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise Refused("too_large")
    return bytes(body)


def _announced(request: Request) -> int:
    """How large the body will be at most; raises Refused where that is too large."""
    announced = request.headers.get("content-length", "")
    if not (announced.isascii() and announced.isdigit()):
        return MAX_BODY
    size = int(announced[:20])
    if size > MAX_BODY:
        raise Refused("too_large")
    return size
