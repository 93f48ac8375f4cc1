"""People act in the stand-in's workspace, and the bot hears of it as it would from Slack."""

import asyncio
import json

import httpx
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sandbox.slack import SlackStandIn, StillWaitingError, slack_error

LEADS = "C0LEADS"
BUTTONS = [
    {
        "type": "actions",
        "block_id": f"row-{number}",
        "elements": [
            {
                "type": "button",
                "action_id": "reply_retry",
                "value": number,
                "style": "primary",
                "text": {"type": "plain_text", "text": f"Retry {number}"},
            }
        ],
    }
    for number in ("1", "2")
]
OPTIONS = [{"text": {"type": "plain_text", "text": name}, "value": name} for name in ("yes", "no")]
MODAL = {
    "type": "modal",
    "callback_id": "reply_modal",
    "title": {"type": "plain_text", "text": "Reply"},
    "submit": {"type": "plain_text", "text": "Send"},
    "blocks": [
        {
            "type": "input",
            "block_id": "text",
            "label": {"type": "plain_text", "text": "Text"},
            "element": {"type": "plain_text_input", "action_id": "reply_text", "initial_value": "Hello"},
        },
        {
            "type": "input",
            "block_id": "who",
            "label": {"type": "plain_text", "text": "Who"},
            "element": {"type": "users_select", "action_id": "who"},
        },
        {
            "type": "input",
            "block_id": "sure",
            "label": {"type": "plain_text", "text": "Sure?"},
            "element": {"type": "static_select", "action_id": "sure", "options": OPTIONS},
        },
        {
            "type": "input",
            "block_id": "also",
            "label": {"type": "plain_text", "text": "Also"},
            "element": {"type": "checkboxes", "action_id": "also", "options": OPTIONS},
        },
    ],
}


@pytest.fixture
async def lead(client: AsyncWebClient) -> str:
    """The ts of a lead's parent message, posted by the bot."""
    answer = await client.chat_postMessage(channel=LEADS, text="Lead", blocks=BUTTONS, metadata={
        "event_type": "corkboard_delivery", "event_payload": {"delivery_id": "1"},
    })  # fmt: skip
    return answer["ts"]


async def test_a_reply_in_a_thread_reaches_the_bot_signed(slack: SlackStandIn, bot, lead):
    answer = await slack.say("U0ANA", LEADS, "On my way", thread_ts=lead)

    assert (answer.status, answer.ok, answer.attempts, answer.failure) == (200, True, 1, None)
    verifier = SignatureVerifier("a-signing-secret")
    assert verifier.is_valid_request(bot.last.body, bot.last.headers)
    assert not verifier.is_valid_request(bot.last.body + b" ", bot.last.headers)
    envelope = bot.last.json()
    assert envelope["type"] == "event_callback"
    assert (envelope["team_id"], envelope["api_app_id"]) == ("T0CORKBOARD", "A0CORKBOARD")
    assert envelope["event_time"] == 1_700_000_000
    assert envelope["authorizations"][0]["user_id"] == "U0CORKBOT"
    event = envelope["event"]
    assert event.pop("client_msg_id")
    assert event.pop("blocks")[0]["type"] == "rich_text"
    assert event == {
        "type": "message", "user": "U0ANA", "text": "On my way", "ts": answer.ts, "event_ts": answer.ts,
        "team": "T0CORKBOARD", "channel": LEADS, "channel_type": "channel", "thread_ts": lead,
        "parent_user_id": "U0CORKBOT",
    }  # fmt: skip
    assert [m["text"] for m in slack.thread(LEADS, lead)] == ["Lead", "On my way"]


async def test_event_ids_differ(slack: SlackStandIn, bot):
    for text in ("one", "two"):
        await slack.say("U0ANA", LEADS, text)
    assert bot.heard[0].json()["event_id"] != bot.heard[1].json()["event_id"]


