"""Channels close, people and the bot come and go, and the bot hears of it as it would from Slack."""

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack import SlackStandIn

LEADS = "C0LEADS"
SECRET = "G0SECRET"
BOT = "U0CORKBOT"


async def refused(call) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response["error"]


def told(bot) -> list[tuple[str, str | None]]:
    """What the bot heard: the type of each event and its channel."""
    return [(heard.event()["type"], heard.event().get("channel")) for heard in bot.heard]


@pytest.mark.parametrize(("is_private", "kind"), [(False, "channel"), (True, "group")])
async def test_a_channel_is_closed_opened_renamed_and_deleted(slack: SlackStandIn, bot, client, is_private, kind):
    slack.add_channel("C0MORE", "more", is_private=is_private)
    await slack.archive("C0MORE")
    assert await refused(client.chat_postMessage(channel="C0MORE", text="x")) == "is_archived"
    assert (await client.conversations_info(channel="C0MORE"))["channel"]["is_archived"]
    await slack.unarchive("C0MORE")
    assert (await client.chat_postMessage(channel="C0MORE", text="x"))["ok"]
    await slack.rename_channel("C0MORE", "less")
    assert bot.last.event()["channel"]["name"] == "less"
    await slack.delete_channel("C0MORE")
    assert await refused(client.chat_postMessage(channel="C0MORE", text="x")) == "channel_not_found"
    assert [heard.event()["type"] for heard in bot.heard] == [
        f"{kind}_archive", f"{kind}_unarchive", f"{kind}_rename", f"{kind}_deleted",
    ]  # fmt: skip
    assert bot.heard[0].event()["user"] == "U0OLGA"


async def test_of_private_channels_the_bot_hears_only_as_a_member(slack: SlackStandIn, bot):
    slack.add_channel(SECRET, "secret", is_private=True, members=("U0ANA",))
    slack.add_channel("C0OPEN", "open", members=("U0ANA",))
    await slack.archive(SECRET)
    await slack.archive("C0OPEN")
    assert told(bot) == [("channel_archive", "C0OPEN")]


async def test_the_bot_is_invited_and_removed(slack: SlackStandIn, bot, client):
    slack.add_channel("C0MORE", "more", members=("U0ANA",))
    slack.add_channel(SECRET, "secret", is_private=True, members=("U0ANA",))
    await slack.invite_bot("C0MORE", user="U0ANA")
    event = bot.last.event()
    assert event.pop("event_ts")
    assert event == {
        "type": "member_joined_channel", "user": BOT, "channel": "C0MORE", "channel_type": "C", "team": "T0CORKBOARD",
        "inviter": "U0ANA",
    }  # fmt: skip
    await slack.invite_bot(SECRET)
    await slack.invite_bot(SECRET)
    await slack.remove_bot(SECRET)
    await slack.remove_bot("C0MORE")
    assert told(bot) == [
        ("member_joined_channel", "C0MORE"), ("member_joined_channel", SECRET), ("group_left", SECRET),
        ("channel_left", "C0MORE"),
    ]  # fmt: skip
    assert await refused(client.chat_postMessage(channel="C0MORE", text="x")) == "not_in_channel"


async def test_people_come_and_go(slack: SlackStandIn, bot):
    slack.add_person("U0CARL", "Carl")
    await slack.join("U0CARL", LEADS)
    await slack.leave("U0CARL", LEADS)
    assert [(heard.event()["type"], heard.event().get("subtype")) for heard in bot.heard] == [
        ("member_joined_channel", None), ("message", "channel_join"), ("member_left_channel", None),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="U0CARL is not in C0LEADS"):
        await slack.say("U0CARL", LEADS, "x")


async def test_somebody_is_deactivated(slack: SlackStandIn, bot, client):
    slack.workspace.direct_channel("U0BEN")
    await slack.deactivate("U0BEN")
    event = bot.last.event()
    assert (event["type"], event["user"]["id"], event["user"]["deleted"]) == ("user_change", "U0BEN", True)
    assert event["user"] == (await client.users_info(user="U0BEN"))["user"]
    assert "U0BEN" not in (await client.conversations_members(channel=LEADS))["members"]
    assert await refused(client.conversations_open(users="U0BEN")) == "user_disabled"
    await slack.change_person("U0BEN", deleted=False, tz="America/New_York")
    assert (bot.last.event()["user"]["deleted"], bot.last.event()["user"]["tz"]) == (False, "America/New_York")


