"""Every answer that Thumbtack's pages print, as the client reads it: one test for each sample in tests/payloads/answers."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from support.scripted import Scripted, Store

from webhooks.thumbtack import errors
from webhooks.thumbtack.client import ThumbtackClient
from webhooks.thumbtack.credentials import BasicCredentials

ANSWERS = Path(__file__).parents[2] / "payloads" / "answers"
BACK = "https://bot.example/thumbtack/callback"
SECRET = BasicCredentials(username="corkboard", password="let me in")


async def tokens(client: ThumbtackClient, _store: Store) -> None:
    pair = await client.oauth("legacy").exchange(code="c", redirect_uri=BACK, verifier="v")
    assert (pair.access_token, pair.refresh_token) == ("1.SAMPLE_PAYLOAD.SAMPLE_SIGNATURE", "SAMPLE_REFRESH_TOKEN")
    assert (pair.expires_in, pair.scopes) == (timedelta(hours=1), ())


async def tokens_lost(client: ThumbtackClient, _store: Store) -> None:
    with pytest.raises(errors.OutcomeUnknown):
        await client.oauth("legacy").renew(refresh_token="r")


async def whose(client: ThumbtackClient, store: Store) -> None:
    grant = await client.oauth("legacy").whose(store)
    (business,) = grant.businesses
    assert (business.thumbtack_id, business.name) == ("510000000000000101", "Bright Oak Home Services")
    assert grant.scopes == ("messages",)


async def disconnected(client: ThumbtackClient, _store: Store) -> None:
    await client.disconnect(business_id="510000000000000101")


async def sent(client: ThumbtackClient, store: Store) -> None:
    await client.send_message_v2(store, business_id="1", lead_id="2", text="Hello, how can I help you?")


async def targeted(client: ThumbtackClient, store: Store) -> None:
    await client.set_targeting(store, business_id="1", category_id=None, enabled=False)


async def made_lead(client: ThumbtackClient, _store: Store) -> None:
    lead = await client.create_test_lead()
    assert (lead.lead_id, lead.price, lead.category) == ("299614694480093245", "$180", "Wedding DJ")


async def self_(client: ThumbtackClient, store: Store) -> None:
    user = await client.whoami(store)
    assert (user.user_id, user.email, user.first_name, user.last_name) == ("1337", "pat@bot.example", "Pat", "Quill")


async def webhook(client: ThumbtackClient, store: Store) -> None:
    url = "https://bot.example/v4/webhooks/1337"
    made = await client.create_webhook(
        store, business_id="1337", url=url, event_types=["MessageCreatedV4"], auth=SECRET
    )
    assert (made.webhook_id, made.url, made.is_enabled, made.auth_type) == ("581819025265680001", url, False, "Basic")
    assert made.event_types == ("MessageCreatedV4", "NegotiationCreatedV4")


async def phone(client: ThumbtackClient, store: Store) -> None:
    await client.add_phone(store, business_id="1337", number="+15125550148", name="Front desk")


async def refused(client: ThumbtackClient, store: Store) -> None:
    with pytest.raises(errors.RequestRejected) as caught:
        await client.send_message_v4(store, negotiation_id="1", text="Hi")
    assert (caught.value.detail, caught.value.trace_id) == ("Your request is not valid.", "feca66787a0a9ee8")


async def invalid_client(client: ThumbtackClient, _store: Store) -> None:
    with pytest.raises(errors.RequestRejected) as caught:
        await client.oauth("v4").renew(refresh_token="r")
    assert caught.value.code == "invalid_client"


async def scope_missing(client: ThumbtackClient, store: Store) -> None:
    with pytest.raises(errors.ScopeMissing) as caught:
        await client.oauth("v4").whose(store)
    assert (caught.value.scope, caught.value.trace_id) == ("supply::businesses.list", "feca66787a0a9ee9")


READ: dict[str, tuple[int, Callable[[ThumbtackClient, Store], Awaitable[None]]]] = {
    "tokens_legacy": (200, tokens),
    "tokens_legacy_lost": (200, tokens_lost),
    "thumbtack_info": (200, whose),
    "disconnect_partner": (200, disconnected),
    "message_sent_legacy": (200, sent),
    "targeting_set": (200, targeted),
    "test_lead_made": (200, made_lead),
    "users_self": (200, self_),
    "webhook_created": (201, webhook),
    "phone_number_created": (201, phone),
    "problem_details": (400, refused),
    "invalid_client": (401, invalid_client),
    "scope_missing": (401, scope_missing),
}


@pytest.mark.parametrize("name", sorted(file.stem for file in ANSWERS.glob("*.json")))
async def test_every_sample_is_read(client: ThumbtackClient, api: Scripted, store: Store, name: str):
    status, read = READ[name]
    api.answer(json.loads((ANSWERS / f"{name}.json").read_text()), status)
    await read(client, store)
    assert (len(api.heard), len(api.answers)) == (1, 0)
