"""From consent to every call and its end, against the stand-in that both OAuth servers and both APIs are played by."""

import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import pytest

from sandbox.faults import Fault
from sandbox.servers import serving
from sandbox.thumbtack import ThumbtackStandIn
from webhooks.thumbtack.client import ThumbtackClient
from webhooks.thumbtack.credentials import BasicCredentials, TokenPair
from webhooks.thumbtack.errors import (
    OutcomeUnknown,
    ReconnectRequired,
    RequestRejected,
    ScopeMissing,
)

CALLBACK = "https://bot.example/thumbtack/callback"
VERIFIER = "a-verifier-of-forty-three-characters-or-more"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SCOPES = {
    "legacy": ["messages", "targeting"],
    "v4": [
        "offline_access",
        "supply::businesses.list",
        "supply::businesses/associate-phone-numbers.read",
        "supply::businesses/associate-phone-numbers.write",
        "supply::messages.read",
        "supply::messages.write",
        "supply::negotiations.read",
        "supply::users.read",
        "supply::webhooks.read",
        "supply::webhooks.write",
    ],
}
BOTH = pytest.mark.parametrize("generation", ["legacy", "v4"])


@dataclass
class Kept:
    """A token pair that is kept in memory and renewed once for each refusal."""

    client: ThumbtackClient
    generation: str
    pair: TokenPair

    async def access_token(self) -> str:
        return self.pair.access_token

    async def renewed(self, refused: str) -> str:
        assert refused == self.pair.access_token
        try:
            self.pair = await self.client.oauth(self.generation).renew(refresh_token=self.pair.refresh_token or "")
        except RequestRejected:
            raise ReconnectRequired from None
        return self.pair.access_token


@pytest.fixture
async def standing() -> AsyncIterator[ThumbtackStandIn]:
    async with ThumbtackStandIn(username="corkboard", password="s3cret", known_leads=None) as stand_in:
        stand_in.grants.add_business("11", "Tim's Painting Business")
        stand_in.grants.add_business("12", "Robin's Roofing")
        yield stand_in


@pytest.fixture
async def client(standing) -> AsyncIterator[ThumbtackClient]:
    async with serving(standing.app) as address:
        made = ThumbtackClient(
            version="1.2.3",
            legacy_url=f"{address}/legacy",
            legacy_connect_url=f"{address}/connect/",
            legacy_client=BasicCredentials(username="sandbox-pro-api", password="sandbox-pro-api-secret"),
            v4_url=f"{address}/api",
            v4_auth_url=f"{address}/oauth2",
            v4_client=BasicCredentials(username="sandbox-v4", password="sandbox-v4-secret"),
        )
        yield made
        await made.aclose()


async def code_of(standing, client, generation, *, businesses=("11",)):
    url = client.oauth(generation).consent_url(
        state="s" * 32, redirect_uri=CALLBACK, scopes=SCOPES[generation], challenge=CHALLENGE
    )
    back = parse_qs(urlsplit(await standing.consent(url, businesses=list(businesses))).query)
    assert back["state"] == ["s" * 32]
    return back["code"][0]


async def connected(standing, client, generation, *, businesses=("11",)):
    code = await code_of(standing, client, generation, businesses=businesses)
    oauth = client.oauth(generation)
    pair = await oauth.exchange(code=code, redirect_uri=CALLBACK, verifier=VERIFIER)
    return Kept(client, generation, pair)


@BOTH
async def test_a_code_is_good_once_and_for_its_own_redirect(standing, client, generation):
    code = await code_of(standing, client, generation)
    oauth = client.oauth(generation)
    with pytest.raises(RequestRejected) as refused:
        await oauth.exchange(code=code, redirect_uri="https://other.example/", verifier=VERIFIER)
    assert refused.value.code == "invalid_grant"
    await oauth.exchange(code=code, redirect_uri=CALLBACK, verifier=VERIFIER)
    with pytest.raises(RequestRejected) as refused:
        await oauth.exchange(code=code, redirect_uri=CALLBACK, verifier=VERIFIER)
    assert refused.value.code == "invalid_grant"


