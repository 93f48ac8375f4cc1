"""Socket Mode's side of Slack: tickets, connections, and envelopes that travel by them instead of requests.

The websockets have a small server of their own on loopback (aiohttp's, which the bot needs anyway).
"""

import asyncio
import itertools
import json
from typing import Any
from urllib.parse import parse_qs

from aiohttp import WSMsgType, web

from sandbox.slack.arguments import Json, RefusedError
from sandbox.slack.delivery import ANSWER_SECONDS, Answer, Delivery

MOST = 10  # https://docs.slack.dev/apis/events-api/using-socket-mode: connections of one app at a time
GONE = 1.0  # seconds to wait for the other side to close too


class Sockets:
    """The connections of one app. `on`: whether Socket Mode is switched on in the app's settings.

    Everything can be changed while it runs: `app_token`, `most`, `silent` (a new connection is not greeted), `dumb` (it does
    not answer pings), `cuts` (so many of the next envelopes are the last thing that their connection brings), and
    `patience` (seconds for an answer).
    """

    def __init__(self, *, app_token: str) -> None:
        self.app_token = app_token
        self.most = MOST
        self.on = False
        self.silent = False
        self.dumb = False
        self.cuts = 0
        self.patience = ANSWER_SECONDS
        self.open: list[web.WebSocketResponse] = []
        self.opened = 0
        self._changed = asyncio.Event()
        self._tickets: set[str] = set()
        self._waiting: dict[str, tuple[web.WebSocketResponse, asyncio.Future[Json]]] = {}
        self._numbers = itertools.count(1)
        self._turn = itertools.count()
        self._runner: web.AppRunner | None = None
        self._address = ""

    async def start(self) -> None:
        """Switch Socket Mode on; the websockets are served from now on."""
        self.on = True
        if self._runner is not None:
            return
        app = web.Application()
        app.router.add_get("/link", self._link)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=GONE)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._address = f"ws://127.0.0.1:{self._runner.addresses[0][1]}/link"

    async def aclose(self) -> None:
        """Close every connection and stop serving."""
        self.on = False
        await self.goodbye("warning", close=True)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def ticket(self, token: str | None) -> Json:
        """apps.connections.open: an address that can be used once."""
        if not token:
            raise RefusedError("not_authed")
        if token != self.app_token:
            raise RefusedError("not_allowed_token_type" if token.startswith("xoxb-") else "invalid_auth")
        if not self.on or self._runner is None:
            raise RefusedError("socket_mode_not_enabled")
        ticket = f"t{next(self._numbers)}"
        self._tickets.add(ticket)
        return {"url": f"{self._address}?ticket={ticket}"}

    # The bot's end

    async def _link(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=401)
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(timeout=GONE, autoping=not self.dumb)
        await socket.prepare(request)
        if len(self.open) >= self.most:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        self.open.append(socket)
        self.opened += 1
        if not self.silent:
            await socket.send_json({"type": "hello", "num_connections": len(self.open), "connection_info": {}})
        self._changed.set()
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._acknowledged(json.loads(message.data))
        finally:
            self.open.remove(socket)
            self._changed.set()
            for by, waiting in self._waiting.values():
                if by is socket and not waiting.done():
                    waiting.set_exception(ConnectionError())
        return socket

    def _acknowledged(self, told: Json) -> None:
        _, waiting = self._waiting.get(told["envelope_id"], (None, None))
        if waiting is not None and not waiting.done():
            waiting.set_result(told)

    # Slack's end

    async def once(self, delivery: Delivery, *, retry: tuple[int, str] | None = None) -> Answer:
        """Bring one thing by one of the connections, in turn; what is not acknowledged within 3 s failed."""
        if not self.open:
            return Answer(failure="no_connection", attempts=1, delivery=delivery)
        envelope = _envelope(delivery, f"e{next(self._numbers)}", retry=retry)
        try:
            told = await self._brought(envelope)
        except (TimeoutError, ConnectionError):
            return Answer(failure="timeout", attempts=1, delivery=delivery)
        payload = told.get("payload")
        body = "" if payload is None else json.dumps(payload)
        return Answer(status=200, body=body, attempts=1, delivery=delivery)

    async def _brought(self, envelope: Json) -> Json:
        """What it was acknowledged with. Raises TimeoutError, or ConnectionError where the connection ended first."""
        socket = self.open[next(self._turn) % len(self.open)]
        waiting: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[envelope["envelope_id"]] = socket, waiting
        try:
            await socket.send_json(envelope)
            if self.cuts:
                self.cuts -= 1
                _break(socket)
            return await asyncio.wait_for(waiting, self.patience)
        finally:
            del self._waiting[envelope["envelope_id"]]

    async def say(self, text: str) -> None:
        """Send these very words over every connection."""
        for socket in list(self.open):
            await socket.send_str(text)

    async def goodbye(self, reason: str, *, close: bool = False) -> None:
        """Tell every connection that it ends; with `close`, end it."""
        for socket in list(self.open):
            await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "wss-sandbox"}})
            if close:
                await socket.close()

    def cut(self) -> None:
        """Every connection breaks, with no word of it."""
        for socket in list(self.open):
            _break(socket)

    async def until(self, connections: int, *, within: float = 10.0) -> None:
        """Wait until so many connections are open."""
        async with asyncio.timeout(within):
            while len(self.open) != connections:
                self._changed.clear()
                await self._changed.wait()


def _break(socket: web.WebSocketResponse) -> None:
    transport = socket.get_extra_info("socket") and socket._req and socket._req.transport  # noqa: SLF001 - there is no other way
    if transport:
        transport.abort()


def _envelope(delivery: Delivery, envelope_id: str, *, retry: tuple[int, str] | None) -> Json:
    kind, payload = _unfolded(delivery)
    envelope: Json = {
        "envelope_id": envelope_id, "type": kind, "payload": payload, "accepts_response_payload": kind != "events_api",
    }  # fmt: skip
    if kind == "events_api":
        number, reason = retry or (0, "")
        envelope |= {"retry_attempt": number, "retry_reason": reason}
    return envelope


def _unfolded(delivery: Delivery) -> tuple[str, Any]:
    """What a request would have brought, with the kind of its envelope."""
    if delivery.content_type == "application/json":
        return "events_api", json.loads(delivery.body)
    fields = {name: values[0] for name, values in parse_qs(delivery.body.decode(), keep_blank_values=True).items()}
    if "payload" in fields:
        return "interactive", json.loads(fields["payload"])
    return "slash_commands", fields
