"""What v4 never pushes, and what a lost webhook withheld: leads are asked about, now and then, and told once."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from support.conversation import calling
from support.deliveries import all_said
from support.office import CHANNEL, PATIENCE, Office

from bot import jobs
from sandbox.faults import Fault
from sandbox.thumbtack.bodies import BUSINESS_ID
from storage import outbox, polling
from storage.models import Connection, ConnectionState, Lead, Message, Outbox
from storage.outbox import Kind

LEAD = "610000000000000001"
CUSTOMER = {"customerID": "620000000000000001", "firstName": "Robin", "lastName": "Example", "phone": "5555550142"}
BUSINESS = {"businessID": BUSINESS_ID, "name": "Bright Oak Home Services"}


def negotiation(lead_id: str = LEAD, **more: Any) -> dict[str, Any]:
    """A lead as v4 tells it."""
    return {
        "negotiationID": lead_id,
        "createdAt": "2026-09-23T17:18:01Z",
        "customer": CUSTOMER,
        "business": BUSINESS,
        "request": {"requestID": f"63{lead_id}", "category": {"categoryID": "1", "name": "Interior Painting"}},
        "status": "Open",
        "leadPrice": "$25.00",
        "chargeState": "Created",
    } | more


def message(text: str, *, place: Office, ago: timedelta = timedelta(), **more: Any) -> dict[str, Any]:
    """A message as v4 tells it."""
    sent_at = (place.clock() - ago).isoformat().replace("+00:00", "Z")
    said = {"messageID": f"m-{text}", "negotiationID": LEAD, "from": "Customer", "text": text, "sentAt": sent_at}
    return said | {"business": {"businessID": BUSINESS_ID}, "customer": {"customerID": CUSTOMER["customerID"]}} | more


async def push(place: Office, event: str, data: dict[str, Any]) -> None:
    """Thumbtack's webhook of v4; what follows from it, and a card that waits for its lead, stands in Slack."""
    await arrive(place, event, data)
    await place.at_rest()


async def arrive(place: Office, event: str, data: dict[str, Any]) -> None:
    """Thumbtack's webhook of v4, read at once."""
    envelope = {"eventType": event, "description": "", "webhookID": "1", "triggeredAt": "2026-09-23T17:18:06Z"}
    answer = await place.post("/v4/webhooks", {"event": envelope, "data": data})
    assert answer.status_code == 200, answer.text
    await place.ingested()


def answers(place: Office, **more: Any) -> None:
    """From now on, v4 tells the lead so."""
    place.thumbtack.faults.stand("negotiation", Fault(status=200, body=negotiation(**more)))


def lists(place: Office, *messages: dict[str, Any]) -> None:
    """From now on, v4 lists these messages."""
    place.thumbtack.faults.stand("messages", Fault(status=200, body={"data": list(messages)}))


def asked(place: Office) -> int:
    """How often v4 was asked for a lead."""
    return place.thumbtack.faults.happened["negotiation"]


async def turn(place: Office, **later: float) -> None:
    """Time passes, and the job has its turn."""
    await place.advance(**later)
    assert place.door.app is not None
    await jobs.follow_leads(place.door.app.state.services)
    await place.at_rest()


def first(place: Office) -> dict[str, Any]:
    """The first lead's card; what stands above it tells of the connection."""
    return next(one for one in place.cards if "is connected" not in place.read(one))


def card(place: Office) -> str:
    return place.read(first(place))


def lines(place: Office) -> list[str]:
    return [place.read(one) for one in place.thread(first(place))]


@pytest.fixture
async def followed(place: Office) -> Office:
    """A business that is connected with v4 has a lead that came by v4."""
    await place.connect("v4", [BUSINESS_ID])
    await push(place, "NegotiationCreatedV4", negotiation())
    lists(place)
    answers(place)
    return place


