"""What the stand-in for Thumbtack knows: which leads there are, and what their customers received."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A message that reached a customer."""

    business_id: str
    lead_id: str
    text: str
    at: datetime


class World:
    """Leads and messages, in memory."""

    def __init__(self, known_leads: Iterable[str] | None) -> None:
        """`known_leads`: leads that are there from the start; None: every lead that anybody names."""
        self.leads: dict[str, dict[str, Any]] = {}
        self.sent: list[Sent] = []
        self._named = None if known_leads is None else set(known_leads)
        self._changed = asyncio.Condition()

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

    async def receive(self, *, business_id: str, lead_id: str, text: str) -> None:
        """The customer of a lead gets a message."""
        async with self._changed:
            self.sent.append(Sent(business_id=business_id, lead_id=lead_id, text=text, at=datetime.now(UTC)))
            self._changed.notify_all()

    async def wait_until(self, predicate: Callable[[], bool], *, within: float) -> None:
        """Return once `predicate` holds, asked again at every message; TimeoutError after `within` seconds."""
        async with asyncio.timeout(within), self._changed:
            await self._changed.wait_for(predicate)
