"""What customers and Thumbtack do on the page, each brought to the bot as Thumbtack brings it."""

from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING

import httpx

from sandbox.pages.deeds import Deed, Json
from sandbox.shortcuts import ASKED_BEFORE
from sandbox.thumbtack import ThumbtackStandIn, bodies, pushing, v4_bodies
from sandbox.thumbtack.subscriptions import test_negotiation
from sandbox.thumbtack.world import LONGEST_TEXT

if TYPE_CHECKING:
    from sandbox.outside import Outside

PHOTOS = (("gutter.jpg", "The corner over the door"), ("tree.jpg", "The oak"))
FIRST_WORDS = "Hi! Is this something you do?"
"""What a customer asks before Thumbtack has told of their request."""

JOB = "PresetJobStatusChangedV4"
_RATINGS = range(1, 6)


def deeds(world: "Outside") -> Mapping[str, Deed]:
    """By name; what each takes stands in its function. It does not matter who acts: customers are not in Slack."""
    market = _Market(world)
    return {
        "lead": market.lead, "lead_v4": market.lead_v4, "early": market.early, "tell": market.tell,
        "customer": market.customer, "app": market.app, "price": market.price, "review": market.review,
        "job": market.job, "test_delivery": market.deliver_test,
    }  # fmt: skip


