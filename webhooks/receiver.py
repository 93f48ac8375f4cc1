"""Receives a webhook: bytes, verified, read as far as its ids, stored, answered. Nothing slow stands before the answer."""

import time
from collections.abc import Callable, Mapping
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

RETRY_AFTER = "5"

TOLD_TOGETHER = frozenset({"guessing", "busy"})
"""Refusals of which there may be very many: they are counted, and the log is told of all together."""

log = structlog.get_logger()


STORED, UNKNOWN = (Response(b"{}", status_code=status, media_type="application/json") for status in (200, 202))
"""What whoever calls is told: stored; and where the answer depends on it, that the lead is not known. Made once: nothing in
them is of the request."""

Sent = Mapping[str, str]
"""The headers of a request, by their names in small letters."""


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """The ASGI endpoint of one webhook route, whose `path` may have a business in it."""

    path: str
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
        began = time.perf_counter()
        try:
            response = await self._answer(scope, receive)
            self.counts.accepted(self.path, seconds=time.perf_counter() - began)
        except Refused as refused:
            if refused.reason not in TOLD_TOGETHER:
                log.info("webhook_refused", route=scope["route"].path, reason=refused.reason)
            self.counts.refused(refused.reason)
            response = problem(refused)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        headers, named = _headers(scope), read_id(scope["path_params"].get("business_id"))
        self._verify(headers, named)
        async with self.room.taken(_announced(headers)):
            arrival = self._read(await _whole(receive), named)
            try:
                known = await self.inbox.append(arrival)
            except NotStored as error:
                log.warning("webhook_not_stored", route=scope["route"].path, error=str(error))
                raise Refused("storage", retry_after=RETRY_AFTER) from None
            return UNKNOWN if arrival.asks_known and not known else STORED

    def _verify(self, headers: Sent, business_id: str | None) -> None:
        if not self.admission.configured:
            raise Refused("not_configured")
        if not self.admission.allow(headers, environment=self.environment, business_id=business_id):
            if self.guesses.one_more():
                raise Refused("guessing", retry_after=guessing.RETRY_AFTER)
            raise Refused("credentials")
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise Refused("media_type")

    def _read(self, body: bytes, named: str | None) -> Arrival:
        """`named`: the business that the address is for."""
        try:
            payload = read_json(body)
        except JsonError as error:
            raise Refused("json") from error
        try:
            ids = self.reading.ids(payload)
        except ShapeError as error:
            raise Refused("shape", detail=str(error)) from error
        digest, route = body_hash(payload, ignoring=self.reading.ignoring), self._route(named)
        return Arrival(
            environment=self.environment,
            route=route,
            lane=f"{self.environment.value}:{ids.lead_id or ids.object_id}",
            body=body,
            body_hash=digest,
            dedupe=None if self.reading.means_again else f"{route} {digest}",
            lead_thumbtack_id=ids.lead_id,
            business_thumbtack_id=ids.business_id or named,
            received_at=self.clock(),
            asks_known=self.reading.asks_known,
        )

    def _route(self, named: str | None) -> str:
        """The path with the business in it, as a database takes it whatever the caller wrote there."""
        return self.path.replace("{business_id}", quote(named or " ", safe="")) if "{" in self.path else self.path


def _headers(scope: Scope) -> Sent:
    """Read once. Of several with the same name the first counts, as it does for Starlette."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])}


async def read_body(request: Request) -> bytes:
    """The whole body of a request; raises Refused as soon as it is larger than `MAX_BODY`, ClientDisconnect when cut."""
    _announced(request.headers)
    return await _whole(request.receive)


async def _whole(receive: Receive) -> bytes:
    """See `read_body`. Nearly always it comes in one piece, which is not copied."""
    body, is_last = await _piece(receive)
    if not is_last:
        pieces = bytearray(body)
        while not is_last and len(pieces) <= MAX_BODY:
            body, is_last = await _piece(receive)
            pieces += body
        body = bytes(pieces)
    if len(body) > MAX_BODY:
        raise Refused("too_large")
    return body


async def _piece(receive: Receive) -> tuple[bytes, bool]:
    """And whether it is the last."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return message.get("body", b""), not message.get("more_body", False)


def _announced(headers: Sent) -> int:
    """How large the body will be at most; raises Refused where that is too large."""
    announced = headers.get("content-length", "")
    if not (announced.isascii() and announced.isdigit()):
        return MAX_BODY
    size = int(announced[:20])
    if size > MAX_BODY:
        raise Refused("too_large")
    return size