async def test_what_was_charged_and_refunded_is_told_once_each(followed: Office):
    answers(followed, chargeState="Charged")
    await turn(followed, minutes=11)
    assert "Charged" in card(followed)
    assert [one for one in lines(followed) if "Charged" in one] == ["🧾 Lead cost: $25.00, Charged"]
    await turn(followed, minutes=11)
    assert len(lines(followed)) == 1, "nothing changed, nothing is told"
    answers(followed, chargeState="Refunded")
    await turn(followed, minutes=11)
    assert "Refunded" in card(followed)
    assert len(lines(followed)) == 2
    count = asked(followed)
    await turn(followed, days=1)
    assert asked(followed) == count, "what was refunded does not change any more"


@pytest.mark.parametrize("status", ["Canceled", "Picked", "SomethingNew"])
async def test_how_a_lead_stands_is_told_once(followed: Office, status):
    answers(followed, status=status)
    await turn(followed, minutes=11)
    assert [one.status for one in await followed.rows(Lead)] == [status]
    assert lines(followed) == [f"ℹ Thumbtack shows this lead as {status} now."]
    await turn(followed, days=2)
    assert len(lines(followed)) == 1


async def test_the_customer_of_a_canceled_lead_waits_for_nobody_until_it_is_open_again(followed: Office):
    for status, waits in (("Canceled", False), ("Open", True)):
        answers(followed, status=status)
        await turn(followed, days=2)
        assert [one.waiting_since is not None for one in await followed.rows(Lead)] == [waits], status


async def test_a_canceled_lead_is_asked_about_seldom(followed: Office):
    """Its refund is still to come."""
    answers(followed, status="Canceled")
    await turn(followed, minutes=11)
    await turn(followed, minutes=11)
    count = asked(followed)
    await turn(followed, hours=12)
    assert asked(followed) == count
    await turn(followed, hours=13)
    assert asked(followed) == count + 1


async def test_open_by_another_name_is_no_news(followed: Office):
    answers(followed, status="active")
    await turn(followed, minutes=11)
    assert lines(followed) == []


async def test_an_answer_that_says_little_empties_nothing(followed: Office):
    before = card(followed)
    place = followed
    sparse = {"negotiationID": LEAD, "status": "active", "business": BUSINESS}
    place.thumbtack.faults.stand("negotiation", Fault(status=200, body=sparse))
    await turn(place, minutes=11)
    assert asked(place) == 1
    assert (card(place), lines(place)) == (before, [])


async def test_a_message_whose_webhook_was_lost_is_posted_once(followed: Office):
    place = followed
    heard, lost = message("Are you free?", place=place), message("Hello?", place=place, ago=timedelta(minutes=-1))
    await push(place, "MessageCreatedV4", heard)
    lists(place, lost, heard)
    await turn(place, minutes=11)
    await turn(place, minutes=11)
    said = [one.text for one in await place.rows(Message)]
    assert said == ["Are you free?", "Hello?"]
    assert [sum(text in one for one in lines(place)) for text in said] == [1, 1]
    await push(place, "MessageCreatedV4", lost)
    assert len(await place.rows(Message)) == 2, "and the webhook that comes after all changes nothing"


async def test_our_own_reply_is_not_told_again(followed: Office):
    place = followed
    place.thumbtack.faults.clear("messages")  # the stand-in lists what was sent
    answer = await place.slack.say("U0ANA", CHANNEL, "We come at 9.", thread_ts=first(place)["ts"])
    assert answer.status == 200
    await place.seen(lambda: "white_check_mark" in place.mark(answer.ts or ""))
    await place.at_rest()
    before = lines(place)
    assert [one.via for one in place.thumbtack.sent] == ["v4"]
    await turn(place, minutes=11)
    await turn(place, minutes=11)
    assert lines(place) == before


async def test_what_somebody_typed_in_thumbtack_is_told_once(followed: Office):
    place = followed
    lists(place, message("We come at 9.", place=place, ago=timedelta(minutes=-5), **{"from": "Business"}))
    await turn(place, minutes=11)
    await turn(place, minutes=11)
    assert sum("We come at 9." in one for one in lines(place)) == 1