async def test_the_subtypes_of_what_people_write(slack: SlackStandIn, bot, lead):
    await slack.say("U0ANA", LEADS, "look", thread_ts=lead, files=["sink.jpg", {"id": "F1", "name": "own"}])
    event = bot.last.event()
    assert event["subtype"] == "file_share"
    assert (event["files"][0]["mimetype"], event["files"][1]) == ("image/jpeg", {"id": "F1", "name": "own"})

    await slack.say("U0ANA", LEADS, "", thread_ts=lead, files=["sink.jpg"])
    assert bot.last.event()["text"] == ""
    assert "blocks" not in bot.last.event()

    await slack.say("U0ANA", LEADS, "for all", thread_ts=lead, broadcast=True)
    event = bot.last.event()
    assert event["subtype"] == "thread_broadcast"
    assert (event["root"]["ts"], event["root"]["reply_count"]) == (lead, 3)
    assert "parent_user_id" not in event
    assert [m["text"] for m in slack.messages(LEADS)] == ["Lead", "for all"]

    await slack.say("U0ANA", LEADS, "waves", thread_ts=lead, me=True)
    assert bot.last.event()["subtype"] == "me_message"
    assert "blocks" not in bot.last.event()

    await slack.say("U0ANA", LEADS, "own blocks", blocks=[])
    assert bot.last.event()["blocks"] == []


async def test_a_custom_emoji_has_no_picture(slack: SlackStandIn, bot):
    await slack.say("U0ANA", LEADS, ":thumbtack:")
    assert bot.last.event()["blocks"][0]["elements"][0]["elements"] == [{"type": "text", "text": ":thumbtack:"}]
    slack.add_emoji("thumbtack")
    await slack.say("U0ANA", LEADS, ":thumbtack:")
    assert bot.last.event()["blocks"][0]["elements"][0]["elements"] == [{"type": "emoji", "name": "thumbtack"}]


async def test_an_edit_brings_both_versions(slack: SlackStandIn, bot, lead):
    said = await slack.say("U0ANA", LEADS, "Old price", thread_ts=lead)
    answer = await slack.edit(LEADS, said.ts, "New price")
    event = bot.last.event()
    assert answer.ts == said.ts
    assert (event["subtype"], event["hidden"], event["channel"]) == ("message_changed", True, LEADS)
    assert event["ts"] != said.ts
    assert event["message"]["text"] == "New price"
    assert event["message"]["edited"] == {"user": "U0ANA", "ts": "1700000000.000000"}
    assert event["message"]["blocks"][0]["elements"][0]["elements"] == [{"type": "text", "text": "New price"}]
    assert event["previous_message"]["text"] == "Old price"
    assert "edited" not in event["previous_message"]
    assert event["message"]["thread_ts"] == event["previous_message"]["thread_ts"] == lead


async def test_events_tell_neither_reactions_nor_metadata(slack: SlackStandIn, bot, client, lead):
    said = await slack.say("U0ANA", LEADS, "Old price", thread_ts=lead)
    for ts in (lead, said.ts):
        await client.reactions_add(channel=LEADS, timestamp=ts, name="memo")
    await slack.edit(LEADS, said.ts, "New price")
    await slack.say("U0ANA", LEADS, "for all", thread_ts=lead, broadcast=True)
    changed, shared = bot.heard[-2].event(), bot.heard[-1].event()
    for told in (changed["message"], changed["previous_message"], shared["root"]):
        assert not told.keys() & {"reactions", "metadata"}


async def test_a_deletion_brings_what_was_deleted(slack: SlackStandIn, bot, lead):
    said = await slack.say("U0ANA", LEADS, "Oops", thread_ts=lead)
    await slack.delete(LEADS, said.ts)
    event = bot.last.event()
    assert (event["subtype"], event["deleted_ts"]) == ("message_deleted", said.ts)
    assert event["previous_message"]["text"] == "Oops"
    assert [m["text"] for m in slack.thread(LEADS, lead)] == ["Lead"]


async def test_a_deleted_parent_is_changed_into_a_tombstone(slack: SlackStandIn, bot):
    parent = await slack.say("U0ANA", LEADS, "Question")
    await slack.say("U0BEN", LEADS, "Answer", thread_ts=parent.ts)
    await slack.delete(LEADS, parent.ts)
    event = bot.last.event()
    assert (event["subtype"], event["message"]["subtype"]) == ("message_changed", "tombstone")
    assert event["previous_message"]["text"] == "Question"


async def test_an_unfurl_changes_no_text(slack: SlackStandIn, bot):
    said = await slack.say("U0ANA", LEADS, "https://www.example.com/")
    await slack.unfurl(LEADS, said.ts)
    event = bot.last.event()
    assert event["subtype"] == "message_changed"
    assert event["message"]["text"] == event["previous_message"]["text"]
    assert event["message"]["attachments"][0]["from_url"] == "https://www.example.com/"
    assert "edited" not in event["message"]
    assert "attachments" not in event["previous_message"]


