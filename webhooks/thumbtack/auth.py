"""Bearer tokens on calls to Thumbtack."""

from collections.abc import AsyncGenerator

import httpx

from webhooks.thumbtack.answers import missing_scope
from webhooks.thumbtack.credentials import TokenStore


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
