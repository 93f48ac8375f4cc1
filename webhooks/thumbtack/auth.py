"""Bearer tokens on calls to Thumbtack, and what a token endpoint gives."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

import httpx

from webhooks.thumbtack.answers import missing_scope


@dataclass(frozen=True, kw_only=True)
class TokenPair:
    """What a token endpoint answered; the tokens are never shown. `scopes` is empty where it does not say which."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in: timedelta
    scopes: tuple[str, ...] = ()


class TokenStore(Protocol):
    """The tokens of one connection, wherever they are kept."""

    async def access_token(self) -> str:
        """A token to use now. Raises ReconnectRequired, or Unavailable while it cannot be renewed."""
        ...

    async def renewed(self, refused: str) -> str:
        """A newer token than the one that Thumbtack refused with 401; renewed once, whoever asks. Raises likewise."""
        ...


class BearerAuth(httpx.Auth):
    """Shows a connection's token; where Thumbtack refuses it, gets a newer one and repeats the call once.

    A 401 says that nothing was done, so repeating is safe for a send too. One that names a missing scope is about the
    consent, not about the token's age: it is left as it is. Good for one call.
    """

    def __init__(self, store: TokenStore) -> None:
        """`store`: whose tokens."""
        self._store = store
        self.is_waiting = True
        """Whether nothing of the call was done yet: a token is being waited for, or was refused."""

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send with the token, and after a 401 once more with a newer one."""
        token = await self._store.access_token()
        response = yield self._bearing(request, token)
        if response.status_code != 401:
            return
        self.is_waiting = True
        await response.aread()
        if missing_scope(response) is None:
            token = await self._store.renewed(token)
            yield self._bearing(request, token)

    def _bearing(self, request: httpx.Request, token: str) -> httpx.Request:
        request.headers["Authorization"] = f"Bearer {token}"
        self.is_waiting = False
        return request
