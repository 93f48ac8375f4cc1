"""Both OAuth servers of the stand-in: codes, single-use refresh tokens with their grace, and what they refuse."""

from datetime import timedelta

import httpx
import pytest
from support.consents import CALLBACK, EVERYTHING, LEGACY, OTHER, PRO, V4, Bearer, answered, consent_url, granting

from sandbox.faults import Fault
from sandbox.servers import serving

BOTH = pytest.mark.parametrize("generation", ["legacy", "v4"])
INFO = "/legacy/v2/get-thumbtack-info"


async def exchange(http, generation, code, **changes):
    """The token call for a code, as the bot makes it; None leaves a field out."""
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    return await token(http, generation, fields | {"code_verifier": "verifier"} | changes, token_type="AUTH_CODE")


async def renew(http, generation, refresh_token):
    fields = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return await token(http, generation, fields, token_type="REFRESH")


async def token(http, generation, fields, *, token_type, **more):
    given = {name: value for name, value in fields.items() if value is not None}
    if generation == "v4":
        return await http.post("/oauth2/token", data=given, **{"auth": V4} | more)
    params = {"token_type": token_type} | given
    return await http.post("/legacy/v2/tokens/access", params=params, **{"auth": LEGACY} | more)


@BOTH
async def test_from_the_link_to_the_tokens_and_on(thumbtack, http, clock, generation):
    back = await thumbtack.consent(consent_url(generation), businesses=[PRO])
    appended = "/?code=" if generation == "legacy" else "?code="
    assert back.startswith(f"{CALLBACK}{appended}")
    came = answered(back)
    assert came["state"] == "12345678"
    assert came["scope"] == ("messages targeting" if generation == "legacy" else EVERYTHING)
    answer = await exchange(http, generation, came["code"])
    pair = answer.json()
    assert (answer.status_code, pair["token_type"], pair["expires_in"]) == (200, "bearer", 3600)
    assert pair.get("scope") == (None if generation == "legacy" else EVERYTHING)
    clock.advance(minutes=59)
    again = (await renew(http, generation, pair["refresh_token"])).json()
    assert again["refresh_token"] != pair["refresh_token"]
    assert again["access_token"] != pair["access_token"]
    assert [one.again for one in thumbtack.grants.renewals] == [False]


async def test_the_way_of_a_person_through_the_pages(thumbtack, http):
    page = await http.get(consent_url("v4"))
    assert "Bright &lt;Oak&gt; &amp; Sons" in page.text
    assert page.text.count('type="checkbox"') == 2
    assert (await http.get(consent_url("legacy"))).text.count('type="radio"') == 2
    nothing = await http.post(consent_url("legacy"), data={"decision": "confirm"})
    assert (nothing.status_code, "pick a business" in nothing.text) == (400, True)
    unknown = await http.post(consent_url("legacy"), data={"decision": "confirm", "business": "9"})
    assert unknown.status_code == 400
    assert thumbtack.grants.consents == []


@BOTH
async def test_a_pro_who_denies(thumbtack, generation):
    came = answered(await thumbtack.consent(consent_url(generation), deny=True))
    assert (came["error"], came["state"]) == ("access_denied", "12345678")
    assert "code" not in came


@BOTH
@pytest.mark.parametrize("wrong", [{"client_id": "nobody"}, {"redirect_uri": "https://evil.example"}], ids=str)
async def test_links_that_lead_nowhere(thumbtack, generation, wrong):
    thumbtack.grants.redirect_uris = {CALLBACK}
    with pytest.raises(LookupError, match="the page says"):
        await thumbtack.consent(consent_url(generation, **wrong))


@pytest.mark.parametrize(
    ("generation", "wrong", "error"),
    [
        ("legacy", {"response_type": "token"}, "unsupported_response_type"),
        ("legacy", {"scope": None}, "invalid_scope"),
        ("v4", {"state": "1234567"}, "invalid_state"),
        ("v4", {"state": None}, "invalid_state"),
        ("v4", {"code_challenge_method": "plain"}, "invalid_request"),
    ],
)
async def test_links_that_come_back_at_once(thumbtack, generation, wrong, error):
    assert answered(await thumbtack.consent(consent_url(generation, **wrong)))["error"] == error


async def test_a_pro_picks_only_what_is_offered_and_where_the_page_is(thumbtack):
    with pytest.raises(LookupError, match="it offers 510, 511"):
        await thumbtack.consent(consent_url("v4"), businesses=["9"])
    with pytest.raises(LookupError, match="pick a business"):
        await thumbtack.consent(consent_url("v4"), businesses=[])
    with pytest.raises(LookupError, match="no consent page is at https"):
        await thumbtack.consent("https://thumbtack.com/services/partner-connect/?client_id=x")
    with pytest.raises(LookupError, match="redirect_uri is missing"):
        await thumbtack.consent(consent_url("v4", redirect_uri=None))


