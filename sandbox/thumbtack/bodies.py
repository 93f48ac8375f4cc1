"""Bodies as the Pro API pushes them, about people and businesses that do not exist.

Every builder takes `overrides` under Thumbtack's own names, merged into objects at any depth; `MISSING` removes a field.
"""

import itertools
import time
from typing import Any

Json = dict[str, Any]

MISSING: Any = object()
"""As an override: the field is not there at all (None is JSON's null)."""

BUSINESS_ID = "510000000000000101"
BUSINESS_NAME = "Bright Oak Home Services"
CUSTOMER_ID = "520000000000000102"

# From the clock, so that a sandbox that was started again does not repeat what the bot's database has already.
_ids = itertools.count(time.time_ns())

_PAINTING: Json = {
    "request": {
        "category": "Interior Painting",
        "categoryID": "122681972262289742",
        "title": "Interior Painting",
        "description": "There is a stain on the front door that needs to be touched up. Two rooms could follow in spring.",
        "schedule": "Date: Tue, May 05 2020\nTime: 6:00 PM\nLength: 3.5 hours",
        "location": {
            "address1": "1200 Example Street",
            "address2": "Apt 4",
            "city": "Palo Alto",
            "state": "CA",
            "zipCode": "94301",
        },
        "travelPreferences": "Professional must travel to my address.",
        "details": [
            {"question": "Type of property", "answer": "Home"},
            {"question": "Number of rooms", "answer": "4 rooms"},
            {"question": "Who provides the paint?", "answer": "I&#39;m not sure"},
        ],
        "attachments": [
            {
                "fileName": "door.jpg",
                "fileSize": 113900,
                "mimeType": "image/jpeg",
                "url": "https://www.thumbtack.com/attachment/00000000000000000000000000000000000000a1/door.jpg",
                "description": "my stain",
            }
        ],
    },
    "customer": {"customerID": CUSTOMER_ID, "name": "Maya Alvarez", "phone": "4155550134"},
    "price": "$260/hour",
    "leadType": "INSTANT_BOOK",
}

_CLEANING: Json = {
    "request": {
        "category": "House Cleaning",
        "categoryID": "219264413294461288",
        "title": "House Cleaning",
        "description": "Move-out cleaning of a one-bedroom apartment, oven & fridge included.",
        "schedule": "Dates: Apr 10, Apr 11\nTimes: Morning (9am - 12pm), Afternoon (12pm - 3pm)",
        "location": {"city": "San Francisco", "state": "CA", "zipCode": "94103"},
        "travelPreferences": "Professional must travel to my address",
        "details": [
            {"question": "Bedrooms", "answer": "1 bedroom"},
            {"question": "Extras", "answer": "Oven cleaning, Fridge cleaning"},
            {"question": "Budget", "answer": "$500 - $1,000"},
        ],
    },
    "customer": {"customerID": "520000000000000103", "name": "Sam W.", "phone": "4155550178"},
    "price": "$1,260.50",
    "leadType": "ESTIMATION",
}

_HANDYMAN: Json = {
    "request": {
        "category": "Handyman",
        "title": "Handyman",
        "schedule": "Date: Fri Apr 10 2020",
        "location": {"city": "Oakland", "state": "CA", "zipCode": "94612"},
        "travelPreferences": "I will travel to the professional.",
        "details": [{"question": "What needs fixing?", "answer": "A gate that doesn&#39;t close"}],
    },
    "customer": {"customerID": "520000000000000104", "name": "Priya Raman"},
    "price": "N/A",
    "leadType": "REQUEST_A_QUOTE",
}

SCENES: tuple[Json, ...] = (_PAINTING, _CLEANING, _HANDYMAN)
"""Requests unlike each other: with and without street, photo, phone, description, price."""


def new_id() -> str:
    """An id like Thumbtack's: 19 digits, never the same twice."""
    return str(next(_ids))


def lead(scene: Json = _PAINTING, /, **overrides: Any) -> Json:
    """A new lead: `POST /v1/lead`."""
    body = {
        "leadID": new_id(),
        "createTimestamp": str(int(time.time())),
        "business": {"businessID": BUSINESS_ID, "name": BUSINESS_NAME},
        "leadPrice": None,
        "chargeState": None,
    }
    return merged(merged(merged(body, scene), {"request": {"requestID": new_id()}}), overrides)


def message(lead_id: str, text: str, **overrides: Any) -> Json:
    """A customer's message: `POST /v1/message`."""
    body = {
        "leadID": lead_id,
        "customerID": CUSTOMER_ID,
        "businessID": BUSINESS_ID,
        "message": {"messageID": new_id(), "createTimestamp": str(int(time.time())), "text": text},
    }
    return merged(body, overrides)


def price(lead_id: str, lead_price: str | None, state: str | None = "Charged", **overrides: Any) -> Json:
    """What a lead costs the pro: `PUT /v1/lead/update`."""
    return merged({"leadID": lead_id, "leadPrice": lead_price, "chargeState": state}, overrides)


def review(lead_id: str | None, rating: str, text: str, **overrides: Any) -> Json:
    """A new review: `POST /v1/review`; without a lead it is unverified, and has no names and no category."""
    now = str(int(time.time() * 1000))
    body: Json = {
        "reviewID": new_id(),
        "businessID": BUSINESS_ID,
        "createTime": now,
        "modifyTime": now,
        "rating": rating,
        "text": text,
        "verified": lead_id is not None,
    }
    if lead_id is not None:
        body |= {"leadID": lead_id, "categoryID": "122681972262289742", "reviewerNickname": "Maya A."}
    return merged({"review": body, "reviewEventType": "REVIEW_ADDED"}, overrides)


def merged(base: Json, overrides: Json) -> Json:
    """A copy of `base` with the overrides in it; neither is changed."""
    result = dict(base)
    for key, value in overrides.items():
        if value is MISSING:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result
