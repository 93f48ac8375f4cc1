"""What the stand-in for Thumbtack knows: which leads there are, and what was written about them."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sandbox.thumbtack.bodies import new_id
from sandbox.thumbtack.v4_bodies import full_name

LONGEST_TEXT = 16_384  # of a message, in characters

Via = Literal["v1", "v2", "v4", "app"]
"""By which version of the API; "app": a person typed it in Thumbtack's own app."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A message that reached a customer; `via`: by which version of the API."""

    business_id: str
    lead_id: str
    text: str
    at: datetime
    via: Via = "v1"
    message_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A message that a customer wrote."""

    lead_id: str
    text: str
    at: datetime
    message_id: str


class World:
    """Leads and messages, in memory. Leads and reviews are kept as they were pushed, in either API's words."""

    def __init__(
        self, known_leads: Iterable[str] | None, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """`known_leads`: leads that are there from the start; None: every lead that anybody names.

        `untold`: leads that customers asked for, and the bot was not told of yet.
        """
        self.leads: dict[str, dict[str, Any]] = {}
        self.reviews: list[dict[str, Any]] = []
        self.sent: list[Sent] = []
        self.typed: list[Sent] = []
        self.asked: list[Asked] = []
        self.untold: set[str] = set()
        self.on_sent: Callable[[Sent], None] = lambda _: None
        self._named = None if known_leads is None else set(known_leads)
        self._clock = clock
        self._event = asyncio.Event()

    def knows(self, business_id: str, lead_id: str) -> bool:
        """Whether that lead exists and is that business's."""
        if lead_id in self.leads:
            return self.party_id(lead_id, "business") == business_id
        return self._named is None or lead_id in self._named

    def remember(self, lead: dict[str, Any]) -> None:
        """A lead exists from now on; one without an id does not."""
        lead_id = lead.get("leadID", lead.get("negotiationID"))
        if lead_id is not None:
            self.leads[str(lead_id)] = lead
            self.changed()

    def is_v4(self, lead_id: str) -> bool:
        """Whether v4 told of this lead."""
        return "negotiationID" in self.leads.get(lead_id, {})

    def party_id(self, lead_id: str | None, party: Literal["business", "customer"]) -> str | None:
        """The id of a lead's business or customer; None where the lead is unknown or has none."""
        found = self.leads.get(lead_id or "", {}).get(party)
        party_id = found.get(f"{party}ID") if isinstance(found, dict) else None
        return None if party_id is None else str(party_id)

    def customer_name(self, lead_id: str) -> str | None:
        """The name of a lead's customer; None where the lead is unknown or has none."""
        customer = self.leads.get(lead_id, {}).get("customer")
        return (full_name(customer) or None) if isinstance(customer, dict) else None

    def last_lead_id(self) -> str | None:
        """The lead that came last, None before the first."""
        return next(reversed(self.leads), None)

    def ask(self, lead_id: str, message: dict[str, Any]) -> None:
        """The customer of a lead wrote this message, as it is pushed."""
        text, message_id = str(message.get("text") or ""), str(message.get("messageID"))
        self.asked.append(Asked(lead_id=lead_id, text=text, at=self._clock(), message_id=message_id))
        self.changed()

    def review(self, review: dict[str, Any]) -> None:
        """A customer wrote a review, as it is pushed; where that names no business, with the business's id."""
        self.reviews.append(review)
        self.changed()

    def type(self, message: dict[str, Any]) -> None:
        """Somebody of the business typed this message in Thumbtack's app, as v4 pushes it."""
        business_id, lead_id = str(message["business"]["businessID"]), str(message["negotiationID"])
        text, message_id = str(message.get("text") or ""), str(message["messageID"])
        self.typed.append(
            Sent(
                business_id=business_id, lead_id=lead_id, text=text, at=self._clock(), via="app", message_id=message_id
            )
        )
        self.changed()

    async def receive(self, *, business_id: str, lead_id: str, text: str, via: Via) -> Sent:
        """The customer of a lead gets a message."""
        sent = Sent(business_id=business_id, lead_id=lead_id, text=text, at=self._clock(), via=via, message_id=new_id())
        self.sent.append(sent)
        self.changed()
        self.on_sent(sent)
        return sent

    @property
    def coming(self) -> asyncio.Event:
        """Set by the next thing that happens."""
        return self._event

    def changed(self) -> None:
        """Something happened: whoever waits looks again."""
        event, self._event = self._event, asyncio.Event()
        event.set()

    async def wait_until(self, predicate: Callable[[], bool], *, within: float) -> None:
        """Return once `predicate` holds, asked again at everything that happens; TimeoutError after `within` seconds."""
        async with asyncio.timeout(within):
            while not predicate():
                await self._event.wait()