async def test_joins_and_other_bots(slack: SlackStandIn, bot, lead):
    slack.add_person("U0CARL", "Carl")
    await slack.join("U0CARL", LEADS)
    assert (bot.last.event()["subtype"], bot.last.event()["user"]) == ("channel_join", "U0CARL")
    assert (await slack.say("U0CARL", LEADS, "hello")).ok

    await slack.bot_says(LEADS, "beep", thread_ts=lead)
    assert (bot.last.event()["bot_id"], "subtype" in bot.last.event()) == ("B0OTHER", False)
    classic = await slack.bot_says(LEADS, "boop", classic=True)
    assert bot.last.event()["subtype"] == "bot_message"
    assert "user" not in bot.last.event()
    await slack.say("U0ANA", LEADS, "to a bot", thread_ts=classic.ts)
    assert "parent_user_id" not in bot.last.event()
    await slack.bot_says(LEADS, "boop", thread_ts=classic.ts, classic=True)
    assert slack.thread(LEADS, classic.ts)[0]["reply_users"] == ["U0ANA", "B0OTHER"]


async def test_the_bot_hears_only_where_it_is(slack: SlackStandIn, bot):
    await slack.remove_bot(LEADS)
    so_far = list(bot.heard)
    answer = await slack.say("U0ANA", LEADS, "among us")
    assert (answer.status, answer.ok, bot.heard) == (None, False, so_far)
    assert [m["text"] for m in slack.messages(LEADS)] == ["among us"]


async def test_the_bot_can_hear_its_own_posts(slack: SlackStandIn, bot, client: AsyncWebClient):
    await client.chat_postMessage(channel=LEADS, text="not echoed")
    slack.echo_posts = True
    posted = await client.chat_postMessage(channel=LEADS, text="Lead")
    await slack.wait_until(lambda: slack.answers)
    (heard,) = bot.heard
    event = heard.event()
    assert (event["bot_id"], event["user"], event["ts"]) == ("B0CORKBOT", "U0CORKBOT", posted["ts"])


async def test_people_cannot_do_what_is_not_there(slack: SlackStandIn, lead):
    slack.add_person("U0CARL", "Carl")
    with pytest.raises(LookupError, match="nobody here is U0NOBODY; there are U0CORKBOT, U0ANA"):
        await slack.say("U0NOBODY", LEADS, "x")
    with pytest.raises(ValueError, match="U0CARL is not in C0LEADS"):
        await slack.say("U0CARL", LEADS, "x")
    with pytest.raises(LookupError, match="no channel is C0NONE"):
        await slack.say("U0ANA", "C0NONE", "x")
    with pytest.raises(LookupError, match=r"no message 1\.0 in C0LEADS"):
        await slack.say("U0ANA", LEADS, "x", thread_ts="1.0")
    with pytest.raises(LookupError, match="nothing to press is lead_won=None; there are reply_retry=1, reply_retry=2"):
        await slack.press("U0ANA", LEADS, lead, "lead_won")
    with pytest.raises(LookupError, match="has no modal open"):
        await slack.submit("U0ANA", {})
    with pytest.raises(LookupError, match="neither a modal open nor a Home tab"):
        await slack.press_in_view("U0ANA", "keeper_me")
    await slack.archive(LEADS)
    with pytest.raises(ValueError, match="archived"):
        await slack.say("U0ANA", LEADS, "x")


async def test_a_press_brings_the_message_and_where_it_stands(slack: SlackStandIn, bot, client, lead):
    reply = await client.chat_postMessage(channel=LEADS, text="Not delivered", blocks=BUTTONS, thread_ts=lead)
    answer = await slack.press("U0ANA", LEADS, reply["ts"], "reply_retry", "2")
    assert (answer.ok, answer.ts) == (True, reply["ts"])
    payload = bot.last.payload()
    assert SignatureVerifier("a-signing-secret").is_valid_request(bot.last.body, bot.last.headers)
    assert payload["type"] == "block_actions"
    assert payload["user"] == {"id": "U0ANA", "username": "ana", "name": "ana", "team_id": "T0CORKBOARD"}
    assert payload["container"] == {
        "type": "message", "message_ts": reply["ts"], "channel_id": LEADS, "is_ephemeral": False, "thread_ts": lead,
    }  # fmt: skip
    assert payload["channel"] == {"id": LEADS, "name": "leads"}
    assert payload["message"]["thread_ts"] == lead
    action = payload["actions"][0]
    assert action.pop("action_ts")
    assert action == {
        "type": "button", "action_id": "reply_retry", "block_id": "row-2", "value": "2", "style": "primary",
        "text": {"type": "plain_text", "text": "Retry 2"},
    }  # fmt: skip
    assert payload["response_url"].startswith(f"{slack.base_url}/slack/response/")
    assert payload["trigger_id"]


