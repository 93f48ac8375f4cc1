"""Thumbtack's side, as the doctor finds it: every connection with its tokens and scopes, asked with what is stored.

Nothing is renewed: a refresh token is good once, and it is `corkboard serve` that uses it.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from bot import features
from bot.blocks.changes import API_NAMES
from bot.blocks.status import name_of
from bot.doctor.findings import Area, Finding, broken, ok, warning
from bot.doctor.times import ago
from bot.settings import Settings
from storage.checkup import Records, Speaking
from storage.models import Connection, ConnectionState, Generation
from storage.vault import Vault, VaultError
from webhooks.thumbtack.client import ThumbtackClient
from webhooks.thumbtack.errors import CallError, ReconnectRequired, ScopeMissing, TryLater

T = TypeVar("T")

PATIENCE = 10.0
"""Seconds that each call gets."""

LATE = timedelta(minutes=10)
"""How long after a token's end `serve` has surely renewed it, or cannot."""

SOON = timedelta(days=7)

CONNECT = "Type /thumbtack connect in Slack."
NO_ANSWER = "It is tried again by itself; what waits goes out then."


@dataclass(frozen=True, kw_only=True)
class StoredToken:
    """The access token as it is stored, as the Thumbtack client takes tokens; there is never a newer one."""

    token: str = field(repr=False)

    async def access_token(self) -> str:
        """It."""
        return self.token

    async def renewed(self, refused: str) -> str:  # noqa: ARG002 -- the protocol's
        """Renewing is not for the doctor."""
        raise ReconnectRequired(status=401)


@dataclass(frozen=True, kw_only=True)
class Looker:
    """What is needed to ask Thumbtack: the client, what opens the tokens, and the time."""

    settings: Settings
    thumbtack: ThumbtackClient
    vault: Vault
    now: datetime

    def token_of(self, connection: Connection) -> StoredToken | None:
        """The token, where it can be used now."""
        sealed, ends = connection.access_token, connection.expires_at
        if connection.state != ConnectionState.ACTIVE or sealed is None or (ends is not None and ends <= self.now):
            return None
        try:
            return StoredToken(token=self.vault.open(sealed))
        except VaultError:
            return None


