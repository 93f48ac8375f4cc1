"""Slack heard over Socket Mode: everything that works by requests works by envelopes, and no broken connection loses any."""

import asyncio
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from support.conversation import ANA, CHECK, Conversation
from support.office import ADMIN, CHANNEL, PATIENCE, Office, office

from bot import jobs, socket_mode
from bot import settings as bot_settings
from bot import slack as bot_slack
from bot.doctor.examination import examine
from bot.doctor.findings import Area, Finding, State
from bot.failures import Failure
from bot.slack import Slack
from sandbox.faults import Fault
from sandbox.slack.delivery import event_delivery
from sandbox.slack.failures import cut, down, rate_limited, slack_error, slow
from sandbox.thumbtack import bodies
from storage import sockets
from storage.models import Message, Outbox

APP_TOKEN = "xapp-sandbox"


@asynccontextmanager
async def over_socket(database_url: str, **knobs: Any) -> AsyncIterator[Office]:
    """An office whose app chose Socket Mode: no signing secret, and nothing of Slack's by HTTP."""
    async with office(database_url) as place:
        await place.stop()
        await place.slack.sockets.start()
        await place.start(**{"slack_app_token": APP_TOKEN, "slack_signing_secret": None} | knobs)
        yield place


@pytest.fixture
async def place(database_url: str) -> AsyncIterator[Office]:
    async with over_socket(database_url) as running:
        await running.slack.sockets.until(1)
        yield running


@pytest.fixture
async def small(sqlite_url: str) -> AsyncIterator[Office]:
    """For what does not depend on the kind of database."""
    async with over_socket(sqlite_url) as running:
        await running.slack.sockets.until(1)
        yield running


# What works


async def test_the_main_job(place: Office):
    lead = bodies.lead()
    assert (await place.post("/v1/lead", lead)).status_code == 200  # Thumbtack still calls by HTTP
    await place.seen(lambda: place.cards)
    said = await place.slack.say(ANA, CHANNEL, "Tomorrow at 9", thread_ts=place.cards[0]["ts"])
    assert said.ok
    await place.seen(lambda: place.mark(said.ts or "") == [CHECK])
    assert place.thumbtack.received(lead["leadID"]) == ["Tomorrow at 9"]
    by_http = await place.http.post("/slack/events", content=b"{}")
    assert (by_http.status_code, by_http.json()["reason"]) == (503, "not_configured")


async def test_commands_buttons_and_windows_are_answered_within_the_acknowledgement(small: Office):
    assert "Thumbtack" in await small.command("help")
    lead = await Conversation.opened(small)
    await small.press("reply_open", user=ANA)
    assert await small.submit({"text": " "}, user=ANA)
    assert small.window(ANA) is not None  # it shows what is wrong
    assert await small.submit({"text": "Tomorrow at 9"}, user=ANA) == {}
    assert small.window(ANA) is None
    await small.at_rest()
    assert lead.received == ["Tomorrow at 9"]


async def test_with_a_signing_secret_the_address_stays_open_so_that_one_can_change_over(sqlite_url: str):
    async with over_socket(sqlite_url, slack_signing_secret="signing-secret-of-the-tests") as place:
        await place.slack.sockets.until(1)
        lead = await Conversation.opened(place)
        place.slack.sockets.on = False  # in the app's settings; the connection still stands
        await lead.marked(await lead.say("By HTTP."), CHECK)
        place.slack.sockets.on = True
        await lead.marked(await lead.say("By the socket."), CHECK)
        assert lead.received == ["By HTTP.", "By the socket."]


# Nothing is lost, and nothing done twice


async def test_what_was_not_stored_is_not_acknowledged_and_comes_again(place: Office):
    lead = await Conversation.opened(place)
    await _rename(place, "message", "message_away")
    place.slack.sockets.patience = 0.3
    said = await lead.said("Do not lose this.")
    assert (said.status, said.failure) == (None, "timeout")
    await _rename(place, "message_away", "message")
    place.slack.sockets.patience = 3.0
    for number in (1, 2):
        assert (await place.slack.redeliver(said, number=number)).status == 200
    await lead.marked(said.ts or "", CHECK)
    await place.at_rest()
    assert lead.received == ["Do not lose this."]


async def _rename(place: Office, table: str, new: str) -> None:
    async with place.database.transaction() as tx:
        await tx.execute(text(f"ALTER TABLE {table} RENAME TO {new}"))


async def test_a_connection_that_is_cut_before_the_acknowledgement_loses_nothing(place: Office):
    lead = await Conversation.opened(place)
    place.slack.sockets.cuts = 1
    said = await lead.said("In the middle.")
    assert said.failure == "timeout"
    await place.slack.sockets.until(1)  # it is back by itself
    assert place.slack.sockets.opened == 2
    assert (await place.slack.redeliver(said, number=1)).status == 200
    await lead.marked(said.ts or "", CHECK)
    await place.at_rest()
    assert lead.received == ["In the middle."]
    assert len(await place.rows(Message)) == 1


