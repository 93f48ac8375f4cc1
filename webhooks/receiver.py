"""Receives a webhook: bytes, verified, read as far as its ids, stored, answered. Nothing slow stands before the answer."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from storage.inbox import Arrival, InboxWriter, NotStored
from storage.models import Environment
from webhooks.problems import Refused, problem
from webhooks.thumbtack.errors import JsonError, ShapeError
from webhooks.thumbtack.payloads import legacy
from webhooks.thumbtack.payloads.body import body_hash, read_json
from webhooks.verification import Credentials

MAX_BODY = 1024 * 1024
"""1 MiB; Thumbtack's own bodies are a few kB."""

STORED_WITHIN = 10.0
"""Seconds after which whoever calls is told to send it again, though it may be stored yet: a repeat does no harm."""

RETRY_AFTER = "5"

log = structlog.get_logger()

ANSWERS_UNKNOWN = {legacy.Kind.MESSAGE, legacy.Kind.LEAD_UPDATE}
"""Events that answer 202 where their lead is unknown (Thumbtack's Pro API guide, Messages and Update Lead)."""

MEANS_AGAIN = {legacy.Kind.LEAD_UPDATE}
"""Events whose same body may mean something again: Charged, Refunded, Charged is three changes."""


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """The ASGI endpoint of one webhook route."""

    kind: legacy.Kind
    route: str
    environment: Environment
    credentials: Credentials | None
    inbox: InboxWriter
    clock: Callable[[], datetime]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a refusal is a problem document with its reason."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except Refused as refused:
            log.info("webhook_refused", route=self.route, reason=refused.reason)
            response = problem(refused)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        self._verify(request)
        arrival = self._read(await read_body(request))
        try:
            async with asyncio.timeout(STORED_WITHIN):
                known = await self.inbox.append(arrival)
        except (NotStored, TimeoutError) as error:
            log.warning("webhook_not_stored", route=self.route, error=str(error) or type(error).__name__)
            raise Refused("storage", retry_after=RETRY_AFTER) from None
        status = 202 if arrival.asks_known and not known else 200
        return Response(b"{}", status_code=status, media_type="application/json")

    def _verify(self, request: Request) -> None:
        if self.credentials is None:
            raise Refused("not_configured")
        if not self.credentials.allow(request.headers.get("authorization")):
            raise Refused("credentials")
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise Refused("media_type")

    def _read(self, body: bytes) -> Arrival:
        try:
            payload = read_json(body)
        except JsonError as error:
            raise Refused("json") from error
        try:
            ids = legacy.ids(self.kind, payload)
        except ShapeError as error:
            raise Refused("shape", detail=str(error)) from error
        digest = body_hash(payload)
        return Arrival(
            environment=self.environment,
            route=self.route,
            lane=f"{self.environment}:{ids.lead_id or ids.object_id}",
            body=body,
            body_hash=digest,
            dedupe=None if self.kind in MEANS_AGAIN else f"{self.route} {digest}",
            lead_thumbtack_id=ids.lead_id,
            business_thumbtack_id=ids.business_id,
            received_at=self.clock(),
            asks_known=self.kind in ANSWERS_UNKNOWN,
        )


async def read_body(request: Request) -> bytes:
    """The whole body of a request; raises Refused as soon as it is larger than `MAX_BODY`, ClientDisconnect when cut."""
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > MAX_BODY:
        raise Refused("too_large")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise Refused("too_large")
    return bytes(body)
