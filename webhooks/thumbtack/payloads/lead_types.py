"""Thumbtack's lead types and what people call them."""

import re
from enum import StrEnum

_CODE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")


class LeadType(StrEnum):
    """The values of `leadType` that the Pro API's page lists."""

    AVAILABILITY = "AVAILABILITY"
    CONTACT = "CONTACT"
    ESTIMATION = "ESTIMATION"
    CALL = "CALL"
    BOOKING = "BOOKING"
    PHONE_CONSULTATION = "PHONE_CONSULTATION"
    INSTANT_BOOK = "INSTANT_BOOK"
    SPONSORED = "SPONSORED"
    INSTANT_CONSULT = "INSTANT_CONSULT"
    SERVICE_CALL = "SERVICE_CALL"
    FULFILLMENT = "FULFILLMENT"
    REQUEST_A_QUOTE = "REQUEST_A_QUOTE"
    MISMATCH_REQUEST_A_QUOTE = "MISMATCH_REQUEST_A_QUOTE"


LABELS: dict[LeadType, str] = {
    LeadType.AVAILABILITY: "Availability check",
    LeadType.CONTACT: "Contact",
    LeadType.ESTIMATION: "Estimate",
    LeadType.CALL: "Phone call",
    LeadType.BOOKING: "Booking",
    LeadType.PHONE_CONSULTATION: "Phone consultation",
    LeadType.INSTANT_BOOK: "Instant book",
    LeadType.SPONSORED: "Sponsored",
    LeadType.INSTANT_CONSULT: "Instant consult",
    LeadType.SERVICE_CALL: "Service call",
    LeadType.FULFILLMENT: "Fulfillment",
    LeadType.REQUEST_A_QUOTE: "Quote request",
    LeadType.MISMATCH_REQUEST_A_QUOTE: "Quote request (mismatch)",
}


def label(lead_type: str | None) -> str | None:
    """What people call a lead type; one we do not know is made readable if it is a code, else shown as sent."""
    if lead_type is None:
        return None
    if lead_type in LABELS:
        return LABELS[LeadType(lead_type)]
    return lead_type.replace("_", " ").capitalize() if _CODE.fullmatch(lead_type) else lead_type
