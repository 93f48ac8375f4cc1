"""Connects a business: the signed way to Thumbtack's consent page and back, the code for tokens, and what they are for.

The state that Thumbtack hands back names a row here: it is sealed (so it can be neither guessed nor made), belongs to
the person in Slack who asked for it, and is used up by the first who comes back with it. The tokens are stored before
anything is asked with them, together with an entry of the outbox that finishes the rest: a process that ends in between
loses nothing but the page.
"""

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import quote

import structlog

from storage import connections, consents, outbox
from storage.database import Database, Transaction
from storage.models import Connection, Consent, Environment, Generation
from storage.outbox import Kind
from storage.vault import Vault, VaultError
from webhooks import linking
from webhooks.linking import Linked
from webhooks.not_connected import NotConnected, Trouble, of_exchange
from webhooks.thumbtack import errors
from webhooks.thumbtack.client import ThumbtackClient
from webhooks.thumbtack.credentials import TokenPair
from webhooks.tokens import Tokens

GOOD_FOR = timedelta(minutes=10)
"""How long a person has between asking for a link and coming back from Thumbtack."""

PAUSES = (0.5, 1.5)
"""Seconds before the code is shown to Thumbtack again, where it said that it did nothing: the code lives 5 minutes."""

WHOSE_WITHIN = 6.0
"""Seconds for which the page waits to hear which businesses it is; later they are told in Slack."""

FINISH_AFTER = timedelta(seconds=30)
"""When the dispatcher asks for the businesses, should the page's own asking be cut off."""

log = structlog.get_logger()