async def test_a_press_in_an_ephemeral_brings_no_message(slack: SlackStandIn, bot, client, curl):
    await client.chat_postEphemeral(channel=LEADS, user="U0ANA", text="Held", blocks=BUTTONS, thread_ts="1.2")
    ts = slack.ephemerals("U0ANA")[0]["ts"]
    await slack.press("U0ANA", LEADS, ts, "reply_retry")
    payload = bot.last.payload()
    assert payload["container"]["is_ephemeral"]
    assert "message" not in payload
    await curl.post(payload["response_url"], json={"replace_original": True, "text": "Sent"})
    assert [(m["text"], m["ts"]) for m in slack.ephemerals("U0ANA")] == [("Sent", ts)]
    await curl.post(payload["response_url"], json={"delete_original": True})
    assert slack.ephemerals("U0ANA") == []


async def test_a_response_url_speaks_five_times(slack: SlackStandIn, bot, lead, curl: httpx.AsyncClient):
    await slack.press("U0ANA", LEADS, lead, "reply_retry", "1")
    url = bot.last.payload()["response_url"]
    assert (await curl.post(url, json={"replace_original": True, "text": "Claimed"})).text == "ok"
    assert slack.message(LEADS, lead)["text"] == "Claimed"
    assert "blocks" not in slack.message(LEADS, lead)
    await curl.post(url, json={"text": "only for you", "thread_ts": lead})
    assert [(m["text"], m["thread_ts"]) for m in slack.ephemerals("U0ANA")] == [("only for you", lead)]
    await curl.post(url, json={"text": "for all", "response_type": "in_channel"})
    await curl.post(url, json={"text": "inside", "response_type": "in_channel", "thread_ts": lead})
    assert [m["text"] for m in slack.thread(LEADS, lead)] == ["Claimed", "inside"]
    assert (await curl.post(url, json={"text": ""})).status_code == 400
    used = await curl.post(url, json={"text": "once more"})
    assert (used.status_code, used.json()["error"]) == (404, "used_url")
    assert [call.error for call in slack.called("response_url")] == [None, None, None, None, "no_text", "used_url"]


async def test_a_response_url_lives_half_an_hour(slack: SlackStandIn, bot, lead, curl: httpx.AsyncClient, clock):
    await slack.press("U0ANA", LEADS, lead, "reply_retry", "1")
    url = bot.last.payload()["response_url"]
    clock.now += 1800
    assert (await curl.post(url, content=b"{", headers={"content-type": "application/json"})).status_code == 400
    assert (await curl.post(url, json={"delete_original": True})).status_code == 200
    assert slack.messages(LEADS) == []
    clock.now += 1
    assert (await curl.post(url, json={"text": "late"})).json()["error"] == "expired_url"
    assert (await curl.post("/slack/response/R1", json={"text": "x"})).json()["error"] == "no_such_url"
    slack.faults.add("response_url", slack_error("internal_error"))
    assert (await curl.post(url, json={"text": "x"})).json()["error"] == "internal_error"


async def test_a_trigger_opens_one_modal_within_three_seconds(slack: SlackStandIn, bot, client, lead, clock):
    async def refusal(trigger_id: str) -> str:
        with pytest.raises(SlackApiError) as caught:
            await client.views_open(trigger_id=trigger_id, view=MODAL)
        return caught.value.response["error"]

    await slack.press("U0ANA", LEADS, lead, "reply_retry", "1")
    trigger = bot.last.payload()["trigger_id"]
    clock.now += 3
    view = (await client.views_open(trigger_id=trigger, view=MODAL))["view"]
    assert (view["callback_id"], view["app_id"], view["state"]) == ("reply_modal", "A0CORKBOARD", {"values": {}})
    assert [open_view["id"] for open_view in slack.views("U0ANA")] == [view["id"]]
    assert slack.views("U0BEN") == []
    assert await refusal(trigger) == "exchanged_trigger_id"
    assert await refusal("made up") == "invalid_trigger_id"
    await slack.press("U0ANA", LEADS, lead, "reply_retry", "1")
    clock.now += 3.1
    assert await refusal(bot.last.payload()["trigger_id"]) == "expired_trigger_id"