async def test_a_crash_while_it_is_asked_loses_nothing_and_tells_nothing_twice(followed: Office):
    place = followed
    lists(place, message("Hello?", place=place))
    answers(place, chargeState="Charged")
    asked = calling(place.thumbtack.faults, "messages")
    place.thumbtack.faults.add("messages", Fault(delay=30))
    await place.advance(minutes=11)
    assert place.door.app is not None
    await jobs.follow_leads(place.door.app.state.services)
    async with asyncio.timeout(60):
        await asked.wait()
    await place.crash()
    place.thumbtack.faults.clear("messages")
    lists(place, message("Hello?", place=place))
    await place.start()
    await place.advance(minutes=2)  # the claim of the dead process runs out
    await all_said(place, minutes=2)
    assert [sum(text in one for one in lines(place)) for text in ("Hello?", "Charged")] == [1, 1]


@pytest.mark.parametrize("newest_first", [True, False])
async def test_of_a_long_conversation_every_message_is_read(followed: Office, newest_first, monkeypatch):
    """Which end of a list comes first is not published."""

    def ordered(found, *, key, reverse):
        return sorted(found, key=key, reverse=reverse == newest_first)

    place = followed
    monkeypatch.setattr("sandbox.thumbtack.partner_api.sorted", ordered, raising=False)
    monkeypatch.setattr("bot.dispatch.to_thumbtack.leads.MESSAGES_PER_PAGE", 3)
    place.thumbtack.faults.clear("messages")
    for number in range(7):
        await place.advance(minutes=2)
        place.thumbtack.world.ask(LEAD, {"messageID": f"m-{number}", "text": f"Word {number}"})
    await turn(place, minutes=1)
    told = [one for one in lines(place) if "Word" in one]
    assert [one.split()[-1] for one in told] == list("0123456"), "all of it, the oldest first"


@pytest.mark.parametrize(
    ("age", "pause"),
    [
        ({"minutes": 11}, {"minutes": 10}),
        ({"hours": 2}, {"hours": 1}),
        ({"days": 2}, {"hours": 6}),
        ({"days": 40}, {"days": 1}),
    ],
)
async def test_a_lead_is_asked_about_less_and_less(followed: Office, age, pause):
    await turn(followed, **age)
    assert asked(followed) == 1
    await turn(followed, **{unit: count * 0.9 for unit, count in pause.items()})
    assert asked(followed) == 1
    await turn(followed, **{unit: count * 0.2 for unit, count in pause.items()})
    assert asked(followed) == 2


async def test_an_old_lead_is_not_asked_about_any_more(followed: Office):
    await turn(followed, days=51)
    assert asked(followed) == 0


async def test_no_more_is_asked_than_the_budget_allows(followed: Office, monkeypatch):
    monkeypatch.setattr(polling, "AT_ONCE", 2)
    for number in range(2, 6):
        await push(followed, "NegotiationCreatedV4", negotiation(f"61000000000000000{number}"))
    followed.thumbtack.faults.clear("negotiation")
    followed.thumbtack.faults.clear("messages")
    await followed.advance(minutes=11)
    known = []
    for _ in range(4):
        await turn(followed, minutes=1)
        known.append(len([one for one in await followed.rows(Lead) if one.polled_at is not None]))
    assert known == [2, 4, 5, 5], "those that wait longest are first, and nobody is forgotten"


async def test_nothing_more_is_asked_while_an_answer_is_awaited(followed: Office):
    """Also when the dispatcher is away for a long time: nothing piles up."""
    await followed.advance(minutes=11)
    async with followed.database.transaction() as tx:
        now = followed.clock()
        due = await polling.due(tx, environment="production", now=now)
        first, again = [await polling.enqueue(tx, due, now=now) for _ in range(2)]
        second = await polling.due(tx, environment="production", now=now + timedelta(hours=3))
    assert (first, again, second) == (1, 0, [])


async def test_nobody_who_writes_waits_while_it_is_looked_for_who_is_due(followed: Office):
    """Among very many leads that takes seconds."""
    assert followed.door.app is not None
    services = followed.door.app.state.services
    async with services.database.transaction(), asyncio.timeout(PATIENCE):
        await jobs.follow_leads(services)


