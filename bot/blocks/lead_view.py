"""All that a lead's card shows, as one value."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum

from bot.blocks.mrkdwn import visible
from storage.models import Business, Customer, Lead
from storage.states import LeadState


class RepliesGo(StrEnum):
    """What becomes of what people write in a lead's thread."""

    OUT = "out"  # it goes to the customer
    QUIET = "quiet"  # only the Reply button and messages that start with "send:" go to the customer
    INSIDE = "inside"  # nothing can be sent: no credentials for this business
    STAGING = "staging"  # a lead of Thumbtack's other environment: not sent
    TEST = "test"  # made up by Thumbtack's "Test this webhook": nobody would read it


@dataclass(frozen=True, kw_only=True)
class LeadView:
    """All that a card shows.

    `state`: how it stands with the team; `private`: what it says stands behind the Open button alone;
    `contacted_before`: when this customer asked this business for something else. `ring`: user and group ids to
    mention; `ring_hint`: say how to set them; `zone`: where appointments are told.
    """

    lead: Lead
    business: Business | None
    customer: Customer | None
    replies: RepliesGo
    ring: tuple[str, ...]
    ring_hint: bool
    lead_url: str | None
    zone: tzinfo
    state: LeadState = LeadState.NEW
    private: bool = False
    contacted_before: datetime | None = None

    @property
    def name(self) -> str | None:
        """The customer's name."""
        return visible(self.customer.name) if self.customer else None

    @property
    def phone(self) -> str | None:
        """The customer's phone number, as sent."""
        return visible(self.customer.phone) if self.customer else None

    @property
    def business_name(self) -> str | None:
        """Whose lead it is."""
        return visible(self.business.name) if self.business else None
