"""ThumbtackStandIn: the whole of it in one object, for the commands and the tests."""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount

from sandbox.faults import Faults
from sandbox.thumbtack import bodies, consent, pro
from sandbox.thumbtack.bodies import Json
from sandbox.thumbtack.consent import ConsentPage
from sandbox.thumbtack.control import control_routes
from sandbox.thumbtack.grants import Grants
from sandbox.thumbtack.partner_api import PartnerApi
from sandbox.thumbtack.phones import Phone, PhoneBook
from sandbox.thumbtack.pro_api import ProApi
from sandbox.thumbtack.pushing import Pushes, Secrets
from sandbox.thumbtack.subscriptions import Subscription, Subscriptions
from sandbox.thumbtack.targeting import Targeting, TargetingCall
from sandbox.thumbtack.tokens import Client, LegacyTokens, V4Tokens
from sandbox.thumbtack.world import Sent, World

_USER_AGENT = "Go-http-client/1.1"
_KEPT = 1_000  # calls that did not reach the bot


class ThumbtackStandIn:
    """Takes what the bot sends to customers (`app`, `sent`, `received`), and plays the customers.

    `lead`, `message` … are told as the Pro API tells them, `v4_lead`, `v4_message` … as v4 does (see `pushing.Pushes`).

    `app` serves, wherever it is mounted: the Pro API under /legacy with its consent page at /connect/, the v4 API under
    /api with its OAuth server under /oauth2, and a remote control for curl under /control. `consent` is what a pro does
    on either consent page, `grants` what both OAuth servers remember. `faults` go by the names "message",
    "create-lead", "token", "info", "disconnect", "targeting" (Pro API); "v4-token", "businesses", "self", "message",
    "messages", "negotiation", "reviews", "phones", "webhooks" (v4); "consent" (either page), and "*".
    """

    def __init__(
        self,
        *,
        username: str,
        password: str,
        webhook_url: str = "",
        webhook_username: str = "",
        webhook_password: str = "",
        webhook_secret: str = "",
        known_leads: Iterable[str] | None = (),
        legacy_client: tuple[str, str] = ("sandbox-pro-api", "sandbox-pro-api-secret"),
        v4_client: tuple[str, str] = ("sandbox-v4", "sandbox-v4-secret"),
        client: httpx.AsyncClient | None = None,
        faults: Faults | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`username`, `password`: what the bot must show. `webhook_…`: where the bot is, and what it wants to be shown.

        `webhook_secret`: what a v4 webhook may show instead of user name and password.
        `known_leads`: leads that exist beside those it plays; None: any lead that the bot names. `legacy_client`,
        `v4_client`: the OAuth clients' ids and secrets. `clock`: by which tokens expire.
        """
        self.faults = faults or Faults()
        self.webhook_url = webhook_url
        self._webhook_auth = (webhook_username, webhook_password)
        self._client = client
        self._owns_client = client is None
        self._missed: deque[tuple[str, str, dict[str, Any]]] = deque(maxlen=_KEPT)
        self._scenes = itertools.cycle(bodies.SCENES)
        self.world = world = World(known_leads, clock=clock)
        self.grants = grants = Grants(clock=clock, changed=world.changed)
        grants.add_business(bodies.BUSINESS_ID, bodies.BUSINESS_NAME)
        faults = self.faults
        self._targeting = Targeting(grants=grants, faults=faults, clock=clock, changed=world.changed)
        self.phone_book = PhoneBook(grants=grants, faults=faults, clock=clock, changed=world.changed)
        self.subscriptions = Subscriptions(grants=grants, faults=faults, clock=clock, deliver=self._deliver_to)
        partner, legacy, v4 = Client(username, password), Client(*legacy_client), Client(*v4_client)
        secrets = Secrets(username=webhook_username, password=webhook_password, secret=webhook_secret)
        self.v4 = Pushes(
            world=world, subscriptions=self.subscriptions, clock=clock, secrets=secrets, deliver=self._deliver_to
        )
        world.on_sent = self.v4.echo_soon
        self.v4_request, self.v4_lead, self.v4_change = self.v4.request, self.v4.lead, self.v4.change
        self.v4_message, self.v4_echo = self.v4.message, self.v4.echo
        self.v4_review, self.v4_event = self.v4.review, self.v4.event
        self.app = Starlette(routes=[*self._legacy(partner, legacy), *self._v4(v4), self._remote()])

    def _legacy(self, partner: Client, client: Client) -> list[BaseRoute]:
        api = ProApi(partner=partner, client=client, world=self.world, grants=self.grants, faults=self.faults)
        tokens = LegacyTokens(client=client, grants=self.grants, faults=self.faults)
        page = self._page("/", consent.LEGACY, client)
        return [
            Mount("/legacy", routes=[*api.routes, *tokens.routes, *self._targeting.routes]),
            Mount("/connect", routes=page.routes),
        ]

    def _v4(self, client: Client) -> list[BaseRoute]:
        api = PartnerApi(world=self.world, grants=self.grants, faults=self.faults)
        tokens = V4Tokens(client=client, grants=self.grants, faults=self.faults)
        page = self._page("/auth", consent.V4, client)
        return [
            Mount("/api", routes=[*api.routes, *self.phone_book.routes, *self.subscriptions.routes]),
            Mount("/oauth2", routes=[*page.routes, *tokens.routes]),
        ]

    def _page(self, path: str, manner: consent.Manner, client: Client) -> ConsentPage:
        return ConsentPage(path, manner=manner, client_id=client.client_id, grants=self.grants, faults=self.faults)

    def _remote(self) -> BaseRoute:
        return Mount("/control", routes=control_routes(self))

    @property
    def coming(self) -> asyncio.Event:
        """Set by the next thing that happens here."""
        return self.world.coming

    # What the bot did

    @property
    def sent(self) -> list[Sent]:
        """What customers received, oldest first."""
        return self.world.sent

    @property
    def typed(self) -> list[Sent]:
        """What customers received from a person in Thumbtack's own app, oldest first."""
        return self.world.typed

    def is_v4(self, lead_id: str) -> bool:
        """Whether a lead was played as v4's."""
        return self.world.is_v4(lead_id)

    def received(self, lead_id: str) -> list[str]:
        """The texts that the customer of a lead received, oldest first."""
        return [one.text for one in self.world.sent if one.lead_id == lead_id]

    @property
    def targeting(self) -> dict[tuple[str, str | None], bool]:
        """What was set: (business, category or None for all of it) to whether new leads come."""
        return self._targeting.state

    @property
    def targeting_calls(self) -> list[TargetingCall]:
        """Every accepted targeting call, oldest first."""
        return self._targeting.calls

    def know_categories(self, *category_ids: str) -> None:
        """Only these categories exist from now on: targeting another answers 404."""
        self._targeting.categories = set(category_ids)

    def phones(self, business_id: str) -> list[Phone]:
        """The phone numbers of a business, removed ones too (`is_deleted`), oldest first."""
        return self.phone_book.of(business_id)

    def add_phone_number(self, business_id: str, number: str, name: str | None = None, **more: Any) -> Phone:
        """A number is registered already; `more`: its `last_activity_at`."""
        return self.phone_book.add(business_id, number, name, **more)

    async def consent(self, url: str, *, businesses: Sequence[str] | None = None, deny: bool = False) -> str:
        """What a pro does with a consent link: pick businesses (None: the first), confirm or deny.

        Returns the address that their browser is sent to; where the link has no redirect_uri, the code that is shown.
        LookupError with the page's words where the page goes no further.
        """
        return await pro.consent(self.app, url, businesses=businesses, deny=deny)

    async def wait_until(self, predicate: Callable[[], bool], timeout: float = 5.0) -> None:  # noqa: ASYNC109  # the stand-ins' common signature
        """Return once `predicate` holds, asked again whenever the bot did something here; else TimeoutError."""
        await self.world.wait_until(predicate, within=timeout)

    @property
    def last_lead_id(self) -> str | None:
        """The lead that was played or made last."""
        return self.world.last_lead_id()

    def customer_of(self, lead_id: str) -> str:
        """The name of a lead's customer, as far as it was played here."""
        return self.world.customer_name(lead_id) or "the customer"

    # What customers do

    async def lead(self, /, *, staging: bool = False, **overrides: Any) -> httpx.Response:
        """A customer asks; each time another scene of `bodies.SCENES`. Its id is then `last_lead_id`."""
        body = bodies.lead(next(self._scenes), **overrides)
        self.world.remember(body)
        return await self.deliver("POST", "/v1/lead", body, staging=staging)

    async def message(self, lead_id: str, text: str, *, staging: bool = False, **overrides: Any) -> httpx.Response:
        """The customer of a lead writes."""
        body = bodies.message(lead_id, text, **(self._parties(lead_id) | overrides))
        self.world.ask(lead_id, body["message"])
        return await self.deliver("POST", "/v1/message", body, staging=staging)

    async def price(
        self, lead_id: str, price: str | None, state: str | None = "Charged", *, staging: bool = False
    ) -> httpx.Response:
        """Thumbtack says what a lead costs the pro."""
        if lead_id in self.world.leads:
            cost = {"leadPrice": price, "chargeState": state}
            self.world.remember(self.world.leads[lead_id] | cost)
        return await self.deliver("PUT", "/v1/lead/update", bodies.price(lead_id, price, state), staging=staging)

    async def review(
        self, lead_id: str | None, rating: str, text: str, *, staging: bool = False, **overrides: Any
    ) -> httpx.Response:
        """A customer reviews; without a lead it is an unverified review."""
        business = {"businessID": self._business_of(lead_id)}
        body = bodies.merged(bodies.review(lead_id, rating, text, review=business), overrides)
        self.world.review(body["review"])
        return await self.deliver("POST", "/v1/review", body, staging=staging)

    async def deliver(self, method: str, path: str, body: Json | bytes, *, staging: bool = False) -> httpx.Response:
        """Call the bot's webhook with any body, as Thumbtack (or, staging, its test environment) does."""
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        headers = {"Content-Type": "application/json", "User-Agent": _USER_AGENT}
        path = f"/staging{path}" if staging else path
        return await self._tell(method, path, auth=self._webhook_auth, headers=headers, **content)

    async def deliver_again(self) -> list[httpx.Response]:
        """Whatever did not reach the bot since the last time, in order, as Thumbtack tries it again; what it answered."""
        answers: list[httpx.Response] = []
        while self._missed:
            method, path, call = self._missed[0]
            answers.append(await self._call(method, path, **call))
            self._missed.popleft()
        return answers

    async def _deliver_to(self, subscription: Subscription, body: Json) -> httpx.Response:
        """Bring a v4 event to a webhook: its path, at the bot's address."""
        auth = httpx.Auth()  # nothing
        headers = {"User-Agent": _USER_AGENT}
        match subscription.auth:
            case {"username": username, "password": password}:
                auth = httpx.BasicAuth(username, password)
            case {"header": name, "value": value}:
                headers[name] = value
        return await self._tell("POST", urlsplit(subscription.url).path, json=body, auth=auth, headers=headers)

    async def _tell(self, method: str, path: str, **call: Any) -> httpx.Response:
        """Call the bot; what it does not hear is kept, for `deliver_again`."""
        try:
            return await self._call(method, path, **call)
        except httpx.TransportError:
            self._missed.append((method, path, call))
            raise

    async def _call(self, method: str, path: str, **call: Any) -> httpx.Response:
        return await self._http().request(method, f"{self.webhook_url.rstrip('/')}{path}", **call)

    def _http(self) -> httpx.AsyncClient:
        self._client = self._client or httpx.AsyncClient(trust_env=False)
        return self._client

    def _parties(self, lead_id: str | None) -> dict[str, str]:
        """Who belongs to a lead, as a message names them."""
        customer_id = self.world.party_id(lead_id, "customer") or bodies.CUSTOMER_ID
        return {"customerID": customer_id, "businessID": self._business_of(lead_id)}

    def _business_of(self, lead_id: str | None) -> str:
        return self.world.party_id(lead_id, "business") or bodies.BUSINESS_ID

    async def aclose(self) -> None:
        """Close the connections to the bot."""
        await self.v4.aclose()
        if self._client is not None and self._owns_client:
            await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
