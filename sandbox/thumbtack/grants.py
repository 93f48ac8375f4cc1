"""What the stand-in's two OAuth servers remember: businesses, codes, and tokens that expire, renew and can be revoked.

Sources: the Pro API's page, "Authentication" (codes 5 minutes, refresh tokens 720 hours, 10 s of grace), and Thumbtack's
v4 "Authentication" page (refresh tokens 180 days, 60 s of grace, both single use; access tokens one hour).
"""

import base64
import hashlib
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

Generation = Literal["legacy", "v4"]

CODE_LIVES = timedelta(minutes=5)
ACCESS_TOKEN_LIVES = timedelta(hours=1)
REFRESH_TOKEN_LIVES: dict[Generation, timedelta] = {"legacy": timedelta(hours=720), "v4": timedelta(days=180)}
GRACE: dict[Generation, timedelta] = {"legacy": timedelta(seconds=10), "v4": timedelta(seconds=60)}

OFFLINE = "offline_access"
"""The v4 scope without which there is no refresh token."""


class RefusedGrantError(Exception):
    """A token endpoint refuses; `code` as in RFC 6749, 5.2, in lower case."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence


@dataclass(frozen=True, kw_only=True)
class Business:
    """A pro's business, as it can be picked on a consent page."""

    business_id: str
    name: str


@dataclass(kw_only=True)
class Grant:
    """What a pro allowed once, on a consent page. All of its tokens die with it."""

    generation: Generation
    businesses: tuple[str, ...]
    scopes: tuple[str, ...]
    audience: str | None = None  # v4: without the right one the API answers 502
    revoked: bool = False


@dataclass(frozen=True, kw_only=True)
class Pair:
    """What a token endpoint gives; without a refresh token where `offline_access` was not granted."""

    access_token: str
    refresh_token: str | None
    expires_in: timedelta
    scopes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Renewal:
    """One accepted use of a refresh token; `again`: within its grace, and the same pair was given again."""

    generation: Generation
    refresh_token: str
    at: datetime
    again: bool


@dataclass(kw_only=True)
class _Code:
    grant: Grant
    redirect_uri: str | None
    challenge: str | None
    expires_at: datetime
    used: bool = False


@dataclass(kw_only=True)
class _Access:
    grant: Grant
    expires_at: datetime


@dataclass(kw_only=True)
class _Refresh:
    grant: Grant
    expires_at: datetime
    used_at: datetime | None = None
    gave: Pair | None = None


