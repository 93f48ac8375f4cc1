"""The control desk: a person with curl acts in the workspace and reads it."""

import pytest
from starlette.responses import JSONResponse

from sandbox.slack import SlackStandIn

LEADS = "C0LEADS"


async def test_a_person_with_curl_speaks_and_is_answered(slack: SlackStandIn, bot, curl):
    said = (await curl.post("/slack/control/say", json={"user": "U0ANA", "channel": LEADS, "text": "hello"})).json()
    assert said == {"status": 200, "body": "", "ts": "1700000000.000000", "failure": None}
    assert bot.last.event()["text"] == "hello"
    await curl.post("/slack/control/edit", json={"channel": LEADS, "ts": said["ts"], "text": "hello again"})
    assert bot.last.event()["subtype"] == "message_changed"
    await curl.post("/slack/control/delete", json={"channel": LEADS, "ts": said["ts"]})
    assert bot.last.event()["subtype"] == "message_deleted"
    await curl.post("/slack/control/command", json={"user": "U0ANA", "command": "/thumbtack", "text": "help"})
    assert bot.last.form()["text"] == "help"


async def test_a_channel_reads_as_threads(slack: SlackStandIn, client, curl):
    parent = (await client.chat_postMessage(channel=LEADS, text="Lead"))["ts"]
    reply = await slack.say("U0BEN", LEADS, "On it", thread_ts=parent)
    await client.reactions_add(channel=LEADS, timestamp=reply.ts, name="memo")
    shown = (await curl.get(f"/slack/control/channels/{LEADS}")).json()
    assert (shown["name"], shown["archived"]) == ("leads", False)
    (thread,) = shown["threads"]
    assert (thread["who"], thread["text"]) == ("Corkboard", "Lead")
    assert [(r["who"], r["text"], r["reactions"]) for r in thread["thread"]] == [("Ben", "On it", ["memo"])]
    assert (await curl.get("/slack/control/channels/C0NONE")).status_code == 404


async def test_what_one_person_sees_and_what_the_bot_called(slack: SlackStandIn, client, curl):
    await client.chat_postEphemeral(channel=LEADS, user="U0ANA", text="psst")
    await client.views_publish(user_id="U0ANA", view={"type": "home", "blocks": [{"type": "divider"}]})
    seen = (await curl.get("/slack/control/people/U0ANA")).json()
    assert [m["text"] for m in seen["ephemerals"]] == ["psst"]
    assert (seen["views"], seen["home"]["type"]) == ([], "home")
    calls = (await curl.get("/slack/control/calls")).json()
    assert [call["method"] for call in calls] == ["chat.postEphemeral", "views.publish"]


async def test_the_overview_says_what_can_be_done(slack: SlackStandIn, curl):
    await slack.say("U0ANA", LEADS, "hello")
    overview = (await curl.get("/slack/control")).text
    assert "POST /slack/control/press {user, channel, ts, action_id, value}" in overview
    assert "DELETE /slack/control/faults" in overview
    assert "Ana: hello" in overview


async def test_failures_are_set_and_cleared(slack: SlackStandIn, client, curl):
    await curl.post("/slack/control/faults", json={"target": "auth.test", "status": 503, "times": 1})
    await curl.post("/slack/control/faults", json={"status": 500, "standing": True})
    assert [slack.faults.take("auth.test").status for _ in range(3)] == [503, 500, 500]
    assert (await curl.delete("/slack/control/faults")).json() == {}
    assert slack.faults.take("auth.test") is None
    refusal = await curl.post("/slack/control/faults", json={"colour": "red"})
    assert (refusal.status_code, "colour" in refusal.json()["error"]) == (400, True)


@pytest.mark.parametrize(
    ("deed", "body", "status", "complaint"),
    [
        ("dance", "{}", 404, "nobody can dance here; there are say, edit"),
        ("say", "{", 400, "Expecting property name"),
        ("say", "[]", 400, "must be a JSON object"),
        ("say", '{"user": "U0ANA"}', 400, "missing a required argument: 'channel'"),
        ("say", '{"user": "U0ANA", "channel": "C0NONE", "text": "x"}', 400, "no channel is C0NONE"),
        ("edit", '{"channel": "C0LEADS", "ts": "1.0", "text": "x"}', 400, "there is no message 1.0"),
    ],
)
async def test_what_cannot_be_done_is_said(slack: SlackStandIn, curl, deed, body, status, complaint):
    answer = await curl.post(f"/slack/control/{deed}", content=body)
    assert answer.status_code == status
    assert complaint in answer.json()["error"]


async def test_a_bot_that_answers_a_command_with_broken_blocks_is_told(slack: SlackStandIn, bot, curl):
    bot.says.append(JSONResponse({"text": "x", "blocks": [{"type": "sectoin"}]}))
    answer = await curl.post("/slack/control/command", json={"user": "U0ANA", "command": "/thumbtack"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_blocks")
