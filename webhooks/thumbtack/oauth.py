"""How a pro's consent becomes tokens, at both of Thumbtack's OAuth servers.

Sources: the Pro API's page, "Authentication"; Thumbtack's page "Authentication" of its newer API; RFC 6749 and 7636.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import quote, quote_plus, urlencode

import httpx

from webhooks.thumbtack.answers import judge_tokens
from webhooks.thumbtack.credentials import BasicCredentials, TokenPair, TokenStore
from webhooks.thumbtack.errors import ReconnectRequired, UnexpectedResponse
from webhooks.thumbtack.payloads.text import plain, storable
from webhooks.thumbtack.records import Grant
from webhooks.thumbtack.wire import Wire

DEADLINE = 4.0
"""Seconds that a token call may take in all, so that a lost answer leaves time to ask again within the grace."""

AUDIENCE = "urn:partner-api"
"""Whom v4's tokens are for; with another one its API answers 502."""

DEFAULT_LIFE = timedelta(hours=1)
_LONGEST_LIFE = timedelta(days=366)

Whose = Callable[[TokenStore], Awaitable[Grant]]


class OAuth(ABC):
    """One of Thumbtack's OAuth servers, and our client there."""

    grace: ClassVar[timedelta]
    """How long a refresh token that was used up is good again, for whoever lost the answer."""

    lifetime: ClassVar[timedelta]
    """How long a refresh token that was not used lives."""

    def __init__(self, http: httpx.AsyncClient, wire: Wire, *, client: BasicCredentials | None, whose: Whose) -> None:
        """`client`: our id and secret there, None where this API is not set up; `whose`: how the API is asked."""
        self._http = http
        self._wire = wire
        self._client = client
        self._whose = whose

    @property
    def configured(self) -> bool:
        """Whether there is a client; without one the methods here raise ReconnectRequired."""
        return self._client is not None

    @abstractmethod
    def consent_url(self, *, state: str, redirect_uri: str, scopes: Sequence[str], challenge: str) -> str:
        """Where a pro's browser is sent to allow us `scopes`. `challenge`: PKCE's, S256; the Pro API knows none."""

    async def exchange(self, *, code: str, redirect_uri: str, verifier: str) -> TokenPair:
        """The tokens for a code, which lives 5 minutes and is good once. `redirect_uri` as in the consent's address.

        Raises as `renew`; a RequestRejected with the code `invalid_grant` is a code that expired or was used.
        """
        return await self._tokens(
            {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}, verifier=verifier
        )

    async def renew(self, *, refresh_token: str) -> TokenPair:
        """New tokens for a refresh token, which is good once: one call, of 4 s at most.

        Raises OutcomeUnknown where the answer was lost (then the token may be used up, and is good again within
        `grace`), Unavailable or RateLimited where nothing was done, RequestRejected where it is refused: its `code`
        `invalid_grant` means that the pro must consent again, `invalid_client` and `unauthorized_client` that our own
        client is wrong; UnexpectedResponse where the answer holds no token.
        """
        return await self._tokens({"grant_type": "refresh_token", "refresh_token": refresh_token})

    async def whose(self, tokens: TokenStore) -> Grant:
        """For which businesses tokens speak. Raises any CallError; v4 ScopeMissing where it may not list them."""
        return await self._whose(tokens)

    @abstractmethod
    async def _tokens(self, parameters: dict[str, str], *, verifier: str | None = None) -> TokenPair: ...

    async def _call(self, request: httpx.Request, *, username: str, password: str) -> TokenPair:
        answer = await self._wire.send(request, auth=httpx.BasicAuth(username, password), judge=judge_tokens)
        return read_tokens(answer)

    def _ours(self) -> BasicCredentials:
        if self._client is None:
            raise ReconnectRequired("No OAuth client is set for this API of Thumbtack.")
        return self._client


