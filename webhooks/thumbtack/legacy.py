"""The calls of the Pro API (legacy, v1) that the bot makes.

Source: the Pro API's page, "Thumbtack Endpoints" and "Create Test Data on Thumbtack".
"""

from dataclasses import dataclass, field
from urllib.parse import quote

import httpx

from webhooks.thumbtack.errors import ReconnectRequired, ShapeError, UnexpectedResponse
from webhooks.thumbtack.facts import LeadReceived
from webhooks.thumbtack.payloads.legacy import read_lead
from webhooks.thumbtack.payloads.text import storable
from webhooks.thumbtack.wire import Wire


@dataclass(frozen=True, kw_only=True)
class BasicCredentials:
    """User name and password that Thumbtack issued for the v1 endpoints; never shown."""

    username: str
    password: str = field(repr=False)


class LegacyApi:
    """The Pro API at `url`."""

    def __init__(self, http: httpx.AsyncClient, wire: Wire, *, url: str, credentials: BasicCredentials | None) -> None:
        self._http = http
        self._wire = wire
        self._url = url.rstrip("/")
        self.credentials = credentials

    async def send_message_v1(self, *, business_id: str, lead_id: str, text: str) -> None:
        """`POST /v1/business/{businessID}/lead/{leadID}/message`; answers `{"status": "success"}`."""
        url = f"{self._url}/v1/business/{_segment(business_id)}/lead/{_segment(lead_id)}/message"
        request = self._http.build_request("POST", url, json={"text": storable(text)})
        await self._wire.send(request, auth=self._basic())

    async def create_test_lead(self, *, business_id: str | None) -> LeadReceived:
        """`POST /v1/test/create-lead`, which only Thumbtack's test environment has; answers with the lead it made."""
        body = {} if business_id is None else {"businessID": business_id}
        request = self._http.build_request("POST", f"{self._url}/v1/test/create-lead", json=body)
        answer = await self._wire.ask(request, auth=self._basic())
        try:
            return read_lead(answer)
        except ShapeError:
            raise UnexpectedResponse from None

    def _basic(self) -> httpx.BasicAuth:
        if self.credentials is None:
            raise ReconnectRequired("No user name and password for Thumbtack's v1 endpoints are set.")
        return httpx.BasicAuth(self.credentials.username, self.credentials.password)


def _segment(thumbtack_id: str) -> str:
    """The id as one part of a path, whatever is in it: it came from outside and must not lead elsewhere."""
    quoted = quote(storable(thumbtack_id), safe="")
    return quoted if quoted.strip(".") else quoted.replace(".", "%2E")
