"""The four bodies that the Pro API (legacy, v1) pushes, and what each of them says.

Source: the Pro API's page, "Partner Endpoints". Every field but the ids is read as if it were optional.
"""

from enum import StrEnum
from typing import Any, assert_never

from webhooks.thumbtack.errors import ShapeError
from webhooks.thumbtack.facts import (
    BusinessRef,
    CustomerRef,
    Fact,
    Generation,
    LeadPriceChanged,
    LeadReceived,
    MessageReceived,
    ReviewReceived,
    Sender,
)
from webhooks.thumbtack.payloads.ids import Ids, child, read_id, required_id
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
    Id,
    Items,
    Maybe,
    OptionalId,
    Plain,
    Prose,
    Time,
    Truth,
    left_over,
)


class Kind(StrEnum):
    """What a body is, as its route says."""

    LEAD = "lead"
    MESSAGE = "message"
    LEAD_UPDATE = "lead_update"
    REVIEW = "review"


def ids(kind: Kind, payload: Any) -> Ids:
    """The ids in a body, by plain look-ups: this runs before every acknowledgement.

    Raises ShapeError where the payload is no object or lacks the ids that it cannot do without: leadID; leadID and
    message.messageID; leadID of an update; review.reviewID. The others are None where they cannot be read.
    """
    if not isinstance(payload, dict):
        raise ShapeError
    match kind:
        case Kind.LEAD:
            lead_id = required_id(payload.get("leadID"))
            business_id = read_id(child(payload, "business").get("businessID"))
            return Ids(object_id=lead_id, lead_id=lead_id, business_id=business_id)
        case Kind.MESSAGE:
            return Ids(
                object_id=required_id(child(payload, "message").get("messageID")),
                lead_id=required_id(payload.get("leadID")),
                business_id=read_id(payload.get("businessID")),
            )
        case Kind.LEAD_UPDATE:
            lead_id = required_id(payload.get("leadID"))
            return Ids(object_id=lead_id, lead_id=lead_id)
        case Kind.REVIEW:
            review = child(payload, "review")
            return Ids(
                object_id=required_id(review.get("reviewID")),
                lead_id=read_id(review.get("leadID")),
                business_id=read_id(review.get("businessID")),
            )
        case _:
            assert_never(kind)


def facts(kind: Kind, payload: Any) -> list[Fact]:
    """What a body says. Raises ShapeError exactly when `ids` does, and nothing else.

    `extra` of a fact holds what the body has beyond it: fields we do not know and values that could not be read.
    """
    ids(kind, payload)
    match kind:
        case Kind.LEAD:
            return [read_lead(payload)]
        case Kind.MESSAGE:
            return [_message(MessageBody.model_validate(payload), payload)]
        case Kind.LEAD_UPDATE:
            return [_price(LeadUpdateBody.model_validate(payload), payload)]
        case Kind.REVIEW:
            return [_review(ReviewBody.model_validate(payload), payload)]
        case _:
            assert_never(kind)


def read_lead(payload: Any) -> LeadReceived:
    """The lead in a body, pushed to us or answered to a call. Raises ShapeError as `ids` does, and nothing else."""
    ids(Kind.LEAD, payload)
    return _lead(LeadBody.model_validate(payload), payload)


class RequestBody(Body):
    """What the customer wants. `schedule` has one to three lines."""

    request_id: OptionalId = None
    category: Prose = None
    category_id: OptionalId = None
    title: Prose = None
    description: Prose = None
    schedule: Prose = None
    location: Maybe[LocationBody] = None
    travel_preferences: Prose = None
    details: Items[DetailBody] = ()
    attachments: Items[AttachmentBody] = ()


class CustomerBody(Body):
    """Who asks. `phone` may be a proxy number."""

    customer_id: Id
    name: Prose = None
    phone: Plain = None


class BusinessBody(Body):
    """Who is asked."""

    business_id: Id
    name: Prose = None


class LeadBody(Body):
    """`POST …/v1/lead`, and the answer of the test endpoint that makes a lead. Prices are shown as sent, "N/A" too."""

    lead_id: Id
    create_timestamp: Time = None
    request: Maybe[RequestBody] = None
    customer: Maybe[CustomerBody] = None
    business: Maybe[BusinessBody] = None
    price: Plain = None
    lead_type: Plain = None
    lead_price: Plain = None
    charge_state: Plain = None


