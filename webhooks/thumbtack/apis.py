"""Both of Thumbtack's APIs and both OAuth servers over one pool of connections: all that needs an HTTP client."""

import logging
import ssl
from functools import cache

import httpx

from webhooks.thumbtack.credentials import BasicCredentials
from webhooks.thumbtack.facts import Generation
from webhooks.thumbtack.legacy import LegacyApi
from webhooks.thumbtack.oauth import DEADLINE as TOKEN_DEADLINE
from webhooks.thumbtack.oauth import LegacyOAuth, OAuth, V4OAuth
from webhooks.thumbtack.v4 import V4Api
from webhooks.thumbtack.wire import Wire, without_queries

TIMEOUT = httpx.Timeout(10.0, connect=5.0, pool=5.0)
DEADLINE = 40.0  # more than all of TIMEOUT's phases together: only an answer that trickles meets it

# A connection is kept for less time than load balancers keep theirs (60 s): one that they close while we write on it
# is an outcome that nobody knows.
_LIMITS = httpx.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=20.0)

# A stand-in on this machine is not reached through the proxy that the environment may name.
_NO_PROXY: dict[str, httpx.AsyncBaseTransport | None] = {
    "all://127.0.0.1": None,
    "all://localhost": None,
    "all://[::1]": None,
}


class Apis:
    """What `ThumbtackClient` calls; its arguments are told there. Close `http` at the end."""

    def __init__(
        self,
        *,
        version: str,
        legacy_url: str,
        legacy_connect_url: str,
        legacy_credentials: BasicCredentials | None,
        legacy_client: BasicCredentials | None,
        v4_url: str,
        v4_auth_url: str,
        v4_client: BasicCredentials | None,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout: httpx.Timeout = TIMEOUT,
        deadline: float = DEADLINE,
        token_deadline: float = TOKEN_DEADLINE,
    ) -> None:
        """Nothing is opened yet."""
        logging.getLogger("httpx").addFilter(without_queries)  # the same filter again changes nothing
        self.http = http = httpx.AsyncClient(
            headers={
                "User-Agent": f"Corkboard/{version} (+Slack bot for Thumbtack pros)",
                "Accept": "application/json",
            },
            verify=_certificates(),
            transport=transport,
            timeout=timeout,
            limits=_LIMITS,
            mounts=_NO_PROXY,
        )
        wire, token_wire = Wire(http, deadline=deadline), Wire(http, deadline=token_deadline)
        self.legacy = LegacyApi(http, wire, url=legacy_url, credentials=legacy_credentials, client=legacy_client)
        self.v4 = V4Api(http, wire, url=v4_url)
        self.oauth: dict[str, OAuth] = {
            Generation.LEGACY: LegacyOAuth(
                http,
                token_wire,
                url=legacy_url,
                connect_url=legacy_connect_url,
                client=legacy_client,
                whose=self.legacy.whose,
            ),
            Generation.V4: V4OAuth(http, token_wire, auth_url=v4_auth_url, client=v4_client, whose=self.v4.whose),
        }


@cache
def _certificates() -> ssl.SSLContext:
    """Whom we trust, for every client and the proxy's connections too: reading the list takes longer than all else here."""
    return httpx.create_ssl_context()
