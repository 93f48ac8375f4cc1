"""The calls of the Pro API (legacy, v1 to v3) that the bot makes.

Source: the Pro API's page, "Thumbtack Endpoints", "Targeting Endpoints" and "Create Test Data on Thumbtack".
"""

import httpx

from webhooks.thumbtack.answers import judge_client_call, judge_success
from webhooks.thumbtack.auth import BearerAuth
from webhooks.thumbtack.credentials import BasicCredentials, TokenStore
from webhooks.thumbtack.errors import ReconnectRequired, ShapeError, UnexpectedResponse
from webhooks.thumbtack.facts import BusinessRef, LeadReceived
from webhooks.thumbtack.oauth import read_scopes
from webhooks.thumbtack.paths import segment
from webhooks.thumbtack.payloads.ids import read_id
from webhooks.thumbtack.payloads.legacy import read_lead
from webhooks.thumbtack.payloads.text import prose, storable
from webhooks.thumbtack.records import Grant
from webhooks.thumbtack.wire import Wire


class LegacyApi:
    """The Pro API at `url`."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        wire: Wire,
        *,
        url: str,
        credentials: BasicCredentials | None,
        client: BasicCredentials | None,
    ) -> None:
        """`credentials`: for the v1 endpoints; `client`: our OAuth client."""
        self._http = http
        self._wire = wire
        self._url = url.rstrip("/")
        self._client = client
        self.credentials = credentials

    async def send_message_v1(self, *, business_id: str, lead_id: str, text: str) -> None:
        """`POST /v1/business/{businessID}/lead/{leadID}/message`; answers `{"status": "success"}`."""
        auth = self._basic()
        await self._wire.send(self._message("v1", business_id, lead_id, text), auth=auth)

    async def send_message_v2(self, tokens: TokenStore, *, business_id: str, lead_id: str, text: str) -> None:
        """`POST /v2/business/{businessID}/lead/{leadID}/message`; answers `{"status": "success"}`."""
        await self._wire.send(self._message("v2", business_id, lead_id, text), auth=BearerAuth(tokens))

    async def set_targeting(
        self, tokens: TokenStore, *, business_id: str, category_id: str | None, enabled: bool
    ) -> None:
        """`PATCH /v3/accounts/~/services/{serviceID}[/categories/{categoryID}]/preferences/targeting`."""
        category = "" if category_id is None else f"/categories/{segment(category_id)}"
        url = f"{self._url}/v3/accounts/~/services/{segment(business_id)}{category}/preferences/targeting"
        request = self._http.build_request("PATCH", url, json={"enabled": "true" if enabled else "false"})
        await self._wire.ask(request, auth=BearerAuth(tokens), judge=judge_success)

    async def whose(self, tokens: TokenStore) -> Grant:
        """`GET /v2/get-thumbtack-info`: the one business that a token is for, and its scopes."""
        request = self._http.build_request("GET", f"{self._url}/v2/get-thumbtack-info")
        request.headers["Content-Type"] = "application/json"  # the page requires it, also without a body
        answer = await self._wire.ask(request, auth=BearerAuth(tokens))
        business_id = read_id(answer.get("business_pk")) if isinstance(answer, dict) else None
        if business_id is None:
            raise UnexpectedResponse
        business = BusinessRef(thumbtack_id=business_id, name=prose(answer.get("business_name")))
        return Grant(businesses=(business,), scopes=read_scopes(answer.get("scope")))

    async def disconnect(self, *, business_id: str) -> None:
        """`POST /v2/disconnect-partner?business_pk=`: removes all codes and tokens of our client for the business."""
        if self._client is None:
            raise ReconnectRequired("No OAuth client is set for the Pro API.")
        url, query = f"{self._url}/v2/disconnect-partner", {"business_pk": storable(business_id)}
        request = self._http.build_request("POST", url, params=query)
        auth = httpx.BasicAuth(self._client.username, self._client.password)
        await self._wire.ask(request, auth=auth, judge=judge_client_call)

    async def create_test_lead(self, *, business_id: str | None) -> LeadReceived:
        """`POST /v1/test/create-lead`, which only Thumbtack's test environment has; answers with the lead it made."""
        body = {} if business_id is None else {"businessID": business_id}
        request = self._http.build_request("POST", f"{self._url}/v1/test/create-lead", json=body)
        answer = await self._wire.ask(request, auth=self._basic())
        try:
            return read_lead(answer)
        except ShapeError:
            raise UnexpectedResponse from None

    def _message(self, version: str, business_id: str, lead_id: str, text: str) -> httpx.Request:
        url = f"{self._url}/{version}/business/{segment(business_id)}/lead/{segment(lead_id)}/message"
        return self._http.build_request("POST", url, json={"text": storable(text)})

    def _basic(self) -> httpx.BasicAuth:
        if self.credentials is None:
            raise ReconnectRequired("No user name and password for Thumbtack's v1 endpoints are set.")
        return httpx.BasicAuth(self.credentials.username, self.credentials.password)
