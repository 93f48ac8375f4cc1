"""Keeps tokens fresh: renews them before they expire and when Thumbtack refuses them, once for all replicas.

A refresh token is good once. The pair that it gives is stored before it is used; where the answer was lost, the same
token is good again for a short grace (10 s at the Pro API, 60 s at v4). So a renewal is claimed and marked in the
database before the call, for as long as one call takes: whoever finds a claim that ran out tries again at once.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from storage import connections, outbox
from storage.connections import Granted
from storage.database import Database, Transaction
from storage.models import Connection, ConnectionState, Generation
from storage.outbox import Kind
from storage.vault import Vault
from webhooks.thumbtack import errors
from webhooks.thumbtack.client import ThumbtackClient
from webhooks.thumbtack.credentials import TokenPair

CLAIM_FOR = timedelta(seconds=5)
"""How long a claim holds: longer than a token call may take, and short enough that another replica is in time."""

PAUSE = 0.25
"""Seconds between two tries within the grace."""

WELL_BEFORE = 2 / 3
"""The part of an access token's life after which it is renewed."""

ABOUT_TO_EXPIRE = timedelta(seconds=30)
"""An access token that lives no longer than this is not used any more."""

FIRST_AGAIN = timedelta(seconds=30)
LONGEST_AGAIN = timedelta(minutes=15)
WARN_AHEAD = timedelta(days=7)
"""How long before the refresh token's end the keepers hear that renewing keeps failing."""

OURS_TO_MEND = frozenset({"invalid_client", "unauthorized_client"})
"""Codes of the token endpoint that say that our own credentials are wrong (RFC 6749, 5.2)."""

SHARED = "shared_client"
"""Why a connection is broken whose client belongs to another system too: its tokens are never renewed."""

log = structlog.get_logger()