async def test_slow_down_is_heeded_for_every_lead(followed: Office):
    place = followed
    place.thumbtack.faults.stand("negotiation", Fault(status=429, body={}, headers={"Retry-After": "1800"}))
    await turn(place, minutes=11)
    assert asked(place) == 1
    answers(place, chargeState="Charged")
    await push(place, "NegotiationCreatedV4", negotiation("610000000000000002"))
    await turn(place, minutes=15)
    assert asked(place) == 1, "half an hour was asked for, of the lead that came meanwhile too"
    assert len([one for one in await place.rows(Outbox) if one.kind == Kind.SYNC_LEAD]) == 1, "and nothing piles up"
    await turn(place, minutes=16)
    assert asked(place) == 3
    assert "Charged" in card(place)


async def test_slow_down_is_heeded_by_what_was_to_be_asked_already(followed: Office):
    place = followed
    async with place.database.transaction() as tx:
        await polling.pause(tx, until=place.clock() + timedelta(minutes=30))
        (lead,) = await place.rows(Lead)
        await outbox.enqueue(tx, Kind.SYNC_LEAD, now=place.clock(), lead_id=lead.id)
    await place.advance(seconds=1)
    await all_said(place, seconds=1)
    assert asked(place) == 0
    await turn(place, minutes=31)
    assert asked(place) == 1


@pytest.mark.parametrize("fault", [Fault(status=503), Fault(cut=True), Fault(status=200, body=["?"])])
async def test_what_cannot_be_told_now_is_asked_again_soon(followed: Office, fault):
    await turn(followed, days=8)
    followed.thumbtack.faults.clear("negotiation")
    followed.thumbtack.faults.stand("negotiation", fault)
    await turn(followed, days=1)
    answers(followed, chargeState="Charged")
    await turn(followed, minutes=11)
    assert "Charged" in card(followed)


async def test_a_lead_that_thumbtack_does_not_show_any_more_bothers_nobody(followed: Office):
    followed.thumbtack.faults.stand("negotiation", Fault(status=404, body={"title": "No such negotiation."}))
    await turn(followed, minutes=11)
    assert lines(followed) == []
    assert len(followed.cards) == 1 + 1, "the news of the connection, and the lead"
    assert [one.kind for one in await followed.rows(Outbox) if one.state == "dead"] == []


async def test_a_token_that_is_refused_for_good_is_told_to_the_keepers(followed: Office):
    followed.thumbtack.faults.clear()
    followed.thumbtack.grants.revoke()
    followed.thumbtack.grants.expire_access_tokens()
    await turn(followed, minutes=11)
    assert [one.state for one in await followed.rows(Connection)] == [ConnectionState.BROKEN]
    count = asked(followed)
    await turn(followed, days=1)
    assert asked(followed) == count


@pytest.mark.parametrize(
    ("scopes", "leads", "messages"),
    [
        (("offline_access", "supply::businesses.list", "supply::negotiations.read"), 1, 0),
        (("offline_access", "supply::businesses.list", "supply::messages.read"), 0, 1),
        (("offline_access", "supply::businesses.list"), 0, 0),
    ],
)
async def test_only_what_was_granted_is_read(place: Office, scopes, leads, messages):
    place.thumbtack.grants.granted_scopes["v4"] = scopes
    await place.connect("v4", [BUSINESS_ID])
    await push(place, "NegotiationCreatedV4", negotiation())
    answers(place)
    lists(place)
    await turn(place, minutes=11)
    assert (asked(place), place.thumbtack.faults.happened["messages"]) == (leads, messages)
    entries = [one for one in await place.rows(Outbox) if one.kind == Kind.SYNC_LEAD]
    assert len(entries) == max(leads, messages)


async def test_leads_of_the_pro_api_and_tests_are_not_asked_about(place: Office):
    await place.connect("v4", [BUSINESS_ID])
    await place.connect("legacy", [BUSINESS_ID])
    await place.thumbtack.lead()
    await push(place, "NegotiationCreatedV4", negotiation(business=BUSINESS | {"name": "Test Business for Webhooks"}))
    await place.at_rest()
    await turn(place, minutes=11)
    assert [one for one in await place.rows(Outbox) if one.kind == Kind.SYNC_LEAD] == []


