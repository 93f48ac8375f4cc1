"""What the stand-in pushes as v4: to whom, with what, in which words, and what comes back of what the bot sent."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from support.consents import OTHER, PRO

from sandbox.thumbtack import ThumbtackStandIn, bodies, v4_bodies
from webhooks.thumbtack.facts import LeadReceived, MessageReceived, ReviewReceived, Sender
from webhooks.thumbtack.payloads import events

SECRETS = {"webhook_username": "hook", "webhook_password": "pass", "webhook_secret": "s3cret"}
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Bot:
    """Writes down what it is called with, and answers what the test wants."""

    def __init__(self):
        self.calls, self.statuses = [], {}
        self.app = Starlette(routes=[Route("/{path:path}", self._take, methods=["POST"])])

    async def _take(self, request):
        self.calls.append((request.url.path, request.headers, await request.json()))
        return JSONResponse({}, self.statuses.get(request.url.path, 200))

    @property
    def paths(self):
        return [path for path, _, _ in self.calls]

    @property
    def body(self):
        return self.calls[-1][2]

    @property
    def facts(self):
        return [fact for _, _, body in self.calls for fact in events.facts(body)]


@pytest.fixture
def bot():
    return Bot()


@pytest.fixture
async def thumbtack(bot, clock) -> AsyncIterator[ThumbtackStandIn]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(bot.app)) as to_bot:
        stand_in = ThumbtackStandIn(
            username="u",
            password="p",
            webhook_url="http://bot/",
            known_leads=None,
            client=to_bot,
            clock=clock,
            **SECRETS,
        )
        stand_in.grants.add_business(PRO, "Bright Oak")
        yield stand_in
        await stand_in.aclose()


async def test_a_lead_from_its_first_words_to_its_review(thumbtack, bot, clock):
    lead_id = thumbtack.v4_request(business={"businessID": PRO, "name": "Bright Oak"})
    assert bot.calls == []
    assert (await thumbtack.v4_message(lead_id, "Are you free?")).status_code == 200
    clock.advance(minutes=3)
    await thumbtack.v4_lead(lead_id)
    await thumbtack.v4_message(lead_id, "At nine.", sender="Business")
    await thumbtack.v4_review(lead_id, 5, "Tidy")
    asked, lead, typed, review = bot.facts
    assert isinstance(asked, MessageReceived)
    assert isinstance(lead, LeadReceived)
    assert isinstance(typed, MessageReceived)
    assert isinstance(review, ReviewReceived)
    assert {asked.lead_id, lead.lead_id, typed.lead_id, review.lead_id} == {lead_id}
    assert (asked.sender, asked.text, asked.sent_at) == (Sender.CUSTOMER, "Are you free?", AT)
    assert (lead.created_at, lead.customer.name, lead.business.thumbtack_id) == (AT, "Tessa Lindqvist", PRO)
    assert (typed.sender, typed.text) == (Sender.BUSINESS, "At nine.")
    assert typed.customer == asked.customer
    assert (review.rating, review.text, review.reviewer_name) == ("5", "Tidy", "Tessa Lindqvist")
    assert [(one.text, one.via) for one in thumbtack.typed] == [("At nine.", "app")]
    assert thumbtack.sent == []
    assert thumbtack.last_lead_id == lead_id
    assert thumbtack.customer_of(lead_id) == "Tessa Lindqvist"


async def test_the_pros_own_webhook_is_called_in_every_manner(thumbtack, bot):
    own = thumbtack.v4.self_serve
    for webhook in (None, own("bearer"), own("header", staging=True), own("none", path="/v4/webhooks/7")):
        await thumbtack.v4_lead(webhook=webhook)
    assert bot.paths == ["/v4/webhooks", "/v4/webhooks", "/staging/v4/webhooks", "/v4/webhooks/7"]
    basic, bearer, header, none = (headers for _, headers, _ in bot.calls)
    assert basic["authorization"].startswith("Basic ")
    assert bearer["authorization"] == "Bearer s3cret"
    assert header["x-webhook-secret"] == "s3cret"
    assert "authorization" not in none
    assert {body["event"]["webhookID"] for _, _, body in bot.calls} == {own().webhook_id}
    assert len({body["data"]["negotiationID"] for _, _, body in bot.calls}) == 4


async def test_a_business_with_webhooks_is_told_there(thumbtack, bot):
    of_pro = {"business": {"businessID": PRO}}
    made = thumbtack.subscriptions.add(PRO, "https://bot.example/v4/webhooks/1", "NegotiationCreatedV4")
    thumbtack.subscriptions.add(PRO, "https://bot.example/v4/webhooks/2")
    bot.statuses["/v4/webhooks/1"] = 503
    assert (await thumbtack.v4_lead(**of_pro)).status_code == 503
    assert bot.paths == ["/v4/webhooks/1", "/v4/webhooks/2"]
    assert bot.calls[0][2]["event"]["webhookID"] == made.webhook_id
    await thumbtack.v4_message(thumbtack.last_lead_id, "Hello")
    assert bot.paths[2:] == ["/v4/webhooks/2"]
    with pytest.raises(LookupError, match=r"No webhook of business .* wants ReviewCreatedV4"):
        await thumbtack.v4_review(thumbtack.last_lead_id, 5, "Tidy")
    await thumbtack.v4_lead(business={"businessID": OTHER})
    assert bot.paths[3:] == ["/v4/webhooks"]


@pytest.mark.parametrize("scene", v4_bodies.SCENES)
def test_every_scene_is_read_without_loss(scene):
    (lead,) = events.facts(v4_bodies.event("NegotiationCreatedV4", scene_of(scene), webhook_id="1", at=AT))
    assert isinstance(lead, LeadReceived)
    assert lead.customer.name == lead.customer.name.strip()
    assert lead.category
    assert lead.city
    assert lead.lead_price
    assert not lead.is_test


def scene_of(scene):
    return v4_bodies.negotiation(scene, at=AT)


async def test_overrides_go_into_the_body(thumbtack, bot):
    await thumbtack.v4_lead(negotiationID="7", customer={"lastName": bodies.MISSING}, status=None)
    assert bot.body["data"]["negotiationID"] == thumbtack.last_lead_id == "7"
    assert "lastName" not in bot.body["data"]["customer"]
    await thumbtack.v4_lead("7", status="Picked")
    assert (bot.body["data"]["negotiationID"], bot.body["data"]["status"]) == ("7", "Picked")
    photo = {"url": "https://example.com/a.jpg"}
    await thumbtack.v4_message("7", "", attachments=[photo], sentAt=bodies.MISSING)
    assert bot.body["data"]["attachments"] == [photo]
    assert "sentAt" not in bot.body["data"]
    await thumbtack.v4_review(None, 1, "No show")
    assert "negotiationID" not in bot.body["data"]
    await thumbtack.v4_event("IncentiveUsedV4", {"negotiationID": "7"})
    assert bot.body["event"]["eventType"] == "IncentiveUsedV4"


async def test_a_message_about_a_lead_that_nobody_knows(thumbtack, bot):
    await thumbtack.v4_message("999", "Hello")
    data = bot.body["data"]
    assert (data["negotiationID"], data["business"]["businessID"]) == ("999", bodies.BUSINESS_ID)


async def test_what_v4_tells_when_it_is_asked(thumbtack, http, as_v4, bot, clock):
    lead_id = thumbtack.v4_request(business={"businessID": PRO})
    thumbtack.v4_change(lead_id, status="Canceled", chargeState="Refunded")
    await thumbtack.v4_message(lead_id, "Hello")
    clock.advance(minutes=1)
    await thumbtack.v4_message(lead_id, "Hi.", sender="Business")
    await thumbtack.v4_review(lead_id, 4, "Fine")
    url = f"/api/v4/negotiations/{lead_id}"
    told = (await http.get(url, auth=as_v4())).json()
    assert (told["negotiationID"], told["status"], told["chargeState"]) == (lead_id, "Canceled", "Refunded")
    listed = (await http.get(f"{url}/messages", auth=as_v4())).json()["data"]
    assert [(one["from"], one["text"]) for one in listed] == [("Business", "Hi."), ("Customer", "Hello")]
    assert [one["messageID"] for one in listed] == [
        body["data"]["messageID"] for _, _, body in (bot.calls[1], bot.calls[0])
    ]
    (review,) = (await http.get(f"/api/v4/businesses/{PRO}/reviews", auth=as_v4())).json()["data"]
    assert review == bot.body["data"]


async def test_what_was_sent_comes_back_when_it_is_asked_for(thumbtack, http, as_v4, bot):
    lead_id = thumbtack.v4_request(business={"businessID": PRO, "name": "Bright Oak"})
    url = f"/api/v4/negotiations/{lead_id}/messages"
    made = (await http.post(url, json={"text": "At nine."}, auth=as_v4())).json()
    await settled(thumbtack)
    assert bot.calls == []
    await thumbtack.v4_echo()
    data = bot.body["data"]
    assert (data["messageID"], data["from"], data["text"]) == (made["messageID"], "Business", "At nine.")
    assert data["sentAt"] == made["sentAt"]
    assert data["business"] == {"businessID": PRO, "displayName": "Bright Oak"}
    assert data["customer"]["displayName"] == "Tessa Lindqvist"


@pytest.mark.parametrize(("lead", "told"), [("v4_lead", True), ("lead", False)])
async def test_echoes_come_by_themselves_for_leads_of_v4(thumbtack, bot, http, lead, told):
    thumbtack.v4.echoes = True
    await getattr(thumbtack, lead)()
    path = f"/legacy/v1/business/{bodies.BUSINESS_ID}/lead/{thumbtack.last_lead_id}/message"
    assert (await http.post(path, json={"text": "At nine."}, auth=("u", "p"))).status_code == 200
    await settled(thumbtack)
    assert ("At nine." in [body.get("data", {}).get("text") for _, _, body in bot.calls]) is told


async def test_a_bot_that_wants_no_messages_has_no_echo(thumbtack, bot, http, as_v4):
    thumbtack.v4.echoes = True
    thumbtack.subscriptions.add(PRO, "https://bot.example/v4/webhooks/1", "NegotiationCreatedV4")
    await http.post("/api/v4/negotiations/7/messages", json={"text": "At nine."}, auth=as_v4())
    await settled(thumbtack)
    assert bot.calls == []


async def settled(thumbtack):
    """Every echo that was on its way has arrived."""
    for task in list(thumbtack.v4._echoing):
        await task


async def test_the_remote_control_plays_v4(thumbtack, http, bot):
    made = (await http.post("/control/v4/request", json={"status": "Open"})).json()
    assert made == {"lead_id": thumbtack.last_lead_id, "bot_status": None, "bot_answer": None}
    lead_id = made["lead_id"]
    told = await http.post("/control/v4/message", json={"text": "Hello", "sentAt": "2026-03-01T11:00:00Z"})
    assert told.json() == {"lead_id": lead_id, "bot_status": 200, "bot_answer": "{}"}
    assert (bot.body["data"]["text"], bot.body["data"]["sentAt"]) == ("Hello", "2026-03-01T11:00:00Z")
    await http.post("/control/v4/lead", json={"lead_id": lead_id, "manner": "header"})
    assert bot.body["data"]["negotiationID"] == lead_id
    assert bot.calls[-1][1]["x-webhook-secret"] == "s3cret"
    await http.post("/control/v4/message", json={"sender": "Business", "staging": True})
    assert bot.paths[-1] == "/staging/v4/webhooks"
    assert bot.body["data"]["from"] == "Business"
    await http.post("/control/v4/review", json={"rating": 3})
    assert (bot.body["data"]["rating"], bot.body["data"]["negotiationID"]) == (3, lead_id)
    await http.post("/control/v4/review", json={"lead_id": None})
    assert "negotiationID" not in bot.body["data"]
    changed = await http.post("/control/v4/change", json={"chargeState": "Charged"})
    assert changed.json()["bot_status"] is None
    assert thumbtack.world.leads[lead_id]["chargeState"] == "Charged"
    await http.post("/control/v4/event", json={"eventType": "PresetJobMatchedV4", "data": {"negotiationID": lead_id}})
    assert bot.body["event"]["eventType"] == "PresetJobMatchedV4"
    await http.post("/control/v4/lead")
    assert thumbtack.last_lead_id != lead_id


@pytest.mark.parametrize(
    ("path", "order", "says"),
    [
        ("message", {}, "no lead of v4"),
        ("change", {"lead_id": "1"}, "no lead of v4"),
        ("message", {"sender": "Robot"}, "sender"),
        ("lead", {"manner": "shouting"}, "manner"),
        ("event", {}, "eventType"),
        ("event", {"eventType": "X", "data": []}, "eventType"),
    ],
)
async def test_what_the_remote_control_cannot_play(http, bot, path, order, says):
    answer = await http.post(f"/control/v4/{path}", json=order)
    assert answer.status_code == 400
    assert says in answer.json()["error"]
    assert bot.calls == []


def test_windows_lie_ahead():
    windows = v4_bodies.negotiation(at=AT)["request"]["proposedTimes"]
    starts = [datetime.fromisoformat(one["start"]) for one in windows]
    ends = [datetime.fromisoformat(one["end"]) for one in windows]
    assert all(AT < start < end <= AT + timedelta(days=4) for start, end in zip(starts, ends, strict=True))
    assert any(start.date() != end.date() for start, end in zip(starts, ends, strict=True))
