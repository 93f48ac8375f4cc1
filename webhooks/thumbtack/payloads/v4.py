"""Leads, messages and reviews as the newer API (v4) words them, and what each of them says.

Source: Thumbtack's pages "Leads", "Messages" and "Reviews" and its OpenAPI description, which contradict each other in
names (`createdAt` and `createTime`, `firstName` and `displayName`): both are read. Every field but the ids is read as
if it were optional; `extra` of a fact holds what a body has beyond it.
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from webhooks.thumbtack.errors import ShapeError
from webhooks.thumbtack.facts import (
    Answer,
    Attachment,
    BusinessRef,
    CustomerRef,
    Generation,
    LeadReceived,
    MessageReceived,
    ReviewReceived,
    Sender,
)
from webhooks.thumbtack.payloads.ids import required_id
from webhooks.thumbtack.payloads.legacy import (
    TEST_BUSINESS,
    TEST_CUSTOMER,
    AttachmentBody,
    DetailBody,
    LocationBody,
)
from webhooks.thumbtack.payloads.reading import Body, Id, Instant, Items, Maybe, OptionalId, Plain, Prose, left_over
from webhooks.thumbtack.payloads.text import prose


def _joined(value: Any) -> str | None:
    """A list of words as one text."""
    words = [prose(one) for one in value] if isinstance(value, list) else [prose(value)]
    return ", ".join(word for word in words if word) or None


Joined = Annotated[str | None, BeforeValidator(_joined)]


class CategoryBody(Body):
    """What kind of work it is."""

    category_id: OptionalId = None
    name: Prose = None


class CustomerBody(Body):
    """Who asks. `phone` may be a proxy number."""

    customer_id: Id
    first_name: Prose = None
    last_name: Prose = None
    display_name: Prose = None
    phone: Plain = None
    location: Maybe[LocationBody] = None


class BusinessBody(Body):
    """Who is asked."""

    business_id: Id
    name: Prose = None
    display_name: Prose = None


class EstimateBody(Body):
    """What the pro would take."""

    total: Plain = None


class RequestBody(Body):
    """What the customer wants."""

    request_id: OptionalId = None
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
    lead_price: Plain = None
    charge_state: Plain = None


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
        customer=_customer(customer),
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
        details=_answers(request.details or body.details),
        attachments=_attachments(request.attachments),
        price=body.estimate.total if body.estimate else None,
        lead_price=body.lead_price,
        charge_state=body.charge_state,
        is_test=_is_test(body),
        extra=left_over(body, payload),
    )


def read_message(payload: Any) -> MessageReceived:
    """The message in a body. Raises ShapeError where messageID or negotiationID is missing, and nothing else.

    Whoever does not say that they are the business is the customer: a message shown once too often does no harm.
    """
    _require(payload, "messageID", "negotiationID")
    body = MessageBody.model_validate(payload)
    return MessageReceived(
        generation=Generation.V4,
        lead_id=body.negotiation_id,
        message_id=body.message_id,
        sender=Sender.BUSINESS if (body.sender or "").lower() == "business" else Sender.CUSTOMER,
        business=_business(body.business),
        customer=_customer(body.customer),
        text=body.text,
        sent_at=body.sent_at,
        attachments=_attachments(body.attachments),
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


def _customer(body: CustomerBody | None) -> CustomerRef | None:
    return CustomerRef(thumbtack_id=body.customer_id, name=_name(body), phone=body.phone) if body else None


def _name(customer: CustomerBody) -> str | None:
    return " ".join(part for part in (customer.first_name, customer.last_name) if part) or customer.display_name


def _answers(details: tuple[DetailBody | None, ...]) -> tuple[Answer, ...]:
    return tuple(Answer(question=one.question or "", answer=one.answer or "") for one in details if one)


def _attachments(files: tuple[AttachmentBody | None, ...]) -> tuple[Attachment, ...]:
    return tuple(Attachment(**dict(one)) for one in files if one)