class LegacyOAuth(OAuth):
    """The Pro API's: a consent page of Thumbtack's web site, tokens by parameters in the address."""

    grace = timedelta(seconds=10)
    lifetime = timedelta(hours=720)

    def __init__(
        self,
        http: httpx.AsyncClient,
        wire: Wire,
        *,
        url: str,
        connect_url: str,
        client: BasicCredentials | None,
        whose: Whose,
    ) -> None:
        """`url`: of the Pro API; `connect_url`: of the consent page."""
        super().__init__(http, wire, client=client, whose=whose)
        self._url = f"{url.rstrip('/')}/v2/tokens/access"
        self._connect_url = connect_url

    def consent_url(self, *, state: str, redirect_uri: str, scopes: Sequence[str], challenge: str) -> str:
        """Where a pro's browser is sent; `challenge` is left out, the page does not know it."""
        del challenge
        return _with_query(
            self._connect_url,
            {
                "client_id": self._ours().username,
                "redirect_uri": redirect_uri,
                "response_type": "code",
                "scope": " ".join(scopes),
                "state": state,
            },
        )

    async def _tokens(self, parameters: dict[str, str], *, verifier: str | None = None) -> TokenPair:
        del verifier
        client = self._ours()
        kind = "REFRESH" if parameters["grant_type"] == "refresh_token" else "AUTH_CODE"
        request = self._http.build_request("POST", self._url, params=_storable(parameters) | {"token_type": kind})
        return await self._call(request, username=client.username, password=client.password)


class V4OAuth(OAuth):
    """The newer API's: OAuth 2 as in the RFCs, with PKCE and an audience."""

    grace = timedelta(seconds=60)
    lifetime = timedelta(days=180)

    def __init__(
        self, http: httpx.AsyncClient, wire: Wire, *, auth_url: str, client: BasicCredentials | None, whose: Whose
    ) -> None:
        """`auth_url`: of the OAuth server."""
        super().__init__(http, wire, client=client, whose=whose)
        self._auth_url = auth_url.rstrip("/")

    def consent_url(self, *, state: str, redirect_uri: str, scopes: Sequence[str], challenge: str) -> str:
        """Where a pro's browser is sent."""
        return _with_query(
            f"{self._auth_url}/auth",
            {
                "client_id": self._ours().username,
                "redirect_uri": redirect_uri,
                "response_type": "code",
                "scope": " ".join(scopes),
                "state": state,
                "audience": AUDIENCE,
                "code_challenge": challenge,
                "code_challenge_method": "S256",
            },
        )

    async def _tokens(self, parameters: dict[str, str], *, verifier: str | None = None) -> TokenPair:
        client = self._ours()
        form = _storable(parameters) | ({} if verifier is None else {"code_verifier": storable(verifier)})
        request = self._http.build_request("POST", f"{self._auth_url}/token", data=form)
        # RFC 6749, 2.3.1: both are encoded before they become Basic credentials.
        return await self._call(request, username=quote_plus(client.username), password=quote_plus(client.password))


def read_tokens(answer: dict[str, Any]) -> TokenPair:
    """What a token endpoint's answer holds; UnexpectedResponse where it holds no token that a header could carry."""
    access_token = _token(answer.get("access_token"))
    if access_token is None:
        raise UnexpectedResponse
    return TokenPair(
        access_token=access_token,
        refresh_token=_token(answer.get("refresh_token")),
        expires_in=_life(answer.get("expires_in")),
        scopes=read_scopes(answer.get("scope")),
    )


def read_scopes(value: Any) -> tuple[str, ...]:
    """Scopes as a list, or as text with blanks between them; each once, none where it is neither."""
    words = value.split() if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(dict.fromkeys(text for text in map(plain, words) if text))


def _token(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    token = value.strip()
    return token if token and token.isascii() and token.isprintable() and " " not in token else None


def _life(value: Any) -> timedelta:
    """How long the access token lives: an hour where that is not said, as both APIs' pages have it."""
    try:
        seconds = float(plain(value) or "nan")
    except ValueError:
        return DEFAULT_LIFE
    if math.isnan(seconds) or seconds <= 0:
        return DEFAULT_LIFE
    return timedelta(seconds=min(seconds, _LONGEST_LIFE.total_seconds()))


def _storable(parameters: dict[str, str]) -> dict[str, str]:
    """As UTF-8 can hold them: a code comes from whoever opens the callback's address."""
    return {name: storable(value) for name, value in parameters.items()}


def _with_query(url: str, parameters: dict[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(parameters, quote_via=quote)}"
