"""The door Slack knocks at: who is let in, and what is answered to everything that nobody listens to."""

import json
import time
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest
from support.conversation import ANA, CHECK, Conversation
from support.office import CHANNEL, SIGNING_SECRET, Office, office

from bot import replies
from sandbox.slack.delivery import event_delivery, form_delivery, interaction_delivery, signature
from storage.models import Message, Outbox

EVENTS = "/slack/events"


@pytest.fixture
async def place(sqlite_url: str) -> AsyncIterator[Office]:
    """Nothing here depends on the kind of database."""
    async with office(sqlite_url) as running:
        yield running


def _signed(body: bytes, *, secret: str = SIGNING_SECRET, age: float = 0, **headers: str | None) -> dict[str, str]:
    timestamp = str(int(time.time() - age))
    made: dict[str, str | None] = {
        "content-type": "application/json",
        "x-slack-request-timestamp": timestamp,
        "x-slack-signature": signature(secret, timestamp, body),
    }
    made |= {name.replace("_", "-"): value for name, value in headers.items()}
    return {name: value for name, value in made.items() if value is not None}


async def _knock(place: Office, body: bytes | dict, **how):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await place.http.post(EVENTS, content=content, headers=_signed(content, **how))


def _event(place: Office, event: dict, **envelope) -> dict:
    return {
        "type": "event_callback",
        "team_id": "T0CORKBOARD",
        "event_id": "Ev1",
        "authorizations": [{"team_id": "T0CORKBOARD", "user_id": "U0CORKBOT", "is_bot": True}],
        "event": event,
        **envelope,
    }


def _reply(lead: Conversation, words: str = "Yes, we do.", **fields) -> dict:
    now = f"{time.time():.6f}"
    return {
        "type": "message",
        "channel": CHANNEL,
        "user": ANA,
        "text": words,
        "ts": now,
        "event_ts": now,
        "thread_ts": lead.ts,
        "parent_user_id": "U0CORKBOT",
        **fields,
    }


NOT_SIGNED = [
    {"secret": "another secret"},
    {"age": 301},
    {"age": -301},
    {"x_slack_signature": None},
    {"x_slack_request_timestamp": None},
    {"x_slack_signature": "v0="},
    {"x_slack_signature": "v0=" + "0" * 64},
    {"x_slack_request_timestamp": "soon"},
    {"x_slack_request_timestamp": "9" * 5000},
    {"x_slack_request_timestamp": ""},
    {"x_slack_request_timestamp": "nan"},
]


async def test_what_slack_did_not_sign_is_refused_and_changes_nothing(place: Office, capfd):
    lead = await Conversation.opened(place)
    for how in NOT_SIGNED:
        answer = await _knock(place, _event(place, _reply(lead, "secret words")), **how)
        assert (answer.status_code, answer.json()["reason"]) == (401, "signature"), how
    assert await place.rows(Message) == []
    out, err = capfd.readouterr()
    assert "secret words" not in out + err


async def test_a_signature_of_another_body_is_refused(place: Office):
    headers = _signed(b"{}")
    assert (await place.http.post(EVENTS, content=b'{"type": "url_verification"}', headers=headers)).status_code == 401
    odd = {**headers, "x-slack-signature": "v0=ü".encode("latin-1")}
    assert (await place.http.post(EVENTS, content=b"{}", headers=odd)).status_code == 401
    assert (await place.http.post(EVENTS, content=b"\xff\xfe", headers=headers)).status_code == 401


async def test_almost_five_minutes_old_is_young_enough(place: Office):
    lead = await Conversation.opened(place)
    assert (await _knock(place, _event(place, _reply(lead)), age=290)).status_code == 200
    await place.at_rest()
    assert lead.received == ["Yes, we do."]


async def test_url_verification(place: Office):
    answer = await place.slack.verify_url("the challenge")
    assert (answer.status, answer.json()) == (200, {"challenge": "the challenge"})


async def test_what_slack_signed_but_nobody_can_read_is_no_error_of_ours(place: Office):
    deep = b"[" * 100_000 + b"]" * 100_000
    unreadable = [b"no json", b"{", b"[]", b'"text"', b"7", b"null", b'{"event": ' + deep + b"}", b'{"event": "text"}']
    for body in (*unreadable, b'{"event": []}', b'{"authorizations": 7}', b'{"team": 7}'):
        assert (await _knock(place, body)).status_code in (200, 400), body[:30]
    for body in (b"payload=x", b"payload=", b"payload={}", b"payload=[]", b"%", b"a=b", b""):
        answer = await _knock(place, body, content_type="application/x-www-form-urlencoded")
        assert answer.status_code in (200, 400), body


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(place: Office):
    answer = await _knock(place, b'{"text": "' + b"a" * 1024 * 1024 + b'"}')
    assert (answer.status_code, answer.json()["reason"]) == (413, "too_large")


async def test_other_methods_are_refused(place: Office):
    assert (await place.http.get(EVENTS)).status_code == 405


NEWS = [
    {"type": "reaction_added", "user": ANA, "reaction": "x", "item": {"type": "message"}},
    {"type": "app_home_opened", "user": ANA, "tab": "home"},
    {"type": "something_new", "data": [1, {"a": None}]},
    {"type": "member_joined_channel", "user": "U0CORKBOT", "channel": CHANNEL},
    {"type": "message", "subtype": "channel_topic", "channel": CHANNEL, "user": ANA, "text": "x", "ts": "1.1"},
    {"type": "message", "subtype": "message_replied", "channel": CHANNEL, "ts": "1.1"},
    {"type": "message", "channel": CHANNEL, "ts": "1.1"},
    {"type": "message"},
    {"type": "message", "subtype": "message_changed"},
    {"type": "message", "subtype": "message_changed", "message": None, "channel": None},
    {"type": "message", "subtype": "message_deleted"},
    {"type": "message", "subtype": "message_deleted", "deleted_ts": "1.1", "channel": CHANNEL, "previous_message": 0},
    {"type": "message", "channel": "D0DIRECT", "channel_type": "im", "user": ANA, "text": "hi", "ts": "1.1"},
    {},
]


