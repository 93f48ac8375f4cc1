"""Leads, messages and reviews as the newer API (v4) words them, and what each of them says.

Source: Thumbtack's pages "Leads", "Messages" and "Reviews" and its OpenAPI description, which contradict each other in
names (`createdAt` and `createTime`, `firstName` and `displayName`): both are read. Every field but the ids is read as
if it were optional; `extra` of a fact holds what a body has beyond it.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from webhooks.thumbtack import money
from webhooks.thumbtack.errors import ShapeError
from webhooks.thumbtack.facts import (
    Attachment,
    BusinessRef,
    CustomerRef,
    Estimate,
    Generation,
    LeadReceived,
    MessageReceived,
    ReviewReceived,
    Sender,
    Window,
    WindowKind,
)
from webhooks.thumbtack.payloads.ids import required_id
from webhooks.thumbtack.payloads.parts import (
    TEST_BUSINESS,
    TEST_CUSTOMER,
    AttachmentBody,
    DetailBody,
    LocationBody,
    answers,
    attachments,
)
from webhooks.thumbtack.payloads.reading import (
    Body,
    Count,
    Id,
    Instant,
    Items,
    Maybe,
    OptionalId,
    Plain,
    Prose,
    left_over,
)
from webhooks.thumbtack.payloads.text import plain, prose


def _joined(value: Any) -> str | None:
    """A list of words as one text."""
    words = [prose(one) for one in value] if isinstance(value, list) else [prose(value)]
    return ", ".join(word for word in words if word) or None


Joined = Annotated[str | None, BeforeValidator(_joined)]
Money = Annotated[str | None, BeforeValidator(lambda value: money.dollars(plain(value)))]


class CategoryBody(Body):
    """What kind of work it is."""

    category_id: OptionalId = None
    name: Prose = None


class CustomerBody(Body):
    """Who asks. `phone` may be a proxy number. A real delivery had name and phone and no id."""

    customer_id: OptionalId = None
    first_name: Prose = None
    last_name: Prose = None
    display_name: Prose = None
    name: Prose = None
    phone: Plain = None
    location: Maybe[LocationBody] = None


class BusinessBody(Body):
    """Who is asked. `access_code` lets phones that Thumbtack does not know reach the customer."""

    business_id: Id
    name: Prose = None
    display_name: Prose = None
    access_code: Plain = None


class EstimateBody(Body):
    """What the pro's prices make of the request."""

    type: Plain = None
    price_per_unit: Money = None
    unit_quantity: Plain = None
    unit_name: Prose = None
    total: Money = None


class WindowBody(Body):
    """A time that the customer proposes."""

    start: Instant = None
    end: Instant = None


class BookingBody(Body):
    """A time that is booked; `duration` in minutes."""

    start: Instant = None
    duration: Count = None


class ContactedBody(Body):
    """A business that the customer asked, this one too."""

    business_id: OptionalId = None
    negotiation_id: OptionalId = None


class BreakdownBody(Body):
    """What the lead's cost is made of."""

    subtotal: Money = None
    sales_tax: Money = None


class RequestBody(Body):
    """What the customer wants."""

    request_id: OptionalId = None
    customer_id: OptionalId = None
    contacted_businesses: Items[ContactedBody] = ()
    proposed_times: Items[WindowBody] = ()
    booking: Maybe[BookingBody] = None
    category: Maybe[CategoryBody] = None
    description: Prose = None
    location: Maybe[LocationBody] = None
    travel_preferences: Joined = None
    details: Items[DetailBody] = ()
    attachments: Items[AttachmentBody] = ()


class NegotiationBody(Body):
    """A lead. What the page's sample has at the top, the description has in `request`."""

    negotiation_id: Id
    created_at: Instant = None
    create_time: Instant = None
    customer: Maybe[CustomerBody] = None
    business: Maybe[BusinessBody] = None
    request: Maybe[RequestBody] = None
    category: Maybe[CategoryBody] = None
    details: Items[DetailBody] = ()
    estimate: Maybe[EstimateBody] = None
    status: Plain = None
    lead_price: Money = None
    lead_price_breakdown: Maybe[BreakdownBody] = None
    charge_state: Plain = None
    request_review_link: Plain = None
    refund_request_link: Plain = None


class MessageBody(Body):
    """A message of either side."""

    message_id: Id
    negotiation_id: Id
    sender: Plain = Field(None, alias="from")
    customer: Maybe[CustomerBody] = None
    business: Maybe[BusinessBody] = None
    text: Prose = None
    sent_at: Instant = None
    attachments: Items[AttachmentBody] = ()


class ImageBody(Body):
    """A photo of a review."""

    image_url: Plain = Field(alias="imageURL")
    caption: Prose = None


class ReviewBody(Body):
    """A review."""

    review_id: Id
    negotiation_id: OptionalId = None
    category_id: OptionalId = None
    rating: Plain = None
    review_text: Prose = None
    reviewer_name: Prose = None
    create_time: Instant = None
    images: Items[ImageBody] = ()


