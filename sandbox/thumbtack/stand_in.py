"""ThumbtackStandIn: the whole of it in one object, for the commands and the tests."""

import itertools
from collections.abc import Callable, Iterable
from typing import Any, Self

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.faults import Faults
from sandbox.thumbtack import bodies
from sandbox.thumbtack.api import ProApi
from sandbox.thumbtack.bodies import Json
from sandbox.thumbtack.control import control_routes
from sandbox.thumbtack.world import Sent, World


class ThumbtackStandIn:
    """Takes what the bot sends to customers (`app`, `sent`, `received`), and plays the customers (`lead`, `message` …).

    `app` serves the Pro API under /legacy and a remote control for curl under /control, wherever it is mounted. `faults`
    go by the names "message", "create-lead" and "*".
    """

    def __init__(
        self,
        *,
        username: str,
        password: str,
        webhook_url: str = "",
        webhook_username: str = "",
        webhook_password: str = "",
        known_leads: Iterable[str] | None = (),
        client: httpx.AsyncClient | None = None,
        faults: Faults | None = None,
    ) -> None:
        """`username`, `password`: what the bot must show. `webhook_…`: where the bot is, and what it wants to be shown.

        `known_leads`: leads that exist beside those it plays; None: any lead that the bot names.
        """
        self.faults = faults or Faults()
        self.webhook_url = webhook_url
        self._webhook_auth = (webhook_username, webhook_password)
        self._client = client
        self._owns_client = client is None
        self._scenes = itertools.cycle(bodies.SCENES)
        self._world = World(known_leads)
        api = ProApi(username=username, password=password, world=self._world, faults=self.faults)
        self.app = Starlette(
            routes=[Mount("/legacy", routes=api.routes), Mount("/control", routes=control_routes(self))]
        )

    @property
    def sent(self) -> list[Sent]:
        """What customers received, oldest first."""
        return self._world.sent

    def received(self, lead_id: str) -> list[str]:
        """The texts that the customer of a lead received, oldest first."""
        return [one.text for one in self._world.sent if one.lead_id == lead_id]

    async def wait_until(self, predicate: Callable[[], bool], timeout: float = 5.0) -> None:  # noqa: ASYNC109  # the stand-ins' common signature
        """Return once `predicate` holds, asked again whenever a customer receives something; else TimeoutError."""
        await self._world.wait_until(predicate, within=timeout)

    @property
    def last_lead_id(self) -> str | None:
        """The lead that was played or made last."""
        return self._world.last_lead_id()

    def customer_of(self, lead_id: str) -> str:
        """The name of a lead's customer, as far as it was played here."""
        return self._world.customer_name(lead_id) or "the customer"

    async def lead(self, /, *, staging: bool = False, **overrides: Any) -> httpx.Response:
        """A customer asks; each time another scene of `bodies.SCENES`. Its id is then `last_lead_id`."""
        body = bodies.lead(next(self._scenes), **overrides)
        self._world.remember(body)
        return await self.deliver("POST", "/v1/lead", body, staging=staging)

    async def message(self, lead_id: str, text: str, *, staging: bool = False, **overrides: Any) -> httpx.Response:
        """The customer of a lead writes."""
        body = bodies.message(lead_id, text, **(self._parties(lead_id) | overrides))
        return await self.deliver("POST", "/v1/message", body, staging=staging)

    async def price(
        self, lead_id: str, price: str | None, state: str | None = "Charged", *, staging: bool = False
    ) -> httpx.Response:
        """Thumbtack says what a lead costs the pro."""
        return await self.deliver("PUT", "/v1/lead/update", bodies.price(lead_id, price, state), staging=staging)

    async def review(
        self, lead_id: str | None, rating: str, text: str, *, staging: bool = False, **overrides: Any
    ) -> httpx.Response:
        """A customer reviews; without a lead it is an unverified review."""
        business = {"businessID": self._business_of(lead_id)}
        body = bodies.merged(bodies.review(lead_id, rating, text, review=business), overrides)
        return await self.deliver("POST", "/v1/review", body, staging=staging)

    async def deliver(self, method: str, path: str, body: Json | bytes, *, staging: bool = False) -> httpx.Response:
        """Call the bot's webhook with any body, as Thumbtack (or, staging, its test environment) does."""
        self._client = self._client or httpx.AsyncClient(trust_env=False)
        url = f"{self.webhook_url.rstrip('/')}{'/staging' if staging else ''}{path}"
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        headers = {"Content-Type": "application/json", "User-Agent": "Go-http-client/1.1"}
        return await self._client.request(method, url, auth=self._webhook_auth, headers=headers, **content)

    def _parties(self, lead_id: str | None) -> dict[str, str]:
        """Who belongs to a lead, as a message names them."""
        customer_id = self._world.party_id(lead_id, "customer") or bodies.CUSTOMER_ID
        return {"customerID": customer_id, "businessID": self._business_of(lead_id)}

    def _business_of(self, lead_id: str | None) -> str:
        return self._world.party_id(lead_id, "business") or bodies.BUSINESS_ID

    async def aclose(self) -> None:
        """Close the connections to the bot."""
        if self._client is not None and self._owns_client:
            await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
