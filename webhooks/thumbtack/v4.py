"""The calls of the newer API (v4) that the bot makes.

Source: Thumbtack's pages "Messages", "Pro Profiles", "Business Phone Numbers", "Manage Webhooks", "Reviews", "Leads".
Lists are under `data` as the pages say; `businesses`, `messages`, which public integrations read, are taken too.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar, assert_never

import httpx

from webhooks.thumbtack.answers import is_taken, judge_created, judge_done, judge_send
from webhooks.thumbtack.auth import BearerAuth
from webhooks.thumbtack.credentials import BasicCredentials, SecretHeader, TokenStore
from webhooks.thumbtack.errors import OutcomeUnknown, RequestRejected, ShapeError, UnexpectedResponse
from webhooks.thumbtack.facts import BusinessRef, LeadReceived, MessageReceived, ReviewReceived
from webhooks.thumbtack.paths import segment
from webhooks.thumbtack.payloads.ids import child, read_id
from webhooks.thumbtack.payloads.text import plain, prose, storable
from webhooks.thumbtack.payloads.times import instant
from webhooks.thumbtack.payloads.v4 import read_message, read_negotiation, read_review
from webhooks.thumbtack.records import Grant, PhoneNumber, User, Webhook
from webhooks.thumbtack.wire import Wire

MOST_PAGES = 20
"""How many pages of businesses are read at most."""

USUAL_PAGE = 20
"""The length of a page of businesses where the answer does not say it; the page's sample does."""

T = TypeVar("T")