async def open_modal(slack: SlackStandIn, bot, client: AsyncWebClient, **changes) -> dict:
    await slack.command("U0ANA", "/thumbtack", "help")
    trigger = bot.last.form()["trigger_id"]
    return (await client.views_open(trigger_id=trigger, view={**MODAL, **changes}))["view"]


async def test_a_submitted_modal_brings_its_state_and_closes(slack: SlackStandIn, bot, client):
    view = await open_modal(slack, bot, client)
    answer = await slack.submit("U0ANA", {"who": "U0BEN", "sure": "yes", "also": ["no"]})
    assert answer.ok
    payload = bot.last.payload()
    assert (payload["type"], payload["user"]["id"], payload["view"]["id"]) == ("view_submission", "U0ANA", view["id"])
    assert payload["view"]["state"]["values"] == {
        "text": {"reply_text": {"type": "plain_text_input", "value": "Hello"}},
        "who": {"who": {"type": "users_select", "selected_user": "U0BEN"}},
        "sure": {"sure": {"type": "static_select", "selected_option": OPTIONS[0]}},
        "also": {"also": {"type": "checkboxes", "selected_options": [OPTIONS[1]]}},
    }
    assert slack.views("U0ANA") == []


async def test_what_the_bot_says_to_a_submission_happens(slack: SlackStandIn, bot, client):
    view = await open_modal(slack, bot, client)
    bot.says.append(JSONResponse({"response_action": "errors", "errors": {"text": "Too long"}}))
    answer = await slack.submit("U0ANA", {"reply_text": "x"})
    assert answer.json()["errors"] == {"text": "Too long"}
    assert [v["id"] for v in slack.views("U0ANA")] == [view["id"]]

    bot.says.append(JSONResponse({"response_action": "update", "view": {**MODAL, "callback_id": "second"}}))
    await slack.submit("U0ANA", {}, view_id=view["id"])
    assert [(v["id"], v["callback_id"]) for v in slack.views("U0ANA")] == [(view["id"], "second")]

    bot.says.append(JSONResponse({"response_action": "push", "view": {**MODAL, "callback_id": "third"}}))
    await slack.submit("U0ANA", {})
    assert [v["callback_id"] for v in slack.views("U0ANA")] == ["second", "third"]

    bot.says.append(Response(status_code=500))
    await slack.submit("U0ANA", {})
    assert len(slack.views("U0ANA")) == 2
    with pytest.raises(LookupError, match="has no nonsense; there are reply_text, who"):
        await slack.submit("U0ANA", {"nonsense": "x"})
    with pytest.raises(LookupError, match="sure has no option maybe"):
        await slack.submit("U0ANA", {"sure": "maybe"})
    with pytest.raises(LookupError, match="has no modal V9 open"):
        await slack.submit("U0ANA", {}, view_id="V9")


async def test_an_open_modal_can_be_updated(slack: SlackStandIn, bot, client):
    view = await open_modal(slack, bot, client, external_id="mine")
    later = (await client.views_update(view_id=view["id"], hash=view["hash"], view={**MODAL, "callback_id": "b"}))[
        "view"
    ]
    assert slack.views("U0ANA")[0]["callback_id"] == "b"
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_update(view_id=view["id"], hash=view["hash"], view=MODAL)
    with pytest.raises(SlackApiError, match="not_found"):
        await client.views_update(external_id="unknown", view=MODAL)
    await client.views_update(view_id=view["id"], hash=later["hash"], view={**MODAL, "external_id": "mine"})
    assert (await client.views_update(external_id="mine", view=MODAL))["ok"]
    for wrong in ({"type": "home", "blocks": []}, {"type": "home", "blocks": [{"type": "divider"}]}, None, "nonsense"):
        with pytest.raises(SlackApiError, match="invalid_arguments"):
            await client.api_call("views.update", json={"view_id": view["id"], "view": wrong})