def read_negotiation(payload: Any) -> LeadReceived:
    """The lead in a body. Raises ShapeError where it is no object or has no negotiationID, and nothing else."""
    _require(payload, "negotiationID")
    body = NegotiationBody.model_validate(payload)
    request, customer = body.request or RequestBody(), body.customer
    category = request.category or body.category or CategoryBody()
    place = request.location or (customer.location if customer else None) or LocationBody()
    return LeadReceived(
        generation=Generation.V4,
        lead_id=body.negotiation_id,
        business=_business(body.business),
        customer=_customer(customer, elsewhere=request.customer_id),
        created_at=body.created_at or body.create_time,
        request_id=request.request_id,
        category_id=category.category_id,
        category=category.name,
        description=request.description,
        address1=place.address1,
        address2=place.address2,
        city=place.city,
        state=place.state,
        zip_code=place.zip_code,
        travel_preferences=request.travel_preferences,
        details=answers(request.details or body.details),
        attachments=attachments(request.attachments),
        price=_price(body.estimate),
        lead_price=body.lead_price,
        charge_state=body.charge_state,
        status=body.status,
        estimate=_estimate(body.estimate),
        windows=tuple(_windows(request)),
        asked_others=_asked_others(body, request),
        charge_breakdown=_breakdown(body.lead_price_breakdown),
        review_link=body.request_review_link,
        refund_link=body.refund_request_link,
        access_code=body.business.access_code if body.business else None,
        is_test=_is_test(body),
        extra=left_over(body, payload),
    )


def read_message(payload: Any) -> MessageReceived:
    """The message in a body. Raises ShapeError where messageID or negotiationID is missing, and nothing else.

    Where it does not say who wrote, it is the one side that it names; where it names both or neither, the customer: a
    message shown once too often does no harm.
    """
    _require(payload, "messageID", "negotiationID")
    body = MessageBody.model_validate(payload)
    return MessageReceived(
        generation=Generation.V4,
        lead_id=body.negotiation_id,
        message_id=body.message_id,
        sender=_sender(body),
        business=_business(body.business),
        customer=_customer(body.customer),
        text=body.text,
        sent_at=body.sent_at,
        attachments=attachments(body.attachments),
        extra=left_over(body, payload),
    )


def read_review(payload: Any) -> ReviewReceived:
    """The review in a body; it does not name its business. Raises ShapeError without a reviewID, and nothing else."""
    _require(payload, "reviewID")
    body = ReviewBody.model_validate(payload)
    photos = tuple(
        Attachment(url=one.image_url, description=one.caption) for one in body.images if one and one.image_url
    )
    return ReviewReceived(
        generation=Generation.V4,
        review_id=body.review_id,
        lead_id=body.negotiation_id,
        category_id=body.category_id,
        rating=body.rating,
        text=body.review_text,
        reviewer_name=body.reviewer_name,
        created_at=body.create_time,
        photos=photos,
        extra=left_over(body, payload),
    )


def _require(payload: Any, *names: str) -> None:
    if not isinstance(payload, dict):
        raise ShapeError
    for name in names:
        required_id(payload.get(name))


def _is_test(body: NegotiationBody) -> bool:
    business, customer = body.business, body.customer
    return (business is not None and business.name == TEST_BUSINESS) or (
        customer is not None and _name(customer) == TEST_CUSTOMER
    )


def _business(body: BusinessBody | None) -> BusinessRef | None:
    return BusinessRef(thumbtack_id=body.business_id, name=body.name or body.display_name) if body else None


def _customer(body: CustomerBody | None, *, elsewhere: str | None = None) -> CustomerRef | None:
    """Whatever is known of a customer; `elsewhere`: their id as another part of the body has it."""
    body = body or CustomerBody()
    known = CustomerRef(thumbtack_id=body.customer_id or elsewhere, name=_name(body), phone=body.phone)
    return known if known.thumbtack_id or known.name or known.phone else None


def _name(customer: CustomerBody) -> str | None:
    """The name, whole or in parts, without stray blanks (seen in real deliveries)."""
    parts = " ".join(part for part in (customer.first_name, customer.last_name) if part)
    return " ".join((parts or customer.display_name or customer.name or "").split()) or None


def _sender(body: MessageBody) -> Sender:
    if body.sender is None:
        return Sender.BUSINESS if body.business and not body.customer else Sender.CUSTOMER
    return Sender.BUSINESS if body.sender.lower() == "business" else Sender.CUSTOMER


def _estimate(body: EstimateBody | None) -> Estimate | None:
    found = Estimate(**dict(body or EstimateBody()))
    return None if found == Estimate() else found


def _price(estimate: EstimateBody | None) -> str | None:
    """The estimate as the Pro API would word it: an amount, "$150.00/hour", or none where the pro has yet to see."""
    if estimate is None or (estimate.type in ("OnSite", "MoreInfo") and not money.cents(estimate.total)):
        return None
    by_unit = f"{estimate.price_per_unit}/{estimate.unit_name}" if estimate.unit_name else estimate.price_per_unit
    return estimate.total or (by_unit if estimate.price_per_unit else None)


def _windows(request: RequestBody) -> Iterator[Window]:
    booking = request.booking
    if booking and booking.start:
        yield Window(kind=WindowKind.BOOKING, start=booking.start, end=_after(booking.start, booking.duration))
    for one in request.proposed_times:
        if one and one.start:
            yield Window(kind=WindowKind.PROPOSED, start=one.start, end=one.end)


def _after(start: datetime, minutes: int | None) -> datetime | None:
    if not minutes:
        return None
    try:
        return start + timedelta(minutes=minutes)
    except OverflowError:  # behind the end of the calendar
        return None


def _asked_others(body: NegotiationBody, request: RequestBody) -> int | None:
    """How many other pros the customer asked; None where none is named."""
    ours = body.business.business_id if body.business else None
    named = [one for one in request.contacted_businesses if one]
    return sum(one.negotiation_id != body.negotiation_id and one.business_id != (ours or "") for one in named) or None


def _breakdown(body: BreakdownBody | None) -> Mapping[str, str] | None:
    amounts = body.model_dump(by_alias=True, exclude_none=True) if body else {}
    return amounts or None