class V4Api:
    """The newer API at `url`, which ends in /api."""

    def __init__(self, http: httpx.AsyncClient, wire: Wire, *, url: str) -> None:
        self._http = http
        self._wire = wire
        self._url = f"{url.rstrip('/')}/v4"

    async def send_message(self, tokens: TokenStore, *, negotiation_id: str, text: str) -> str | None:
        """`POST /negotiations/{negotiationID}/messages`; the message's id where the answer has one.

        What it answers is not published: any JSON object that names no error is taken for success.
        """
        request = self._request("POST", f"negotiations/{segment(negotiation_id)}/messages", {"text": storable(text)})
        answer = await self._wire.send(request, auth=BearerAuth(tokens), judge=partial(judge_send, accepts=is_taken))
        return read_id(answer.get("messageID")) or read_id(child(answer, "data").get("messageID"))

    async def whose(self, tokens: TokenStore) -> Grant:
        """`GET /businesses`, page by page; the token's scopes are not said.

        How to turn the page is only published for reviews (`limit`, `offset`). A server that knows no pages repeats the
        first or refuses the second; both end the list.
        """
        found: dict[str, BusinessRef] = {}
        for _ in range(MOST_PAGES):
            try:
                page, length = await self._businesses(tokens, offset=len(found))
            except RequestRejected:
                if not found:
                    raise
                break
            new = {one.thumbtack_id: one for one in page if one.thumbtack_id not in found}
            found |= new
            if not new or len(page) < length:
                break
        return Grant(businesses=tuple(found.values()))

    async def _businesses(self, tokens: TokenStore, *, offset: int) -> tuple[list[BusinessRef], int]:
        query = {"limit": USUAL_PAGE, "offset": offset} if offset else {}
        answer = await self._get(tokens, "businesses", query)
        said = child(answer, "pagination").get("limit")
        length = said if isinstance(said, int) and said > 0 else USUAL_PAGE
        return _each(_items(answer, "data", "businesses"), _business), length

    async def whoami(self, tokens: TokenStore) -> User:
        """`GET /users/self`."""
        answer = await self._get(tokens, "users/self")
        user_id = read_id(answer.get("userID")) if isinstance(answer, dict) else None
        if user_id is None:
            raise UnexpectedResponse
        return User(
            user_id=user_id,
            email=plain(answer.get("email")),
            first_name=prose(answer.get("firstName")),
            last_name=prose(answer.get("lastName")),
        )

    async def get_negotiation(self, tokens: TokenStore, *, negotiation_id: str) -> LeadReceived:
        """`GET /negotiations/{negotiationID}`."""
        answer = await self._get(tokens, f"negotiations/{segment(negotiation_id)}")
        try:
            return read_negotiation(answer)
        except ShapeError:
            raise UnexpectedResponse from None

    async def list_messages(
        self,
        tokens: TokenStore,
        *,
        negotiation_id: str,
        limit: int | None,
        sent_before: datetime | None,
        sent_after: datetime | None,
    ) -> list[MessageReceived]:
        """`GET /negotiations/{negotiationID}/messages`."""
        query = {"limit": limit, "sentBefore": _rfc3339(sent_before), "sentAfter": _rfc3339(sent_after)}
        answer = await self._get(tokens, f"negotiations/{segment(negotiation_id)}/messages", query)
        return _each(_items(answer, "data", "messages"), _read_by(read_message))

    async def list_reviews(
        self, tokens: TokenStore, *, business_id: str, limit: int | None, offset: int | None
    ) -> list[ReviewReceived]:
        """`GET /businesses/{businessID}/reviews`."""
        answer = await self._get(tokens, f"{_of(business_id)}/reviews", {"limit": limit, "offset": offset})
        return _each(_items(answer, "data", "reviews"), _read_by(read_review))

    async def list_phones(self, tokens: TokenStore, *, business_id: str) -> list[PhoneNumber]:
        """`GET /businesses/{businessID}/associate-phone-numbers`; here the list is under `phoneNumbers`."""
        answer = await self._get(tokens, f"{_of(business_id)}/associate-phone-numbers")
        return _each(_items(answer, "phoneNumbers", "data"), _phone)

    async def add_phone(self, tokens: TokenStore, *, business_id: str, number: str, name: str | None) -> None:
        """`POST /businesses/{businessID}/associate-phone-numbers`."""
        request = self._request("POST", f"{_of(business_id)}/associate-phone-numbers", _phone_body(number, name))
        await self._wire.send(request, auth=BearerAuth(tokens), judge=judge_created)

    async def add_phones(
        self, tokens: TokenStore, *, business_id: str, phones: Sequence[tuple[str, str | None]]
    ) -> None:
        """`POST /businesses/{businessID}/associate-phone-numbers-bulk-create`."""
        body = {"phoneNumbers": [_phone_body(number, name) for number, name in phones]}
        request = self._request("POST", f"{_of(business_id)}/associate-phone-numbers-bulk-create", body)
        await self._wire.send(request, auth=BearerAuth(tokens), judge=judge_created)

    async def change_phone(
        self, tokens: TokenStore, *, business_id: str, phone_id: str, number: str, name: str | None
    ) -> None:
        """`PUT /businesses/{businessID}/associate-phone-numbers/{phoneNumberID}`."""
        path = f"{_of(business_id)}/associate-phone-numbers/{segment(phone_id)}"
        request = self._request("PUT", path, _phone_body(number, name))
        await self._wire.ask(request, auth=BearerAuth(tokens), judge=judge_done)

    async def remove_phone(self, tokens: TokenStore, *, business_id: str, phone_id: str) -> None:
        """`DELETE /businesses/{businessID}/associate-phone-numbers/{phoneNumberID}`."""
        request = self._request("DELETE", f"{_of(business_id)}/associate-phone-numbers/{segment(phone_id)}")
        await self._wire.ask(request, auth=BearerAuth(tokens), judge=judge_done)

    async def list_webhooks(self, tokens: TokenStore, *, business_id: str) -> list[Webhook]:
        """`GET /businesses/{businessID}/webhooks`."""
        answer = await self._get(tokens, f"{_of(business_id)}/webhooks")
        return _each(_items(answer, "data", "webhooks"), _webhook)

    async def create_webhook(
        self,
        tokens: TokenStore,
        *,
        business_id: str,
        url: str,
        event_types: Sequence[str],
        auth: BasicCredentials | SecretHeader,
        enabled: bool,
    ) -> Webhook:
        """`POST /businesses/{businessID}/webhooks`."""
        body = _webhook_body(url=url, event_types=event_types, auth=auth, enabled=enabled)
        request = self._request("POST", f"{_of(business_id)}/webhooks", body)
        made = _webhook(await self._wire.send(request, auth=BearerAuth(tokens), judge=judge_created))
        if made is None:
            raise OutcomeUnknown  # whether there is one now, the list tells
        return made

    async def replace_webhook(
        self,
        tokens: TokenStore,
        *,
        business_id: str,
        webhook_id: str,
        url: str,
        event_types: Sequence[str],
        auth: BasicCredentials | SecretHeader,
        enabled: bool,
    ) -> None:
        """`PUT /businesses/{businessID}/webhooks/{webhookID}`."""
        body = _webhook_body(url=url, event_types=event_types, auth=auth, enabled=enabled)
        request = self._request("PUT", f"{_of(business_id)}/webhooks/{segment(webhook_id)}", body)
        await self._wire.ask(request, auth=BearerAuth(tokens), judge=judge_done)

    async def delete_webhook(self, tokens: TokenStore, *, business_id: str, webhook_id: str) -> None:
        """`DELETE /businesses/{businessID}/webhooks/{webhookID}`."""
        request = self._request("DELETE", f"{_of(business_id)}/webhooks/{segment(webhook_id)}")
        await self._wire.ask(request, auth=BearerAuth(tokens), judge=judge_done)

    async def fire_test_webhook(self, tokens: TokenStore, *, business_id: str) -> None:
        """`POST /businesses/{businessID}/webhooks/test-negotiation`."""
        request = self._request("POST", f"{_of(business_id)}/webhooks/test-negotiation", {})
        await self._wire.ask(request, auth=BearerAuth(tokens), judge=judge_done)

    async def _get(self, tokens: TokenStore, path: str, query: Mapping[str, object] | None = None) -> Any:
        known = {name: str(value) for name, value in (query or {}).items() if value is not None}
        request = self._http.build_request("GET", f"{self._url}/{path}", params=known)
        return await self._wire.ask(request, auth=BearerAuth(tokens))

    def _request(self, method: str, path: str, body: Mapping[str, object] | None = None) -> httpx.Request:
        return self._http.build_request(method, f"{self._url}/{path}", json=body)


