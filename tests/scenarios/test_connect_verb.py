"""The command itself: who gets a link, what is said where there is none, codes that are typed, and connecting again."""

import asyncio

import pytest
from support.conversation import ANA, calling, said
from support.office import ADMIN, PUBLIC_URL, Office

from sandbox.faults import Fault
from sandbox.slack.failures import slack_error
from sandbox.thumbtack import bodies
from storage import outbox
from storage.models import Connection, ConnectionState, Consent
from storage.outbox import Kind

NONE = {"thumbtack_client_id": None, "thumbtack_legacy_client_id": None}


async def test_one_link_for_each_api(place: Office):
    told = await place.command("connect")
    assert "Leads, messages, phones" in told
    assert "Messages, targeting" in told
    links = [place.link("v4"), place.link("legacy")]
    assert (await place.press("connect_open")).status == 200  # Slack tells us of it, the browser goes by itself
    assert len(set(links)) == 2
    assert all(link.startswith(f"{PUBLIC_URL}/thumbtack/connect?state=") for link in links)
    assert {(row.user_id, row.team_id) for row in await place.rows(Consent)} == {(ADMIN, "T0CORKBOARD")}


@pytest.mark.knobs(thumbtack_legacy_client_id=None)
async def test_an_api_without_a_client_is_named_with_its_settings(place: Office):
    told = await place.command("connect")
    assert "not set up (THUMBTACK_LEGACY_CLIENT_ID and THUMBTACK_LEGACY_CLIENT_SECRET)" in told
    with pytest.raises(LookupError):
        place.link("legacy")


@pytest.mark.knobs(public_url=None)
async def test_without_an_address_the_setting_is_named(place: Office):
    told = await place.command("connect")
    assert "PUBLIC_URL" in told
    assert "/thumbtack/callback" in told
    assert await place.rows(Consent) == []


@pytest.mark.knobs(**NONE)
async def test_without_a_client_it_says_who_gives_one_and_what_works(place: Office):
    told = await place.command("connect")
    assert "https://developers.thumbtack.com/request-access" in told
    assert f"{PUBLIC_URL}/thumbtack/callback" in told
    assert "replies go out too" in told


@pytest.mark.knobs(**NONE, thumbtack_legacy_username=None, thumbtack_legacy_password=None)
async def test_without_anything_it_says_how_replies_would_go(place: Office):
    assert "replies go out once THUMBTACK_LEGACY_USERNAME" in await place.command("connect")


@pytest.mark.knobs(thumbtack_shared_client=True)
async def test_a_shared_client_is_said_to_last_an_hour(place: Office):
    assert "good for an hour" in await place.command("connect")
    await place.connect("legacy")
    assert "It cannot be renewed and ends" in place.read(place.cards[0])


async def test_who_may_not_gets_no_link(place: Office):
    for typed in ("connect", "connect code"):
        assert "admin" in await place.command(typed, user=ANA)
    assert await place.rows(Consent) == []
    assert place.window(ANA) is None


# A code that Thumbtack shows


async def _shown_code(place: Office, generation: str = "legacy") -> str:
    """What Thumbtack shows where it does not send people back; the whole address with it."""
    await place.command("connect")
    leaving = await place.http.get(place.link(generation))
    return await place.thumbtack.consent(leaving.headers["location"])


def _code_in(url: str) -> str:
    return url.partition("code=")[2].partition("&")[0]


@pytest.mark.parametrize("generation", ["legacy", "v4"])
@pytest.mark.parametrize("whole", [True, False])
async def test_a_typed_code_connects_as_coming_back_does(place: Office, generation: str, *, whole: bool):
    url = await _shown_code(place, generation)
    assert await place.command("connect code") == ""
    typed = url if whole else f"  {_code_in(url)}\n"
    assert await place.submit({"api": generation, "code": typed}) == {}
    await place.at_rest()
    assert f"{bodies.BUSINESS_NAME} is connected" in place.read(place.cards[0])
    (connection,) = await place.rows(Connection)
    assert (connection.generation, connection.connected_by) == (generation, ADMIN)
    assert _code_in(url) not in repr(await place.rows(outbox.Outbox))