async def test_a_home_tab_is_published_opened_and_pressed(slack: SlackStandIn, bot, client):
    await slack.open_home("U0OLGA")
    assert (bot.last.event()["type"], bot.last.event()["tab"]) == ("app_home_opened", "home")
    assert "view" not in bot.last.event()
    button = {"type": "button", "action_id": "keeper_me", "text": {"type": "plain_text", "text": "Set me as keeper"}}
    await client.views_publish(
        user_id="U0OLGA", view={"type": "home", "blocks": [{"type": "actions", "elements": [button]}]}
    )
    assert slack.home("U0OLGA")["blocks"][0]["elements"][0]["action_id"] == "keeper_me"
    assert slack.home("U0ANA") is None
    await slack.open_home("U0OLGA")
    assert bot.last.event()["view"]["type"] == "home"
    await slack.press_in_view("U0OLGA", "keeper_me")
    payload = bot.last.payload()
    assert payload["container"] == {"type": "view", "view_id": slack.home("U0OLGA")["id"]}
    assert payload["view"]["type"] == "home"
    assert "response_url" not in payload


async def test_a_command_is_a_form_and_its_answer_is_shown(slack: SlackStandIn, bot, curl):
    bot.says.append(JSONResponse({"response_type": "ephemeral", "text": "Here is help"}))
    answer = await slack.command("U0ANA", "/thumbtack", "help")
    assert answer.ok
    form = bot.last.form()
    assert (form["command"], form["text"], form["user_id"], form["channel_name"]) == (
        "/thumbtack", "help", "U0ANA", "leads",
    )  # fmt: skip
    assert [m["text"] for m in slack.ephemerals("U0ANA")] == ["Here is help"]

    bot.says.append(PlainTextResponse("plain"))
    await slack.command("U0ANA", "/thumbtack")
    bot.says.append(JSONResponse({"response_type": "in_channel", "text": "loud"}))
    await slack.command("U0ANA", "/thumbtack", "status")
    assert [m["text"] for m in slack.ephemerals("U0ANA")] == ["Here is help", "plain"]
    assert [m["text"] for m in slack.messages(LEADS)] == ["loud"]
    await curl.post(form["response_url"], json={"text": "a late answer", "replace_original": True})
    assert slack.ephemerals("U0ANA")[-1]["text"] == "a late answer"


async def test_a_command_in_a_direct_message(slack: SlackStandIn, bot):
    channel = slack.workspace.direct_channel("U0ANA").channel_id
    await slack.command("U0ANA", "/thumbtack", channel=channel)
    assert bot.last.form()["channel_name"] == "directmessage"
    await slack.say("U0ANA", channel, "hello")
    assert bot.last.event()["channel_type"] == "im"


async def test_the_same_event_again(slack: SlackStandIn, bot):
    said = await slack.say("U0ANA", LEADS, "once")
    await slack.say("U0BEN", LEADS, "later")
    again = await slack.redeliver(said)
    assert (again.status, again.ts) == (200, said.ts)
    assert bot.last.body == bot.heard[0].body
    assert bot.last.headers["x-slack-retry-num"] == "1"
    assert bot.last.headers["x-slack-retry-reason"] == "http_timeout"
    assert SignatureVerifier("a-signing-secret").is_valid_request(bot.last.body, bot.last.headers)
    await slack.redeliver(number=2)
    assert bot.last.event()["text"] == "later"


async def test_slack_delivers_again_what_was_not_taken(slack: SlackStandIn, bot):
    slack.courier.pauses = (0, 0, 0, 0)
    bot.says.extend([Response(status_code=500), Response(status_code=404)])
    answer = await slack.say("U0ANA", LEADS, "please")
    assert (answer.ok, answer.attempts) == (True, 3)
    assert [heard.headers.get("x-slack-retry-num") for heard in bot.heard] == [None, "1", "2"]
    assert bot.last.headers["x-slack-retry-reason"] == "http_error"

    bot.says.extend([Response(status_code=500)] * 9)
    assert (await slack.say("U0ANA", LEADS, "in vain")).attempts == 4
    assert (await slack.command("U0ANA", "/thumbtack")).attempts == 1
    bot.says.clear()
    bot.says.append(Response(status_code=500, headers={"x-slack-no-retry": "1"}))
    assert (await slack.say("U0ANA", LEADS, "do not")).attempts == 1


