"""What the stand-in for Thumbtack knows: which leads there are, and what was written about them."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sandbox.thumbtack.bodies import new_id

LONGEST_TEXT = 16_384  # of a message, in characters

Via = Literal["v1", "v2", "v4"]


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
    """Leads and messages, in memory."""

    def __init__(
        self, known_leads: Iterable[str] | None, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """`known_leads`: leads that are there from the start; None: every lead that anybody names."""
        self.leads: dict[str, dict[str, Any]] = {}
        self.reviews: list[dict[str, Any]] = []
        self.sent: list[Sent] = []
        self.asked: list[Asked] = []
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
        if lead.get("leadID") is not None:
            self.leads[str(lead["leadID"])] = lead

    def party_id(self, lead_id: str | None, party: Literal["business", "customer"]) -> str | None:
        """The id of a lead's business or customer; None where the lead is unknown or has none."""
        found = self.leads.get(lead_id or "", {}).get(party)
        party_id = found.get(f"{party}ID") if isinstance(found, dict) else None
        return None if party_id is None else str(party_id)

    def customer_name(self, lead_id: str) -> str | None:
        """The name of a lead's customer; None where the lead is unknown or has none."""
        customer = self.leads.get(lead_id, {}).get("customer")
        return str(customer["name"]) if isinstance(customer, dict) and customer.get("name") else None

    def last_lead_id(self) -> str | None:
        """The lead that came last, None before the first."""
        return next(reversed(self.leads), None)

    def ask(self, lead_id: str, message: dict[str, Any]) -> None:
        """The customer of a lead wrote this message, as it is pushed."""
        text, message_id = str(message.get("text") or ""), str(message.get("messageID"))
        self.asked.append(Asked(lead_id=lead_id, text=text, at=self._clock(), message_id=message_id))

    async def receive(self, *, business_id: str, lead_id: str, text: str, via: Via) -> Sent:
        """The customer of a lead gets a message."""
        sent = Sent(business_id=business_id, lead_id=lead_id, text=text, at=self._clock(), via=via, message_id=new_id())
        self.sent.append(sent)
        self.changed()
        return sent

    def changed(self) -> None:
        """Something happened: whoever waits looks again."""
        event, self._event = self._event, asyncio.Event()
        event.set()

    async def wait_until(self, predicate: Callable[[], bool], *, within: float) -> None:
        """Return once `predicate` holds, asked again at everything that happens; TimeoutError after `within` seconds."""
        async with asyncio.timeout(within):
            while not predicate():
                await self._event.wait()