class MessagePart(Body):
    """The message inside a message body."""

    message_id: Id
    create_timestamp: Time = None
    text: Prose = None
    attachments: Items[AttachmentBody] = ()


class MessageBody(Body):
    """`POST …/v1/message`."""

    lead_id: Id
    customer_id: OptionalId = None
    business_id: OptionalId = None
    message: MessagePart


class LeadUpdateBody(Body):
    """`PUT …/v1/lead/update`."""

    lead_id: Id
    lead_price: Plain = None
    charge_state: Plain = None


class ReviewPart(Body):
    """The review inside a review body. The page's table says reviewerName, its sample reviewerNickname."""

    review_id: Id
    lead_id: OptionalId = None
    business_id: OptionalId = None
    category_id: OptionalId = None
    rating: Plain = None
    text: Prose = None
    reviewer_name: Prose = None
    reviewer_nickname: Prose = None
    create_time: Time = None
    modify_time: Time = None
    verified: Truth = None
    photos: Items[AttachmentBody] = ()


class ReviewBody(Body):
    """`POST …/v1/review`."""

    review: ReviewPart


def _lead(body: LeadBody, raw: dict[str, Any]) -> LeadReceived:
    request = body.request or RequestBody()
    place = request.location or LocationBody()
    return LeadReceived(
        generation=Generation.LEGACY,
        lead_id=body.lead_id,
        business=_business(body.business),
        customer=_customer(body.customer),
        created_at=body.create_timestamp,
        request_id=request.request_id,
        category_id=request.category_id,
        category=request.category,
        title=request.title,
        description=request.description,
        schedule=request.schedule,
        address1=place.address1,
        address2=place.address2,
        city=place.city,
        state=place.state,
        zip_code=place.zip_code,
        travel_preferences=request.travel_preferences,
        details=answers(request.details),
        attachments=attachments(request.attachments),
        price=body.price,
        lead_type=body.lead_type,
        lead_price=body.lead_price,
        charge_state=body.charge_state,
        is_test=_is_test(body),
        extra=left_over(body, raw),
    )


def _is_test(body: LeadBody) -> bool:
    business, customer = body.business, body.customer
    return (business is not None and business.name == TEST_BUSINESS) or (
        customer is not None and customer.name == TEST_CUSTOMER
    )


def _message(body: MessageBody, raw: dict[str, Any]) -> MessageReceived:
    return MessageReceived(
        generation=Generation.LEGACY,
        lead_id=body.lead_id,
        message_id=body.message.message_id,
        sender=Sender.CUSTOMER,  # the Pro API pushes nothing that the business wrote
        business=_business_of(body.business_id),
        customer=CustomerRef(thumbtack_id=body.customer_id) if body.customer_id else None,
        text=body.message.text,
        sent_at=body.message.create_timestamp,
        attachments=attachments(body.message.attachments),
        extra=left_over(body, raw),
    )


def _price(body: LeadUpdateBody, raw: dict[str, Any]) -> LeadPriceChanged:
    return LeadPriceChanged(
        generation=Generation.LEGACY,
        lead_id=body.lead_id,
        lead_price=body.lead_price,
        charge_state=body.charge_state,
        extra=left_over(body, raw),
    )


def _review(body: ReviewBody, raw: dict[str, Any]) -> ReviewReceived:
    review = body.review
    extra = left_over(body, raw)
    if review.reviewer_name and review.reviewer_nickname and review.reviewer_name != review.reviewer_nickname:
        extra.setdefault("review", {})["reviewerNickname"] = review.reviewer_nickname
    return ReviewReceived(
        generation=Generation.LEGACY,
        review_id=review.review_id,
        lead_id=review.lead_id,
        business=_business_of(review.business_id),
        category_id=review.category_id,
        rating=review.rating,
        text=review.text,
        reviewer_name=review.reviewer_name or review.reviewer_nickname,
        created_at=review.create_time,
        modified_at=review.modify_time,
        verified=review.verified,
        photos=attachments(review.photos),
        extra=extra,
    )


def _business(body: BusinessBody | None) -> BusinessRef | None:
    return BusinessRef(thumbtack_id=body.business_id, name=body.name) if body else None


def _customer(body: CustomerBody | None) -> CustomerRef | None:
    return CustomerRef(thumbtack_id=body.customer_id, name=body.name, phone=body.phone) if body else None


def _business_of(thumbtack_id: str | None) -> BusinessRef | None:
    return BusinessRef(thumbtack_id=thumbtack_id) if thumbtack_id else None
