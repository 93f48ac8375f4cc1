"""Events as Thumbtack's v4 API pushes them, about people and businesses that do not exist.

Like real ones they differ from what the pages print: stray blanks in names, empty texts for nothing, fields that are not
there at all. Builders take `overrides` under Thumbtack's own names, as those of `bodies` do.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sandbox.thumbtack.bodies import BUSINESS_ID, BUSINESS_NAME, CUSTOMER_ID, Json, merged, new_id

Sender = Literal["Business", "Customer"]
Scene = Callable[[datetime], Json]

_OTHERS = (("530000000000000201", "Clear Gutters Co"), ("530000000000000202", "Ladder Brothers"))


def _gutters(at: datetime) -> Json:
    """Several windows, one of them across midnight UTC; other pros are asked too; `leadPrice` with its parts."""
    day = at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=3)
    return {
        "request": {
            "category": {"categoryID": "219267384109318318", "name": "Gutter Cleaning and Maintenance"},
            "description": "Two-story house, the oak's leaves are in the gutters.\r\nThe gate is open.",
            "contactedBusinesses": [
                {"businessID": other, "name": name, "imageURL": "", "negotiationID": new_id()}
                for other, name in _OTHERS
            ],
            "proposedTimes": [
                {"start": iso(day + timedelta(hours=16)), "end": iso(day + timedelta(hours=19))},
                {"start": iso(day + timedelta(hours=23)), "end": iso(day + timedelta(hours=26))},
            ],
            "location": {
                "address1": "77 Example Avenue",
                "address2": "",
                "city": "San Mateo",
                "state": "CA",
                "zipCode": "94401",
            },
            "travelPreferences": ["ProviderTravelToCustomer"],
            "details": [
                {"question": "Number of stories", "answer": "2 stories"},
                {"question": "Budget", "answer": "$100 - $200, I&#39;m flexible"},
            ],
        },
        "customer": {"firstName": "Tessa ", "lastName": "Lindqvist", "phone": "4155550142"},
        "estimate": {
            "type": "Fixed",
            "pricePerUnit": "150.00",
            "unitQuantity": 1,
            "unitName": "service",
            "total": "$150.00",
        },
        "leadPrice": "$25.00",
        "leadPriceBreakdown": {"subtotal": "$23.15", "salesTax": "$1.85"},
    }


def _furniture(at: datetime) -> Json:
    """Booked for a time, with a photo that has no description; the last name is an initial."""
    start = at.replace(hour=18, minute=30, second=0, microsecond=0) + timedelta(days=2)
    return {
        "request": {
            "category": {"categoryID": "224219158214254897", "name": "Furniture Assembly"},
            "description": "",
            "booking": {"start": iso(start), "duration": 90},
            "location": {"city": "Oakland", "state": "CA", "zipCode": "94612"},
            "travelPreferences": ["ProviderTravelToCustomer"],
            "details": [{"question": "What needs assembly?", "answer": "Bookshelf, Desk, Bed frame"}],
            "attachments": [
                {
                    "fileName": "boxes.jpg",
                    "fileSize": 48213,
                    "mimeType": "image/jpeg",
                    "url": "https://www.thumbtack.com/attachment/00000000000000000000000000000000000000b2/boxes.jpg",
                }
            ],
        },
        "customer": {"firstName": "Dario", "lastName": "F", "phone": "5105550117"},
        "estimate": {
            "type": "PerUnit",
            "pricePerUnit": "45.00",
            "unitQuantity": 3,
            "unitName": "item",
            "total": "$135.00",
        },
        "leadPrice": "$31.50",
    }


def _lessons(_at: datetime) -> Json:
    """Nothing but what is asked: no phone, no street, no estimate in numbers, no photos."""
    return {
        "request": {
            "category": {"categoryID": "240123621172183399", "name": "Piano Lessons"},
            "description": "A beginner of nine years & her grandmother.",
            "location": {"city": "Austin", "state": "TX", "zipCode": "78701"},
            "travelPreferences": ["Remote", "CustomerTravelToProvider"],
            "details": [],
        },
        "customer": {"firstName": "Noor", "lastName": "Haddad"},
        "estimate": {"type": "MoreInfo"},
        "leadPrice": "$12.00",
    }


SCENES: tuple[Scene, ...] = (_gutters, _furniture, _lessons)
"""Requests unlike each other: with and without windows, booking, phone, photo, street, estimate."""


def iso(at: datetime) -> str:
    """A time as v4 writes it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def event(event_type: str, data: Json, *, webhook_id: str, at: datetime) -> Json:
    """The envelope of every event."""
    told = {"eventType": event_type, "description": "", "webhookID": webhook_id, "triggeredAt": iso(at)}
    return {"event": told, "data": data}


def negotiation(scene: Scene = _gutters, /, *, at: datetime, **overrides: Any) -> Json:
    """The data of a new lead."""
    customer_id = new_id()
    body = {
        "negotiationID": new_id(),
        "createdAt": iso(at),
        "status": "Open",
        "business": {"businessID": BUSINESS_ID, "name": BUSINESS_NAME, "imageURL": ""},
        "customer": {"customerID": customer_id},
        "request": {"requestID": new_id(), "customerID": customer_id, "contactedBusinesses": []},
        "chargeState": "Created",
    }
    return merged(merged(body, scene(at)), overrides)


def message(lead: Json, lead_id: str, text: str, *, sender: Sender, at: datetime, **overrides: Any) -> Json:
    """The data of a message; both sides are named and `attachments` is not there, as in every body that was seen.

    `lead`: whatever is known of the lead, in either API's words.
    """
    customer, business = lead.get("customer") or {}, lead.get("business") or {}
    body = {
        "messageID": new_id(),
        "negotiationID": lead_id,
        "from": sender,
        "text": text,
        "sentAt": iso(at),
        "customer": {
            "customerID": customer.get("customerID", CUSTOMER_ID),
            "displayName": full_name(customer) or "Customer",
        },
        "business": {
            "businessID": business.get("businessID", BUSINESS_ID),
            "displayName": business.get("name", BUSINESS_NAME),
        },
    }
    return merged(body, overrides)


def review(lead: Json, lead_id: str | None, rating: int, text: str, *, at: datetime, **overrides: Any) -> Json:
    """The data of a review, which names no business; without a lead it is about none."""
    body: Json = {
        "reviewID": new_id(),
        "reviewText": text,
        "rating": rating,
        "createTime": iso(at),
        "reviewerName": full_name(lead.get("customer") or {}) or "A customer",
        "images": [],
    }
    if lead_id is not None:
        category = (lead.get("request") or {}).get("category")
        body |= {"negotiationID": lead_id}
        body |= {"categoryID": category["categoryID"]} if isinstance(category, dict) else {}
    return merged(body, overrides)


def full_name(customer: Json) -> str:
    """What a customer is called, in either API's words; nothing where nobody said."""
    parts = (str(customer.get(part) or "").strip() for part in ("firstName", "lastName"))
    return " ".join(part for part in parts if part) or str(customer.get("name") or "")
