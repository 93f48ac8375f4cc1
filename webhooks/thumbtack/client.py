"""ThumbtackClient: one method per thing the bot asks of Thumbtack."""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import structlog

from webhooks.thumbtack.credentials import BasicCredentials, SecretHeader, TokenStore
from webhooks.thumbtack.errors import Unavailable
from webhooks.thumbtack.facts import LeadReceived, MessageReceived, ReviewReceived
from webhooks.thumbtack.records import PhoneNumber, User, Webhook

if TYPE_CHECKING:
    from webhooks.thumbtack.apis import Apis
    from webhooks.thumbtack.oauth import OAuth

LEGACY_URL = "https://pro-api.thumbtack.com"
LEGACY_CONNECT_URL = "https://thumbtack.com/services/partner-connect/"
V4_URL = "https://api.thumbtack.com/api"
V4_AUTH_URL = "https://auth.thumbtack.com/oauth2"

log = structlog.get_logger()


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
        **changes: Any,
    ) -> None:
        """`version` is ours, for the User-Agent: Thumbtack's firewall refuses callers that do not say who they are.

        `legacy_credentials`: of the v1 message endpoint; `legacy_client`, `v4_client`: id and secret of our OAuth
        clients. `changes`: what else `webhooks.thumbtack.apis.Apis` takes.
        """
        self.can_send_v1 = legacy_credentials is not None
        """Whether there are credentials for the v1 message endpoint; without them `send_message_v1` cannot succeed."""
        self._how = {
            "version": version,
            "legacy_url": legacy_url,
            "legacy_connect_url": legacy_connect_url,
            "legacy_credentials": legacy_credentials,
            "legacy_client": legacy_client,
            "v4_url": v4_url,
            "v4_auth_url": v4_auth_url,
            "v4_client": v4_client,
        } | changes

    @cached_property
    def _apis(self) -> "Apis":
        """Made when Thumbtack is first asked for something: webhooks are taken, and told, without it.

        Raises Unavailable where it cannot be (a proxy or certificates of the environment that are not there): nothing was sent.
        """
        try:
            from webhooks.thumbtack.apis import Apis  # noqa: PLC0415 -- 50 ms and 3 MB, for an HTTP client and whom it trusts

            return Apis(**self._how)
        except (OSError, ImportError, ValueError) as error:
            log.error("thumbtack_client_not_made", error=type(error).__name__)  # noqa: TRY400 -- a path may be in it
            raise Unavailable from error

    def oauth(self, generation: str) -> "OAuth":
        """The OAuth server of an API generation: "legacy" or "v4"."""
        return self._apis.oauth[generation]

    # Replies

    async def send_message_v1(self, *, business_id: str, lead_id: str, text: str) -> None:
        """Send a reply (1 to 16,384 characters of plain text) to the customer of a lead that came by the legacy API.

        Returns once Thumbtack said that it has it. Raises as `webhooks.thumbtack.answers.judge_send` tells;
        OutcomeUnknown means that the customer may have it already.
        """
        await self._apis.legacy.send_message_v1(business_id=business_id, lead_id=lead_id, text=text)

    async def send_message_v2(self, tokens: TokenStore, *, business_id: str, lead_id: str, text: str) -> None:
        """The same as `send_message_v1`, in the name of a connected business."""
        await self._apis.legacy.send_message_v2(tokens, business_id=business_id, lead_id=lead_id, text=text)

    async def send_message_v4(self, tokens: TokenStore, *, negotiation_id: str, text: str) -> str | None:
        """Send a reply to the customer of a lead that came by v4; the message's id where the answer has one.

        Raises as `send_message_v1`.
        """
        return await self._apis.v4.send_message(tokens, negotiation_id=negotiation_id, text=text)

    # What a pro manages

    async def set_targeting(
        self, tokens: TokenStore, *, business_id: str, category_id: str | None, enabled: bool
    ) -> None:
        """Let a business get new leads or not, in one category or in all; may be repeated.

        Raises ReconnectRequired with the status 401 also where the business is not one of this token's; the caller
        knows which it is likelier to be.
        """
        await self._apis.legacy.set_targeting(tokens, business_id=business_id, category_id=category_id, enabled=enabled)

    async def list_phones(self, tokens: TokenStore, *, business_id: str) -> list[PhoneNumber]:
        """The numbers that may call customers, the removed ones too; an entry that cannot be read is left out."""
        return await self._apis.v4.list_phones(tokens, business_id=business_id)

    async def add_phone(self, tokens: TokenStore, *, business_id: str, number: str, name: str | None) -> None:
        """Add a number in E.164. After OutcomeUnknown the list tells whether it is there."""
        await self._apis.v4.add_phone(tokens, business_id=business_id, number=number, name=name)

    async def add_phones(
        self, tokens: TokenStore, *, business_id: str, phones: Sequence[tuple[str, str | None]]
    ) -> None:
        """Add numbers with their names in one call. What happens to the others if one is refused is not published."""
        await self._apis.v4.add_phones(tokens, business_id=business_id, phones=phones)

    async def change_phone(
        self, tokens: TokenStore, *, business_id: str, phone_id: str, number: str, name: str | None
    ) -> None:
        """Set the number and name of an entry; may be repeated."""
        await self._apis.v4.change_phone(tokens, business_id=business_id, phone_id=phone_id, number=number, name=name)

    async def remove_phone(self, tokens: TokenStore, *, business_id: str, phone_id: str) -> None:
        """Remove an entry; may be repeated, and is RequestRejected with the status 404 once it is gone."""
        await self._apis.v4.remove_phone(tokens, business_id=business_id, phone_id=phone_id)

    # Connections

    async def disconnect(self, *, business_id: str) -> None:
        """Have the Pro API forget all tokens of our client for a business; may be repeated."""
        await self._apis.legacy.disconnect(business_id=business_id)

    async def whoami(self, tokens: TokenStore) -> User:
        """Who gave a v4 consent."""
        return await self._apis.v4.whoami(tokens)

    # Webhooks of v4

    async def list_webhooks(self, tokens: TokenStore, *, business_id: str) -> list[Webhook]:
        """The subscriptions of a business, those of others with access to it too."""
        return await self._apis.v4.list_webhooks(tokens, business_id=business_id)

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
        return await self._apis.v4.create_webhook(
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
        await self._apis.v4.replace_webhook(
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
        await self._apis.v4.delete_webhook(tokens, business_id=business_id, webhook_id=webhook_id)

    async def fire_test_webhook(self, tokens: TokenStore, *, business_id: str) -> None:
        """Have Thumbtack send a made-up lead to the subscriptions of a business."""
        await self._apis.v4.fire_test_webhook(tokens, business_id=business_id)

    # Looking things up at v4

    async def get_negotiation(self, tokens: TokenStore, *, negotiation_id: str) -> LeadReceived:
        """A lead as it stands now."""
        return await self._apis.v4.get_negotiation(tokens, negotiation_id=negotiation_id)

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
        return await self._apis.v4.list_messages(
            tokens, negotiation_id=negotiation_id, limit=limit, sent_before=sent_before, sent_after=sent_after
        )

    async def list_reviews(
        self, tokens: TokenStore, *, business_id: str, limit: int | None = None, offset: int | None = None
    ) -> list[ReviewReceived]:
        """One page of a business's reviews."""
        return await self._apis.v4.list_reviews(tokens, business_id=business_id, limit=limit, offset=offset)

    # Thumbtack's test environment

    async def create_test_lead(self, *, business_id: str | None = None) -> LeadReceived:
        """Have Thumbtack's test environment make a lead, for the given business or one made up with it."""
        return await self._apis.legacy.create_test_lead(business_id=business_id)

    async def aclose(self) -> None:
        """Close the connections."""
        if "_apis" in self.__dict__:
            await self._apis.http.aclose()