async def test_a_lead_that_both_apis_told_is_asked_about_by_its_id_at_v4(place: Office):
    await place.connect("v4", [BUSINESS_ID])
    await place.thumbtack.lead(business=BUSINESS, request={"requestID": f"63{LEAD}"})
    await place.at_rest()
    await push(place, "NegotiationCreatedV4", negotiation())
    lists(place)
    answers(place, chargeState="Charged")
    await turn(place, minutes=11)
    assert "Charged" in card(place)
    assert sum("Charged" in one for one in lines(place)) == 1
    assert len(await place.rows(Lead)) == 1


async def test_a_business_that_is_not_connected_is_not_asked_about(place: Office):
    await push(place, "NegotiationCreatedV4", negotiation())
    await turn(place, minutes=11)
    assert [one for one in await place.rows(Outbox) if one.kind == Kind.SYNC_LEAD] == []


# A message before its lead


async def fetched(place: Office) -> None:
    """The lead has had its time to come by itself."""
    await place.advance(seconds=30)
    await place.at_rest()


async def test_a_message_fetches_the_lead_that_did_not_come(place: Office):
    await place.connect("v4", [BUSINESS_ID])
    answers(place)
    await arrive(place, "MessageCreatedV4", message("Are you free?", place=place))
    await fetched(place)
    assert asked(place) == 1
    assert "Interior Painting" in card(place)
    assert sum("Are you free?" in one for one in lines(place)) == 1
    assert [one.received_at is not None for one in await place.rows(Lead)] == [True]
    await push(place, "NegotiationCreatedV4", negotiation())
    assert len(await place.rows(Lead)) == 1
    assert sum("details have come" in one for one in lines(place)) <= 1, "not at all where the card had not been posted"


async def test_a_lead_that_comes_by_itself_is_not_fetched(place: Office):
    await place.connect("v4", [BUSINESS_ID])
    answers(place)
    await arrive(place, "MessageCreatedV4", message("Are you free?", place=place))
    await arrive(place, "NegotiationCreatedV4", negotiation())
    await fetched(place)
    assert asked(place) == 0
    assert [one.kind for one in await place.rows(Outbox) if one.kind == Kind.FETCH_LEAD] == [Kind.FETCH_LEAD]


async def test_a_message_that_does_not_say_whose_it_is_finds_its_business(place: Office):
    """The spec shows the sender's block alone."""
    await place.connect("v4", [BUSINESS_ID])
    answers(place)
    told = message("Are you free?", place=place)
    del told["business"]
    await push(place, "MessageCreatedV4", told)
    await fetched(place)
    (lead,) = await place.rows(Lead)
    assert lead.business_id is not None
    assert "Interior Painting" in card(place)


@pytest.mark.parametrize("fault", [Fault(status=503), Fault(status=429, headers={"Retry-After": "2"}), Fault(cut=True)])
async def test_a_fetch_that_fails_is_tried_again(place: Office, fault):
    await place.connect("v4", [BUSINESS_ID])
    answers(place)
    place.thumbtack.faults.add("negotiation", fault, times=2)
    await push(place, "MessageCreatedV4", message("Are you free?", place=place))
    await all_said(place, minutes=1)
    assert "Interior Painting" in card(place)


@pytest.mark.parametrize("fault", [Fault(status=404, body={}), Fault(status=503)])
async def test_a_fetch_that_leads_nowhere_is_given_up_quietly(place: Office, fault):
    await place.connect("v4", [BUSINESS_ID])
    place.thumbtack.faults.stand("negotiation", fault)
    await push(place, "MessageCreatedV4", message("Are you free?", place=place))
    await all_said(place, rounds=200, minutes=1)
    assert [one.kind for one in await place.rows(Outbox) if one.state == "dead"] == []
    assert any("Are you free?" in one for one in lines(place))


async def test_without_the_scope_nothing_is_fetched(place: Office):
    place.thumbtack.grants.granted_scopes["v4"] = ("offline_access", "supply::businesses.list")
    await place.connect("v4", [BUSINESS_ID])
    answers(place)
    await push(place, "MessageCreatedV4", message("Are you free?", place=place))
    await fetched(place)
    assert asked(place) == 0
