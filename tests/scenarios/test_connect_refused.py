"""A consent that comes to nothing: every page says what happened and what to do, and nothing is connected."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import text
from support.office import ADMIN, PUBLIC_URL, Office

from sandbox.faults import Fault
from sandbox.thumbtack import bodies
from storage.models import Connection, ConnectionState, Consent
from storage.vault import Vault

AGAIN = "type /thumbtack connect"


async def _link(place: Office, generation: str = "legacy") -> str:
    await place.command("connect")
    return place.link(generation)


async def _back(place: Office, generation: str = "legacy", **kwargs) -> str:
    """The address with which Thumbtack sends the person back."""
    leaving = await place.http.get(await _link(place, generation))
    return await place.thumbtack.consent(leaving.headers["location"], **kwargs)


def _state(url: str) -> str:
    return parse_qs(urlsplit(url).query)["state"][0]


async def _nothing(place: Office) -> bool:
    await place.at_rest()
    return await place.rows(Connection) == [] and place.cards == []


async def test_a_state_that_is_not_ours_leads_nowhere(place: Office):
    of_another = Vault(["Kx" * 21 + "k="]).seal("x")
    for state in ("x", "\u00e4", "%FF", "gAAAAABm", "a" * 5000, of_another):
        for path in ("/thumbtack/connect?", "/thumbtack/callback?code=abc&", "/thumbtack/callback/?code=abc&"):
            page = await place.http.get(f"{path}state={state}")
            assert (page.status_code, "This link is not one of ours" in page.text) == (400, True)
            assert AGAIN in page.text
    assert await _nothing(place)


async def test_a_code_without_a_state_can_be_brought_by_hand(place: Office):
    leaving = await place.http.get(await _link(place))
    back = await place.thumbtack.consent(leaving.headers["location"])
    page = await place.http.get(back.partition("&state=")[0])
    assert (page.status_code, "/thumbtack connect code" in page.text) == (400, True)
    assert await _nothing(place)
    assert (await place.http.get("/thumbtack/connect")).status_code == 400


async def test_a_state_that_we_sealed_but_never_gave_is_not_taken(place: Office):
    state = place.door.app.state.services.vault.seal("no such nonce")
    assert (await place.http.get("/thumbtack/connect", params={"state": state})).status_code == 400


async def test_a_state_lives_ten_minutes(place: Office):
    link = await _link(place)
    back = await place.thumbtack.consent((await place.http.get(link)).headers["location"])
    await place.advance(minutes=9)
    assert (await place.http.get(link)).status_code == 303
    await place.advance(minutes=2)
    for url in (link, back):
        page = await place.http.get(url)
        assert (page.status_code, "good for 10 minutes" in page.text, AGAIN in page.text) == (410, True, True)
    assert await _nothing(place)


async def test_a_way_back_is_good_once(place: Office):
    back = await _back(place)
    assert (await place.http.get(back)).status_code == 200
    for url in (back, f"/thumbtack/connect?state={_state(back)}"):
        page = await place.http.get(url)
        assert (page.status_code, "This link was used already" in page.text) == (410, True)
    await place.at_rest()
    assert len(await place.rows(Connection)) == 1


async def test_of_two_who_come_back_at_once_one_connects(place: Office):
    back = await _back(place)
    pages = await asyncio.gather(place.http.get(back), place.http.get(back))
    assert sorted(page.status_code for page in pages) == [200, 410]
    await place.at_rest()
    assert len(await place.rows(Connection)) == len(place.cards) == 1


async def test_a_program_that_looks_whether_the_address_is_there_uses_nothing_up(place: Office):
    back = await _back(place)
    assert (await place.http.head(back)).status_code == 200
    assert (await place.http.get(back)).status_code == 200


async def test_who_said_no_may_go_back_to_thumbtack(place: Office):
    link = await _link(place)
    page = await place.come_back(link, deny=True)
    assert (page.status_code, "Nothing was connected" in page.text, AGAIN in page.text) == (200, True, True)
    assert f'href="{link}"' in page.text
    assert await _nothing(place)
    assert (await place.come_back(link)).status_code == 200


async def test_who_said_no_and_waited_has_no_way_back(place: Office):
    back = await _back(place, deny=True)
    await place.advance(minutes=11)
    page = await place.http.get(back)
    assert ("Nothing was connected" in page.text, "Go back to Thumbtack" in page.text) == (True, False)


async def test_a_request_that_thumbtack_does_not_take_is_explained(place: Office):
    for error in ("invalid_scope", "unauthorized_client", "server_error", "<script>", ""):
        page = await place.http.get("/thumbtack/callback", params={"error": error, "state": "x"})
        assert (page.status_code, "<script>" in page.text) == (400, False)
        assert f"{PUBLIC_URL}/thumbtack/callback" in page.text


async def test_the_address_alone_says_what_it_is_for(place: Office):
    page = await place.http.get("/thumbtack/callback")
    assert (page.status_code, "There is nothing to do here" in page.text) == (400, True)


@pytest.mark.parametrize("generation", ["legacy", "v4"])
async def test_a_code_that_expired_is_explained(place: Office, generation: str):
    back = await _back(place, generation)
    await place.advance(minutes=6)
    page = await place.http.get(back)
    assert (page.status_code, "no longer takes this code" in page.text, AGAIN in page.text) == (400, True, True)
    assert await _nothing(place)


@pytest.mark.parametrize(
    ("generation", "names"),
    [("legacy", "THUMBTACK_LEGACY_CLIENT_ID and THUMBTACK_LEGACY_CLIENT_SECRET"), ("v4", "THUMBTACK_CLIENT_ID and")],
)
async def test_a_client_that_thumbtack_does_not_know_is_explained(place: Office, generation: str, names: str):
    back = await _back(place, generation)
    await place.stop()
    await place.start(thumbtack_legacy_client_secret="wrong", thumbtack_client_secret="wrong")
    page = await place.http.get(back)
    assert (page.status_code, "Thumbtack does not know this Corkboard" in page.text) == (502, True)
    assert names in page.text
    assert await _nothing(place)


@pytest.mark.parametrize("generation", ["legacy", "v4"])
async def test_a_client_that_was_taken_away_is_explained(place: Office, generation: str):
    link = await _link(place, generation)
    back = await place.thumbtack.consent((await place.http.get(link)).headers["location"])
    await place.stop()
    await place.start(thumbtack_legacy_client_id=None, thumbtack_client_id=None)
    for url in (link, back):
        page = await place.http.get(url)
        assert (page.status_code, "This API is not set up" in page.text) == (503, True)
    assert await _nothing(place)


@pytest.mark.parametrize(
    "fault",
    [Fault(lose_answer=True), Fault(status=200, body=b"null", headers={"Content-Type": "application/json"})],
    ids=["lost", "null"],
)
async def test_a_lost_answer_of_the_exchange_is_said_and_not_tried_again(place: Office, fault: Fault):
    place.thumbtack.faults.add("token", fault)
    page = await place.http.get(await _back(place))
    assert (page.status_code, "answer was lost" in page.text, "/thumbtack disconnect" in page.text) == (502, True, True)
    assert await _nothing(place)


async def test_an_exchange_that_was_not_made_is_made_again(place: Office):
    place.thumbtack.faults.add("v4-token", Fault(status=503))
    assert (await place.http.get(await _back(place, "v4"))).status_code == 200


async def test_an_outage_of_thumbtack_is_said(place: Office, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("webhooks.oauth.PAUSES", (0.0,))
    place.thumbtack.faults.stand("token", Fault(status=503))
    page = await place.http.get(await _back(place))
    assert (page.status_code, "Thumbtack cannot be reached" in page.text) == (503, True)
    assert place.thumbtack.faults.happened["token"] == 2
    assert await _nothing(place)


async def test_a_refusal_that_nobody_foresaw_names_the_redirect_uri(place: Office):
    place.thumbtack.faults.add("v4-token", Fault(status=400, body={"error": "invalid_request"}))
    page = await place.http.get(await _back(place, "v4"))
    assert (page.status_code, f"{PUBLIC_URL}/thumbtack/callback" in page.text) == (502, True)


async def test_a_database_that_does_not_do_as_asked_is_said(place: Office):
    back = await _back(place)
    async with place.database.transaction() as tx:
        await tx.execute(text("DROP TABLE consent"))
    page = await place.http.get(back)
    assert (page.status_code, "Corkboard cannot answer just now" in page.text) == (503, True)


async def test_another_business_than_the_one_to_be_connected_again_is_connected_and_named(place: Office):
    place.thumbtack.grants.add_business("901", "Elm Roofing <b>")
    broken = await place.connect("legacy")
    async with place.database.transaction() as tx:
        (await tx.get(Connection, broken.id)).state = ConnectionState.BROKEN
    services = place.door.app.state.services
    async with place.database.transaction() as tx:
        link = await services.consents.begin(
            tx, generation=broken.generation, team_id=broken.team_id, user_id=ADMIN, business_id=1
        )
    page = await place.come_back(link, businesses=["901"])
    assert "<h1>Elm Roofing &lt;b&gt; is connected</h1>" in page.text
    assert f"{bodies.BUSINESS_NAME} still has to be connected" in page.text
    await place.at_rest()
    assert f"{bodies.BUSINESS_NAME} was to be connected again" in place.read(place.cards[-1])
    assert [row.state for row in await place.rows(Connection)] == [ConnectionState.BROKEN, ConnectionState.ACTIVE]


async def test_a_page_is_kept_nowhere_and_loads_and_runs_nothing(place: Office):
    for page in (await place.http.get(await _link(place)), await place.http.get("/thumbtack/callback")):
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "http" not in page.text.replace("/thumbtack", "")
    assert "<script" not in page.text
    assert 'name="viewport"' in page.text


async def test_the_link_asks_for_what_the_settings_say(place: Office):
    legacy = (await place.http.get(await _link(place))).headers["location"]
    asked = parse_qs(urlsplit(legacy).query)
    assert (asked["scope"], asked["redirect_uri"]) == (["messages targeting"], [f"{PUBLIC_URL}/thumbtack/callback"])
    v4 = parse_qs(urlsplit((await place.http.get(place.link("v4"))).headers["location"]).query)
    assert (v4["audience"], v4["code_challenge_method"], "offline_access" in v4["scope"][0]) == (
        ["urn:partner-api"],
        ["S256"],
        True,
    )
    first, second = await place.rows(Consent)
    assert first.verifier != second.verifier