async def test_events_that_nobody_listens_to_are_fine(place: Office):
    for event in NEWS:
        assert (await _knock(place, _event(place, event))).status_code == 200, event
    assert await place.rows(Message) == []


async def test_rate_limits_and_unknown_kinds_of_requests_are_fine(place: Office):
    limited = {"type": "app_rate_limited", "team_id": "T0CORKBOARD", "minute_rate_limited": 1, "api_app_id": "A1"}
    for body in (limited, {"type": "something_new"}, {}):
        assert (await _knock(place, body)).status_code == 200


PRESSES = [
    {"type": "block_actions", "actions": [{"type": "button", "action_id": "from_long_ago", "value": "1"}]},
    {"type": "view_submission", "view": {"type": "modal", "callback_id": "from_long_ago"}},
    {"type": "view_closed", "view": {"type": "modal", "callback_id": "reply_modal"}},
    {"type": "shortcut", "callback_id": "some_shortcut"},
    {"type": "message_action", "callback_id": "some_shortcut", "message": {"ts": "1.1"}},
    {"type": "block_suggestion", "action_id": "some_menu", "value": "a"},
    {"type": "something_new"},
]


async def test_interactions_that_nobody_listens_to_are_fine(place: Office):
    common = {"user": {"id": ANA}, "team": {"id": "T0CORKBOARD"}, "trigger_id": "1.1", "token": "t"}
    for payload in PRESSES:
        assert (await place.slack.courier.once(interaction_delivery(common | payload))).status == 200, payload


async def test_commands_that_nobody_listens_to_are_fine(place: Office):
    form = {"command": "/another", "text": "help", "user_id": ANA, "team_id": "T0CORKBOARD", "channel_id": CHANNEL}
    assert (await place.slack.courier.once(form_delivery(form))).status == 200


async def test_another_workspaces_requests_are_ignored(place: Office):
    lead = await Conversation.opened(place)
    theirs = {"team_id": "T0OTHER", "authorizations": [{"team_id": "T0OTHER", "user_id": "U0BOT", "is_bot": True}]}
    assert (await _knock(place, _event(place, _reply(lead), **theirs))).status_code == 200
    form = {"command": "/thumbtack", "text": "help", "user_id": ANA, "team_id": "T0OTHER", "channel_id": CHANNEL}
    answer = await place.slack.courier.once(form_delivery(form))
    assert (answer.status, answer.body) == (200, "")
    await place.at_rest()
    assert lead.received == []
    assert await place.rows(Message) == []


async def test_a_guest_from_another_company_in_a_shared_channel_is_heard(place: Office):
    lead = await Conversation.opened(place)
    event = _event(
        place, _reply(lead, user_team="T0OTHER", team="T0OTHER"), team_id="T0OTHER", is_ext_shared_channel=True
    )
    assert (await _knock(place, event)).status_code == 200
    await place.at_rest()
    assert lead.received == ["Yes, we do."]


async def test_a_message_with_an_odd_ts_is_as_old_as_its_arrival(place: Office):
    lead = await Conversation.opened(place)
    assert (await _knock(place, _event(place, _reply(lead, ts="odd")))).status_code == 200
    await place.at_rest()
    assert lead.received == ["Yes, we do."]


@pytest.mark.parametrize("missing", ["slack_signing_secret", "slack_bot_token"])
async def test_what_is_not_configured_says_so(sqlite_url: str, missing: str):
    async with office(sqlite_url, **{missing: None}) as place:
        answer = await place.http.post(EVENTS, content=b"{}")
        assert (answer.status_code, answer.json()["reason"]) == (503, "not_configured")


async def test_what_breaks_is_sent_again_by_slack(place: Office, capfd, monkeypatch: pytest.MonkeyPatch):
    lead = await Conversation.opened(place)

    async def breaks(*_args: object, **_kwargs: object) -> None:
        raise TypeError

    with monkeypatch.context() as mistake:
        mistake.setattr(replies, "take", breaks)
        assert (await _knock(place, _event(place, _reply(lead)))).status_code == 500
    out, err = capfd.readouterr()
    assert "slack_request_broke" in out + err
    assert "Yes, we do." not in out + err
    lead2 = await lead.say("Still there.")
    await lead.marked(lead2, CHECK)


async def test_the_environment_of_the_process_does_not_decide_for_bolt(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, capfd, caplog
):
    for name in ("SLACK_BOT_TOKEN", "SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_SIGNING_SECRET"):
        monkeypatch.setenv(name, "from-the-environment")
    async with office(sqlite_url) as place:
        lead = await Conversation.opened(place)
        await lead.marked(await lead.say("Yes, we do."), CHECK)
    out, err = capfd.readouterr()
    assert "token" not in out + err + caplog.text


async def test_a_form_with_a_json_type_is_read_as_it_is(place: Office):
    body = urlencode({"command": "/thumbtack", "team_id": "T0CORKBOARD", "user_id": ANA}).encode()
    assert (await _knock(place, body)).status_code == 400
    assert await place.rows(Outbox) == []


async def test_events_are_verified_by_their_bytes(place: Office):
    lead = await Conversation.opened(place)
    delivery = event_delivery(_event(place, _reply(lead)))
    spaced = json.dumps(json.loads(delivery.body), indent=2, ensure_ascii=False).encode()
    assert (await _knock(place, spaced)).status_code == 200
    await place.at_rest()
    assert lead.received == ["Yes, we do."]
