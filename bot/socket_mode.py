"""Hears Slack over a websocket that we open (Socket Mode), for teams whose server Slack cannot reach.

One connection for each process, replaced before Slack ends it. What comes by it is an envelope: it is acknowledged once it
is stored, and one that is not acknowledged comes again (docs.slack.dev/apis/events-api/using-socket-mode).
"""

import asyncio
import contextlib
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import structlog
from aiohttp import ClientWebSocketResponse, WSMsgType

from bot import lifecycle
from bot.failures import Failure, Sort
from bot.services import Services
from storage import sockets
from storage.database import StorageError
from storage.presence import AWAY

Envelope = Mapping[str, Any]
Acknowledgement = dict[str, Any]
Hear = Callable[[Envelope], Awaitable[Acknowledgement | None]]
"""Handles an envelope and gives its acknowledgement; None where Slack must send it again."""

HELLO_WITHIN = 5.0
"""Seconds in which Slack greets a connection that is good."""

KEPT_FOR, KEEP_EVERY = timedelta(seconds=60), 20.0
"""How long a connection's slot outlives its process, and the seconds between two renewals."""

OVERLAP = 15.0
"""Seconds in which the old connection is still heard beside the new one; Slack ends it about 10 s after its warning."""

FINISH = 5.0
"""Seconds that what was heard gets to be stored and acknowledged; Slack waits for 3."""

HEALTHY = 10.0
"""Seconds after which a connection was a good one; what ends sooner is taken for a failure, or we would knock for ever."""

LONGEST = 60.0
"""Seconds between two attempts at most: Slack permits about one a minute (apps.connections.open is of tier 1)."""

TELL_AFTER = 10
"""Attempts in a row, some four minutes, after which people are told, also where nobody need mend anything."""

SLOTS_TAKEN = 20.0
STORAGE_AWAY = 5.0

GOODBYES: Mapping[str, float] = {
    "warning": 0.0,
    "refresh_requested": 0.0,
    "link_disabled": LONGEST,
    "too_many_websockets": 30.0,
    "closed": 0.0,
}
"""Why a connection is left, and the seconds before the next is opened. `closed`: it ended without a word."""

log = structlog.get_logger()


class Line:
    """One connection, from Slack's greeting until it is closed. `leaving` is set when another should take its place."""

    def __init__(self, socket: ClientWebSocketResponse, hear: Hear) -> None:
        """`socket`: open, nothing of it read."""
        self._socket = socket
        self._hear = hear
        self._taking = True
        self._under_way: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Task[None] | None = None
        self.leaving = asyncio.Event()
        self.reason = "closed"

    async def greeted(self) -> int | None:
        """Wait for Slack's greeting, and listen from then on. How many connections Slack says the app has; raises Failure."""
        try:
            async with asyncio.timeout(HELLO_WITHIN):
                told = await self._first()
        except TimeoutError:
            raise Failure(Sort.LATER, "no_hello") from None
        self._listening = asyncio.create_task(self._listen(), name="socket")
        connections = told.get("num_connections")
        return connections if isinstance(connections, int) else None

    async def _first(self) -> Envelope:
        async for message in self._socket:
            told = _read(message.data) if message.type is WSMsgType.TEXT else {}
            if told.get("type") == "hello":
                return told
            if told.get("type") == "disconnect":
                raise Failure(Sort.LATER, _goodbye(told))
        raise Failure(Sort.LATER, "closed")

    async def _listen(self) -> None:
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    self._take(_read(message.data))
        finally:
            self.leaving.set()

    def _take(self, told: Envelope) -> None:
        """Every envelope is handled by a task of its own: one that waits must not hold up the next."""
        if told.get("type") == "disconnect":
            self.reason = _goodbye(told)
            self.leaving.set()
        elif self._taking and isinstance(told.get("envelope_id"), str):
            task = asyncio.create_task(self._answer(told), name="envelope")
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _answer(self, envelope: Envelope) -> None:
        try:
            acknowledgement = await self._hear(envelope)
        except Exception as error:  # noqa: BLE001 -- nobody awaits this task; asyncio would log all of it, whatever is in it
            log.error("slack_request_broke", error=type(error).__name__)  # noqa: TRY400 -- no content
            return
        if acknowledgement is not None:
            with contextlib.suppress(ConnectionError):  # cut meanwhile: Slack sends it again, and finds it done
                await self._socket.send_str(json.dumps(acknowledgement))

    async def faded(self) -> None:
        """Be heard until Slack closes it, for a while; then close it."""
        if self._listening is not None:
            await asyncio.wait([self._listening], timeout=OVERLAP)
        await self.finish()

    async def finish(self) -> None:
        """Take nothing more, let what was heard be stored and acknowledged, and close. What is not comes again."""
        self._taking = False
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=FINISH)
        await self._socket.close()
        if self._listening is not None:
            await asyncio.wait([self._listening])