async def test_guests_and_people_of_other_companies_can_be_told(slack: SlackStandIn, bot, client):
    slack.add_person("U0GUEST", "Gil", is_restricted=True, channels=[LEADS])
    slack.add_person("U0SINGLE", "Sue", is_ultra_restricted=True, channels=[LEADS])
    slack.add_person("U0PARTNER", "Pat", team_id="T0PARTNER")

    async def marks(user_id):
        user = (await client.users_info(user=user_id))["user"]
        return [user["team_id"], user["is_restricted"], user["is_ultra_restricted"], user["is_stranger"]]

    assert await marks("U0ANA") == ["T0CORKBOARD", False, False, False]
    assert await marks("U0GUEST") == ["T0CORKBOARD", True, False, False]
    assert await marks("U0SINGLE") == ["T0CORKBOARD", True, True, False]
    assert await marks("U0PARTNER") == ["T0PARTNER", False, False, True]
    assert not (await client.conversations_info(channel=LEADS))["channel"]["is_ext_shared"]
    slack.add_person("U0PARTNER", "Pat", team_id="T0PARTNER", channels=[LEADS])
    slack.add_person("U0PARTNER", "Pat", team_id="T0PARTNER", channels=[LEADS])
    assert await marks("U0PARTNER") == ["T0PARTNER", False, False, False]
    assert (await client.conversations_info(channel=LEADS, include_num_members=True))["channel"]["num_members"] == 7
    assert (await client.conversations_info(channel=LEADS))["channel"]["is_ext_shared"]
    await slack.say("U0PARTNER", LEADS, "hello")
    assert (bot.last.json()["team_id"], bot.last.event()["team"]) == ("T0CORKBOARD", "T0PARTNER")
    await slack.command("U0PARTNER", "/thumbtack", "help")
    button = {"type": "button", "action_id": "reply_open", "text": {"type": "plain_text", "text": "Reply"}}
    card = await client.chat_postMessage(channel=LEADS, text="x", blocks=[{"type": "actions", "elements": [button]}])
    await slack.press("U0PARTNER", LEADS, card["ts"], "reply_open")
    assert bot.last.payload()["user"]["team_id"] == "T0PARTNER"


async def test_which_channels_somebody_is_in(slack: SlackStandIn, client: AsyncWebClient):
    slack.add_channel("C0ANA", "anas", members=("U0ANA",))
    slack.add_channel("C0OLD", "old", members=("U0ANA", BOT))
    await slack.archive("C0OLD")
    slack.add_channel(SECRET, "secret", is_private=True, members=("U0ANA",))
    slack.add_channel("G0CREW", "crew", is_private=True, members=("U0ANA", BOT))
    slack.workspace.direct_channel("U0ANA")

    async def seen(**args):
        return [one["id"] for one in (await client.users_conversations(**args))["channels"]]

    assert await seen() == [LEADS, "C0OLD"]
    assert await seen(user="U0ANA", exclude_archived=True) == [LEADS, "C0ANA"]
    assert await seen(user="U0ANA", types="public_channel, private_channel") == [LEADS, "C0ANA", "C0OLD", "G0CREW"]
    assert len(await seen(user="U0ANA", types="im")) == 1
    assert await refused(client.users_conversations(user="U0NOBODY")) == "user_not_found"
    assert await refused(client.users_conversations(types="everything")) == "invalid_types"
    first = await client.users_conversations(user="U0ANA", limit=2)
    assert "is_member" not in first["channels"][0]
    cursor = first["response_metadata"]["next_cursor"]
    assert await seen(user="U0ANA", limit=2, cursor=cursor) == ["C0OLD"]


async def test_the_app_is_uninstalled_and_comes_back(slack: SlackStandIn, bot, client):
    await slack.uninstall()
    assert told(bot) == [("tokens_revoked", None), ("app_uninstalled", None)]
    assert bot.heard[0].event()["tokens"] == {"oauth": [], "bot": [BOT]}
    assert await refused(client.auth_test()) == "account_inactive"
    assert (await slack.say("U0ANA", LEADS, "anybody?")).status is None
    await slack.archive(LEADS)
    await slack.unarchive(LEADS)
    await slack.deactivate("U0BEN")
    assert len(bot.heard) == 2
    await slack.reinstall()
    assert (await client.auth_test())["ok"]
    await slack.revoke()
    assert await refused(client.auth_test()) == "token_revoked"


async def test_a_person_with_curl_keeps_house(slack: SlackStandIn, bot, curl):
    assert (await curl.post("/slack/control/archive", json={"channel": LEADS})).status_code == 200
    assert told(bot) == [("channel_archive", LEADS)]
    changed = {"user": "U0BEN", "name": "Benjamin"}
    assert (await curl.post("/slack/control/change_person", json=changed)).status_code == 200
    assert slack.workspace.person("U0BEN").name == "Benjamin"
    refusal = await curl.post("/slack/control/leave", json={"user": "U0BEN", "channel": "C0NONE"})
    assert (refusal.status_code, "no channel is C0NONE" in refusal.json()["error"]) == (400, True)
    overview = (await curl.get("/slack/control")).text
    assert "POST /slack/control/invite_bot {channel, user}" in overview
