"""What is asked of the newer API, and what is made of its answers."""

from datetime import UTC, datetime, timedelta, timezone
from functools import partial

import pytest

from webhooks.thumbtack.credentials import BasicCredentials, SecretHeader
from webhooks.thumbtack.errors import (
    OutcomeUnknown,
    RateLimited,
    ReconnectRequired,
    RequestRejected,
    ScopeMissing,
    Unavailable,
    UnexpectedResponse,
)
from webhooks.thumbtack.facts import Sender
from webhooks.thumbtack.records import PhoneNumber, User, Webhook

PHONES = "/api/v4/businesses/b%2F1/associate-phone-numbers"
WEBHOOKS = "/api/v4/businesses/b%2F1/webhooks"
BUSINESS = {"business_id": "b/1"}
SECRET = BasicCredentials(username="corkboard", password="let me in")
HOOK = {"url": "https://bot.example/v4/webhooks/1", "event_types": ["NegotiationCreatedV4"], "auth": SECRET}


def asked(api):
    return api.last.method, api.last.path


@pytest.mark.parametrize(
    ("answer", "status", "message_id"),
    [
        ({"messageID": "590"}, 201, "590"),
        ({"messageID": 590}, 200, "590"),
        ({"data": {"messageID": "590"}}, 200, "590"),
        ({"queued": True, "messageID": None}, 202, None),
        ({}, 200, None),
        ({"errors": [], "error": None}, 200, None),
    ],
)
async def test_a_reply_that_is_taken(client, api, store, answer, status, message_id):
    api.answer(answer, status)
    assert await client.send_message_v4(store, negotiation_id="n/1", text="Hi\ud800") == message_id
    assert asked(api) == ("POST", "/api/v4/negotiations/n%2F1/messages")
    assert api.last.json == {"text": "Hi\ufffd"}


PROXY = {"error": "proxy_oauth_failed"}


@pytest.mark.parametrize(
    ("body", "status", "headers", "error"),
    [
        (None, 200, {}, OutcomeUnknown),
        ([], 200, {}, OutcomeUnknown),
        (b"", 204, {}, OutcomeUnknown),
        (b"ok", 200, {}, OutcomeUnknown),
        ({"error": "no"}, 200, {}, OutcomeUnknown),
        ({"errors": [{}]}, 200, {}, OutcomeUnknown),
        (None, 504, {}, OutcomeUnknown),
        (b"", 502, {}, OutcomeUnknown),
        (PROXY, 502, {}, ReconnectRequired),
        (b"<html>proxy_oauth_failed</html>", 502, {}, ReconnectRequired),
        (b"", 202, {}, Unavailable),
        (b"<html></html>", 202, {"x-amzn-waf-action": "challenge"}, Unavailable),
        (b"<html>Request blocked</html>", 403, {}, RequestRejected),
        (None, 451, {}, RequestRejected),
        (None, 429, {}, RateLimited),
        ({"detail": "required scope(s) [supply::messages.write] not found"}, 401, {}, ScopeMissing),
    ],
)
async def test_a_reply_that_is_not(client, api, store, body, status, headers, error):
    api.answer(body, status, headers)
    with pytest.raises(error):
        await client.send_message_v4(store, negotiation_id="1", text="Hi")
    assert len(api.heard) == 1


async def test_phone_numbers(client, api, store, payload):
    api.answer(payload("v4_phone_numbers_list"))
    assert await client.list_phones(store, **BUSINESS) == [
        PhoneNumber(
            phone_id="5343987659230309812",
            number="+16505550123",
            name="John Doe's Phone Number",
            is_deleted=False,
            last_activity_at=datetime(2023, 11, 3, 15, 28, 5, tzinfo=UTC),
        )
    ]
    assert asked(api) == ("GET", PHONES)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"phoneNumbers": []}, []),
        ({"phoneNumbers": None}, []),
        ({"data": [{"phoneNumberID": 1, "phoneNumber": "+16505550123", "isDeleted": True}]}, [("1", True)]),
        ({"phoneNumbers": [None, 7, {}, {"phoneNumberID": "1"}, {"phoneNumber": "+1"}]}, []),
        (
            {"phoneNumbers": [{"phoneNumberID": "1", "phoneNumber": "+16505550123", "lastActivityTime": "soon"}]},
            [("1", False)],
        ),
    ],
)
async def test_what_a_list_of_phone_numbers_may_look_like(client, api, store, answer, found):
    api.answer(answer)
    phones = await client.list_phones(store, **BUSINESS)
    assert [(one.phone_id, one.is_deleted) for one in phones] == found
    assert all(one.last_activity_at is None and one.name is None for one in phones)