class SocketMode:
    """Keeps one connection open from `run` until `stop`, while there is a slot for this process."""

    def __init__(self, services: Services, app_token: str, hear: Hear) -> None:
        """`app_token`: the app's own, with the scope connections:write."""
        self._services = services
        self._token = app_token
        self._hear = hear
        self._owner = secrets.token_hex(8)
        self._slot: str | None = None
        self._failures = 0
        self._unheard_since = services.clock()
        self._line: Line | None = None
        self._fading: dict[Line, asyncio.Task[None]] = {}
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Take nothing more; `run` ends once what was heard is done."""
        self._stopping.set()
        if self._line is not None:
            self._line.leaving.set()

    async def run(self) -> None:
        """One connection after the other, each opened before the one before it ends."""
        try:
            while not self._stopping.is_set():
                wait = await self._turn()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), wait)
        finally:
            await self._end()

    async def _turn(self) -> float:
        """One connection, until it is to be replaced; the seconds to wait then."""
        try:
            if not await self._holds_slot():
                log.warning("socket_slots_taken", slots=len(sockets.SLOTS))
                self._unheard_since = self._services.clock()  # others hear Slack
                return SLOTS_TAKEN
            line = await self._opened()
        except Failure as failure:
            wait = self._patience(failure)
            log.warning("socket_not_opened", reason=failure.reason, again_in=wait)
            self._services.metrics.socket_failed(failure.reason)
            await self._give_slot_back()
            if _needs_somebody(failure) or self._failures >= TELL_AFTER:
                await self._tell()
            return wait
        except (StorageError, OSError) as error:  # what came could not be stored, so it need not come
            log.warning("socket_waits", error=type(error).__name__)
            return STORAGE_AWAY
        began = asyncio.get_running_loop().time()
        self._make_up()
        await self._stay(line)
        self._unheard_since = self._services.clock()
        if self._stopping.is_set():
            return 0.0
        log.info("socket_left", reason=line.reason)
        if asyncio.get_running_loop().time() - began >= HEALTHY:
            self._failures = 0
        wait = max(GOODBYES[line.reason], self._patience())
        if wait:
            await self._give_slot_back()
        return wait

    async def _opened(self) -> Line:
        """A connection that Slack greeted; it takes the place of the one before, which fades out. Raises Failure."""
        socket = await self._services.slack.socket(self._token)
        line = Line(socket, self._hear)
        try:
            connections = await line.greeted()
        except BaseException:
            await socket.close()
            raise
        before, self._line = self._line, line
        if before is not None:
            fading = self._fading[before] = asyncio.create_task(before.faded(), name="socket fades")
            fading.add_done_callback(lambda _: self._fading.pop(before, None))
        if self._stopping.is_set():
            line.leaving.set()
        log.info("socket_opened", connections=connections)
        return line

    def _make_up(self) -> None:
        """After a long time without a connection, what Slack could not tell meanwhile is to be read."""
        if self._services.clock() - self._unheard_since > AWAY:
            self._services.attention.miss(since=self._unheard_since)

    async def _stay(self, line: Line) -> None:
        """Until the connection should be replaced, or is closed because all slots are others'."""
        while not line.leaving.is_set():
            try:
                await asyncio.wait_for(line.leaving.wait(), KEEP_EVERY)
            except TimeoutError:
                try:
                    if not await self._holds_slot():
                        self._line = None
                        await line.finish()
                except (StorageError, OSError) as error:
                    log.warning("socket_waits", error=type(error).__name__)

    def _patience(self, failure: Failure | None = None) -> float:
        """Seconds before the next attempt: none before the first, then more each time; as many as Slack asks for."""
        self._failures += 1
        if failure is None:
            return self._backoff()
        if _needs_somebody(failure):
            return LONGEST
        return max(failure.retry_after or 0.0, GOODBYES.get(failure.reason, 0.0), self._backoff())

    async def _tell(self) -> None:
        """Tell people that nobody hears them; what we post reaches them all the same."""
        with contextlib.suppress(StorageError, OSError):
            async with self._services.database.transaction() as tx:
                await lifecycle.not_heard(tx, now=self._services.clock())

    def _backoff(self) -> float:
        if self._failures <= 1:
            return 0.0
        return min(LONGEST, 2.0 ** (self._failures - 2)) * (0.5 + self._services.jitter() / 2)

    # The slot

    async def _holds_slot(self) -> bool:
        now, owner = self._services.clock(), self._owner
        async with self._services.database.transaction() as tx:
            if self._slot and await sockets.keep(tx, self._slot, owner=owner, now=now, lasts=KEPT_FOR):
                return True
            self._slot = await sockets.take(tx, owner=owner, now=now, lasts=KEPT_FOR)
        return self._slot is not None

    async def _give_slot_back(self) -> None:
        """Nobody counts us as connected. Where it cannot be written down, the slot runs out by itself."""
        slot, self._slot = self._slot, None
        if slot is None:
            return
        with contextlib.suppress(StorageError, OSError):
            async with self._services.database.transaction() as tx:
                await sockets.give_back(tx, slot, owner=self._owner)

    async def _end(self) -> None:
        lines = [*self._fading, *([self._line] if self._line else [])]
        for fading in list(self._fading.values()):
            fading.cancel()
        self._line = None
        await asyncio.gather(*(line.finish() for line in lines))
        await self._give_slot_back()


def _needs_somebody(failure: Failure) -> bool:
    """Whether a person must mend something first: the token, or a switch in the app's settings."""
    return failure.sort in (Sort.HELD, Sort.REFUSED) or failure.reason == "link_disabled"


def _read(text: object) -> Envelope:
    """What Slack told; empty where it is nothing we know how to read."""
    try:
        told = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _goodbye(told: Envelope) -> str:
    reason = told.get("reason")
    return reason if isinstance(reason, str) and reason in GOODBYES else "closed"