def _of(business_id: str) -> str:
    return f"businesses/{segment(business_id)}"


def _items(answer: Any, *names: str) -> list[Any]:
    """The list under the first of these names; an empty one for `null`, which Go writes for it."""
    if not isinstance(answer, dict):
        raise UnexpectedResponse
    for name in names:
        if name in answer and (answer[name] is None or isinstance(answer[name], list)):
            return answer[name] or []
    raise UnexpectedResponse


def _each(items: list[Any], read: Callable[[Any], T | None]) -> list[T]:
    """What could be read; one entry that cannot be does not hide the others."""
    return [found for found in map(read, items) if found is not None]


def _read_by(read: Callable[[Any], T]) -> Callable[[Any], T | None]:
    def reading(item: Any) -> T | None:
        try:
            return read(item)
        except ShapeError:
            return None

    return reading


def _business(item: Any) -> BusinessRef | None:
    business_id = read_id(item.get("businessID")) if isinstance(item, dict) else None
    return None if business_id is None else BusinessRef(thumbtack_id=business_id, name=prose(item.get("name")))


def _phone(item: Any) -> PhoneNumber | None:
    if not isinstance(item, dict):
        return None
    phone_id, number = read_id(item.get("phoneNumberID")), plain(item.get("phoneNumber"))
    if phone_id is None or number is None:
        return None
    return PhoneNumber(
        phone_id=phone_id,
        number=number,
        name=prose(item.get("name")),
        is_deleted=item.get("isDeleted") is True,
        last_activity_at=instant(item.get("lastActivityTime")),
    )


def _webhook(item: Any) -> Webhook | None:
    webhook_id = read_id(item.get("webhookID")) if isinstance(item, dict) else None
    if webhook_id is None:
        return None
    enabled, types = item.get("enabled"), item.get("eventTypes")
    return Webhook(
        webhook_id=webhook_id,
        url=plain(item.get("webhookURL")),
        is_enabled=enabled if isinstance(enabled, bool) else None,
        auth_type=plain(item.get("authType")),
        event_types=tuple(filter(None, map(plain, types if isinstance(types, list) else ()))),
    )


def _phone_body(number: str, name: str | None) -> dict[str, str]:
    return {"phoneNumber": storable(number)} | ({"name": storable(name)} if name else {})


def _webhook_body(
    *, url: str, event_types: Sequence[str], auth: BasicCredentials | SecretHeader, enabled: bool
) -> dict[str, object]:
    match auth:
        case BasicCredentials(username=username, password=password):
            shown = {"username": username, "password": password}
        case SecretHeader(header=header, value=value):
            shown = {"header": header, "value": value}
        case _:
            assert_never(auth)
    return {"webhookURL": url, "eventTypes": list(event_types), "enabled": enabled, "auth": shown}


def _rfc3339(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