async def test_a_bot_that_is_not_there(slack: SlackStandIn):
    slack.events_url = "http://127.0.0.1:9/slack/events"
    assert (await slack.say("U0ANA", LEADS, "hello?")).failure == "connection_failed"
    slack.events_url = None
    assert slack.events_url is None
    assert (await slack.say("U0ANA", LEADS, "nobody listens")).status is None
    assert len(slack.messages(LEADS)) == 2


@pytest.mark.parametrize(
    ("error", "reason"),
    [(httpx.ReadTimeout("3 s"), "http_timeout"), (httpx.ReadError("reset"), "unknown_error")],
)
async def test_how_slack_names_a_failure(error, reason):
    def handler(request: httpx.Request) -> httpx.Response:
        assert request.extensions["timeout"]["read"] == 3.0
        raise error

    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as client:
        slack = SlackStandIn(bot_token="x", signing_secret="y", events_url="http://bot/slack/events", client=client)
        assert (await slack.say("U0ANA", LEADS, "hello?")).failure == reason


async def test_the_bot_can_be_reached_without_a_socket(bot):
    app = Starlette(routes=[Route("/slack/events", bot.listen, methods=["POST"])])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app)) as client:
        slack = SlackStandIn(bot_token="x", signing_secret="y", events_url="http://bot/slack/events", client=client)
        bot.says.append(JSONResponse({"challenge": "abc"}))
        assert (await slack.verify_url("abc")).json() == {"challenge": "abc"}
        assert bot.last.json()["type"] == "url_verification"
        await slack.event({"type": "app_rate_limited"})
        assert bot.last.event() == {"type": "app_rate_limited"}
        assert [answer.status for answer in slack.answers] == [200, 200]
        await slack.aclose()
        assert not client.is_closed


async def test_waiting_is_woken_by_what_happens(slack: SlackStandIn, client: AsyncWebClient):
    await client.chat_postMessage(channel=LEADS, text="Lead")
    assert await slack.wait_until(lambda: slack.messages(LEADS)[0]["text"]) == "Lead"
    said = await slack.say("U0ANA", LEADS, "hello")
    marked = slack.wait_until(lambda: slack.reactions(LEADS, said.ts)["memo"])
    marking = client.reactions_add(channel=LEADS, timestamp=said.ts, name="memo")
    users, _ = await asyncio.gather(marked, marking)
    assert users == ["U0CORKBOT"]


async def test_waiting_in_vain_shows_the_workspace(slack: SlackStandIn, bot, client: AsyncWebClient, lead):
    reply = await slack.say("U0ANA", LEADS, "On my *way*\nnow", thread_ts=lead)
    await slack.edit(LEADS, reply.ts, "There")
    await client.reactions_add(channel=LEADS, timestamp=reply.ts, name="x")
    await client.chat_postEphemeral(channel=LEADS, user="U0ANA", text="Send now?")
    await client.chat_postMessage(channel=LEADS, text="Stars", thread_ts=lead, reply_broadcast=True)
    await open_modal(slack, bot, client)
    await slack.open_home("U0BEN")
    slack.faults.add("auth.test", slack_error("token_revoked"))
    with pytest.raises(SlackApiError):
        await client.auth_test()
    with pytest.raises(StillWaitingError) as caught:
        await slack.wait_until(lambda: slack.messages(LEADS)[7], timeout=0.01)
    shown = str(caught.value)
    assert "did not happen within 0.01 s" in shown
    assert (
        "#leads (C0LEADS)\n  1700000000.000000 Corkboard: Lead\n      1700000000.000100 Ana: There  [:x:]  (edited)"
        in shown
    )
    assert "only Ana sees, in C0LEADS: " in shown
    assert f"Stars  (also in the thread {lead})" in shown
    assert "direct message with Ben" in shown
    assert "the last of 6 calls:" in shown
    assert "Ana has a modal open: reply_modal" in shown
    assert "auth.test token_revoked" in shown
    assert "chat.postMessage ok channel='C0LEADS' text='Lead'" in shown


async def test_what_is_seen_is_a_copy(slack: SlackStandIn, lead):
    slack.messages(LEADS)[0]["text"] = "changed by the reader"
    assert slack.messages(LEADS)[0]["text"] == "Lead"