def test_a_phone_number_is_not_shown():
    assert "555" not in repr(PhoneNumber(phone_id="1", number="+16505550123", name="Ana"))


@pytest.mark.parametrize("status", [200, 201, 204])
async def test_adding_a_number(client, api, store, status):
    api.answer({"phoneNumberID": "1"} if status != 204 else b"", status)
    await client.add_phone(store, **BUSINESS, number="+16505550123", name="Ana")
    assert asked(api) == ("POST", PHONES)
    assert api.last.json == {"phoneNumber": "+16505550123", "name": "Ana"}


async def test_adding_many_numbers(client, api, store):
    api.answer({"phoneNumbers": []}, 201)
    await client.add_phones(store, **BUSINESS, phones=[("+16505550123", "Ana"), ("+16505550124", None)])
    assert asked(api) == ("POST", f"{PHONES}-bulk-create")
    assert api.last.json == {
        "phoneNumbers": [{"phoneNumber": "+16505550123", "name": "Ana"}, {"phoneNumber": "+16505550124"}]
    }


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (None, 200, OutcomeUnknown),
        (b"ok", 200, OutcomeUnknown),
        ({"errors": ["one of them"]}, 200, OutcomeUnknown),
        (None, 502, OutcomeUnknown),
        (b"", 202, Unavailable),
        ({"title": "Your request is not valid.", "traceID": "t"}, 400, RequestRejected),
        (None, 409, RequestRejected),
    ],
)
async def test_numbers_that_were_not_added(client, api, store, body, status, error):
    for call in (
        partial(client.add_phone, number="+16505550123", name=None),
        partial(client.add_phones, phones=[("+16505550123", None)]),
    ):
        api.answer(body, status)
        with pytest.raises(error):
            await call(store, **BUSINESS)


async def test_changing_and_removing_a_number(client, api, store):
    api.answer(b"", 204).answer(b"", 204)
    await client.change_phone(store, **BUSINESS, phone_id="p/1", number="+16505550123", name="Bo")
    assert asked(api) == ("PUT", f"{PHONES}/p%2F1")
    assert api.last.json == {"phoneNumber": "+16505550123", "name": "Bo"}
    await client.remove_phone(store, **BUSINESS, phone_id="p/1")
    assert asked(api) == ("DELETE", f"{PHONES}/p%2F1")
    assert api.last.body == b""


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b"ok", 200, UnexpectedResponse),
        (None, 404, RequestRejected),
        (None, 502, Unavailable),
        (b"", 202, Unavailable),
    ],
)
async def test_what_may_be_repeated_has_no_unknown_outcome(client, api, store, body, status, error):
    for call in (
        partial(client.change_phone, phone_id="1", number="+16505550123", name=None),
        partial(client.remove_phone, phone_id="1"),
        partial(client.delete_webhook, webhook_id="1"),
        partial(client.replace_webhook, webhook_id="1", **HOOK),
        client.fire_test_webhook,
    ):
        api.answer(body, status)
        with pytest.raises(error):
            await call(store, **BUSINESS)


async def test_webhooks(client, api, store):
    body = {
        "webhookID": "581",
        "webhookURL": HOOK["url"],
        "enabled": False,
        "authType": "Basic",
        "eventTypes": ["NegotiationCreatedV4", None],
    }
    webhook = Webhook(
        webhook_id="581", url=HOOK["url"], is_enabled=False, auth_type="Basic", event_types=("NegotiationCreatedV4",)
    )
    api.answer({"data": [body, {}, None, {"webhookID": "582", "eventTypes": "all", "enabled": "yes"}]})
    assert await client.list_webhooks(store, **BUSINESS) == [webhook, Webhook(webhook_id="582")]
    assert asked(api) == ("GET", WEBHOOKS)
    api.answer(body, 201)
    assert await client.create_webhook(store, **BUSINESS, **HOOK, enabled=False) == webhook
    assert asked(api) == ("POST", WEBHOOKS)
    assert api.last.json == {
        "webhookURL": HOOK["url"],
        "eventTypes": ["NegotiationCreatedV4"],
        "enabled": False,
        "auth": {"username": "corkboard", "password": "let me in"},
    }