@pytest.mark.knobs(thumbtack_client_id=None)
async def test_with_one_client_the_window_does_not_ask_which(place: Office):
    url = await _shown_code(place)
    await place.command("connect code")
    assert await place.submit({"code": _code_in(url)}) == {}
    await place.at_rest()
    assert len(await place.rows(Connection)) == 1


async def test_what_is_no_code_stays_in_the_window(place: Office):
    await place.command("connect")
    await place.command("connect code")
    for typed in ("", " ", "two words", "https://x.example/?code=", "https://[x/?code=1", "\u00e4", "\x00"):
        assert await place.submit({"api": "legacy", "code": typed}) == {"code": "Paste the code that Thumbtack shows."}
    assert await place.rows(Connection) == []


async def test_a_window_that_outlived_its_client_says_so(place: Office):
    await place.command("connect")
    await place.command("connect code")
    await place.stop()
    await place.start(**NONE)
    assert "not set up any more" in (await place.submit({"api": "v4", "code": "abc"}))["code"]


async def test_a_code_without_a_consent_of_that_person_is_not_taken(place: Office):
    await place.command("connect code")
    wrong = await place.submit({"api": "v4", "code": "abc"})
    assert "Press Connect in /thumbtack connect first" in wrong["code"]
    await place.command("connect")
    await place.advance(minutes=11)
    assert "first" in (await place.submit({"api": "v4", "code": "abc"}))["code"]


async def test_a_typed_code_uses_its_consent_up(place: Office):
    url = await _shown_code(place)
    await place.command("connect code")
    await place.submit({"api": "legacy", "code": _code_in(url)})
    await place.at_rest()
    assert (await place.http.get(url)).status_code == 410
    await place.command("connect code")
    assert "first" in (await place.submit({"api": "legacy", "code": _code_in(url)}))["code"]


async def test_a_code_that_thumbtack_refuses_is_told_to_who_typed_it(place: Office):
    await place.command("connect")
    await place.command("connect code")
    await place.submit({"api": "v4", "code": "made-up"})
    await place.at_rest()
    (told,) = place.told()
    assert "Thumbtack no longer takes this code" in told
    assert "type /thumbtack connect" in told
    assert await place.rows(Connection) == []


async def test_a_typed_code_whose_answer_was_lost_is_not_tried_again(place: Office):
    url = await _shown_code(place)
    place.thumbtack.faults.add("token", Fault(lose_answer=True))
    await place.command("connect code")
    await place.submit({"api": "legacy", "code": _code_in(url)})
    await place.at_rest()
    assert "answer was lost" in place.told()[0]


async def test_a_typed_code_is_not_tried_again_by_who_starts_after_a_crash(place: Office):
    url = await _shown_code(place)
    asked = calling(place.thumbtack.faults, "token")
    place.thumbtack.faults.add("token", Fault(delay=30))
    await place.command("connect code")
    await place.submit({"api": "legacy", "code": _code_in(url)})
    async with asyncio.timeout(60):
        await asked.wait()
    await place.crash()
    await place.start()
    await place.advance(minutes=2)
    await place.seen(place.told)
    assert "answer was lost" in place.told()[0]
    assert await place.rows(Connection) == []