class _Market:
    """Each deed tells what the bot made of it, unless one sees that. LookupError or ValueError: why it was not done."""

    def __init__(self, world: "Outside") -> None:
        self._world = world

    @property
    def _thumbtack(self) -> ThumbtackStandIn:
        return self._world.thumbtack

    async def lead(self, _: str, _args: Json) -> str:
        """A customer asks, told by the Pro API; each time somebody else."""
        answer = await self._brought(self._thumbtack.lead(createTimestamp=self._seconds()))
        return f"{self._last_customer()} asks for something, told by the Pro API. {answer}"

    async def lead_v4(self, _: str, _args: Json) -> str:
        """A customer asks with photos, told by Thumbtack's newer API."""
        answer = await self._brought(
            self._thumbtack.v4_lead(createdAt=self._a_while_ago(), request={"attachments": _photos()})
        )
        return f"{self._last_customer()} asks for something, told by Thumbtack's newer API. {answer}"

    async def early(self, _: str, _args: Json) -> str:
        """A customer's question comes before the request that it belongs to; `tell` brings that."""
        lead_id = self._thumbtack.v4_request(createdAt=self._a_while_ago())
        answer = await self._brought(self._thumbtack.v4_message(lead_id, FIRST_WORDS))
        return f"{self._last_customer()} wrote before Thumbtack told of the request. {answer}"

    async def tell(self, _: str, args: Json) -> str:
        """Thumbtack tells of the lead `lead_id`, which `early` kept back."""
        lead_id = self._lead(args)
        if lead_id not in self._thumbtack.world.untold:
            raise ValueError("Thumbtack has told of that lead already.")
        answer = await self._brought(self._thumbtack.v4_lead(lead_id))
        return f"Thumbtack tells of the request now. {answer}"

    async def customer(self, _: str, args: Json) -> str | None:
        """The customer of `lead_id` writes `text`."""
        lead_id, text = self._lead(args), _text(args)
        if self._thumbtack.is_v4(lead_id):
            return await self._unheard(self._thumbtack.v4_message(lead_id, text))
        told = {"createTimestamp": self._seconds()}
        return await self._unheard(self._thumbtack.message(lead_id, text, message=told))

    async def app(self, _: str, args: Json) -> str | None:
        """Somebody of the team answers `lead_id` with `text` in Thumbtack's own app."""
        lead_id, text = self._v4_lead(args, "of what is typed in its app"), _text(args)
        return await self._unheard(self._thumbtack.v4_message(lead_id, text, sender="Business"))

    async def price(self, _: str, args: Json) -> str:
        """The lead `lead_id` costs `price`."""
        lead_id, price = self._lead(args), str(args.get("price") or "$26.00")
        if self._thumbtack.is_v4(lead_id):
            self._thumbtack.v4_change(lead_id, leadPrice=price, chargeState="Charged")
            sooner = ": put the clock forward." if self._world.bot else "."
            return f"The lead costs {price}. The newer API says so only when the bot asks{sooner}"
        return f"The lead costs {price}. {await self._brought(self._thumbtack.price(lead_id, price))}"

    async def review(self, _: str, args: Json) -> str:
        """The customer of `lead_id` reviews: `rating` stars, and `text`."""
        lead_id, rating, text = self._lead(args), args.get("rating", 5), _text(args)
        if rating not in _RATINGS:
            raise ValueError("A review has one to five stars.")
        if self._thumbtack.is_v4(lead_id):
            review = self._thumbtack.v4_review(lead_id, rating, text)
        else:
            now = f"{self._seconds()}000"
            told = {"reviewerNickname": self._thumbtack.customer_of(lead_id), "createTime": now, "modifyTime": now}
            review = self._thumbtack.review(lead_id, str(rating), text, review=told)
        return f"{self._thumbtack.customer_of(lead_id)} reviewed. {await self._brought(review)}"

    async def job(self, _: str, args: Json) -> str:
        """The status of the job of `lead_id` changes; only a webhook that the pro made on Thumbtack's screen tells that."""
        lead_id = self._v4_lead(args, "of jobs")
        business = {"businessID": self._thumbtack.world.party_id(lead_id, "business")}
        data = {"negotiationID": lead_id, "status": "won", "deepLink": "", "business": business}
        webhook = self._thumbtack.v4.self_serve()
        return f"The job was won. {await self._brought(self._thumbtack.v4_event(JOB, data, webhook=webhook))}"

    async def deliver_test(self, _: str, _args: Json) -> str:
        """The pro presses "Test" on Thumbtack's screen for webhooks."""
        body = test_negotiation(bodies.new_id(), bodies.BUSINESS_ID, at=self._world.clock())
        answer = await self._brought(self._thumbtack.v4_event(pushing.LEAD, body["data"]))
        return f"Thumbtack sent its test delivery. {answer}"

    async def _brought(self, telling: Awaitable[httpx.Response]) -> str:
        """What the bot made of it, as a sentence."""
        return await self._unheard(telling) or "The bot took it."

    async def _unheard(self, telling: Awaitable[httpx.Response]) -> str | None:
        """The sentence that says so where the bot did not take it; on Thumbtack it happened all the same."""
        try:
            answer = await telling
        except httpx.TransportError:
            killed = self._world.bot is not None and not self._world.bot.running
            again = "Thumbtack tells it again when you start it." if killed else "Is it running?"
            return f"The bot does not answer. {again}"
        return None if answer.is_success else f"The bot did not take it: it answered {answer.status_code}."

    def _lead(self, args: Json) -> str:
        lead_id = str(args.get("lead_id"))
        if lead_id not in self._thumbtack.world.leads:
            raise LookupError("There is no such lead.")
        return lead_id

    def _v4_lead(self, args: Json, tells: str) -> str:
        lead_id = self._lead(args)
        if not self._thumbtack.is_v4(lead_id):
            raise ValueError(f"Only Thumbtack's newer API tells {tells}: choose a lead that came by it.")
        return lead_id

    def _last_customer(self) -> str:
        return self._thumbtack.customer_of(self._thumbtack.last_lead_id or "")

    def _seconds(self) -> str:
        """Now, as the Pro API writes it."""
        return str(int(self._world.clock().timestamp()))

    def _a_while_ago(self) -> str:
        return v4_bodies.iso(self._world.clock() - ASKED_BEFORE)


def _text(args: Json) -> str:
    text = str(args.get("text") or "").strip()
    if not text:
        raise ValueError("Write something first.")
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"That is too long for Thumbtack: {LONGEST_TEXT:,} characters at most.")
    return text


def _photos() -> list[Json]:
    address = "https://www.thumbtack.com/attachment/00000000000000000000000000000000000000b2"
    return [
        {
            "fileName": name,
            "fileSize": 48213,
            "mimeType": "image/jpeg",
            "url": f"{address}/{name}",
            "description": description,
        }
        for name, description in PHOTOS
    ]