async def test_changing_and_ending_a_webhook(client, api, store):
    api.answer({}).answer(b"", 204).answer(b"", 202, {"content-type": "application/json"}).answer({})
    by_header = HOOK | {"auth": SecretHeader(header="X-Webhook-Secret", value="s3cret")}
    await client.replace_webhook(store, **BUSINESS, webhook_id="581", **by_header)
    assert asked(api) == ("PUT", f"{WEBHOOKS}/581")
    assert api.last.json["auth"] == {"header": "X-Webhook-Secret", "value": "s3cret"}
    assert api.last.json["enabled"] is True
    assert "s3cret" not in repr(by_header)
    await client.delete_webhook(store, **BUSINESS, webhook_id="581")
    assert asked(api) == ("DELETE", f"{WEBHOOKS}/581")
    with pytest.raises(Unavailable):
        await client.fire_test_webhook(store, **BUSINESS)
    await client.fire_test_webhook(store, **BUSINESS)
    assert asked(api) == ("POST", f"{WEBHOOKS}/test-negotiation")


@pytest.mark.parametrize(("body", "status"), [({}, 201), (b"", 201), (None, 201), (b"", 204), (None, 504)])
async def test_a_webhook_of_which_nobody_knows_whether_it_is(client, api, store, body, status):
    api.answer(body, status)
    with pytest.raises(OutcomeUnknown):
        await client.create_webhook(store, **BUSINESS, **HOOK)


async def test_a_lead(client, api, store, payload):
    api.answer(payload("v4_negotiation_get"))
    lead = await client.get_negotiation(store, negotiation_id="519")
    assert (lead.lead_id, lead.customer.name) == ("519153480500518912", "Olivia Y.")
    assert asked(api) == ("GET", "/api/v4/negotiations/519")


async def test_messages_of_a_lead(client, api, store, payload):
    api.answer(payload("v4_messages_list"))
    two_hours = timezone(timedelta(hours=2))
    (message,) = await client.list_messages(
        store,
        negotiation_id="519",
        limit=3,
        sent_before=datetime(2024, 6, 13, 19, tzinfo=two_hours),
        sent_after=datetime(2024, 6, 13, 12, 0, 0, 500, tzinfo=UTC),
    )
    assert (message.message_id, message.sender) == ("519153481515696128", Sender.CUSTOMER)
    assert asked(api) == ("GET", "/api/v4/negotiations/519/messages")
    assert api.last.query == {
        "limit": "3",
        "sentBefore": "2024-06-13T17:00:00.000000Z",
        "sentAfter": "2024-06-13T12:00:00.000500Z",
    }
    api.answer({"messages": [{"messageID": "1", "negotiationID": "519"}, {}, None]})
    assert [one.message_id for one in await client.list_messages(store, negotiation_id="519")] == ["1"]
    assert api.last.query == {}


async def test_reviews(client, api, store, payload):
    api.answer(payload("v4_reviews_list"))
    (review,) = await client.list_reviews(store, **BUSINESS, limit=10, offset=0)
    assert (review.review_id, review.rating) == ("5343987659230309812", "5")
    assert asked(api) == ("GET", "/api/v4/businesses/b%2F1/reviews")
    assert api.last.query == {"limit": "10", "offset": "0"}


async def test_who_gave_the_consent(client, api, store):
    api.answer({"userID": "1337", "email": "hello@bot.example", "firstName": "Hello", "lastName": None})
    user = await client.whoami(store)
    assert user == User(user_id="1337", email="hello@bot.example", first_name="Hello")
    assert "hello@" not in repr(user)
    assert asked(api) == ("GET", "/api/v4/users/self")


async def test_answers_that_say_nothing(client, api, store):
    for call in (
        partial(client.whoami, store),
        partial(client.get_negotiation, store, negotiation_id="1"),
        partial(client.list_messages, store, negotiation_id="1"),
        partial(client.list_reviews, store, **BUSINESS),
        partial(client.list_phones, store, **BUSINESS),
        partial(client.list_webhooks, store, **BUSINESS),
    ):
        for answer in (None, [], {}, "data", {"data": 7, "phoneNumbers": "none"}):
            api.answer(answer)
            with pytest.raises(UnexpectedResponse):
                await call()


async def test_an_id_that_leads_elsewhere_stays_one_part_of_the_path(client, api, store):
    for odd, quoted in (("..", "%2E%2E"), ("a/b?c#d", "a%2Fb%3Fc%23d"), ("é", "%C3%A9")):
        api.answer({"data": []})
        await client.list_messages(store, negotiation_id=odd)
        assert asked(api) == ("GET", f"/api/v4/negotiations/{quoted}/messages")