class Tokens:
    """The tokens of all connections. One for the program."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        client: ThumbtackClient,
        *,
        clock: Callable[[], datetime],
        shared_client: bool,
    ) -> None:
        """`shared_client`: the Pro API's client belongs to another system too, so its tokens are never renewed."""
        self._database = database
        self._vault = vault
        self._client = client
        self._clock = clock
        self._shared_client = shared_client
        self._owner = secrets.token_hex(8)
        self._renewing: dict[int, asyncio.Lock] = {}

    def of(self, connection_id: int) -> "ConnectionTokens":
        """The tokens of one connection, as the Thumbtack client takes them."""
        return ConnectionTokens(tokens=self, connection_id=connection_id)

    def sealed(self, pair: TokenPair, *, generation: Generation) -> Granted:
        """A pair as it is stored."""
        now = self._clock()
        renews = pair.refresh_token is not None and not self.is_shared(generation)
        return Granted(
            access_token=self._vault.seal(pair.access_token),
            refresh_token=None if pair.refresh_token is None else self._vault.seal(pair.refresh_token),
            expires_at=now + pair.expires_in,
            renew_at=now + pair.expires_in * WELL_BEFORE if renews else None,
            scopes=pair.scopes,
        )

    def is_shared(self, generation: str) -> bool:
        """Whether another system uses the same client: then its tokens are neither renewed nor revoked."""
        return self._shared_client and generation == Generation.LEGACY

    async def renew_due(self) -> None:
        """Renew what is due, and what was cut off. What fails is written down and tried again later."""
        async with self._database.reading() as tx:
            due = await connections.to_renew(tx, now=self._clock())
        for connection_id in due:
            try:
                await self.renew(connection_id)
            except errors.CallError as error:
                log.info("renewal_waits", connection_id=connection_id, reason=error.reason)

    async def refused(self, tx: Transaction, connection_id: int) -> None:
        """Thumbtack refuses a connection's newest token: it is broken, and the keepers are asked to connect again."""
        connection = await connections.to_change(tx, connection_id)
        if connection is not None and connection.state == ConnectionState.ACTIVE:
            await self._broke(tx, connection, reason="refused")

    async def access_token(self, connection_id: int) -> str:
        """A token to use now. Raises ReconnectRequired, or Unavailable while it cannot be renewed."""
        connection = await self._current(connection_id)
        if connection.expires_at is None or connection.expires_at > self._clock() + ABOUT_TO_EXPIRE:
            return self._opened(connection)
        return await self.renew(connection_id)

    async def renewed(self, connection_id: int, refused: str) -> str:
        """A newer token than the one Thumbtack refused. Raises as `access_token` does."""
        connection = await self._current(connection_id)
        if self._opened(connection) != refused:
            return self._opened(connection)
        return await self.renew(connection_id, refused=refused)

    async def renew(self, connection_id: int, *, refused: str | None = None) -> str:
        """Renew a connection's tokens now, unless somebody just did; the new access token.

        Raises ReconnectRequired where Thumbtack does not renew them any more, and Unavailable where it cannot now or
        another replica is at it.
        """
        lock = self._renewing.setdefault(connection_id, asyncio.Lock())
        async with lock:
            while True:
                async with self._database.transaction() as tx:
                    claimed = await self._claimed(tx, connection_id, refused=refused)
                if isinstance(claimed, str):
                    return claimed
                try:
                    pair = await self._asked(claimed)
                except errors.OutcomeUnknown as lost:
                    if self._clock() < claimed.grace_ends_at:
                        await asyncio.sleep(PAUSE)
                        continue  # the same token again, in its grace
                    return await self._failed(claimed, lost)
                except errors.CallError as error:
                    return await self._failed(claimed, error)
                return await self._stored(claimed, pair)

    async def _claimed(self, tx: Transaction, connection_id: int, *, refused: str | None) -> "_Claimed | str":
        """The claim to renew; or the present access token, where that is newer than what was asked about."""
        now = self._clock()
        connection = await connections.to_change(tx, connection_id)
        if connection is None or connection.state != ConnectionState.ACTIVE:
            raise errors.ReconnectRequired
        if connection.refresh_token is None or self.is_shared(connection.generation):
            return self._cannot_renew(connection)
        if connection.claimed_until is None and not self._is_wanted(connection, refused=refused, now=now):
            return self._opened(connection)
        held = await connections.claim(tx, connection_id, owner=self._owner, now=now, lasts=CLAIM_FOR)
        if held is None or held.refresh_token is None:
            raise errors.Unavailable(retry_after=1.0)  # another replica renews it just now
        generation = Generation(held.generation)
        return _Claimed(
            connection_id=connection_id,
            generation=generation,
            refresh_token=self._vault.open(held.refresh_token),
            grace_ends_at=(held.renewing_since or now) + self._client.oauth(generation).grace - CLAIM_FOR / 5,
        )

    def _is_wanted(self, connection: Connection, *, refused: str | None, now: datetime) -> bool:
        if refused is not None:
            return self._opened(connection) == refused
        if connection.renew_at is not None and connection.renew_at <= now:
            return True
        return connection.expires_at is not None and connection.expires_at <= now + ABOUT_TO_EXPIRE

    def _cannot_renew(self, connection: Connection) -> str:
        """What has no refresh token, or must not use it, lives as long as its access token."""
        if connection.expires_at is not None and connection.expires_at > self._clock():
            return self._opened(connection)
        raise errors.ReconnectRequired

    async def _asked(self, claimed: "_Claimed") -> TokenPair:
        return await self._client.oauth(claimed.generation).renew(refresh_token=claimed.refresh_token)

    async def _stored(self, claimed: "_Claimed", pair: TokenPair) -> str:
        granted = self.sealed(pair, generation=claimed.generation)
        async with self._database.transaction() as tx:
            connection = await connections.to_change(tx, claimed.connection_id)
            if connection is None or connection.state != ConnectionState.ACTIVE:
                raise errors.ReconnectRequired  # it was disconnected meanwhile
            if not self._is_still(connection, claimed):
                return self._opened(connection)  # another replica's pair stands already
            connections.renewed(connection, granted, now=self._clock())
        log.info("tokens_renewed", connection_id=claimed.connection_id)
        return pair.access_token

    async def _failed(self, claimed: "_Claimed", error: errors.CallError) -> str:
        code = getattr(error, "code", None)
        async with self._database.transaction() as tx:
            connection = await connections.to_change(tx, claimed.connection_id)
            if connection is None or connection.state != ConnectionState.ACTIVE:
                raise errors.ReconnectRequired
            if not self._is_still(connection, claimed):
                return self._opened(connection)
            if code == "invalid_grant":
                await self._broke(tx, connection, reason="invalid_grant")
            else:
                await self._wait(tx, connection, error, code=code)
        log.warning("renewal_failed", connection_id=claimed.connection_id, reason=code or error.reason)
        if code == "invalid_grant":
            raise errors.ReconnectRequired
        raise errors.Unavailable(retry_after=FIRST_AGAIN.total_seconds()) from error

    async def _broke(self, tx: Transaction, connection: Connection, *, reason: str) -> None:
        connections.broke(connection, reason=reason)
        await _notice(tx, "reconnect", connection, now=self._clock())

    async def _wait(
        self, tx: Transaction, connection: Connection, error: errors.CallError, *, code: str | None
    ) -> None:
        now = self._clock()
        asked = timedelta(seconds=getattr(error, "retry_after", None) or 0)
        pause = min(LONGEST_AGAIN, max(asked, FIRST_AGAIN * 2 ** min(connection.failures, 10)))
        known = code if code in OURS_TO_MEND else error.reason
        connections.failed(connection, reason=known, again_at=now + pause, now=now)
        ends_at = connection.granted_at + self._client.oauth(connection.generation).lifetime
        if ends_at <= now:
            await self._broke(tx, connection, reason="expired")
        elif connection.warned_at is None and (code in OURS_TO_MEND or ends_at - WARN_AHEAD <= now):
            connection.warned_at = now
            await _notice(tx, "renewal_failing", connection, now=now, ends_at=ends_at.isoformat())

    async def _current(self, connection_id: int) -> Connection:
        async with self._database.reading() as tx:
            connection = await connections.get(tx, connection_id)
        if connection is None or connection.state != ConnectionState.ACTIVE:
            raise errors.ReconnectRequired
        return connection

    def _is_still(self, connection: Connection, claimed: "_Claimed") -> bool:
        """Whether nobody stored another pair meanwhile. The seal may be another one: keys are rotated at any moment."""
        sealed = connection.refresh_token
        return sealed is not None and self._vault.open(sealed) == claimed.refresh_token

    def _opened(self, connection: Connection) -> str:
        if connection.access_token is None:
            raise errors.ReconnectRequired
        return self._vault.open(connection.access_token)


async def _notice(tx: Transaction, notice: str, connection: Connection, *, now: datetime, **more: object) -> None:
    payload = {"notice": notice, "connection_id": connection.id, "reason": connection.reason, **more}
    await outbox.enqueue(tx, Kind.POST_NOTICE, now=now, payload=payload)


@dataclass(frozen=True, kw_only=True)
class _Claimed:
    """A renewal that is ours, with the refresh token that it uses up."""

    connection_id: int
    generation: Generation
    refresh_token: str = field(repr=False)
    grace_ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class ConnectionTokens:
    """The tokens of one connection: what `webhooks.thumbtack.auth.TokenStore` promises."""

    tokens: Tokens
    connection_id: int

    async def access_token(self) -> str:
        """A token to use now. Raises ReconnectRequired or Unavailable."""
        return await self.tokens.access_token(self.connection_id)

    async def renewed(self, refused: str) -> str:
        """A newer token than the one Thumbtack refused. Raises ReconnectRequired or Unavailable."""
        return await self.tokens.renewed(self.connection_id, refused)