async def test_a_body_is_json_as_slack_writes_it(slack: SlackStandIn, bot):
    await slack.say("U0ANA", LEADS, "Café – 5 € ﬂ")
    assert bot.last.body.isascii()
    assert json.loads(bot.last.body)["event"]["text"] == "Café – 5 € ﬂ"


async def test_what_stood_in_a_modal_is_brought_though_nobody_touched_it(slack: SlackStandIn, bot, client):
    chosen = {"initial_options": OPTIONS, "options": OPTIONS}
    untouched = {
        "a": ({"type": "radio_buttons", "options": OPTIONS, "initial_option": OPTIONS[1]}, {"selected_option": OPTIONS[1]}),
        "b": ({"type": "checkboxes", **chosen}, {"selected_options": OPTIONS}),
        "c": ({"type": "multi_static_select", **chosen}, {"selected_options": OPTIONS}),
        "d": ({"type": "multi_users_select", "initial_users": ["U0ANA"]}, {"selected_users": ["U0ANA"]}),
        "e": ({"type": "multi_users_select"}, {"selected_users": []}),
        "f": ({"type": "users_select", "initial_user": "U0BEN"}, {"selected_user": "U0BEN"}),
        "g": ({"type": "datepicker", "initial_date": "2026-03-01"}, {"selected_date": "2026-03-01"}),
        "h": ({"type": "timepicker"}, {"selected_time": None}),
        "i": ({"type": "static_select", "options": OPTIONS}, {"selected_option": None}),
    }  # fmt: skip
    label = {"type": "plain_text", "text": "?"}
    blocks = [
        {"type": "input", "block_id": name, "label": label, "element": element | {"action_id": name}}
        for name, (element, _) in untouched.items()
    ]
    await open_modal(slack, bot, client, blocks=blocks)
    await slack.submit("U0ANA", {})
    state = bot.last.payload()["view"]["state"]["values"]
    for name, (element, brought) in untouched.items():
        assert state[name][name] == {"type": element["type"]} | brought


async def test_a_press_in_a_modal_brings_what_was_filled_in_so_far(slack: SlackStandIn, bot, client):
    more = {"type": "actions", "elements": [{**BUTTONS[0]["elements"][0], "action_id": "more"}]}
    await open_modal(slack, bot, client, blocks=[*MODAL["blocks"], more])
    await slack.press_in_view("U0ANA", "more", values={"who": "U0BEN"})
    state = bot.last.payload()["view"]["state"]["values"]
    assert state["who"]["who"]["selected_user"] == "U0BEN"
    assert state["text"]["reply_text"]["value"] == "Hello"


async def test_a_modal_is_closed(slack: SlackStandIn, bot, client):
    await open_modal(slack, bot, client)
    so_far = len(bot.heard)
    assert (await slack.close_view("U0ANA")).status is None
    assert (len(bot.heard), slack.views("U0ANA")) == (so_far, [])
    view = await open_modal(slack, bot, client, notify_on_close=True)
    await slack.close_view("U0ANA")
    payload = bot.last.payload()
    assert (payload["type"], payload["view"]["id"], payload["is_cleared"]) == ("view_closed", view["id"], False)
    with pytest.raises(LookupError, match="has no modal open"):
        await slack.close_view("U0ANA")


async def test_answers_that_slack_would_not_take(slack: SlackStandIn, bot, client):
    await open_modal(slack, bot, client)
    bot.says.append(JSONResponse({"response_action": "errors", "errors": {"reply_text": "Too long"}}))
    with pytest.raises(LookupError, match="no input reply_text; there are text, who"):
        await slack.submit("U0ANA", {})
    bot.says.append(JSONResponse({"response_action": "update", "view": {**MODAL, "title": {}}}))
    with pytest.raises(ValueError, match="Slack does not show this view"):
        await slack.submit("U0ANA", {})


async def test_all_modals_are_closed_at_once(slack: SlackStandIn, bot, client):
    await open_modal(slack, bot, client)
    bot.says.append(JSONResponse({"response_action": "push", "view": MODAL}))
    await slack.submit("U0ANA", {})
    assert len(slack.views("U0ANA")) == 2
    bot.says.append(JSONResponse({"response_action": "clear"}))
    await slack.submit("U0ANA", {})
    assert slack.views("U0ANA") == []