async def test_v4_wants_the_verifier(standing, client):
    code = await code_of(standing, client, "v4")
    with pytest.raises(RequestRejected) as refused:
        await client.oauth("v4").exchange(code=code, redirect_uri=CALLBACK, verifier="another")
    assert refused.value.code == "invalid_grant"


async def test_whose_tokens_they_are(standing, client):
    legacy = await connected(standing, client, "legacy")
    grant = await client.oauth("legacy").whose(legacy)
    assert [(one.thumbtack_id, one.name) for one in grant.businesses] == [("11", "Tim's Painting Business")]
    assert grant.scopes == ("messages", "targeting")
    v4 = await connected(standing, client, "v4", businesses=("11", "12"))
    assert v4.pair.scopes == tuple(SCOPES["v4"])
    grant = await client.oauth("v4").whose(v4)
    assert [one.thumbtack_id for one in grant.businesses] == ["11", "12"]


async def test_more_businesses_than_a_page_holds(standing, client):
    many = [str(number) for number in range(100, 145)]
    for one in many:
        standing.grants.add_business(one, f"No {one}")
    tokens = await connected(standing, client, "v4", businesses=many)
    grant = await client.oauth("v4").whose(tokens)
    assert [one.thumbtack_id for one in grant.businesses] == many


@BOTH
async def test_an_expired_token_is_renewed_under_way(standing, client, generation):
    tokens = await connected(standing, client, generation)
    before = tokens.pair
    standing.grants.expire_access_tokens()
    await client.oauth(generation).whose(tokens)
    assert tokens.pair.access_token != before.access_token
    assert [one.refresh_token for one in standing.grants.renewals] == [before.refresh_token]


@BOTH
@pytest.mark.parametrize(
    "fault", [Fault(lose_answer=True), Fault(status=200, body=None), Fault(cut=True)], ids=range(3)
)
async def test_a_lost_renewal_is_asked_for_again_in_its_grace(standing, client, generation, fault):
    tokens = await connected(standing, client, generation)
    standing.faults.add("token" if generation == "legacy" else "v4-token", fault)
    renew = client.oauth(generation).renew
    with pytest.raises(OutcomeUnknown):
        await renew(refresh_token=tokens.pair.refresh_token)
    tokens.pair = await renew(refresh_token=tokens.pair.refresh_token)
    await client.oauth(generation).whose(tokens)
    assert standing.grants.misused == []


@BOTH
async def test_a_revoked_consent(standing, client, generation):
    tokens = await connected(standing, client, generation)
    standing.grants.revoke(generation)
    with pytest.raises(RequestRejected) as refused:
        await client.oauth(generation).renew(refresh_token=tokens.pair.refresh_token)
    assert refused.value.code == "invalid_grant"


@BOTH
async def test_a_client_that_is_not_known(standing, client, generation):
    tokens = await connected(standing, client, generation)
    oauth = client.oauth(generation)
    oauth._client = BasicCredentials(username="nobody", password="nothing")
    with pytest.raises(RequestRejected) as refused:
        await oauth.renew(refresh_token=tokens.pair.refresh_token)
    assert refused.value.code == "invalid_client"


async def test_a_token_for_another_audience(standing, client):
    tokens = await connected(standing, client, "v4")
    standing.grants.live("v4")[0].audience = "urn:another"
    with pytest.raises(ReconnectRequired) as refused:
        await client.send_message_v4(tokens, negotiation_id="77", text="Hello")
    assert refused.value.status == 502