@dataclass(kw_only=True)
class Grants:
    """The memory of both OAuth servers, in the open so that tests can look and change.

    `granted_scopes`: what a consent grants instead of what was asked for, per generation. `redirect_uris`: those that
    were registered (None: any). `misused`: refresh tokens that came again after their grace.
    """

    clock: Callable[[], datetime]
    changed: Callable[[], None]
    businesses: dict[str, Business] = field(default_factory=dict)
    granted_scopes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    redirect_uris: Collection[str] | None = None
    access_token_lives: timedelta = ACCESS_TOKEN_LIVES
    renewals: list[Renewal] = field(default_factory=list)
    misused: list[str] = field(default_factory=list)
    disconnected: list[str] = field(default_factory=list)
    consents: list[Grant] = field(default_factory=list)
    _codes: dict[str, _Code] = field(default_factory=dict)
    _access: dict[str, _Access] = field(default_factory=dict)
    _refresh: dict[str, _Refresh] = field(default_factory=dict)

    def add_business(self, business_id: str, name: str) -> Business:
        """The pro has this business from now on (under this name)."""
        self.businesses[business_id] = Business(business_id=business_id, name=name)
        return self.businesses[business_id]

    def name_of(self, business_id: str) -> str:
        """What a business is called; its id where nobody said."""
        known = self.businesses.get(business_id)
        return known.name if known else business_id

    def consent(
        self,
        generation: Generation,
        *,
        businesses: Sequence[str],
        scopes: Sequence[str],
        redirect_uri: str | None = None,
        challenge: str | None = None,
        audience: str | None = None,
    ) -> str:
        """A pro agrees; the authorization code, good once and for five minutes."""
        granted = self.granted_scopes.get(generation, tuple(scopes))
        grant = Grant(generation=generation, businesses=tuple(businesses), scopes=tuple(granted), audience=audience)
        self.consents.append(grant)
        code = secrets.token_urlsafe(16)
        self._codes[code] = _Code(
            grant=grant, redirect_uri=redirect_uri, challenge=challenge, expires_at=self.clock() + CODE_LIVES
        )
        return code

    def exchange(self, generation: Generation, *, code: str, redirect_uri: str, verifier: str | None = None) -> Pair:
        """The first pair for a code. Raises RefusedGrantError.

        Where the consent page showed the code, any redirect_uri will do: what belongs there is not documented.
        """
        known = self._codes.get(code)
        if known is None or known.grant.generation != generation:
            raise RefusedGrantError("invalid_grant", "The authorization code is not known.")
        if known.used or known.grant.revoked or self.clock() >= known.expires_at:
            raise RefusedGrantError("invalid_grant", "The authorization code was used, has expired, or was revoked.")
        if known.redirect_uri is not None and known.redirect_uri != redirect_uri:
            raise RefusedGrantError("invalid_grant", "The redirect_uri is not the one that the code was asked with.")
        if known.challenge is not None and known.challenge != challenge_of(verifier or ""):
            raise RefusedGrantError("invalid_grant", "The code_verifier does not fit the code_challenge.")
        known.used = True
        return self._pair(known.grant)

    def renew(self, generation: Generation, refresh_token: str) -> Pair:
        """The next pair; the same one again where the token comes again within its grace. Raises RefusedGrantError."""
        now = self.clock()
        known = self._refresh.get(refresh_token)
        if known is None or known.grant.generation != generation or known.grant.revoked:
            raise RefusedGrantError("invalid_grant", "The refresh token is not known, or was revoked.")
        if known.used_at is not None and known.gave is not None:
            if now > known.used_at + GRACE[generation]:
                self.misused.append(refresh_token)
                raise RefusedGrantError("invalid_grant", "The refresh token was used already.")
            self._wrote(known.grant, refresh_token, again=True)
            return known.gave
        if now >= known.expires_at:
            raise RefusedGrantError("invalid_grant", "The refresh token has expired.")
        known.used_at, known.gave = now, self._pair(known.grant)
        self._wrote(known.grant, refresh_token, again=False)
        return known.gave

    def of(self, access_token: str, generation: Generation) -> Grant | None:
        """What a token allows now; None where it is not known, expired, revoked, or of the other API."""
        known = self._access.get(access_token)
        if known is None or known.grant.revoked or known.grant.generation != generation:
            return None
        return known.grant if self.clock() < known.expires_at else None

    # What tests and the remote control do

    def expire_access_tokens(self) -> None:
        """Every access token given so far is refused with 401; refresh tokens go on working."""
        for access in self._access.values():
            access.expires_at = self.clock()

    def revoke(self, generation: Generation | None = None, business_id: str | None = None) -> None:
        """Every token so far (of one API, of one business) is refused: the next refresh answers invalid_grant."""
        for grant in self.consents:
            if generation in (None, grant.generation) and (business_id is None or business_id in grant.businesses):
                grant.revoked = True

    def disconnect(self, business_id: str) -> None:
        """What disconnect-partner does: the Pro API's tokens and codes of that business are removed."""
        self.revoke("legacy", business_id)
        self.disconnected.append(business_id)
        self.changed()

    @property
    def awaits_renewal(self) -> bool:
        """Whether pros allow something, and every access token for it has expired."""
        live = [access for access in self._access.values() if not access.grant.revoked]
        return bool(live) and all(access.expires_at <= self.clock() for access in live)

    def live(self, generation: Generation) -> list[Grant]:
        """The consents that were not revoked, oldest first."""
        return [grant for grant in self.consents if grant.generation == generation and not grant.revoked]

    def _pair(self, grant: Grant) -> Pair:
        now = self.clock()
        access = f"1.{secrets.token_urlsafe(24)}"
        self._access[access] = _Access(grant=grant, expires_at=now + self.access_token_lives)
        refresh: str | None = None
        if grant.generation == "legacy" or OFFLINE in grant.scopes:
            refresh = secrets.token_urlsafe(16)
            lives = REFRESH_TOKEN_LIVES[grant.generation]
            self._refresh[refresh] = _Refresh(grant=grant, expires_at=now + lives)
        return Pair(access_token=access, refresh_token=refresh, expires_in=self.access_token_lives, scopes=grant.scopes)

    def _wrote(self, grant: Grant, refresh_token: str, *, again: bool) -> None:
        self.renewals.append(
            Renewal(generation=grant.generation, refresh_token=refresh_token, at=self.clock(), again=again)
        )
        self.changed()


def challenge_of(verifier: str) -> str:
    """PKCE's S256 (RFC 7636, 4.2)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
