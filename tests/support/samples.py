"""Rows as they come out of the database, filled like the samples of Thumbtack's documents; all people are invented."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.blocks.leads import LeadView, RepliesGo
from storage.models import Business, Customer, Direction, Environment, Lead, Message, Review

NOW = datetime(2026, 9, 1, 18, 30, tzinfo=UTC)
PHOTO = {
    "url": "https://www.thumbtack.com/attachment/b180b7d3/door.jpg",
    "file_name": "door.jpg",
    "file_size": 1139,
    "mime_type": "image/jpeg",
    "description": "my stain",
}
FILE = {
    "url": "https://www.thumbtack.com/attachment/b180b7d3/plan.pdf",
    "file_name": "plan.pdf",
    "file_size": 20,
    "mime_type": "application/pdf",
    "description": None,
}
NOWHERE = {"url": "test.example/attachment/b180b7d3/review.jpg", "file_name": "review.jpg", "mime_type": "image/jpeg"}


def a_lead(**fields: Any) -> Lead:
    """A lead with everything that Thumbtack may send."""
    return Lead(
        **{
            "id": 7,
            "environment": Environment.PRODUCTION,
            "thumbtack_id": "299614694480093245",
            "generation": "legacy",
            "business_id": 1,
            "customer_id": 1,
            "received_at": NOW,
            "category": "Interior Painting",
            "title": "Interior Painting",
            "description": "There is a stain on the door that needs to be touched up.",
            "schedule": "Date: Tue, May 05 2026\nTime: 6:00 PM\nLength: 3.5 hours",
            "address1": "101 Alma Street",
            "city": "Palo Alto",
            "state": "CA",
            "zip_code": "94301",
            "travel_preferences": "Professional must travel to my address.",
            "details": [
                {"question": "Type of property", "answer": "Home"},
                {"question": "What needs painting?", "answer": "Walls, Trim, Doors"},
            ],
            "attachments": [PHOTO, PHOTO],
            "lead_type": "INSTANT_BOOK",
            "price_text": "$1,260.50",
            "charge_text": "$26.00",
            "charge_state": "Charged",
            **fields,
        }
    )


def a_v4_lead(**fields: Any) -> Lead:
    """A lead with everything that v4 may send."""
    return a_lead(
        **{
            "generation": "v4",
            "created_at": NOW,
            "title": None,
            "schedule": None,
            "travel_preferences": "ProviderTravelToCustomer",
            "lead_type": None,
            "price_text": "$2,469.12",
            "charge_text": "$25.00",
            "charge_state": "Created",
            "charge_breakdown": {"subtotal": "$23.15", "salesTax": "$1.85"},
            "status": "Open",
            "estimate": {
                "type": "PerUnit",
                "price_per_unit": "$1,234.56",
                "unit_quantity": "2",
                "unit_name": "room",
                "total": "$2,469.12",
            },
            "windows": [
                {"kind": "proposed", "start": "2026-09-26T13:00:00+00:00", "end": "2026-09-26T16:00:00+00:00"},
                {"kind": "proposed", "start": "2026-09-27T05:00:00+00:00", "end": "2026-09-27T08:00:00+00:00"},
            ],
            "asked_others": 3,
            "review_link": "https://www.thumbtack.com/reviews/example",
            "refund_link": "https://www.thumbtack.com/refund/example",
            "access_code": "1234567",
            **fields,
        }
    )


def a_bare_lead(**fields: Any) -> Lead:
    """A lead with as little as Thumbtack may send."""
    return Lead(
        **{
            "id": 8,
            "environment": Environment.PRODUCTION,
            "thumbtack_id": "380497493950742534",
            "generation": "legacy",
            "received_at": NOW,
            **fields,
        }
    )


def a_view(lead: Lead | None = None, **fields: Any) -> LeadView:
    """What the card of a lead shows; by default replies go out and nobody is rung."""
    return LeadView(
        **{
            "lead": lead or a_lead(),
            "business": Business(
                id=1,
                environment=Environment.PRODUCTION,
                thumbtack_id="286845156044809661",
                name="Tim's Painting Business",
                created_at=NOW,
            ),
            "customer": a_customer(),
            "replies": RepliesGo.OUT,
            "ring": (),
            "ring_hint": False,
            "lead_url": "https://www.thumbtack.com/pro-inbox/messages/299614694480093245",
            "zone": ZoneInfo("America/Los_Angeles"),
            **fields,
        }
    )


def a_customer(**fields: Any) -> Customer:
    """A customer with a number that could be dialled, were it not fictional."""
    given = {"id": 1, "business_id": 1, "thumbtack_id": "331138063184986319", "name": "John Davis", "created_at": NOW}
    return Customer(**{**given, "phone": "(512) 555-0148", **fields})


def a_message(**fields: Any) -> Message:
    """A message of a customer."""
    return Message(
        **{
            "id": 3,
            "lead_id": 7,
            "environment": Environment.PRODUCTION,
            "direction": Direction.INBOUND,
            "author": "customer",
            "text": "Do you offer fridge cleaning or is that extra?",
            "stored_at": NOW,
            **fields,
        }
    )


def a_review(**fields: Any) -> Review:
    """A review of a lead that Thumbtack knows."""
    return Review(
        **{
            "id": 5,
            "environment": Environment.PRODUCTION,
            "thumbtack_id": "318840849076158553",
            "lead_id": 7,
            "rating": "4",
            "text": "best service ever",
            "reviewer_name": "Nick Name",
            "verified": True,
            "created_at": NOW,
            "modified_at": NOW,
            "received_at": NOW,
            **fields,
        }
    )