async def asked(call: Awaitable[T]) -> T:
    """What Thumbtack answers; raises CallError, also where it takes too long."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await call
    except TimeoutError as error:
        raise TryLater from error


async def look(looker: Looker, records: Records) -> list[Finding]:
    """One or several findings for each connection, and for what is not connected."""
    found = [finding for one in records.connections for finding in await _connection(looker, one)]
    return found + _not_connected(looker, records)


def _not_connected(looker: Looker, records: Records) -> list[Finding]:
    if looker.thumbtack.can_send_v1:
        return []
    others = [one.business for one in records.standings if not one.connections and not one.erasure]
    if others:
        named = ", ".join(name_of(one) for one in others[:3]) + (" …" if len(others) > 3 else "")
        told = f"{named}: leads come, and replies cannot go out"
        return [warning(Area.THUMBTACK, "not connected", told, CONNECT)]
    if not records.connections:
        return [warning(Area.THUMBTACK, "not connected", "no business is: replies cannot go out", CONNECT)]
    return []


async def _connection(looker: Looker, speaking: Speaking) -> list[Finding]:
    row, subject = speaking.connection, _subject(speaking)
    if not speaking.businesses:
        told = "nobody said yet for which business it is"
        return [warning(Area.THUMBTACK, subject, told, CONNECT)]
    lacks = [_lacks(subject, *one) for one in features.lacks(row.generation, row.scopes).items()] if row.scopes else []
    stored = of_tokens(looker, row, subject)
    if stored is not None:
        return [stored, *lacks]
    lapses = _lapses(looker, row, subject)
    return [await _accepted(looker, row, subject), *lapses, *lacks]


def _subject(speaking: Speaking) -> str:
    names = [name_of(one) for one in speaking.businesses]
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return f"{API_NAMES[Generation(speaking.connection.generation)]}: {', '.join(names[:2]) or 'no business'}{more}"


def of_tokens(looker: Looker, row: Connection, subject: str) -> Finding | None:
    """What the rows alone tell of tokens that cannot be used; None where Thumbtack can be asked."""
    why = row.reason or "no reason given"
    if row.state == ConnectionState.BROKEN:
        return broken(Area.THUMBTACK, subject, f"Thumbtack renews its tokens no longer ({why})", CONNECT)
    if row.expires_at is not None and row.expires_at <= looker.now:
        return _expired(looker, row, subject, why)
    if looker.token_of(row) is None:
        return broken(Area.THUMBTACK, subject, "no key opens its tokens", f"Put the right key back. Or: {CONNECT}")
    return None


def _expired(looker: Looker, row: Connection, subject: str, why: str) -> Finding:
    told = f"its token ended {ago(row.expires_at or looker.now, looker.now)}"
    if row.refresh_token is None:
        return broken(Area.THUMBTACK, subject, f"{told}, and is not renewed here", CONNECT)
    if row.failing_since is not None:
        told += f"; renewing fails since {ago(row.failing_since, looker.now, bare=True)} ({why})"
        return broken(
            Area.THUMBTACK, subject, told, "Compare the client's id and secret; else it is tried again by itself."
        )
    remedy = "Start `corkboard serve`: it renews tokens."
    if looker.now - (row.expires_at or looker.now) > LATE:
        return broken(Area.THUMBTACK, subject, f"{told}, and was not renewed", remedy)
    return warning(Area.THUMBTACK, subject, told, remedy)


def _lapses(looker: Looker, row: Connection, subject: str) -> list[Finding]:
    """Tokens that work now, and will not soon."""
    if row.failing_since is not None:
        told = (
            f"its token cannot be renewed since {ago(row.failing_since, looker.now, bare=True)} ({row.reason or '?'})"
        )
        return [warning(Area.THUMBTACK, subject, told, NO_ANSWER)]
    is_shared = looker.settings.thumbtack_shared_client and row.generation == Generation.LEGACY
    renewed = row.refresh_token is not None and not is_shared
    lifetime = looker.thumbtack.oauth(row.generation).lifetime
    ends = row.granted_at + lifetime if renewed else row.expires_at
    if ends is None or (renewed and ends - looker.now > SOON):
        return []
    told = f"its consent ends {ends:%Y-%m-%d %H:%M} UTC, and is not renewed here"
    if renewed:
        told = f"its consent ends {ends:%Y-%m-%d %H:%M} UTC, if its tokens are not renewed before"
    return [warning(Area.THUMBTACK, subject, told, CONNECT)]


def _lacks(subject: str, feature: str, scopes: Sequence[str]) -> Finding:
    told = f"no {feature}: {', '.join(scopes)} was not allowed"
    return warning(Area.THUMBTACK, subject, told, f"{CONNECT} Allow it there.")


async def _accepted(looker: Looker, row: Connection, subject: str) -> Finding:
    """Whether Thumbtack takes the token: it is asked whose it is."""
    token = looker.token_of(row)
    if token is None:  # see `of_tokens`
        return broken(Area.THUMBTACK, subject, "its token cannot be used", CONNECT)
    try:
        await asked(looker.thumbtack.oauth(row.generation).whose(token))
    except ScopeMissing:
        pass  # it is taken, and only may not say whose it is
    except CallError as error:
        return refused(Area.THUMBTACK, subject, error)
    works = ", ".join(features.works(row.generation, row.scopes)) if row.scopes else "what was allowed is not known"
    return ok(Area.THUMBTACK, subject, f"Thumbtack takes its token ({works or 'nothing works'})")


def refused(area: Area, subject: str, error: CallError) -> Finding:
    """What a call that did not succeed says."""
    match error:
        case TryLater():
            return broken(area, subject, f"Thumbtack does not answer ({error.reason})", NO_ANSWER)
        case ReconnectRequired():
            return broken(area, subject, "Thumbtack does not take its token", CONNECT)
        case ScopeMissing():
            return broken(
                area, subject, f"it was not allowed ({error.scope or 'a scope'})", f"{CONNECT} Allow it there."
            )
        case _:
            return broken(area, subject, f"Thumbtack answered otherwise than expected ({error.reason})", NO_ANSWER)