class Consents:
    """Begins and ends consents at both of Thumbtack's OAuth servers. One for the program."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        client: ThumbtackClient,
        tokens: Tokens,
        *,
        clock: Callable[[], datetime],
        callback_url: str | None,
        scopes: Mapping[Generation, Sequence[str]],
        environment: Environment,
    ) -> None:
        """`callback_url`: the redirect URI, None where we have no public address; `scopes`: what is asked for."""
        self._database = database
        self._vault = vault
        self._client = client
        self._tokens = tokens
        self._clock = clock
        self.callback_url = callback_url
        self._scopes = scopes
        self._environment = environment

    @property
    def offered(self) -> tuple[Generation, ...]:
        """The APIs that there is a client for."""
        return tuple(one for one in (Generation.V4, Generation.LEGACY) if self._client.oauth(one).configured)

    # On the way to Thumbtack

    async def begin(
        self,
        tx: Transaction,
        *,
        generation: Generation,
        team_id: str,
        user_id: str,
        business_id: int | None = None,
    ) -> str:
        """A link of ours that leads this person to Thumbtack's consent page, once and for ten minutes.

        `business_id`: which business is to be connected again. Raises NotConnected without a client or PUBLIC_URL.
        """
        if self.callback_url is None or generation not in self.offered:
            raise NotConnected(Trouble.NOT_CONFIGURED, generation)
        now, nonce = self._clock(), secrets.token_urlsafe(24)
        await consents.add(
            tx,
            nonce=nonce,
            team_id=team_id,
            user_id=user_id,
            environment=self._environment,
            generation=generation,
            business_id=business_id,
            verifier=self._vault.seal(secrets.token_urlsafe(48)),
            expires_at=now + GOOD_FOR,
            now=now,
        )
        return self.way_in(self._vault.seal(nonce))

    def way_in(self, state: str) -> str:
        """Our address that leads on to Thumbtack."""
        return f"{(self.callback_url or '').removesuffix('callback')}connect?state={quote(state)}"

    async def consent_page(self, state: str) -> str:
        """Where a person with this state goes on to, at Thumbtack. Raises NotConnected where the state is over."""
        async with self._database.reading() as tx:
            consent = await self._open(tx, state)
        generation = Generation(consent.generation)
        if self.callback_url is None or generation not in self.offered:
            raise NotConnected(Trouble.NOT_CONFIGURED, generation)
        return self._client.oauth(generation).consent_url(
            state=state,
            redirect_uri=self.callback_url,
            scopes=self._scopes[generation],
            challenge=_challenge(self._vault.open(consent.verifier)),
        )

    async def is_open(self, state: str) -> bool:
        """Whether somebody may still go to Thumbtack with this state."""
        try:
            async with self._database.reading() as tx:
                await self._open(tx, state)
        except NotConnected:
            return False
        return True

    async def _open(self, tx: Transaction, state: str) -> Consent:
        try:
            nonce = self._vault.open(state)
        except (VaultError, UnicodeError):
            raise NotConnected(Trouble.UNKNOWN_STATE) from None
        consent = await consents.by_nonce(tx, nonce)
        if consent is None:
            raise NotConnected(Trouble.UNKNOWN_STATE)
        generation = Generation(consent.generation)
        if consent.used_at is not None:
            raise NotConnected(Trouble.REPLAYED, generation)
        if consent.expires_at <= self._clock():
            raise NotConnected(Trouble.EXPIRED, generation)
        return consent

    # Back from Thumbtack

    async def came_back(self, *, state: str, code: str) -> Linked:
        """A person is back with a code: their state is used up, and the code becomes a connection.

        Raises NotConnected with what went wrong.
        """
        async with self._database.transaction() as tx:
            consent = await self._open(tx, state)
            generation = Generation(consent.generation)
            if not await consents.claim(tx, consent, now=self._clock()):
                raise NotConnected(Trouble.REPLAYED, generation)
        pair = await self.exchanged(generation, code=code, verifier=self._vault.open(consent.verifier))
        async with self._database.transaction() as tx:
            connection = await self.stored(
                tx, pair, generation=generation, team_id=consent.team_id, user_id=consent.user_id
            )
            connection_id = connection.id or 0
            payload = {"connection_id": connection_id, "wanted": consent.business_id}
            now = self._clock()
            entry = await outbox.enqueue(tx, Kind.FINISH_CONNECT, now=now, due_at=now + FINISH_AFTER, payload=payload)
        return await self._finished_now(connection, entry_id=entry.id, wanted=consent.business_id)

    async def claimed_by_code(
        self, tx: Transaction, *, generation: Generation, team_id: str, user_id: str
    ) -> Consent | None:
        """The consent that a code belongs to which a person typed: the last one they began, used up by it."""
        found = await consents.latest_open(
            tx, team_id=team_id, user_id=user_id, generation=generation, now=self._clock()
        )
        if found is None or not await consents.claim(tx, found, now=self._clock()):
            return None
        return found

    async def exchanged(self, generation: Generation, *, code: str, verifier: str) -> TokenPair:
        """A code for tokens. Raises NotConnected.

        Our redirect URI goes with it, also where Thumbtack showed the code instead of sending the person back: the call
        requires one, and what it should be then is not documented (pro-api.thumbtack.com/docs, step 5).
        """
        oauth = self._client.oauth(generation)
        if self.callback_url is None or not oauth.configured:
            raise NotConnected(Trouble.NOT_CONFIGURED, generation)
        for pause in (*PAUSES, None):
            try:
                return await oauth.exchange(code=code, redirect_uri=self.callback_url, verifier=verifier)
            except errors.CallError as error:
                trouble = of_exchange(error)
                log.warning("code_not_exchanged", generation=generation, reason=trouble)
                if pause is None or trouble is not Trouble.UNAVAILABLE:
                    raise NotConnected(trouble, generation) from error
            await asyncio.sleep(pause)
        raise AssertionError("the last try returns or raises")

    async def stored(
        self, tx: Transaction, pair: TokenPair, *, generation: Generation, team_id: str, user_id: str
    ) -> Connection:
        """A new connection with these tokens, for no business yet.

        Where the answer does not say which scopes were granted, it is those that were asked for (RFC 6749, section 5.1).
        """
        granted = self._tokens.sealed(pair, generation=generation)
        return await connections.add(
            tx,
            environment=self._environment,
            generation=generation,
            team_id=team_id,
            connected_by=user_id,
            granted=replace(granted, scopes=granted.scopes or tuple(self._scopes[generation])),
            now=self._clock(),
        )

    async def _finished_now(self, connection: Connection, *, entry_id: int, wanted: int | None) -> Linked:
        """Ask which businesses it is while the person waits; what cannot be known now, the dispatcher finds out."""
        connection_id = connection.id or 0
        try:
            async with asyncio.timeout(WHOSE_WITHIN):
                grant = await self._client.oauth(connection.generation).whose(self._tokens.of(connection_id))
        except errors.ReconnectRequired:
            async with self._database.transaction() as tx:
                await outbox.cancel(tx, entry_id, now=self._clock())
                await linking.give_up(tx, connection_id, now=self._clock())
            raise NotConnected(Trouble.TOKENS_REFUSED, Generation(connection.generation)) from None
        except (errors.CallError, TimeoutError) as error:
            picks = isinstance(error, errors.CallError) and linking.must_be_picked(error)
            return await self._later(entry_id, Linked(team_id=connection.team_id, picks=picks))
        async with self._database.transaction() as tx:
            linked = await linking.link(tx, connection_id, grant, wanted=wanted, now=self._clock())
            if linked is not None and linked.names:
                await outbox.cancel(tx, entry_id, now=self._clock())
                return linked
        return await self._later(entry_id, linked or Linked(team_id=connection.team_id))

    async def _later(self, entry_id: int, linked: Linked) -> Linked:
        """The dispatcher goes on, now."""
        async with self._database.transaction() as tx:
            await outbox.release(tx, entry_id, now=self._clock())
        return linked


def _challenge(verifier: str) -> str:
    """PKCE's challenge of a verifier, method S256 (RFC 7636, section 4.2)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
