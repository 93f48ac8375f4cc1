"""What v4 pushes: leads, messages of either side, reviews and anything else, to every webhook that wants it.

Source: Thumbtack's pages "Manage Webhooks" and "Self-Serve Webhooks". A business without a webhook of its own at the API
is taken to have one that its pro made on Thumbtack's screen (`Pushes.self_serve`).
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import httpx

from sandbox.thumbtack import bodies, v4_bodies
from sandbox.thumbtack.bodies import Json
from sandbox.thumbtack.subscriptions import EVENT_TYPES, Subscription, Subscriptions
from sandbox.thumbtack.v4_bodies import Sender
from sandbox.thumbtack.world import Sent, World

Deliver = Callable[[Subscription, Json], Awaitable[httpx.Response]]
Manner = Literal["basic", "bearer", "header", "none"]

LEAD, MESSAGE, REVIEW = "NegotiationCreatedV4", "MessageCreatedV4", "ReviewCreatedV4"


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """What a pro wrote into Thumbtack's screen for a webhook: user name and password, or one secret."""

    username: str
    password: str
    secret: str = ""


class Pushes:
    """Plays v4's side of leads. `echoes`: whatever the bot sends comes back by itself, as it does at Thumbtack.

    `echoed`: what came back so.
    """

    def __init__(
        self,
        *,
        world: World,
        subscriptions: Subscriptions,
        clock: Callable[[], datetime],
        secrets: Secrets,
        deliver: Deliver,
    ) -> None:
        """`deliver` brings a body to a webhook; its errors are the bot's absence."""
        self.echoes = False
        self.echoed: list[Sent] = []
        self._world = world
        self._subscriptions = subscriptions
        self._clock = clock
        self._secrets = secrets
        self._deliver = deliver
        self._scenes = itertools.cycle(v4_bodies.SCENES)
        self._own_id = bodies.new_id()
        self._echoing: set[asyncio.Task[None]] = set()

    def self_serve(
        self, manner: Manner = "basic", *, staging: bool = False, path: str = "/v4/webhooks"
    ) -> Subscription:
        """A webhook that a pro made without OAuth; `manner`: how it shows that it is Thumbtack."""
        secrets = self._secrets
        auth: dict[Manner, dict[str, str] | None] = {
            "basic": {"username": secrets.username, "password": secrets.password},
            "bearer": {"header": "Authorization", "value": f"Bearer {secrets.secret}"},
            "header": {"header": "X-Webhook-Secret", "value": secrets.secret},
            "none": None,
        }
        return Subscription(
            webhook_id=self._own_id,
            business_id=bodies.BUSINESS_ID,
            url=f"https://bot.example{'/staging' if staging else ''}{path}",
            event_types=tuple(sorted(EVENT_TYPES)),
            auth=auth[manner],
        )

    def request(self, /, **overrides: Any) -> str:
        """A customer asks, each time another scene of `v4_bodies.SCENES`, and nobody is told yet; the lead's id."""
        body = v4_bodies.negotiation(next(self._scenes), at=self._clock(), **overrides)
        lead_id = str(body["negotiationID"])
        self._world.untold.add(lead_id)
        self._world.remember(body)
        return lead_id

    async def lead(
        self, lead_id: str | None = None, /, *, webhook: Subscription | None = None, **overrides: Any
    ) -> httpx.Response:
        """The bot is told of a lead: of one that `request` made (and what is otherwise now), else of a new one.

        `webhook`: the one that is called; without it, all that want it, and the worst answer is returned. LookupError
        where a business has webhooks and none wants it.
        """
        if lead_id is None:
            lead_id, overrides = self.request(**overrides), {}
        self._world.untold.discard(lead_id)
        body = self.change(lead_id, **overrides)
        return await self.event(LEAD, body, business_id=self._business_of(lead_id), webhook=webhook)

    def change(self, lead_id: str, /, **overrides: Any) -> Json:
        """A lead is otherwise from now on (`status`, `chargeState`, `leadPrice` …): v4 tells it to whoever asks, only."""
        self._world.remember(bodies.merged(self._world.leads[lead_id], overrides))
        return self._world.leads[lead_id]

    async def message(
        self,
        lead_id: str,
        text: str,
        *,
        sender: Sender = "Customer",
        webhook: Subscription | None = None,
        **overrides: Any,
    ) -> httpx.Response:
        """Somebody writes: the customer, or ("Business") the pro in Thumbtack's own app."""
        lead = self._world.leads.get(lead_id, {})
        body = v4_bodies.message(lead, lead_id, text, sender=sender, at=self._clock(), **overrides)
        if body["from"] == "Business":
            self._world.type(body)
        else:
            self._world.ask(lead_id, body)
        return await self.event(MESSAGE, body, business_id=self._business_of(lead_id), webhook=webhook)

    async def echo(self, sent: Sent | None = None, *, webhook: Subscription | None = None) -> httpx.Response:
        """What the bot sent (None: last) comes back as a message of the business."""
        sent = self._world.sent[-1] if sent is None else sent
        lead = self._world.leads.get(sent.lead_id) or {"business": {"businessID": sent.business_id}}
        body = v4_bodies.message(
            lead, sent.lead_id, sent.text, sender="Business", at=sent.at, messageID=sent.message_id
        )
        return await self.event(MESSAGE, body, business_id=sent.business_id, webhook=webhook)

    async def review(
        self, lead_id: str | None, rating: int, text: str, *, webhook: Subscription | None = None, **overrides: Any
    ) -> httpx.Response:
        """A customer reviews; without a lead the review names none."""
        lead, business_id = self._world.leads.get(lead_id or "", {}), self._business_of(lead_id)
        body = v4_bodies.review(lead, lead_id, rating, text, at=self._clock(), **overrides)
        self._world.review({"businessID": business_id} | body)
        return await self.event(REVIEW, body, business_id=business_id, webhook=webhook)

    async def event(
        self,
        event_type: str,
        data: Json,
        *,
        business_id: str = bodies.BUSINESS_ID,
        webhook: Subscription | None = None,
    ) -> httpx.Response:
        """Any event, as `lead` says; the worst answer of those who were told."""
        told = [webhook] if webhook else self._who_wants(event_type, business_id)
        answers = [await self._tell(one, event_type, data) for one in told]
        if not answers:
            raise LookupError(f"No webhook of business {business_id} wants {event_type}.")
        return max(answers, key=lambda answer: answer.status_code)

    def echo_soon(self, sent: Sent) -> None:
        """The bot sent something: where `echoes` says so and v4 has the lead, it is told of it soon."""
        if self.echoes and (sent.via == "v4" or self._world.is_v4(sent.lead_id)):
            task = asyncio.create_task(self._echo_now(sent))
            self._echoing.add(task)
            task.add_done_callback(self._echoing.discard)

    async def aclose(self) -> None:
        """Let no echo come any more."""
        for task in self._echoing:
            task.cancel()
        await asyncio.gather(*self._echoing, return_exceptions=True)

    async def _echo_now(self, sent: Sent) -> None:
        try:
            await self.echo(sent)
        except (httpx.HTTPError, LookupError):
            return  # the bot is away, or does not want messages: it has missed this one
        self.echoed.append(sent)
        self._world.changed()

    async def _tell(self, webhook: Subscription, event_type: str, data: Json) -> httpx.Response:
        body = v4_bodies.event(event_type, data, webhook_id=webhook.webhook_id, at=self._clock())
        return await self._deliver(webhook, body)

    def _who_wants(self, event_type: str, business_id: str) -> list[Subscription]:
        if not self._subscriptions.of(business_id):
            return [self.self_serve()]
        return self._subscriptions.wanting(business_id, event_type)

    def _business_of(self, lead_id: str | None) -> str:
        return self._world.party_id(lead_id, "business") or bodies.BUSINESS_ID