async def test_a_code_that_is_shown(thumbtack, http):
    code = await thumbtack.consent(consent_url("legacy", redirect_uri=None))
    assert (await exchange(http, "legacy", code, redirect_uri="https://whatever.example")).status_code == 200


@BOTH
async def test_a_code_is_good_once_and_for_five_minutes(thumbtack, http, clock, generation):
    codes = [answered(await thumbtack.consent(consent_url(generation)))["code"] for _ in range(2)]
    clock.advance(minutes=4, seconds=59)
    assert (await exchange(http, generation, codes[0])).status_code == 200
    assert error_of(await exchange(http, generation, codes[0])) == "invalid_grant"
    clock.advance(seconds=1)
    assert error_of(await exchange(http, generation, codes[1])) == "invalid_grant"


def error_of(answer: httpx.Response) -> str:
    assert answer.status_code in (400, 401)
    return answer.json()["error"].lower()


@BOTH
@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"code": "nonsense"}, "invalid_grant"),
        ({"code": None}, "invalid_request"),
        ({"redirect_uri": "https://other.example"}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unauthorized_client"),
    ],
    ids=str,
)
async def test_what_a_token_endpoint_refuses(thumbtack, http, generation, wrong, error):
    code = answered(await thumbtack.consent(consent_url(generation)))["code"]
    assert error_of(await exchange(http, generation, **{"code": code} | wrong)) == error


async def test_pkce_is_checked_where_it_was_asked_for(thumbtack, http):
    code = answered(await thumbtack.consent(consent_url("v4")))["code"]
    for verifier in ("wrong", None):
        assert error_of(await exchange(http, "v4", code, code_verifier=verifier)) == "invalid_grant"
    assert (await exchange(http, "v4", code)).status_code == 200
    challenged = consent_url("legacy", code_challenge="anything", code_challenge_method="S256")
    code = answered(await thumbtack.consent(challenged))["code"]  # the Pro API does not know of it
    assert (await exchange(http, "legacy", code, code_verifier=None)).status_code == 200
    bare = consent_url("v4", code_challenge=None, code_challenge_method=None)
    code = answered(await thumbtack.consent(bare))["code"]
    assert (await exchange(http, "v4", code, code_verifier=None)).status_code == 200


@pytest.mark.parametrize("credentials", [None, ("v4-id", "wrong"), LEGACY], ids=str)
async def test_the_client_must_be_known(thumbtack, http, credentials):
    fields = {"grant_type": "refresh_token", "refresh_token": granting(thumbtack, "v4").refresh_token}
    refused = await token(http, "v4", fields, token_type="", auth=credentials)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    legacy = await token(http, "legacy", fields, token_type="REFRESH", auth=V4)
    assert (legacy.status_code, legacy.json()["error"]) == (400, "INVALID_CLIENT")


async def test_each_reads_its_own_form(thumbtack, http):
    fields = {"grant_type": "refresh_token", "refresh_token": granting(thumbtack, "v4").refresh_token}
    as_json = await http.post("/oauth2/token", json=fields, auth=V4)
    assert (error_of(as_json), "must be a form" in as_json.text) == ("invalid_request", True)
    fields["refresh_token"] = granting(thumbtack, "legacy").refresh_token
    in_body = await http.post("/legacy/v2/tokens/access", data=fields, auth=LEGACY)
    assert error_of(in_body) == "invalid_request"
    assert error_of(await token(http, "legacy", fields, token_type="AUTH_CODE")) == "invalid_request"


@BOTH
async def test_the_pair_of_one_api_is_nothing_to_the_other(thumbtack, http, generation):
    other = "v4" if generation == "legacy" else "legacy"
    assert error_of(await renew(http, generation, granting(thumbtack, other).refresh_token)) == "invalid_grant"


@pytest.mark.parametrize(("generation", "grace"), [("legacy", 10), ("v4", 60)])
async def test_within_its_grace_the_same_token_gives_the_same_pair(thumbtack, http, clock, generation, grace):
    first = granting(thumbtack, generation).refresh_token
    pair = (await renew(http, generation, first)).json()
    clock.advance(seconds=grace)
    assert (await renew(http, generation, first)).json() == pair
    assert [one.again for one in thumbtack.grants.renewals] == [False, True]
    assert thumbtack.grants.misused == []
    clock.advance(seconds=1)
    assert error_of(await renew(http, generation, first)) == "invalid_grant"
    assert thumbtack.grants.misused == [first]
    assert (await renew(http, generation, pair["refresh_token"])).status_code == 200


@pytest.mark.parametrize(("generation", "hours"), [("legacy", 720), ("v4", 180 * 24)])
async def test_a_refresh_token_ends_and_every_new_one_begins_again(thumbtack, http, clock, generation, hours):
    first = granting(thumbtack, generation).refresh_token
    clock.advance(hours=hours - 1)
    second = (await renew(http, generation, first)).json()["refresh_token"]
    clock.advance(hours=hours - 1)
    third = (await renew(http, generation, second)).json()["refresh_token"]
    clock.advance(hours=hours)
    assert error_of(await renew(http, generation, third)) == "invalid_grant"
    assert thumbtack.grants.misused == []


