"""A lead's own body as columns of its row."""

from dataclasses import asdict
from typing import Any

from webhooks.thumbtack.facts import LeadReceived, Window

ON_CARD_OR_BELOW = frozenset(
    {
        "category", "title", "description", "details", "schedule", "address1", "address2", "city", "state", "zip_code",
        "travel_preferences", "price_text", "windows",
    }
)  # fmt: skip
"""Columns whose text may be too long for the card; what does not fit follows in the thread."""


def columns(fact: LeadReceived) -> dict[str, Any]:
    """What the body says, by the names of `Lead`; business, customer and cost are told elsewhere."""
    return {
        "generation": fact.generation,
        "is_test": fact.is_test,
        "created_at": fact.created_at,
        "request_thumbtack_id": fact.request_id,
        "category_id": fact.category_id,
        "category": fact.category,
        "title": fact.title,
        "description": fact.description,
        "schedule": fact.schedule,
        "address1": fact.address1,
        "address2": fact.address2,
        "city": fact.city,
        "state": fact.state,
        "zip_code": fact.zip_code,
        "travel_preferences": fact.travel_preferences,
        "details": [asdict(answer) for answer in fact.details],
        "attachments": [asdict(attachment) for attachment in fact.attachments],
        "lead_type": fact.lead_type,
        "price_text": fact.price,
        "status": fact.status,
        "estimate": asdict(fact.estimate) if fact.estimate else None,
        "windows": [_window(window) for window in fact.windows],
        "asked_others": fact.asked_others,
        "charge_breakdown": fact.charge_breakdown,
        "review_link": fact.review_link,
        "refund_link": fact.refund_link,
        "access_code": fact.access_code,
        "extra": fact.extra,
    }


def _window(window: Window) -> dict[str, Any]:
    end = window.end.isoformat() if window.end else None
    return {"kind": window.kind, "start": window.start.isoformat(), "end": end}
