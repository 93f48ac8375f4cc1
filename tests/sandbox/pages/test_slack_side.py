"""What a person sees and does in Slack on the page."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from starlette.responses import JSONResponse, Response

from bot.listeners.commands import VERBS
from sandbox.pages import parts, slack_view
from sandbox.slack.chat import with_ids
from sandbox.slack.modals import make_view

GOLDEN = Path(__file__).parents[2] / "golden"
CHANNEL = "C0LEADS"


def sees(world, user="U0ANA"):
    return parts.state(world, user)["slack"]


def said(world):
    return world.slack.messages(CHANNEL)[-1]


def payload(body):
    return json.loads(parse_qs(body.decode())["payload"][0])


def text(words):
    return {"type": "plain_text", "text": words}


def button(words="Reply"):
    return {"type": "actions", "elements": [{"type": "button", "text": text(words), "action_id": "go", "value": "7"}]}


@pytest.fixture
def window(world):
    """A window that Ana has open, with a field."""
    field = {"type": "plain_text_input", "action_id": "words"}
    blocks = [{"type": "input", "block_id": "b", "label": text("Words"), "element": field}, button()]
    view = make_view(
        world.slack.workspace, {"type": "modal", "title": text("Say"), "submit": text("Go"), "blocks": blocks}
    )
    world.slack.workspace.views[view["id"]] = ("U0ANA", view)
    return view["id"]


def test_every_verb_is_completed():
    assert tuple(slack_view.COMMANDS["/thumbtack"]) == tuple(VERBS)


def test_every_emoji_that_the_bot_shows_has_a_picture(world):
    named = re.compile(r'"type": "emoji",\s*"name": "([^"]+)"|"text": "[^"]*?:([a-z_]{3,}):')
    found = {one or other for file in GOLDEN.glob("*.json") for one, other in named.findall(file.read_text())}
    assert len(found) > 40
    assert found - {"name"} <= sees(world)["emoji"].keys()  # :name: is what a customer typed


async def test_each_sees_the_channels_they_are_in_and_what_only_they_are_told(world):
    world.slack.add_channel("C0BOSS", "boss", members=("U0OLGA",))
    world.slack.workspace.whisper("U0BEN", world.slack.workspace.channel(CHANNEL), {"text": "Psst"})
    assert [one["name"] for one in sees(world, "U0OLGA")["channels"]] == ["leads", "boss", ""]
    assert [one["name"] for one in sees(world, "U0ANA")["channels"]][:1] == ["leads"]
    assert "boss" not in json.dumps(sees(world)["channels"])
    assert [one["text"] for one in sees(world, "U0BEN")["ephemerals"]] == ["Psst"]
    assert sees(world)["ephemerals"] == []


async def test_somebody_writes_changes_and_deletes_what_they_wrote(world, bot, do):
    assert await do("say", channel=CHANNEL, text="We come <@U0BEN>") == (200, {"said": None})
    mine = said(world)
    assert (mine["user"], mine["text"]) == ("U0ANA", "We come <@U0BEN>")
    await do("say", channel=CHANNEL, text="At nine", thread_ts=mine["ts"], broadcast=True, files=["plan.pdf"])
    reply = world.slack.thread(CHANNEL, mine["ts"])[1]
    assert (reply["subtype"], reply["files"][0]["name"]) == ("thread_broadcast", "plan.pdf")
    await do("edit", channel=CHANNEL, ts=mine["ts"], text="We come at ten")
    assert world.slack.message(CHANNEL, mine["ts"])["text"] == "We come at ten"
    await do("delete", channel=CHANNEL, ts=reply["ts"])
    assert len(world.slack.thread(CHANNEL, mine["ts"])) == 1
    assert len(bot.heard) == 4


@pytest.mark.parametrize("deed", ["edit", "delete"])
async def test_nobody_changes_what_others_wrote(world, do, deed):
    await world.slack.say("U0BEN", CHANNEL, "Mine")
    status, answer = await do(deed, channel=CHANNEL, ts=said(world)["ts"], text="Yours")
    assert (status, answer["error"]) == (400, "Only who wrote a message can change or delete it.")
    assert said(world)["text"] == "Mine"


async def test_an_emoji_is_put_on_a_message_and_taken_off_again(world, do):
    await world.slack.say("U0BEN", CHANNEL, "Done")
    place = {"channel": CHANNEL, "ts": said(world)["ts"]}
    await do("react", **place, name="tada")
    assert world.slack.reactions(**place) == {"tada": ["U0ANA"]}
    await do("react", **place, name="tada")
    assert world.slack.reactions(**place) == {}
    assert (await do("react", **place, name="nope"))[0] == 400
    assert (await do("react", channel=CHANNEL, ts="1.0", name="tada"))[1]["error"] == "That message is no longer there."


async def test_nobody_acts_where_they_are_not(world, do):
    world.slack.add_channel("C0BOSS", "boss", members=("U0OLGA",))
    await world.slack.say("U0OLGA", "C0BOSS", "Secret")
    ts = world.slack.messages("C0BOSS")[0]["ts"]
    for deed in ("say", "edit", "delete", "react", "press"):
        status, _ = await do(deed, channel="C0BOSS", ts=ts, text="Hi", name="tada", action_id="go")
        assert status == 400, deed
    assert [one["text"] for one in world.slack.messages("C0BOSS")] == ["Secret"]


async def test_a_button_of_a_message_is_pressed(world, bot, do):
    workspace = world.slack.workspace
    workspace.post(
        workspace.channel(CHANNEL), {"user": "U0CORKBOT", "text": "Card", "blocks": with_ids(workspace, [button()])}
    )
    place = {"channel": CHANNEL, "ts": said(world)["ts"], "action_id": "go", "value": "7"}
    assert await do("press", by="U0BEN", **place) == (200, {"said": None})
    heard = payload(bot.heard[-1])
    assert (heard["user"]["id"], heard["actions"][0]["value"]) == ("U0BEN", "7")
    bot.says.append(Response(status_code=500))
    status, answer = await do("press", **place)
    assert (status, answer["error"]) == (400, "The bot did not answer in time, so nothing happened. Try again.")


async def test_a_window_is_filled_in_corrected_submitted_and_closed(world, bot, do, window):
    assert [one["id"] for one in sees(world)["views"]] == [window]
    assert sees(world, "U0BEN")["views"] == []
    await do("press_in_view", view_id=window, action_id="go", value="7", values={"words": "half"})
    assert payload(bot.heard[-1])["view"]["state"]["values"]["b"]["words"]["value"] == "half"
    bot.says.append(JSONResponse({"response_action": "errors", "errors": {"b": "Too short."}}))
    assert await do("submit", view_id=window, values={"words": "a"}) == (
        200,
        {"said": None, "errors": {"b": "Too short."}},
    )
    assert await do("submit", view_id=window, values={"words": "longer"}) == (200, {"said": None})
    assert sees(world)["views"] == []
    assert (await do("close_view", view_id=window))[0] == 400


async def test_a_window_stays_when_the_bot_does_not_answer(world, bot, do, window):
    bot.says.append(Response(status_code=503))
    assert (await do("submit", view_id=window, values={"words": "a"}))[0] == 400
    assert [one["id"] for one in sees(world)["views"]] == [window]
    await do("close_view", view_id=window)
    assert sees(world)["views"] == []


async def test_a_commands_answer_is_shown_to_who_typed_it_until_they_put_it_away(world, bot, do):
    bot.says.append(JSONResponse({"text": "All is well"}))
    await do("command", channel=CHANNEL, command="/thumbtack", text="status")
    [told] = sees(world)["ephemerals"]
    assert told["text"] == "All is well"
    await do("dismiss", channel=CHANNEL, ts=told["ts"])
    assert sees(world)["ephemerals"] == []
    status, answer = await do("command", channel=CHANNEL, command="/thumbtack", text="status", thread_ts="1.0")
    assert (status, "does not work in threads" in answer["error"]) == (400, True)
    bot.says.append(Response(status_code=500))
    assert (await do("command", channel=CHANNEL, command="/thumbtack"))[1][
        "error"
    ] == "/thumbtack failed: the bot did not answer."


async def test_a_look_at_home_is_told_to_the_bot(bot, do):
    assert await do("open_home", by="U0OLGA") == (200, {"said": None})
    event = json.loads(bot.heard[-1])["event"]
    assert (event["type"], event["user"]) == ("app_home_opened", "U0OLGA")


async def test_a_channel_is_made_closed_and_opened_and_the_bot_comes_and_goes(world, bot, do):
    _, answer = await do("add_channel", name="#Big Jobs")
    channel = world.slack.workspace.channel("#big-jobs")
    assert answer["channel"] == channel.channel_id
    assert "U0CORKBOT" not in channel.members
    place = {"channel": channel.channel_id}
    for deed in ("invite_bot", "archive", "unarchive", "remove_bot"):
        assert await do(deed, **place) == (200, {"said": None}), deed
    told = [json.loads(body)["event"]["type"] for body in bot.heard]
    assert told == ["member_joined_channel", "channel_archive", "channel_unarchive", "channel_left"]
    assert (await do("remove_bot", **place))[0] == 400


async def test_an_admin_uninstalls_the_app_and_installs_it_again(world, bot, do):
    for deed in ("uninstall", "install"):
        assert "Only an admin" in (await do(deed))[1]["error"]
    assert sees(world)["installed"]
    await do("uninstall", by="U0OLGA")
    assert not sees(world)["installed"]
    assert [json.loads(body)["event"]["type"] for body in bot.heard] == ["tokens_revoked", "app_uninstalled"]
    await do("install", by="U0OLGA")
    assert sees(world)["installed"]


@pytest.mark.parametrize("name", ["", "leads", "two\nlines", "<b>", "é", "x" * 81])
async def test_a_channel_has_a_name_of_its_own_that_slack_would_take(do, name):
    status, answer = await do("add_channel", name=name)
    assert (status, "channel" in answer["error"]) == (400, True)


async def test_nobody_closes_a_channel_or_conversation_that_is_not_theirs(world, do):
    world.slack.add_channel("C0BOSS", "boss", members=("U0OLGA",))
    mine = world.slack.workspace.direct_channel("U0ANA").channel_id
    for channel in ("C0BOSS", mine):
        assert (await do("archive", channel=channel))[1]["error"] == "That is no channel that you are in."