async def test_without_offline_access_there_is_nothing_to_renew(thumbtack):
    assert granting(thumbtack, "v4", scopes=["supply::messages.write"]).refresh_token is None
    assert granting(thumbtack, "legacy", scopes=["messages"]).refresh_token is not None


@pytest.mark.parametrize(("generation", "target"), [("legacy", "token"), ("v4", "v4-token")])
async def test_an_answer_of_null_with_and_without_the_work(thumbtack, http, clock, generation, target):
    first = granting(thumbtack, generation).refresh_token
    thumbtack.faults.add(target, Fault(status=200, body=None))
    assert (await renew(http, generation, first)).text == "null"
    assert thumbtack.grants.renewals == []
    thumbtack.faults.add(target, Fault(status=200, body=None, done=True))
    assert (await renew(http, generation, first)).text == "null"
    assert len(thumbtack.grants.renewals) == 1
    clock.advance(seconds=9)
    assert (await renew(http, generation, first)).status_code == 200
    clock.advance(minutes=2)
    assert error_of(await renew(http, generation, first)) == "invalid_grant"


async def test_a_lost_answer_is_found_again(thumbtack):
    first = granting(thumbtack, "v4").refresh_token
    thumbtack.faults.add("v4-token", Fault(lose_answer=True))
    async with serving(thumbtack.app) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await renew(client, "v4", first)
        await renew(client, "v4", first)
    assert [one.again for one in thumbtack.grants.renewals] == [False, True]


async def test_an_access_token_lives_for_an_hour(thumbtack, http, clock):
    bearer = Bearer(granting(thumbtack, "legacy").access_token)
    clock.advance(minutes=59, seconds=59)
    told = (await http.get(INFO, auth=bearer)).json()
    assert told == {
        "business_pk": PRO,
        "client_id": LEGACY[0],
        "scope": ["messages", "targeting"],
        "business_name": "Bright Oak",
    }
    clock.advance(seconds=1)
    expired = await http.get(INFO, auth=bearer)
    assert (expired.status_code, expired.json()["code"]) == (401, "INVALID_TOKEN")


async def test_tokens_expire_and_are_revoked_on_request(thumbtack, http):
    pair = granting(thumbtack, "legacy")
    thumbtack.grants.expire_access_tokens()
    assert (await http.get(INFO, auth=Bearer(pair.access_token))).status_code == 401
    pair = thumbtack.grants.renew("legacy", pair.refresh_token)
    assert (await http.get(INFO, auth=Bearer(pair.access_token))).status_code == 200
    thumbtack.grants.revoke("v4")
    thumbtack.grants.revoke("legacy", OTHER)
    assert (await http.get(INFO, auth=Bearer(pair.access_token))).status_code == 200
    thumbtack.grants.revoke("legacy")
    assert (await http.get(INFO, auth=Bearer(pair.access_token))).status_code == 401
    assert error_of(await renew(http, "legacy", pair.refresh_token)) == "invalid_grant"
    thumbtack.grants.access_token_lives = timedelta(minutes=5)
    assert granting(thumbtack, "legacy").expires_in == timedelta(minutes=5)


async def test_disconnecting_removes_the_tokens_of_that_business(thumbtack, http):
    gone, stays = granting(thumbtack, "legacy"), granting(thumbtack, "legacy", businesses=[OTHER])
    newer = granting(thumbtack, "v4")
    url = "/legacy/v2/disconnect-partner"
    assert (await http.post(url, params={"business_pk": PRO}, auth=V4)).status_code == 401
    assert (await http.post(url, auth=LEGACY)).status_code == 400
    told = await http.post(url, params={"business_pk": PRO}, auth=LEGACY)
    assert (told.status_code, told.json()) == (200, {"business_pk": PRO, "client_id": LEGACY[0]})
    assert thumbtack.grants.disconnected == [PRO]
    assert [thumbtack.grants.of(one.access_token, "legacy") is None for one in (gone, stays)] == [True, False]
    assert thumbtack.grants.of(newer.access_token, "v4")
    assert [one.businesses for one in thumbtack.grants.live("legacy")] == [(OTHER,)]


@BOTH
async def test_fewer_scopes_than_asked_for(thumbtack, http, generation):
    thumbtack.grants.granted_scopes = {"legacy": ("messages",), "v4": ("supply::messages.write", "offline_access")}
    came = answered(await thumbtack.consent(consent_url(generation)))
    assert came["scope"] == " ".join(thumbtack.grants.granted_scopes[generation])
    pair = (await exchange(http, generation, came["code"])).json()
    if generation == "legacy":
        told = await http.get(INFO, auth=Bearer(pair["access_token"]))
        assert told.json()["scope"] == ["messages"]
    else:
        told = await http.get("/api/v4/businesses", auth=Bearer(pair["access_token"]))
        assert told.json()["detail"] == "required scope(s) [supply::businesses.list] not found"
        assert told.status_code == 401
