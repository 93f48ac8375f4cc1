"""Brings to the bot what happens as Slack does, by signed requests or over Socket Mode, and again when it was not taken."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx

if TYPE_CHECKING:
    from sandbox.slack.socket_mode import Sockets

Json = dict[str, Any]

ANSWER_SECONDS = 3.0  # https://docs.slack.dev/apis/events-api#responding: answer within three seconds
SLACKS_PAUSES = (0.0, 60.0, 300.0)  # same page: delivered again at once, after one minute, after five


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One request to the bot, before it is signed; only events are delivered again."""

    body: bytes
    content_type: str = "application/json"
    repeats: bool = False


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the bot answered; `status` is None when nothing was sent, or nothing came back (`failure` says which).

    `ts` is the message that was written or changed, `failure` is Slack's X-Slack-Retry-Reason, `attempts` counts
    deliveries.
    """

    status: int | None = None
    body: str = ""
    ts: str | None = None
    failure: str | None = None
    attempts: int = 0
    delivery: Delivery | None = None

    @property
    def ok(self) -> bool:
        """The bot took it: any 2xx."""
        return self.status is not None and 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON; None when it is empty."""
        return json.loads(self.body) if self.body else None


def event_delivery(payload: Json) -> Delivery:
    """An Events API request."""
    return Delivery(body=json.dumps(payload).encode(), repeats=payload.get("type") == "event_callback")


def interaction_delivery(payload: Json) -> Delivery:
    """A click or a submitted modal: JSON in the `payload` field of a form."""
    return form_delivery({"payload": json.dumps(payload)})


def form_delivery(fields: Json) -> Delivery:
    """A slash command."""
    return Delivery(body=urlencode(fields).encode(), content_type="application/x-www-form-urlencoded")


class Courier:
    """Signs and delivers. `pauses`: seconds before each further delivery of an event that was not taken.

    While Socket Mode is switched on in `sockets`, everything travels there and nothing by a request.
    """

    def __init__(
        self, *, signing_secret: str, events_url: str | None, client: httpx.AsyncClient | None, sockets: "Sockets"
    ) -> None:
        self.sockets = sockets
        self.signing_secret = signing_secret
        self.events_url = events_url
        self.pauses: Sequence[float] = ()
        self._client = client
        self._own: httpx.AsyncClient | None = None

    async def bring(self, delivery: Delivery) -> Answer:
        """Deliver, and deliver again while Slack would (at most three times more)."""
        answer = await self.once(delivery)
        pauses = self.pauses[: len(SLACKS_PAUSES)] if delivery.repeats else ()
        for number, pause in enumerate(pauses, start=1):
            if answer.failure is None:
                break
            await asyncio.sleep(pause)
            again = await self.once(delivery, retry=(number, answer.failure))
            answer = replace(again, attempts=number + 1)
        return answer

    async def once(self, delivery: Delivery, *, retry: tuple[int, str] | None = None) -> Answer:
        """Deliver one time; `retry` are the number and the reason of a further delivery."""
        if self.sockets.on:
            return await self.sockets.once(delivery, retry=retry)
        if self.events_url is None:
            return Answer(delivery=delivery)
        headers = self._headers(delivery)
        if retry is not None:
            headers |= {"x-slack-retry-num": str(retry[0]), "x-slack-retry-reason": retry[1]}
        try:
            response = await self._http().post(
                self.events_url, content=delivery.body, headers=headers, timeout=ANSWER_SECONDS
            )
        except httpx.TransportError as error:
            return Answer(failure=_reason(error), attempts=1, delivery=delivery)
        gives_up = response.is_success or response.headers.get("x-slack-no-retry") == "1"
        return Answer(
            status=response.status_code,
            body=response.text,
            failure=None if gives_up else "http_error",
            attempts=1,
            delivery=delivery,
        )

    async def aclose(self) -> None:
        """Close our own connections; a client that was handed in stays open."""
        if self._own is not None:
            await self._own.aclose()
            self._own = None

    def _http(self) -> httpx.AsyncClient:
        if self._client is not None:
            return self._client
        if self._own is None:
            self._own = httpx.AsyncClient(trust_env=False)
        return self._own

    def _headers(self, delivery: Delivery) -> dict[str, str]:
        """Slack's headers; the time is the wall's, because the receiver compares it with its own."""
        timestamp = str(int(time.time()))
        return {
            "content-type": delivery.content_type,
            "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "accept": "application/json,*/*",
            "x-slack-request-timestamp": timestamp,
            "x-slack-signature": signature(self.signing_secret, timestamp, delivery.body),
        }


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Slack's v0 signature (https://docs.slack.dev/authentication/verifying-requests-from-slack)."""
    digest = hmac.new(secret.encode(), b":".join((b"v0", timestamp.encode(), body)), hashlib.sha256)
    return f"v0={digest.hexdigest()}"


def _reason(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "http_timeout"
    return "connection_failed" if isinstance(error, httpx.ConnectError) else "unknown_error"