async def test_a_typed_code_waits_for_thumbtack_while_it_lives(place: Office, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("webhooks.oauth.PAUSES", ())
    url = await _shown_code(place)
    place.thumbtack.faults.add("token", Fault(status=503), times=2)
    await place.command("connect code")
    await place.submit({"api": "legacy", "code": _code_in(url)})
    await place.at_rest()
    await place.advance(seconds=5)
    await place.at_rest()
    await place.advance(seconds=10)
    await place.seen(lambda: place.cards)
    assert place.told() == []


async def test_a_typed_code_that_outlived_itself_is_given_up(place: Office, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("webhooks.oauth.PAUSES", ())
    url = await _shown_code(place)
    place.thumbtack.faults.stand("token", Fault(status=503))
    await place.command("connect code")
    await place.submit({"api": "legacy", "code": _code_in(url)})
    await place.at_rest()
    await place.advance(minutes=5)
    await place.seen(place.told)
    told = place.told()[0]  # where the clock jumped while a call was under way, its answer counts as lost
    assert "Thumbtack cannot be reached" in told or "answer was lost" in told


async def test_a_window_that_slack_does_not_open_is_said(place: Office):
    place.slack.faults.add("views.open", slack_error("expired_trigger_id"))
    assert "The window did not open in time" in await place.command("connect code")


async def test_who_may_no_longer_cannot_submit_a_code(place: Office):
    await place.stop()
    await place.start(slack_keepers=(ANA,))
    await place.command("connect", user=ANA)
    await place.command("connect code", user=ANA)
    await place.stop()
    await place.start(slack_keepers=(ADMIN,))
    assert "Only workspace admins" in (await place.submit({"api": "v4", "code": "abc"}, user=ANA))["code"]


# Connecting again


async def _told_to_reconnect(place: Office, generation: str = "legacy") -> Connection:
    connection = await place.connect(generation)
    async with place.database.transaction() as tx:
        row = await tx.get(Connection, connection.id)
        row.state, row.reason = ConnectionState.BROKEN, "invalid_grant"
        payload = {"notice": "reconnect", "connection_id": connection.id, "reason": "invalid_grant"}
        await outbox.enqueue(tx, Kind.POST_NOTICE, now=place.clock(), payload=payload)
    await place.advance(seconds=0)
    return connection


@pytest.mark.knobs(slack_keepers=(ADMIN,))
async def test_a_keeper_connects_again_with_a_link_that_is_good_when_it_is_pressed(place: Office):
    await _told_to_reconnect(place)
    await place.seen(place.told)
    assert f"{bodies.BUSINESS_NAME} must be connected again" in place.told()[0]
    await place.advance(days=3)
    await place.press("connect_again")
    await place.at_rest()
    shown = next(one for one in reversed(place.slack.ephemerals(ADMIN)) if "connect_open" in str(one["blocks"]))
    link = next(block for block in shown["blocks"] if block["type"] == "actions")["elements"][0]["url"]
    assert (await place.come_back(link)).status_code == 200
    await place.at_rest()
    assert [row.state for row in await place.rows(Connection)] == [ConnectionState.ENDED, ConnectionState.ACTIVE]
    await place.press("connect_again")
    await place.at_rest()
    assert "That connection is over" in place.whispers()[-1]


async def test_without_a_keeper_the_channel_is_asked(place: Office):
    await _told_to_reconnect(place)
    await place.seen(lambda: len(place.cards) == 2)
    assert "keeper_me" in str(place.cards[1])
    await place.press("connect_again", user=ANA)
    await place.at_rest()
    assert "Only workspace admins" in place.whispers(ANA)[-1]


@pytest.mark.knobs(slack_keepers=(ADMIN,))
async def test_connect_again_where_there_is_no_client_any_more(place: Office):
    await _told_to_reconnect(place)
    await place.seen(place.told)
    await place.stop()
    await place.start(**NONE)
    await place.press("connect_again")
    await place.at_rest()
    assert "is not set up any more" in place.whispers()[-1]


async def test_nobody_is_told_to_reconnect_what_stands_again(place: Office):
    connection = await place.connect("legacy")
    async with place.database.transaction() as tx:
        for notice in ("reconnect", "renewal_failing"):
            payload = {"notice": notice, "connection_id": connection.id, "reason": "unavailable"}
            await outbox.enqueue(tx, Kind.POST_NOTICE, now=place.clock(), payload=payload)
    await place.advance(seconds=0)
    await place.at_rest()
    assert len(place.cards) == 1


@pytest.mark.parametrize(
    ("reason", "words", "button"),
    [("unavailable", "Thumbtack cannot be reached", True), ("invalid_client", "THUMBTACK_LEGACY_CLIENT_ID", False)],
)
@pytest.mark.knobs(slack_keepers=(ADMIN,))
async def test_a_renewal_that_keeps_failing_is_told_with_its_end(
    place: Office, reason: str, words: str, *, button: bool
):
    connection = await place.connect("legacy")
    async with place.database.transaction() as tx:
        (await tx.get(Connection, connection.id)).failing_since = place.clock()
        ends_at = place.clock().isoformat()
        payload = {"notice": "renewal_failing", "connection_id": connection.id, "reason": reason, "ends_at": ends_at}
        await outbox.enqueue(tx, Kind.POST_NOTICE, now=place.clock(), payload=payload)
    await place.advance(seconds=0)
    (told,) = await place.seen(lambda: place.slack.direct_messages(ADMIN))
    assert "cannot be renewed" in said(told)
    assert words in said(told)
    assert ("connect_again" in str(told)) is button