async def test_what_was_written_while_there_was_no_connection_is_read_back(
    small: Office, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(socket_mode, "HELLO_WITHIN", 0.05)
    monkeypatch.setattr(socket_mode, "LONGEST", 0.1)
    lead, link = await Conversation.opened(small), small.slack.sockets
    link.silent = True
    await link.goodbye("refresh_requested", close=True)
    await small.seen(lambda: "no_hello" in _failures(small))
    lost = await lead.said("Nobody hears this.")
    assert lost.failure == "no_connection"
    await small.advance(minutes=6)
    link.silent = False
    assert "Thumbtack" in await _as_soon_as_heard(small)
    for _ in range(8):  # Slack might still tell it at first
        await small.advance(minutes=1)
        await jobs.notice_absence(small.door.app.state.services)
    await lead.marked(lost.ts or "", CHECK)
    assert lead.received == ["Nobody hears this."]


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_a_connection_that_slack_will_end_is_replaced_before_it_ends(small: Office, reason: str):
    lead, link = await Conversation.opened(small), small.slack.sockets
    await link.goodbye(reason)
    await link.until(2)
    for words in ("By the old.", "By the new."):  # in turn
        await lead.marked(await lead.say(words), CHECK)
    await link.open[0].close()
    await link.until(1)
    await lead.marked(await lead.say("By what is left."), CHECK)
    assert lead.received == ["By the old.", "By the new.", "By what is left."]
    assert link.opened == 2


async def test_whatever_becomes_of_connections_each_reply_goes_once_and_in_order(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(socket_mode, "LONGEST", 0.05)  # connections that end at once are failures
    chance = random.Random(3)  # noqa: S311 -- the same each time
    async with over_socket(sqlite_url) as place:
        await place.slack.sockets.until(1)
        place.slack.courier.pauses = (0.02, 0.1, 0.4)
        link, lead = place.slack.sockets, await Conversation.opened(place)
        for number in range(12):
            match chance.choice(["nothing", "cut", "cut on the way", "goodbye", "closed"]):
                case "cut":
                    link.cut()
                case "cut on the way":
                    link.cuts = 1
                case "goodbye":
                    await link.goodbye("warning")
                case "closed":
                    await link.goodbye("refresh_requested", close=True)
            assert (await lead.said(f"{number}")).ok
        await place.at_rest()
        assert lead.received == [str(number) for number in range(12)]
        assert len(await place.rows(Message)) == 12
        assert link.opened > 5


async def test_stopping_finishes_what_was_heard_and_acknowledges_it(small: Office):
    small.slack.faults.add("users.info", slow(0.3))
    asked = asyncio.create_task(small.slack.command(ADMIN, "/thumbtack", "settings"))
    await small.seen(lambda: small.slack.faults.happened["users.info"])
    assert not asked.done()
    await small.stop()
    answer = await asked
    assert answer.status == 200
    assert small.slack.sockets.open == []
    async with small.database.reading() as tx:
        assert await sockets.held(tx, now=small.clock()) == 0  # its slot is free


ODD = [
    "",
    "no json",
    "[]",
    "null",
    '{"type": "something_new"}',
    '{"type": "hello"}',
    '{"envelope_id": 7, "type": "events_api", "payload": {}}',
    '{"envelope_id": "x"}',
    '{"envelope_id": "x", "type": "something_new", "payload": {"type": "something_new"}}',
    '{"envelope_id": "x", "type": "events_api", "payload": {"event": "text"}}',
    '{"envelope_id": "x", "type": "events_api", "payload": {"authorizations": 7, "team": 7}}',
    '{"envelope_id": "x", "type": "interactive", "payload": [1]}',
    '{"envelope_id": "x", "type": "slash_commands", "payload": "text"}',
    '{"envelope_id": "x", "type": "events_api", "payload": ' + "[" * 100_000 + "]" * 100_000 + "}",
]


async def test_odd_words_of_slack_do_no_harm(small: Office, capfd):
    for told in ODD:
        await small.slack.sockets.say(told)
        assert "Thumbtack" in await small.command("help"), told[:60]
    assert small.slack.sockets.opened == 1
    assert "broke" not in "".join(capfd.readouterr())


async def test_another_workspaces_events_are_acknowledged_and_ignored(small: Office):
    lead = await Conversation.opened(small)
    theirs = {"team_id": "T0OTHER", "authorizations": [{"team_id": "T0OTHER", "user_id": "U0BOT", "is_bot": True}]}
    now = f"{small.clock().timestamp():.6f}"
    event = {"type": "message", "channel": CHANNEL, "user": ANA, "text": "Theirs.", "ts": now, "thread_ts": lead.ts}
    told = event_delivery({"type": "event_callback", "event_id": "Ev1", "event": event} | theirs)
    assert (await small.slack.courier.once(told)).status == 200
    assert await small.rows(Message) == []


# Where it does not work


async def test_a_token_that_slack_refuses_stops_nothing_else_and_is_told(sqlite_url: str, capfd):
    async with over_socket(sqlite_url, slack_app_token="xapp-wrong", slack_keepers=ADMIN) as place:
        await place.seen(lambda: place.slack.called("apps.connections.open"))
        await Conversation.opened(place)
        await _is_to_be_told(place)
        assert place.told() == []
        await place.advance(minutes=2)
        told = await place.seen(place.told)
        assert "does not hear Slack" in told[0]
        found = await _looked(place)
        assert _of(found, "app token").state is State.BROKEN
        assert "invalid_auth" in _of(found, "app token").told
        assert _of(found, "connections").state is State.BROKEN
        metrics = (await place.http.get("/metrics", headers={})).text
        assert 'corkboard_socket_failures_total{reason="invalid_auth"} 1.0' in metrics
        assert "corkboard_socket_connections 0.0" in metrics
    out, err = capfd.readouterr()
    assert "socket_not_opened" in out + err
    assert "xapp-wrong" not in out + err


async def test_that_slack_was_not_heard_is_not_told_once_it_is(sqlite_url: str):
    async with over_socket(sqlite_url, slack_app_token="xapp-wrong", slack_keepers=ADMIN) as place:
        await _is_to_be_told(place)
        await place.stop()
        place.slack.faults.add("auth.test", slow(0.3))  # nothing is posted before
        place.clock.ahead += timedelta(minutes=3)
        await place.start(slack_app_token=APP_TOKEN)
        await place.slack.sockets.until(1)
        await place.at_rest()
        assert place.told() == []


async def _is_to_be_told(place: Office) -> None:
    async with asyncio.timeout(PATIENCE):
        while not [one for one in await place.rows(Outbox) if one.payload.get("notice") == "not_heard"]:
            await place.at_rest()


@pytest.mark.parametrize(
    ("faults", "waits"),
    [
        ([rate_limited(7)], ["7.0"]),
        ([slack_error("invalid_auth")], ["60.0"]),
        ([down(), cut(), slack_error("internal_error")], ["0.0", "0.5"]),
    ],
)
async def test_slack_is_not_pressed(sqlite_url: str, faults: list[Fault], waits: list[str], capfd):
    async with over_socket(sqlite_url, slack_app_token=None) as place:
        await place.stop()
        for fault in faults:
            place.slack.faults.add("apps.connections.open", fault)
        await place.start(slack_app_token=APP_TOKEN)
        await place.seen(lambda: place.slack.faults.happened["apps.connections.open"] == len(waits))
        await Conversation.opened(place)
    assert re.findall(r"again_in=(\S+)", "".join(capfd.readouterr()))[: len(waits)] == waits


async def test_the_doctor_finds_the_connection(small: Office):
    found = await _looked(small)
    assert _of(found, "app token").state is State.OK
    assert (_of(found, "connections").state, _of(found, "connections").told[:6]) == (State.OK, "1 of 8")
    assert _of(found, "SLACK_SIGNING_SECRET", Area.SETTINGS).state is State.OK
    assert "corkboard_socket_connections 1.0" in (await small.http.get("/metrics")).text


async def _looked(place: Office) -> list[Finding]:
    async def reach(_: str) -> int:
        return 200

    return await examine(bot_settings.load(_env_file=None, **place.knobs), clock=place.clock, reach=reach)


def _of(found: list[Finding], subject: str, area: Area = Area.SLACK) -> Finding:
    [one] = [one for one in found if (one.area, one.subject) == (area, subject)]
    return one


async def test_where_socket_mode_was_switched_off_it_is_not_asked_for_again_at_once(small: Office, capfd):
    asked = len(small.slack.called("apps.connections.open"))
    await small.slack.sockets.goodbye("link_disabled", close=True)
    await small.slack.sockets.until(0)
    await Conversation.opened(small)  # meanwhile everything else goes on
    assert len(small.slack.called("apps.connections.open")) == asked
    out, err = capfd.readouterr()
    assert "link_disabled" in out + err


async def test_a_connection_that_slack_does_not_greet_is_none(sqlite_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(socket_mode, "HELLO_WITHIN", 0.05)
    async with over_socket(sqlite_url, slack_app_token=None) as place:
        await place.stop()
        place.slack.sockets.silent = True
        await place.start(slack_app_token=APP_TOKEN)
        await place.seen(lambda: "no_hello" in _failures(place))
        place.slack.sockets.silent = False
        assert "Thumbtack" in await _as_soon_as_heard(place)


async def _as_soon_as_heard(place: Office) -> str:
    async with asyncio.timeout(5):
        while True:
            answer = await place.slack.command(ADMIN, "/thumbtack", "help")
            if answer.ok:
                return answer.body
            await place.slack.sockets.until(1)


async def test_more_than_slack_permits_are_not_forced(sqlite_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(socket_mode.GOODBYES, "too_many_websockets", 0.01)
    async with over_socket(sqlite_url) as place:
        await place.slack.sockets.until(1)
        place.slack.sockets.most = 0
        await place.slack.sockets.goodbye("refresh_requested", close=True)
        await place.seen(lambda: "too_many_websockets" in _failures(place))
        place.slack.sockets.most = 10
        await place.slack.sockets.until(1)


def _failures(place: Office) -> str:
    assert place.door.app is not None
    return str(place.door.app.state.services.metrics.written(None, now=place.clock()))


async def test_while_others_hold_all_slots_no_connection_is_opened(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capfd
):
    monkeypatch.setattr(socket_mode, "SLOTS_TAKEN", 0.01)
    async with over_socket(database_url, slack_app_token=None) as place:
        await place.stop()
        async with place.database.transaction() as tx:
            taken = [
                await sockets.take(tx, owner=str(number), now=place.clock(), lasts=timedelta(minutes=1))
                for number in range(9)
            ]
        assert taken == [*sockets.SLOTS, None]
        await place.start(slack_app_token=APP_TOKEN)
        await Conversation.opened(place)
        assert place.slack.called("apps.connections.open") == []
        await place.advance(minutes=2)  # they are gone
        await place.slack.sockets.until(1)


async def test_whose_slot_was_given_to_others_meanwhile_closes_its_connection(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(socket_mode, "KEEP_EVERY", 0.02)
    async with over_socket(sqlite_url) as place:
        await place.slack.sockets.until(1)
        async with place.database.transaction() as tx:  # as after an hour without the database
            await tx.execute(text("DELETE FROM lease WHERE name LIKE 'socket:%'"))
            for number in range(8):
                await sockets.take(tx, owner=str(number), now=place.clock(), lasts=timedelta(minutes=1))
        await place.slack.sockets.until(0)


async def test_a_connection_that_is_dead_without_a_word_is_noticed_and_replaced(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bot_slack, "HEARTBEAT", 0.3)
    async with over_socket(sqlite_url, slack_app_token=None) as place:
        await place.stop()
        place.slack.sockets.dumb = True
        await place.start(slack_app_token=APP_TOKEN)
        await place.slack.sockets.until(1)
        place.slack.sockets.dumb = False
        await place.slack.sockets.until(0)
        await place.slack.sockets.until(1)
        assert "Thumbtack" in await place.command("help")


@pytest.mark.parametrize("database_kind", ["postgresql"])
async def test_of_two_replicas_either_hears_and_one_that_goes_loses_nothing(place: Office):
    lead = await Conversation.opened(place)
    async with place.replica():
        await place.slack.sockets.until(2)
        for number in range(6):
            await lead.say(f"{number}")
    await place.slack.sockets.until(1)
    await lead.say("6")
    await place.at_rest()
    assert lead.received == [str(number) for number in range(7)]


@pytest.mark.parametrize(
    ("api", "address", "taken"),
    [
        ("https://slack.com/api/", "wss://wss-primary.slack.com/link/?ticket=1", True),
        ("https://slack.com/api/", "wss://slack.com/link/", True),
        ("https://slack.com/api/", "ws://wss-primary.slack.com/link/", False),
        ("https://slack.com/api/", "wss://slack.com.example.org/link/", False),
        ("https://slack.com/api/", "wss://notslack.com/", False),
        ("https://slack.com/api/", "https://slack.com/", False),
        ("http://127.0.0.1:8100/slack/api/", "ws://127.0.0.1:4567/link", True),
        ("http://127.0.0.1:8100/slack/api/", "ws://example.org/link", False),
    ],
)
async def test_only_slacks_own_hosts_are_connected_to(
    api: str, address: str, monkeypatch: pytest.MonkeyPatch, *, taken: bool
):
    slack = Slack(token="xoxb-x", base_url=api)

    async def call(*_: Any) -> dict[str, Any]:
        return {"ok": True, "url": address}

    monkeypatch.setattr(slack, "call", call)
    if taken:
        assert await slack.socket_address(APP_TOKEN) == address
    else:
        with pytest.raises(Failure, match="socket_address"):
            await slack.socket_address(APP_TOKEN)