async def test_replies_of_each_kind(standing, client):
    legacy, v4 = await connected(standing, client, "legacy"), await connected(standing, client, "v4")
    await client.send_message_v2(legacy, business_id="11", lead_id="77", text="by v2")
    message_id = await client.send_message_v4(v4, negotiation_id="77", text="by v4")
    assert standing.received("77") == ["by v2", "by v4"]
    shown = await client.list_messages(v4, negotiation_id="77")
    assert (shown[0].message_id, shown[0].text) == (message_id, "by v4")
    assert (await client.get_negotiation(v4, negotiation_id="77")).lead_id == "77"
    assert (await client.whoami(v4)).user_id == "1337"
    assert await client.list_reviews(v4, business_id="11") == []


async def test_fewer_scopes_than_asked_for(standing, client):
    standing.grants.granted_scopes |= {"legacy": ("messages",), "v4": ("supply::negotiations.read",)}
    legacy, v4 = await connected(standing, client, "legacy"), await connected(standing, client, "v4")
    assert v4.pair.refresh_token is None
    with pytest.raises(ScopeMissing) as refused:
        await client.set_targeting(legacy, business_id="11", category_id=None, enabled=False)
    assert refused.value.scope is None
    with pytest.raises(ScopeMissing) as refused:
        await client.oauth("v4").whose(v4)
    assert refused.value.scope == "supply::businesses.list"
    assert standing.grants.renewals == []


async def test_targeting(standing, client):
    tokens = await connected(standing, client, "legacy")
    await client.set_targeting(tokens, business_id="11", category_id=None, enabled=False)
    await client.set_targeting(tokens, business_id="11", category_id="109", enabled=True)
    assert standing.targeting == {("11", None): False, ("11", "109"): True}
    with pytest.raises(ReconnectRequired) as refused:
        await client.set_targeting(tokens, business_id="12", category_id=None, enabled=False)
    assert refused.value.status == 401
    assert len(standing.grants.renewals) == 1


async def test_phone_numbers(standing, client):
    tokens = await connected(standing, client, "v4")
    await client.add_phone(tokens, business_id="11", number="+16505550123", name="Ana")
    await client.add_phones(tokens, business_id="11", phones=[("+16505550124", None), ("+16505550125", "Cy")])
    first, second, _ = await client.list_phones(tokens, business_id="11")
    assert (first.number, first.name, second.name) == ("+16505550123", "Ana", None)
    await client.change_phone(tokens, business_id="11", phone_id=first.phone_id, number=first.number, name="Ann")
    await client.remove_phone(tokens, business_id="11", phone_id=second.phone_id)
    with pytest.raises(RequestRejected) as refused:
        await client.remove_phone(tokens, business_id="11", phone_id=second.phone_id)
    assert refused.value.status == 404
    left = await client.list_phones(tokens, business_id="11")
    assert [(one.name, one.is_deleted) for one in left] == [("Ann", False), (None, True), ("Cy", False)]


async def test_webhooks(standing, client):
    tokens = await connected(standing, client, "v4")
    auth = BasicCredentials(username="thumbtack", password="let-me-in")
    given = {"url": "https://bot.example/v4/webhooks/11", "event_types": ["NegotiationCreatedV4"], "auth": auth}
    made = await client.create_webhook(tokens, business_id="11", **given)
    assert (made.url, made.is_enabled, made.auth_type) == (given["url"], True, "Basic")
    await client.replace_webhook(tokens, business_id="11", webhook_id=made.webhook_id, **given, enabled=False)
    (now,) = await client.list_webhooks(tokens, business_id="11")
    assert (now.webhook_id, now.is_enabled) == (made.webhook_id, False)
    await client.fire_test_webhook(tokens, business_id="11")
    await client.delete_webhook(tokens, business_id="11", webhook_id=made.webhook_id)
    assert await client.list_webhooks(tokens, business_id="11") == []


async def test_a_disconnect_ends_every_token(standing, client):
    tokens = await connected(standing, client, "legacy")
    await client.disconnect(business_id="11")
    assert standing.grants.disconnected == ["11"]
    with pytest.raises(ReconnectRequired) as refused:
        await client.send_message_v2(tokens, business_id="11", lead_id="77", text="too late")
    assert refused.value.status is None
    assert standing.sent == []
