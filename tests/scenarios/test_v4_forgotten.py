"""What came by v4 is forgotten like the rest: the other id of a lead, bodies by either id, our own webhook."""

import json
from pathlib import Path
from typing import Any

import pytest
from scenarios.test_purge import purged
from scenarios.test_retention import forget
from sqlalchemy import select
from sqlmodel import col
from support.deliveries import all_said, posted
from support.office import Office

from sandbox.thumbtack import bodies
from storage.models import Business, Customer, Inbox, Lead, LeadAlias, Message, Review, Thread, Webhook
from storage.outbox import TOPIC

PAYLOADS = Path(__file__).parents[1] / "payloads"
KEPT = pytest.mark.knobs(leads_keep_days=30)
V4_ID, LEGACY_ID = "590299344770662410", "410000000000000777"


def sample(name: str) -> Any:
    return json.loads((PAYLOADS / f"v4_{name}.json").read_bytes())


async def a_lead_of_both_apis(place: Office) -> None:
    """One lead under two ids, with a message, a review and an event by v4's."""
    event = sample("negotiation_created")
    event["data"]["business"]["businessID"] = bodies.BUSINESS_ID
    request = {"requestID": event["data"]["request"]["requestID"]}
    assert (await place.post("/v1/lead", bodies.lead(leadID=LEGACY_ID, request=request))).status_code == 200
    await place.at_rest()
    await place.post("/v4/webhooks", event)
    for name in ("message_attachment_only", "review_created", "preset_job_status_changed"):
        body = sample(name)
        body["data"].pop("business", None)
        assert (await place.post("/v4/webhooks", body)).status_code == 200
    await all_said(place)
    assert [lead.thumbtack_id for lead in await place.rows(Lead)] == [LEGACY_ID]
    assert [alias.thumbtack_id for alias in await place.rows(LeadAlias)] == [V4_ID]
    assert len(await place.rows(Inbox)) == 5


async def a_webhook_of_ours(place: Office) -> None:
    async with place.database.transaction() as tx:
        business = (await tx.execute(select(col(Business.id)))).scalar_one()
        tx.add(
            Webhook(
                business_id=business,
                environment="production",
                url=f"https://bot.example/v4/webhooks/{bodies.BUSINESS_ID}",
                username="corkboard",
                password="sealed",
                made_at=place.clock(),
            )
        )


async def test_a_business_goes_with_the_other_ids_of_its_leads_and_with_its_webhook(place: Office):
    await a_lead_of_both_apis(place)
    await a_webhook_of_ours(place)
    counts = await purged(place)
    assert (counts["leads"], counts["webhooks"]) == (1, 5)
    place._running_database().wake({TOPIC})
    await all_said(place, minutes=1)
    for row in (Business, Customer, Inbox, Lead, LeadAlias, Message, Review, Thread, Webhook):
        assert await place.rows(row) == [], row


@KEPT
async def test_an_old_lead_goes_with_the_bodies_that_call_it_by_its_other_id(place: Office):
    await a_lead_of_both_apis(place)
    await place.advance(days=31)
    await forget(place)
    for row in (Customer, Inbox, Lead, LeadAlias, Message, Review, Thread):
        assert await place.rows(row) == [], row
    assert posted(place) == []


@KEPT
async def test_bodies_that_call_a_lead_by_its_other_id_stay_as_long_as_it(place: Office):
    await a_lead_of_both_apis(place)
    await place.advance(days=20)
    await place.post("/v1/message", bodies.message(LEGACY_ID, "Are you still there?"))
    await all_said(place)
    await place.advance(days=11)
    await forget(place)
    assert len(await place.rows(Lead)) == 1
    assert len(await place.rows(Inbox)) == 6


@KEPT
async def test_what_is_heard_by_the_other_id_keeps_a_lead(place: Office):
    await a_lead_of_both_apis(place)
    await place.advance(days=20)
    event = sample("preset_job_status_changed")
    event["data"]["status"] = "lost"
    await place.post("/v4/webhooks", event)
    await all_said(place)
    await place.advance(days=11)
    await forget(place)
    assert len(await place.rows(Lead)) == 1
