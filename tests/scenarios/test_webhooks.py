"""Webhooks of v4: made when a business is connected, shown by `/thumbtack status`, repaired and tried by two buttons."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from support.conversation import ANA, BEN
from support.office import ADMIN, PUBLIC_URL, WEBHOOK, Office

from bot import jobs
from sandbox.faults import Fault
from sandbox.slack.failures import down
from sandbox.thumbtack import bodies
from sandbox.thumbtack.subscriptions import Subscription
from sandbox.thumbtack.subscriptions import test_negotiation as a_test_lead
from storage.models import Audit, Business, Inbox, Lead, Message, Outbox, Review, Webhook, WorkState
from storage.outbox import Kind

OAK, OAK_ID = bodies.BUSINESS_NAME, bodies.BUSINESS_ID
ELM, ELM_ID = "Elm & Sons <Roofing>", "510000000000000777"
EVENTS = ("NegotiationCreatedV4", "MessageCreatedV4", "ReviewCreatedV4")
AT_OAK, AT_ELM = (f"/v4/webhooks/{one}" for one in (OAK_ID, ELM_ID))


def subscriptions(place: Office, business_id: str = OAK_ID) -> list[Subscription]:
    return place.thumbtack.subscriptions.of(business_id)


def change(place: Office, one: Subscription, **fields: Any) -> None:
    """Somebody changes a webhook at Thumbtack."""
    place.thumbtack.subscriptions._keep(replace(one, **fields))


def secret_of(place: Office, business_id: str = OAK_ID) -> tuple[str, str]:
    (one,) = [one for one in subscriptions(place, business_id) if one.url.startswith(PUBLIC_URL)]
    assert one.auth is not None
    return one.auth["username"], one.auth["password"]


def lead(business_id: str = OAK_ID, name: str = OAK, **data: Any) -> dict[str, Any]:
    body = a_test_lead("1", business_id, at=datetime.now(UTC))
    body["data"]["business"]["name"] = name
    body["data"]["customer"] |= {"firstName": "Dana", "lastName": "Fields", "phone": "4155550101"}
    body["data"] |= data
    return body


async def status(place: Office, *, user: str = ADMIN) -> str:
    return await place.command("status", user=user)


async def pressed(place: Office, action_id: str, *, user: str = ADMIN) -> str:
    """What a person hears after pressing a button of the status page."""
    await place.command("status", user=user)
    await place.press(action_id, user=user)
    await place.at_rest()
    return place.whispers(user)[-1]


async def test_connecting_makes_a_webhook_for_everything_with_credentials_of_its_own(place: Office):
    await place.connect("v4")
    (made,) = subscriptions(place)
    assert (made.url, made.event_types, made.enabled) == (f"{PUBLIC_URL}{AT_OAK}", EVENTS, True)
    username, password = secret_of(place)
    assert len(password) >= 40
    (row,) = await place.rows(Webhook)
    assert (row.thumbtack_id, row.url, tuple(row.event_types)) == (made.webhook_id, made.url, EVENTS)
    assert password not in repr(await place.rows(Webhook)) + repr(await place.rows(Outbox))
    assert (await place.post(AT_OAK, lead(), auth=(username, password))).status_code == 200
    await place.ingested()
    assert len(await place.rows(Lead)) == 1
    assert len(place.cards) >= 1


async def test_the_pro_api_has_no_such_webhooks(place: Office):
    await place.connect("legacy")
    assert (subscriptions(place), await place.rows(Webhook)) == ([], [])
    assert "ebhook" not in await status(place)


async def test_connecting_again_leaves_what_is_right_as_it_is(place: Office):
    await place.connect("v4")
    (before,) = subscriptions(place)
    await place.connect("v4")
    assert subscriptions(place) == [before], "nothing is rotated needlessly"
    assert len(await place.rows(Webhook)) == 1


async def test_status_shows_the_events_and_the_last_delivery(place: Office):
    await place.connect("v4")
    assert "Webhook: leads, messages, reviews. Nothing came by it yet." in await status(place)
    await place.post(AT_OAK, lead(), auth=secret_of(place))
    await place.ingested()
    assert "Webhook: leads, messages, reviews. Last delivery" in await status(place)


async def test_leads_only_is_seen_and_repaired(place: Office):
    await place.connect("v4")
    (made,) = subscriptions(place)
    secret = secret_of(place)
    change(place, made, event_types=("NegotiationCreatedV4", "PresetJobMatchedV4"), enabled=False)
    assert "repaired. Thumbtack brings leads, messages, reviews, PresetJobMatchedV4." in await pressed(
        place, "webhook_repair"
    )
    (mended,) = subscriptions(place)
    assert (set(mended.event_types), mended.enabled) == ({*EVENTS, "PresetJobMatchedV4"}, True)
    assert secret_of(place) == secret
    written = (await place.rows(Audit))[-1]
    assert (written.action, written.actor) == ("webhook_set", ADMIN)
    assert "@Olga set the webhook of" in await status(place)


@pytest.mark.parametrize(
    "wrong", [{"enabled": False}, {"auth": None}, {"url": "https://old.example/v4/webhooks/1"}, {"event_types": ()}]
)
async def test_each_thing_that_may_be_wrong_is_repaired(place: Office, wrong: dict[str, Any]):
    await place.connect("v4")
    (made,) = subscriptions(place)
    change(place, made, **wrong)
    assert "its webhook was repaired" in await pressed(place, "webhook_repair")
    assert subscriptions(place) == [made]


async def test_one_that_was_deleted_at_thumbtack_is_made_again(place: Office):
    await place.connect("v4")
    secret = secret_of(place)
    place.thumbtack.subscriptions._books[OAK_ID].clear()
    assert "its webhook was made" in await pressed(place, "webhook_repair")
    assert secret_of(place) == secret
    assert "its webhook is right" in await pressed(place, "webhook_repair")
    assert len(subscriptions(place)) == 1


async def test_one_that_stands_there_from_before_is_taken_over_with_a_new_password(place: Office):
    before = {"username": "x", "password": "y"}
    place.thumbtack.subscriptions.add(OAK_ID, f"{PUBLIC_URL}{AT_OAK}", *EVENTS, auth=before)
    theirs = place.thumbtack.subscriptions.add(OAK_ID, "https://crm.example/hooks")
    await place.connect("v4")
    ours, other = subscriptions(place)
    assert (ours.event_types, other) == (EVENTS, theirs)
    assert secret_of(place)[1] != "y"


async def test_a_lost_answer_makes_no_second_webhook(place: Office):
    place.thumbtack.faults.add("webhooks", Fault())  # the list
    place.thumbtack.faults.add("webhooks", Fault(lose_answer=True))
    await place.connect("v4")
    await place.advance(minutes=1)
    await place.at_rest()
    assert len(subscriptions(place)) == 1
    (row,) = await place.rows(Webhook)
    assert row.thumbtack_id == subscriptions(place)[0].webhook_id
    assert (await place.post(AT_OAK, lead(), auth=secret_of(place))).status_code == 200


async def test_a_twin_of_ours_goes(place: Office):
    await place.connect("v4")
    (made,) = subscriptions(place)
    place.thumbtack.subscriptions.add(OAK_ID, made.url)
    assert "its webhook is right" in await pressed(place, "webhook_repair")
    assert subscriptions(place) == [made]


async def test_the_test_lead_comes_as_a_test_and_does_not_rename_the_business(place: Office):
    await place.connect("v4")
    assert "A card marked TEST comes within a minute." in await pressed(place, "webhook_test")
    await place.ingested()
    await place.at_rest()
    (one,) = await place.rows(Lead)
    assert one.is_test
    assert [one.name for one in await place.rows(Business)] == [OAK]
    (row,) = await place.rows(Webhook)
    assert row.last_delivery_at is not None


async def test_no_business_can_post_as_another(place: Office):
    place.thumbtack.grants.add_business(ELM_ID, ELM)
    await place.connect("v4", businesses=[OAK_ID, ELM_ID])
    oak, elm = secret_of(place), secret_of(place, ELM_ID)
    assert oak != elm
    refused = [await place.post(path, lead(), auth=oak) for path in (AT_ELM, "/v4/webhooks", f"/staging{AT_OAK}")]
    assert [(one.status_code, one.json()["reason"]) for one in refused] == [(401, "credentials")] * 3
    assert (await place.post(AT_OAK, lead(ELM_ID, ELM), auth=oak)).status_code == 200  # kept, and shown to a person
    await place.ingested()
    assert await place.rows(Lead) == []
    (kept,) = await place.rows(Inbox)
    assert (kept.state, kept.reason) == (WorkState.DEAD, "NotTheirs")


@pytest.mark.parametrize("kind", ["MessageCreatedV4", "ReviewCreatedV4", "NegotiationCreatedV4"])
async def test_no_business_can_speak_about_anothers_lead_or_review(place: Office, kind: str):
    place.thumbtack.grants.add_business(ELM_ID, ELM)
    await place.connect("v4", businesses=[OAK_ID, ELM_ID])
    theirs = lead(ELM_ID, ELM)
    lead_id = theirs["data"]["negotiationID"]
    review = {"reviewID": "77", "negotiationID": lead_id, "rating": 5, "business": {"businessID": ELM_ID}}
    by_elm = {"auth": secret_of(place, ELM_ID)}
    await place.post(AT_ELM, theirs, **by_elm)
    await place.post(AT_ELM, {"event": {"eventType": "ReviewCreatedV4"}, "data": review}, **by_elm)
    await place.ingested()
    forged = {
        "MessageCreatedV4": {"messageID": "5", "negotiationID": lead_id, "text": "Pay here", "from": "Customer"},
        "ReviewCreatedV4": {"reviewID": "77", "rating": 1, "text": "Bad", "modifyTime": "2099-01-01T00:00:00Z"},
        "NegotiationCreatedV4": {"negotiationID": lead_id, "business": {"businessID": OAK_ID, "name": OAK}},
    }[kind]
    body = {"event": {"eventType": kind}, "data": forged}
    assert (await place.post(AT_OAK, body, auth=secret_of(place))).status_code == 200
    await place.ingested()
    assert (await place.rows(Inbox))[-1].reason == "NotTheirs"
    assert [one.text for one in await place.rows(Message)] == []
    assert [one.rating for one in await place.rows(Review)] == ["5"]
    named = {one.id: one.thumbtack_id for one in await place.rows(Business)}
    assert [named[one.business_id or 0] for one in await place.rows(Lead)] == [ELM_ID]


async def test_the_deployments_own_credentials_still_open_every_address(place: Office):
    await place.connect("v4")
    for path in (AT_OAK, "/v4/webhooks", AT_ELM):
        assert (await place.post(path, lead(), auth=WEBHOOK)).status_code == 200


@pytest.mark.knobs(thumbtack_webhook_username=None, thumbtack_webhook_password=None)
async def test_own_credentials_are_enough(place: Office):
    assert (await place.post(AT_OAK, lead())).status_code == 503
    await place.connect("v4")
    assert (await place.post(AT_OAK, lead(), auth=secret_of(place))).status_code == 200
    assert (await place.post(AT_OAK, lead())).status_code == 401


async def test_they_are_right_after_a_restart_from_the_first_request_on(place: Office):
    await place.connect("v4")
    await place.stop()
    await place.start()
    assert (await place.post(AT_OAK, lead(), auth=secret_of(place))).status_code == 200


async def test_disconnecting_removes_ours_alone_and_its_credentials_at_once(place: Office):
    await place.connect("v4")
    theirs, secret = place.thumbtack.subscriptions.add(OAK_ID, "https://crm.example/hooks"), secret_of(place)
    await place.command("disconnect")
    assert await place.submit({"how": "keep"}) == {}
    await place.at_rest()
    assert subscriptions(place) == [theirs]
    assert await place.rows(Webhook) == []
    assert (await place.post(AT_OAK, lead(), auth=secret)).status_code == 401


async def test_it_is_removed_after_the_address_changed_too(place: Office):
    await place.connect("v4")
    await place.stop()
    await place.start(public_url="https://elsewhere.example")
    assert "it leads to another address than PUBLIC_URL" in await status(place)
    await place.command("disconnect")
    await place.submit({"how": "keep"})
    await place.at_rest()
    assert subscriptions(place) == []


async def test_a_new_address_is_told_to_thumbtack_by_the_button(place: Office):
    await place.connect("v4")
    await place.stop()
    await place.start(public_url="https://elsewhere.example")
    assert "was repaired" in await pressed(place, "webhook_repair")
    (one,) = subscriptions(place)
    assert one.url == f"https://elsewhere.example{AT_OAK}"
    assert "another address" not in await status(place)


async def test_without_the_scope_it_is_told_as_missing(place: Office):
    place.thumbtack.grants.granted_scopes["v4"] = ("offline_access", "supply::businesses.list", "supply::webhooks.read")
    await place.connect("v4")
    assert "webhooks: Thumbtack did not grant supply::webhooks.write" in place.read(place.cards[-1])
    assert "No webhook: it was not allowed (supply::webhooks.write)." in await status(place)
    assert subscriptions(place) == []
    assert {one.state for one in await place.rows(Outbox) if one.kind == Kind.SET_WEBHOOK} == {WorkState.DONE}
    assert place.told() == []
    with pytest.raises(LookupError):
        await place.press("webhook_repair")


async def test_without_an_address_it_is_told_as_missing(place: Office):
    await place.connect("v4")
    await place.stop()
    await place.start(public_url=None)
    assert "No webhook: PUBLIC_URL is not set" in await status(place)


@pytest.mark.knobs(slack_keepers=ANA)
async def test_only_who_may_change_things_is_shown_the_buttons_and_may_press_them(place: Office):
    await place.connect("v4")
    for user in (ADMIN, ANA):
        assert "Check and repair webhook" in await status(place, user=user)
    assert "Check and repair webhook" not in await status(place, user=BEN)
    await place.stop()
    await place.start(slack_keepers=BEN)
    change(place, *subscriptions(place), enabled=False)
    for button in ("webhook_repair", "webhook_test"):
        await place.press(button, user=ANA)
        await place.at_rest()
        assert "Ask" in place.whispers(ANA)[-1]
    assert [one.enabled for one in subscriptions(place)] == [False]


async def test_everybody_gets_the_page_while_slack_is_down(place: Office):
    await place.connect("v4")
    place.slack.faults.stand("*", down())
    assert "Webhook: leads, messages, reviews." in await status(place, user=ANA)


async def test_while_thumbtack_is_down_it_is_tried_again_by_itself(place: Office):
    place.thumbtack.faults.stand("webhooks", Fault(status=503))
    await place.connect("v4")
    assert "No webhook yet. Thumbtack cannot be reached." in await status(place)
    place.thumbtack.faults.clear()
    await place.advance(minutes=30)
    await place.at_rest()
    assert "Webhook: leads, messages, reviews." in await status(place)
    assert place.told() == []


async def test_who_pressed_is_told_when_thumbtack_stays_away(place: Office):
    await place.connect("v4")
    place.thumbtack.faults.stand("webhooks", Fault(status=503))
    await place.command("status")
    await place.press("webhook_repair")
    for _ in range(12):
        await place.at_rest()
        await place.advance(minutes=1)
    await place.at_rest()
    said = place.whispers()
    assert sum("I try again for ten minutes" in one for one in said) == 1
    assert "its webhook was not set. Thumbtack cannot be reached." in said[-1]


async def test_what_thumbtack_refuses_is_told_with_its_words(place: Office):
    await place.connect("v4")
    place.thumbtack.subscriptions._books[OAK_ID].clear()
    refusal = {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "webhookURL is not reachable"}
    place.thumbtack.faults.add("webhooks", Fault())  # the list
    place.thumbtack.faults.add("webhooks", Fault(status=400, body=refusal))
    told = await pressed(place, "webhook_repair")
    assert "Thumbtack refuses it." in told
    assert "webhookURL is not reachable" in told


async def test_a_test_lead_that_cannot_be_had_is_told_as_that(place: Office):
    await place.connect("v4")
    place.thumbtack.faults.add("webhooks", Fault(status=404, body={"status": 404, "detail": "Not today"}))
    told = await pressed(place, "webhook_test")
    assert "its test lead was not sent. Thumbtack refuses it." in told
    assert "Not today" in told
    assert "Webhook: leads, messages, reviews." in await status(place)


async def test_after_disconnecting_the_buttons_of_an_old_page_say_so(place: Office):
    await place.connect("v4")
    await place.command("status")
    await place.command("disconnect")
    await place.submit({"how": "keep"})
    await place.at_rest()
    for button in ("webhook_repair", "webhook_test"):
        await place.press(button)
        await place.at_rest()
        assert "is not connected to v4. Type /thumbtack connect." in place.whispers()[-1]
    assert await place.rows(Webhook) == []


async def test_over_a_broken_connection_nothing_is_offered(place: Office):
    await place.connect("v4")
    await place.command("status")
    place.thumbtack.grants.revoke("v4")
    place.thumbtack.grants.expire_access_tokens()
    await place.press("webhook_repair")
    await place.at_rest()
    assert any("no longer accepts the connection" in one for one in place.whispers())
    assert "Check and repair webhook" not in await status(place)


async def look(place: Office) -> None:
    """Let the job run that asks Thumbtack how our webhooks stand."""
    assert place.door.app is not None
    await jobs.look_at_webhooks(place.door.app.state.services)
    await place.at_rest()


async def test_what_somebody_changes_at_thumbtack_is_seen_and_left(place: Office):
    await place.connect("v4")
    (made,) = subscriptions(place)
    await look(place)
    assert "Webhook: leads, messages, reviews." in await status(place)
    change(place, made, event_types=("NegotiationCreatedV4",))
    await look(place)
    assert "Webhook: leads only; messages, reviews do not come." in await status(place)
    change(place, made, enabled=False)
    await look(place)
    assert "Webhook: paused at Thumbtack." in await status(place)
    assert subscriptions(place) == [replace(made, enabled=False)]
    place.thumbtack.subscriptions._books[OAK_ID].clear()
    await look(place)
    assert "No webhook yet. It was deleted at Thumbtack." in await status(place)
    await look(place)
    assert subscriptions(place) == []
    assert "its webhook was made" in await pressed(place, "webhook_repair")
    assert "Webhook: leads, messages, reviews." in await status(place)


async def test_a_look_that_fails_changes_nothing_and_tells_nobody(place: Office):
    await place.connect("v4")
    place.thumbtack.faults.stand("webhooks", Fault(status=403))
    await look(place)
    assert "Webhook: leads, messages, reviews." in await status(place)
    assert place.told() == []
