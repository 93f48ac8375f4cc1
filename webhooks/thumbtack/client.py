"""ThumbtackClient: one method per thing the bot asks of Thumbtack."""

import httpx

from webhooks.thumbtack.facts import LeadReceived
from webhooks.thumbtack.legacy import BasicCredentials, LegacyApi
from webhooks.thumbtack.wire import Wire

LEGACY_URL = "https://pro-api.thumbtack.com"
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


class ThumbtackClient:
    """Thumbtack's API over one pool of connections. Make one for the program, and `aclose` it at the end.

    Nothing is ever tried twice here; every failure is a `webhooks.thumbtack.errors.CallError` that says what to do.
    """

    def __init__(
        self,
        *,
        version: str,
        legacy_url: str = LEGACY_URL,
        legacy_credentials: BasicCredentials | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout: httpx.Timeout = TIMEOUT,
        deadline: float = DEADLINE,
    ) -> None:
        """`version` is ours, for the User-Agent: Thumbtack's firewall refuses callers that do not say who they are."""
        self._http = httpx.AsyncClient(
            headers={
                "User-Agent": f"Corkboard/{version} (+Slack bot for Thumbtack pros)",
                "Accept": "application/json",
            },
            transport=transport,
            timeout=timeout,
            limits=_LIMITS,
            mounts=_NO_PROXY,
        )
        wire = Wire(self._http, deadline=deadline)
        self._legacy = LegacyApi(self._http, wire, url=legacy_url, credentials=legacy_credentials)

    @property
    def can_send_v1(self) -> bool:
        """Whether there are credentials for the v1 message endpoint; without them `send_message_v1` cannot succeed."""
        return self._legacy.credentials is not None

    async def send_message_v1(self, *, business_id: str, lead_id: str, text: str) -> None:
        """Send a reply (1 to 16,384 characters of plain text) to the customer of a lead that came by the legacy API.

        Returns once Thumbtack said that it has it. Raises as `webhooks.thumbtack.answers.judge_send` tells;
        OutcomeUnknown means that the customer may have it already.
        """
        await self._legacy.send_message_v1(business_id=business_id, lead_id=lead_id, text=text)

    async def create_test_lead(self, *, business_id: str | None = None) -> LeadReceived:
        """Have Thumbtack's test environment make a lead, for the given business or one made up with it."""
        return await self._legacy.create_test_lead(business_id=business_id)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()
