"""ThumbtackClient: one method per thing the bot asks of Thumbtack."""

import logging
import ssl
from collections.abc import Sequence
from datetime import datetime
from functools import cache

import httpx

from webhooks.thumbtack.auth import TokenStore
from webhooks.thumbtack.credentials import BasicCredentials, SecretHeader
from webhooks.thumbtack.facts import Generation, LeadReceived, MessageReceived, ReviewReceived
from webhooks.thumbtack.legacy import LegacyApi
from webhooks.thumbtack.oauth import DEADLINE as TOKEN_DEADLINE
from webhooks.thumbtack.oauth import LegacyOAuth, OAuth, V4OAuth
from webhooks.thumbtack.records import PhoneNumber, User, Webhook
from webhooks.thumbtack.v4 import V4Api
from webhooks.thumbtack.wire import Wire, without_queries

LEGACY_URL = "https://pro-api.thumbtack.com"
LEGACY_CONNECT_URL = "https://thumbtack.com/services/partner-connect/"
V4_URL = "https://api.thumbtack.com/api"
V4_AUTH_URL = "https://auth.thumbtack.com/oauth2"
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
    """Both of Thumbtack's APIs over one pool of connections. Make one for the program, and `aclose` it at the end.

    Ids are Thumbtack's, as text. Nothing is ever tried twice here, but for a call whose token was refused. Every
    failure is a `webhooks.thumbtack.errors.CallError` that says what to do; `webhooks.thumbtack.answers` has the table.
    Calls that take `tokens` raise ReconnectRequired and Unavailable as those do. Only sends (messages, added phone
    numbers and webhooks) raise OutcomeUnknown: what may be repeated is Unavailable then.
    """

    def __init__(
        self,
        *,
        version: str,
        legacy_url: str = LEGACY_URL,
        legacy_connect_url: str = LEGACY_CONNECT_URL,
        legacy_credentials: BasicCredentials | None = None,
        legacy_client: BasicCredentials | None = None,
        v4_url: str = V4_URL,
        v4_auth_url: str = V4_AUTH_URL,
        v4_client: BasicCredentials | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout: httpx.Timeout = TIMEOUT,
        deadline: float = DEADLINE,
        token_deadline: float = TOKEN_DEADLINE,
    ) -> None:
        """`version` is ours, for the User-Agent: Thumbtack's firewall refuses callers that do not say who they are.

        `legacy_credentials`: of the v1 message endpoint; `legacy_client`, `v4_client`: id and secret of our OAuth
        clients. Deadlines in seconds.
        """
        logging.getLogger("httpx").addFilter(without_queries)  # the same filter again changes nothing
        self._http = httpx.AsyncClient(
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
        wire, token_wire = Wire(self._http, deadline=deadline), Wire(self._http, deadline=token_deadline)
        self._legacy = LegacyApi(self._http, wire, url=legacy_url, credentials=legacy_credentials, client=legacy_client)
        self._v4 = V4Api(self._http, wire, url=v4_url)
        self._oauth: dict[str, OAuth] = {
            Generation.LEGACY: LegacyOAuth(
                self._http,
                token_wire,
                url=legacy_url,
                connect_url=legacy_connect_url,
                client=legacy_client,
                whose=self._legacy.whose,
            ),
            Generation.V4: V4OAuth(
                self._http, token_wire, auth_url=v4_auth_url, client=v4_client, whose=self._v4.whose
            ),
        }

    @property
    def can_send_v1(self) -> bool:
        """Whether there are credentials for the v1 message endpoint; without them `send_message_v1` cannot succeed."""
        return self._legacy.credentials is not None

    def oauth(self, generation: str) -> OAuth:
        """The OAuth server of an API generation: "legacy" or "v4"."""
        return self._oauth[generation]

    # Replies

    async def send_message_v1(self, *, business_id: str, lead_id: str, text: str) -> None:
        """Send a reply (1 to 16,384 characters of plain text) to the customer of a lead that came by the legacy API.

        Returns once Thumbtack said that it has it. Raises as `webhooks.thumbtack.answers.judge_send` tells;
        OutcomeUnknown means that the customer may have it already.
        """
        await self._legacy.send_message_v1(business_id=business_id, lead_id=lead_id, text=text)

    async def send_message_v2(self, tokens: TokenStore, *, business_id: str, lead_id: str, text: str) -> None:
        """The same as `send_message_v1`, in the name of a connected business."""
        await self._legacy.send_message_v2(tokens, business_id=business_id, lead_id=lead_id, text=text)

    async def send_message_v4(self, tokens: TokenStore, *, negotiation_id: str, text: str) -> str | None:
        """Send a reply to the customer of a lead that came by v4; the message's id where the answer has one.

        Raises as `send_message_v1`.
        """
        return await self._v4.send_message(tokens, negotiation_id=negotiation_id, text=text)

    # What a pro manages

    async def set_targeting(
        self, tokens: TokenStore, *, business_id: str, category_id: str | None, enabled: bool
    ) -> None:
        """Let a business get new leads or not, in one category or in all; may be repeated.

        Raises ReconnectRequired with the status 401 also where the business is not one of this token's; the caller
        knows which it is likelier to be.
        """
        await self._legacy.set_targeting(tokens, business_id=business_id, category_id=category_id, enabled=enabled)

    async def list_phones(self, tokens: TokenStore, *, business_id: str) -> list[PhoneNumber]:
        """The numbers that may call customers, the removed ones too; an entry that cannot be read is left out."""
        return await self._v4.list_phones(tokens, business_id=business_id)

    async def add_phone(self, tokens: TokenStore, *, business_id: str, number: str, name: str | None) -> None:
        """Add a number in E.164. After OutcomeUnknown the list tells whether it is there."""
        await self._v4.add_phone(tokens, business_id=business_id, number=number, name=name)

    async def add_phones(
        self, tokens: TokenStore, *, business_id: str, phones: Sequence[tuple[str, str | None]]
    ) -> None:
        """Add numbers with their names in one call. What happens to the others if one is refused is not published."""
        await self._v4.add_phones(tokens, business_id=business_id, phones=phones)

    async def change_phone(
        self, tokens: TokenStore, *, business_id: str, phone_id: str, number: str, name: str | None
    ) -> None:
        """Set the number and name of an entry; may be repeated."""
        await self._v4.change_phone(tokens, business_id=business_id, phone_id=phone_id, number=number, name=name)

    async def remove_phone(self, tokens: TokenStore, *, business_id: str, phone_id: str) -> None:
        """Remove an entry; may be repeated, and is RequestRejected with the status 404 once it is gone."""
        await self._v4.remove_phone(tokens, business_id=business_id, phone_id=phone_id)

    # Connections

    async def disconnect(self, *, business_id: str) -> None:
        """Have the Pro API forget all tokens of our client for a business; may be repeated."""
        await self._legacy.disconnect(business_id=business_id)

    async def whoami(self, tokens: TokenStore) -> User:
        """Who gave a v4 consent."""
        return await self._v4.whoami(tokens)

    # Webhooks of v4

    async def list_webhooks(self, tokens: TokenStore, *, business_id: str) -> list[Webhook]:
        """The subscriptions of a business, those of others with access to it too."""
        return await self._v4.list_webhooks(tokens, business_id=business_id)

    async def create_webhook(
        self,
        tokens: TokenStore,
        *,
        business_id: str,
        url: str,
        event_types: Sequence[str],
        auth: BasicCredentials | SecretHeader,
        enabled: bool = True,
    ) -> Webhook:
        """Subscribe `url` (https) to events. After OutcomeUnknown the list tells whether it is there."""
        return await self._v4.create_webhook(
            tokens, business_id=business_id, url=url, event_types=event_types, auth=auth, enabled=enabled
        )

    async def replace_webhook(
        self,
        tokens: TokenStore,
        *,
        business_id: str,
        webhook_id: str,
        url: str,
        event_types: Sequence[str],
        auth: BasicCredentials | SecretHeader,
        enabled: bool = True,
    ) -> None:
        """Set everything about a subscription anew; may be repeated."""
        await self._v4.replace_webhook(
            tokens,
            business_id=business_id,
            webhook_id=webhook_id,
            url=url,
            event_types=event_types,
            auth=auth,
            enabled=enabled,
        )

    async def delete_webhook(self, tokens: TokenStore, *, business_id: str, webhook_id: str) -> None:
        """End a subscription; may be repeated, and is RequestRejected with the status 404 once it is gone."""
        await self._v4.delete_webhook(tokens, business_id=business_id, webhook_id=webhook_id)

    async def fire_test_webhook(self, tokens: TokenStore, *, business_id: str) -> None:
        """Have Thumbtack send a made-up lead to the subscriptions of a business."""
        await self._v4.fire_test_webhook(tokens, business_id=business_id)

    # Looking things up at v4

    async def get_negotiation(self, tokens: TokenStore, *, negotiation_id: str) -> LeadReceived:
        """A lead as it stands now."""
        return await self._v4.get_negotiation(tokens, negotiation_id=negotiation_id)

    async def list_messages(
        self,
        tokens: TokenStore,
        *,
        negotiation_id: str,
        limit: int | None = None,
        sent_before: datetime | None = None,
        sent_after: datetime | None = None,
    ) -> list[MessageReceived]:
        """The messages of a lead from both sides; `limit` is 1 to 20, by default 10. Times are aware."""
        return await self._v4.list_messages(
            tokens, negotiation_id=negotiation_id, limit=limit, sent_before=sent_before, sent_after=sent_after
        )

    async def list_reviews(
        self, tokens: TokenStore, *, business_id: str, limit: int | None = None, offset: int | None = None
    ) -> list[ReviewReceived]:
        """One page of a business's reviews."""
        return await self._v4.list_reviews(tokens, business_id=business_id, limit=limit, offset=offset)

    # Thumbtack's test environment

    async def create_test_lead(self, *, business_id: str | None = None) -> LeadReceived:
        """Have Thumbtack's test environment make a lead, for the given business or one made up with it."""
        return await self._legacy.create_test_lead(business_id=business_id)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()


@cache
def _certificates() -> ssl.SSLContext:
    """Whom we trust, for every client and the proxy's connections too: reading the list takes longer than all else here."""
    return httpx.create_ssl_context()
