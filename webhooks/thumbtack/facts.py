"""What happened at Thumbtack, whichever API generation told us, in values the rest of the program can rely on.

Text here is data as Thumbtack sent it, with HTML entities decoded, NUL and lone surrogates replaced and outer blanks
removed; what was missing, null or empty is None. External ids are text (they exceed 2^53). Times are aware UTC
instants; one that cannot be read is None.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Generation(StrEnum):
    """Which API generation told us, and so which one can answer."""

    LEGACY = "legacy"
    V4 = "v4"


class Sender(StrEnum):
    """Who wrote a message: the customer, or somebody of the business in Thumbtack's own app."""

    CUSTOMER = "customer"
    BUSINESS = "business"


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A file of a lead, a message or a review; `url` is as sent, perhaps without a scheme."""

    url: str
    file_name: str | None = None
    file_size: int | None = None
    mime_type: str | None = None
    description: str | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One question of Thumbtack's request form with the customer's answer."""

    question: str
    answer: str


@dataclass(frozen=True, kw_only=True)
class BusinessRef:
    """The business (pro) an event is about."""

    thumbtack_id: str
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class CustomerRef:
    """The customer an event is about; `phone` is as sent. Some bodies of v4 name a customer without an id."""

    thumbtack_id: str | None
    name: str | None = None
    phone: str | None = None


class WindowKind(StrEnum):
    """Whether a time was booked, or is one of those that the customer proposes."""

    BOOKING = "booking"
    PROPOSED = "proposed"


@dataclass(frozen=True, kw_only=True)
class Window:
    """A time when the work may be done; `end` is None where only the beginning is known."""

    kind: WindowKind
    start: datetime
    end: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What the pro's own prices make of the request. Texts as sent, amounts with their dollar sign.

    `type` is Thumbtack's code: Fixed, PerUnit, OnSite, Hourly, MoreInfo, or one of those to come.
    """

    type: str | None = None
    price_per_unit: str | None = None
    unit_quantity: str | None = None
    unit_name: str | None = None
    total: str | None = None


@dataclass(frozen=True, kw_only=True)
class LeadReceived:
    """A customer contacted a business. v4 calls it a negotiation.

    From v4 alone: `status`, `estimate`, `windows`, how many other pros the customer asked, what the lead's cost is made
    of (`charge_breakdown`, amounts by Thumbtack's names), Thumbtack's pages to ask for a review or a refund, and the
    code by which a phone that Thumbtack does not know reaches the customer.
    """

    generation: Generation
    lead_id: str
    business: BusinessRef | None = None
    customer: CustomerRef | None = None
    created_at: datetime | None = None
    request_id: str | None = None
    category_id: str | None = None
    category: str | None = None
    title: str | None = None
    description: str | None = None
    schedule: str | None = None
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    state: str | None = None
    zip_code: str | None = None
    travel_preferences: str | None = None
    details: tuple[Answer, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    price: str | None = None
    lead_type: str | None = None
    lead_price: str | None = None
    charge_state: str | None = None
    status: str | None = None
    estimate: Estimate | None = None
    windows: tuple[Window, ...] = ()
    asked_others: int | None = None
    charge_breakdown: Mapping[str, str] | None = None
    review_link: str | None = None
    refund_link: str | None = None
    access_code: str | None = None
    is_test: bool = False
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class MessageReceived:
    """Somebody wrote a message about a lead."""

    generation: Generation
    lead_id: str
    message_id: str
    sender: Sender = Sender.CUSTOMER
    business: BusinessRef | None = None
    customer: CustomerRef | None = None
    text: str | None = None
    sent_at: datetime | None = None
    attachments: tuple[Attachment, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class LeadPriceChanged:
    """Thumbtack says what the pro pays for a lead, and whether that was charged."""

    generation: Generation
    lead_id: str
    lead_price: str | None = None
    charge_state: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class LeadStatusChanged:
    """Thumbtack says, when it is asked, how a lead stands: Open, Canceled, Picked, or a word that is yet to come."""

    generation: Generation
    lead_id: str
    status: str


@dataclass(frozen=True, kw_only=True)
class ReviewReceived:
    """A customer reviewed a business; `lead_id` only where Thumbtack verified the review."""

    generation: Generation
    review_id: str
    lead_id: str | None = None
    business: BusinessRef | None = None
    category_id: str | None = None
    rating: str | None = None
    text: str | None = None
    reviewer_name: str | None = None
    created_at: datetime | None = None
    modified_at: datetime | None = None
    verified: bool | None = None
    photos: tuple[Attachment, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class OtherEvent:
    """Something happened that this program does not know; `event_type` is Thumbtack's name for it."""

    generation: Generation
    event_type: str
    lead_id: str | None = None
    business: BusinessRef | None = None
    extra: dict[str, Any] = field(default_factory=dict)


Fact = LeadReceived | MessageReceived | LeadPriceChanged | LeadStatusChanged | ReviewReceived | OtherEvent
