"""The Web API of the stand-in, called with Slack's own client over HTTP."""

import json
from email.utils import parsedate_to_datetime

import aiohttp
import httpx
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack import SlackStandIn, cut, down, lost_answer, rate_limited, slack_error, slow

LEADS = "C0LEADS"
BUTTONS = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "*A lead*"}},
    {
        "type": "actions",
        "block_id": "decide",
        "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Claim"}, "action_id": "lead_claim"}],
    },
]
DELIVERY = {"event_type": "corkboard_delivery", "event_payload": {"delivery_id": "17"}}


async def refused(call) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response["error"]


async def test_a_post_is_answered_in_slacks_shape(slack: SlackStandIn, client: AsyncWebClient):
    answer = (await client.chat_postMessage(channel=LEADS, text="New lead", blocks=BUTTONS, metadata=DELIVERY)).data

    assert answer["channel"] == LEADS
    assert answer["ts"] == "1700000000.000000"
    message = answer["message"]
    assert message["user"] == "U0CORKBOT"
    assert message["bot_id"] == "B0CORKBOT"
    assert message["app_id"] == "A0CORKBOARD"
    assert message["metadata"] == DELIVERY
    assert "thread_ts" not in message
    assert message["blocks"][0]["block_id"]  # Slack gives the blocks without one a block_id
    assert message["blocks"][1] == BUTTONS[1]
    assert [m["text"] for m in slack.messages(LEADS)] == ["New lead"]


async def test_every_ts_is_new_and_later_even_when_the_clock_stands_still(client: AsyncWebClient):
    stamps = [(await client.chat_postMessage(channel=LEADS, text="x"))["ts"] for _ in range(3)]
    assert stamps == ["1700000000.000000", "1700000000.000100", "1700000000.000200"]


async def test_a_thread_counts_its_replies_and_a_broadcast_shows_in_the_channel(
    slack: SlackStandIn, client: AsyncWebClient
):
    parent = (await client.chat_postMessage(channel=LEADS, text="Lead"))["ts"]
    reply = await client.chat_postMessage(channel=LEADS, text="A message", thread_ts=parent)
    shout = await client.chat_postMessage(channel=LEADS, text="Five stars", thread_ts=parent, reply_broadcast=True)

    assert reply["message"]["thread_ts"] == parent
    assert reply["message"]["parent_user_id"] == "U0CORKBOT"
    assert shout["message"]["subtype"] == "thread_broadcast"
    assert [m["text"] for m in slack.messages(LEADS)] == ["Lead", "Five stars"]
    first = slack.thread(LEADS, parent)[0]
    assert (first["reply_count"], first["reply_users"], first["latest_reply"]) == (2, ["U0CORKBOT"], shout["ts"])


async def test_an_unknown_thread_is_no_error_and_posts_in_the_root(slack: SlackStandIn, client: AsyncWebClient):
    answer = await client.chat_postMessage(channel=LEADS, text="Lost", thread_ts="1600000000.000100")
    assert answer["ok"]
    assert "thread_ts" not in answer["message"]
    reply = await client.chat_postMessage(channel=LEADS, text="in a thread", thread_ts=answer["ts"])
    nested = await client.chat_postMessage(channel=LEADS, text="a reply is no parent", thread_ts=reply["ts"])
    assert "thread_ts" not in nested["message"]
    assert [m["text"] for m in slack.messages(LEADS)] == ["Lost", "a reply is no parent"]


async def test_a_post_with_only_blocks_has_slacks_own_text(curl: httpx.AsyncClient):
    answer = await curl.post(
        "/slack/api/chat.postMessage",
        data={"token": "xoxb-the-right-one", "channel": LEADS, "blocks": json.dumps(BUTTONS)},
    )
    assert answer.json()["message"]["text"] == "This content can't be displayed."


async def test_a_user_id_as_channel_means_the_direct_message(slack: SlackStandIn, client: AsyncWebClient):
    answer = await client.chat_postMessage(channel="U0OLGA", text="Psst")
    opened = await client.conversations_open(users="U0OLGA")
    assert answer["channel"] == opened["channel"]["id"]
    assert [m["text"] for m in slack.direct_messages("U0OLGA")] == ["Psst"]


async def test_attachments_are_kept_and_a_button_without_an_action_id_gets_one(slack: SlackStandIn, client):
    button = {"type": "button", "text": {"type": "plain_text", "text": "Go"}}
    await client.chat_postMessage(
        channel=LEADS, text="x", attachments=[{"text": "y"}], blocks=[{"type": "actions", "elements": [button]}]
    )
    (message,) = slack.messages(LEADS)
    assert message["attachments"] == [{"text": "y"}]
    assert message["blocks"][0]["elements"][0]["action_id"]


async def test_update_keeps_the_blocks_and_metadata_that_are_not_given(slack: SlackStandIn, client: AsyncWebClient):
    ts = (await client.chat_postMessage(channel=LEADS, text="old", blocks=BUTTONS, metadata=DELIVERY))["ts"]

    answer = await client.chat_update(channel=LEADS, ts=ts, text="new")
    assert (answer["text"], answer["message"]["edited"]["user"]) == ("new", "U0CORKBOT")
    assert slack.message(LEADS, ts)["blocks"][1]["block_id"] == "decide"
    assert slack.message(LEADS, ts)["metadata"] == DELIVERY

    await client.chat_update(channel=LEADS, ts=ts, text="bare", blocks=[], metadata={})
    assert "blocks" not in slack.message(LEADS, ts)
    assert "metadata" not in slack.message(LEADS, ts)


async def test_metadata_comes_back_only_when_asked_for(client: AsyncWebClient):
    ts = (await client.chat_postMessage(channel=LEADS, text="Lead", metadata=DELIVERY))["ts"]
    for read in (client.conversations_history(channel=LEADS), client.conversations_replies(channel=LEADS, ts=ts)):
        assert "metadata" not in (await read)["messages"][0]
    with_metadata = await client.conversations_history(channel=LEADS, include_all_metadata=True)
    assert with_metadata["messages"][0]["metadata"] == DELIVERY


async def test_history_is_newest_first_without_replies_and_comes_in_pages(client: AsyncWebClient):
    stamps = [(await client.chat_postMessage(channel=LEADS, text=f"lead {n}"))["ts"] for n in range(5)]
    await client.chat_postMessage(channel=LEADS, text="a reply", thread_ts=stamps[0])

    seen, cursor, pages = [], None, 0
    while cursor != "":
        page = (await client.conversations_history(channel=LEADS, limit=2, cursor=cursor)).data
        seen += [message["text"] for message in page["messages"]]
        cursor = page.get("response_metadata", {}).get("next_cursor", "")
        pages += 1
        assert page["has_more"] == bool(cursor)
    assert (seen, pages) == ([f"lead {n}" for n in (4, 3, 2, 1, 0)], 3)

    between = await client.conversations_history(channel=LEADS, oldest=stamps[1], latest=stamps[3])
    assert [m["text"] for m in between["messages"]] == ["lead 2"]
    ends_too = await client.conversations_history(channel=LEADS, oldest=stamps[1], latest=stamps[3], inclusive=True)
    assert [m["text"] for m in ends_too["messages"]] == ["lead 3", "lead 2", "lead 1"]


async def test_a_new_post_does_not_shift_the_next_page(client: AsyncWebClient):
    for n in range(3):
        await client.chat_postMessage(channel=LEADS, text=f"lead {n}")
    first = await client.conversations_history(channel=LEADS, limit=2)
    await client.chat_postMessage(channel=LEADS, text="meanwhile")
    second = await client.conversations_history(
        channel=LEADS, limit=2, cursor=first["response_metadata"]["next_cursor"]
    )
    assert [m["text"] for m in second["messages"]] == ["lead 0"]


async def test_every_page_of_replies_begins_with_the_parent(client: AsyncWebClient):
    parent = (await client.chat_postMessage(channel=LEADS, text="Lead"))["ts"]
    replies = [(await client.chat_postMessage(channel=LEADS, text=str(n), thread_ts=parent))["ts"] for n in range(3)]
    first = await client.conversations_replies(channel=LEADS, ts=parent, limit=2)
    assert [m["text"] for m in first["messages"]] == ["Lead", "0", "1"]
    rest = await client.conversations_replies(
        channel=LEADS, ts=replies[1], limit=2, cursor=first["response_metadata"]["next_cursor"]
    )
    assert [m["text"] for m in rest["messages"]] == ["Lead", "2"]
    assert rest["messages"][1]["parent_user_id"] == "U0CORKBOT"


async def test_reactions_come_and_go(slack: SlackStandIn, client: AsyncWebClient):
    ts = (await client.chat_postMessage(channel=LEADS, text="Lead"))["ts"]
    mark = {"channel": LEADS, "timestamp": ts, "name": "hourglass_flowing_sand"}
    await client.reactions_add(**mark)
    assert slack.reactions(LEADS, ts) == {"hourglass_flowing_sand": ["U0CORKBOT"]}
    assert await refused(client.reactions_add(**mark)) == "already_reacted"
    got = await client.reactions_get(channel=LEADS, timestamp=ts)
    assert got["message"]["reactions"] == [{"name": "hourglass_flowing_sand", "users": ["U0CORKBOT"], "count": 1}]
    await client.reactions_remove(**mark)
    assert slack.reactions(LEADS, ts) == {}
    assert await refused(client.reactions_remove(**mark)) == "no_reaction"
    assert await refused(client.reactions_add(**{**mark, "name": ":x:"})) == "invalid_name"
    assert await refused(client.reactions_add(**{**mark, "timestamp": "1.0"})) == "message_not_found"
    assert await refused(client.api_call("reactions.add", json={"channel": LEADS, "name": "x"})) == "no_item_specified"


async def test_an_ephemeral_is_seen_by_one_person_and_by_no_history(slack: SlackStandIn, client: AsyncWebClient):
    answer = await client.chat_postEphemeral(channel=LEADS, user="U0ANA", text="Held for 15 s", thread_ts="1.2")
    assert answer["message_ts"] == slack.ephemerals("U0ANA")[0]["ts"]
    assert slack.ephemerals("U0ANA")[0]["channel"] == LEADS
    assert slack.ephemerals("U0BEN") == []
    assert (await client.conversations_history(channel=LEADS))["messages"] == []
    assert await refused(client.chat_postEphemeral(channel=LEADS, user="U0NOBODY", text="x")) == "user_not_in_channel"


async def test_deleting_a_parent_leaves_a_tombstone(slack: SlackStandIn, client: AsyncWebClient):
    parent = (await client.chat_postMessage(channel=LEADS, text="Lead"))["ts"]
    reply = (await client.chat_postMessage(channel=LEADS, text="Message", thread_ts=parent))["ts"]
    await client.chat_delete(channel=LEADS, ts=parent)
    assert slack.message(LEADS, parent)["subtype"] == "tombstone"
    assert await refused(client.chat_update(channel=LEADS, ts=parent, text="x")) == "message_not_found"
    await client.chat_delete(channel=LEADS, ts=reply)
    assert [m["ts"] for m in slack.thread(LEADS, parent)] == [parent]
    assert slack.thread(LEADS, reply) == []


async def test_only_its_own_messages_can_be_changed(slack: SlackStandIn, client: AsyncWebClient):
    ts = (await slack.say("U0ANA", LEADS, "Mine")).ts
    assert await refused(client.chat_update(channel=LEADS, ts=ts, text="x")) == "cant_update_message"
    assert await refused(client.chat_delete(channel=LEADS, ts=ts)) == "cant_delete_message"
    assert await refused(client.chat_update(channel=LEADS, ts="1.0", text="x")) == "message_not_found"


async def test_permalinks_lead_into_the_thread(client: AsyncWebClient):
    parent = (await client.chat_postMessage(channel=LEADS, text="Lead"))["ts"]
    reply = (await client.chat_postMessage(channel=LEADS, text="Message", thread_ts=parent))["ts"]
    link = (await client.chat_getPermalink(channel=LEADS, message_ts=parent))["permalink"]
    assert link == "https://corkboard-sandbox.slack.com/archives/C0LEADS/p1700000000000000"
    link = (await client.chat_getPermalink(channel=LEADS, message_ts=reply))["permalink"]
    assert link.endswith(f"/p1700000000000100?thread_ts={parent}&cid=C0LEADS")


async def test_who_and_where_can_be_looked_up(slack: SlackStandIn, client: AsyncWebClient, clock):
    slack.add_person("U0GONE", "Gone", deleted=True, tz="America/Chicago")
    assert (await client.auth_test())["bot_id"] == "B0CORKBOT"
    assert (await client.api_test())["ok"]
    olga = (await client.users_info(user="U0OLGA"))["user"]
    assert (olga["is_admin"], olga["deleted"], olga["profile"]["real_name"]) == (True, False, "Olga")
    assert (olga["tz"], olga["tz_label"], olga["tz_offset"]) == ("America/Los_Angeles", "PST", -8 * 3600)
    clock.now += 183 * 24 * 3600
    assert (await client.users_info(user="U0OLGA"))["user"]["tz_offset"] == -7 * 3600
    slack.add_person("U0OWNER", "Otto", is_owner=True)
    otto = (await client.users_info(user="U0OWNER"))["user"]
    assert (otto["is_owner"], otto["is_admin"]) == (True, True)
    listed = await client.users_list(limit=2)
    assert [user["id"] for user in listed["members"]] == ["U0CORKBOT", "U0ANA"]
    assert listed["response_metadata"]["next_cursor"]
    assert (await client.conversations_info(channel=LEADS, include_num_members=True))["channel"]["num_members"] == 4
    assert (await client.conversations_members(channel=LEADS))["members"][:2] == ["U0ANA", "U0BEN"]
    assert (await client.usergroups_list(include_users=True))["usergroups"][0]["users"] == ["U0ANA", "U0BEN"]
    slack.add_group("S0OFFICE", "office", users=["U0OLGA"])
    assert (await client.usergroups_users_list(usergroup="S0OFFICE"))["users"] == ["U0OLGA"]
    assert await refused(client.usergroups_users_list(usergroup="S0NONE")) == "no_such_subteam"
    direct = (await client.conversations_open(users="U0BEN", return_im=True))["channel"]
    assert (direct["is_im"], direct["user"]) == (True, "U0BEN")
    assert await refused(client.users_info(user="U0NOBODY")) == "user_not_found"
    assert await refused(client.conversations_open(users="U0GONE")) == "user_disabled"


async def test_channels_the_bot_may_not_use(slack: SlackStandIn, client: AsyncWebClient):
    slack.add_channel("C0OTHER", "other", members=("U0ANA",))
    slack.add_channel("G0SECRET", "secret", is_private=True, members=("U0ANA",))
    assert await refused(client.chat_postMessage(channel="C0NONE", text="x")) == "channel_not_found"
    assert await refused(client.chat_postMessage(channel="C0OTHER", text="x")) == "not_in_channel"
    assert await refused(client.conversations_history(channel="C0OTHER")) == "not_in_channel"
    assert await refused(client.chat_postMessage(channel="G0SECRET", text="x")) == "channel_not_found"
    assert not (await client.conversations_info(channel="C0OTHER"))["channel"]["is_member"]

    await slack.archive(LEADS)
    assert await refused(client.chat_postMessage(channel=LEADS, text="x")) == "is_archived"
    await slack.unarchive(LEADS)
    await slack.remove_bot(LEADS)
    assert await refused(client.chat_postMessage(channel=LEADS, text="x")) == "not_in_channel"
    await slack.invite_bot(LEADS)
    assert (await client.chat_postMessage(channel="#leads", text="x"))["channel"] == LEADS


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"text": ""}, "no_text"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"text": "x", "blocks": "{"}, "invalid_blocks_format"),
        ({"text": "x", "blocks": ["x"]}, "invalid_blocks_format"),
        ({"text": "x", "blocks": {"type": "divider"}}, "invalid_blocks_format"),
        ({"text": "x", "blocks": 7}, "invalid_blocks_format"),
        ({"text": "x", "metadata": {"event_type": "a"}}, "invalid_metadata_format"),
        ({"text": "x", "metadata": {"event_type": "a", "event_payload": "b"}}, "invalid_metadata_format"),
        (
            {"text": "x", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2990}}] * 5},
            "msg_blocks_too_long",
        ),
    ],
)
async def test_messages_slack_would_not_take(client: AsyncWebClient, slack: SlackStandIn, arguments, error):
    assert await refused(client.api_call("chat.postMessage", json={"channel": LEADS, **arguments})) == error
    assert slack.messages(LEADS) == []


async def test_text_and_blocks_at_the_limit_pass(client: AsyncWebClient):
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3000}}] * 4
    assert (await client.chat_postMessage(channel=LEADS, text="x" * 40_000, blocks=blocks))["ok"]


async def test_invalid_blocks_say_where(client: AsyncWebClient):
    blocks = [{"type": "divider"}, {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=LEADS, text="x", blocks=blocks)
    assert caught.value.response["error"] == "invalid_blocks"
    assert caught.value.response["response_metadata"]["messages"] == [
        "[ERROR] must be less than 151 characters [json-pointer:/blocks/1/text/text]"
    ]


@pytest.mark.parametrize("nothing", ["photos.example.com", "https://photos.example.com/1.jpg", "*"])
async def test_one_image_that_cannot_be_downloaded_refuses_the_whole_message(
    slack: SlackStandIn, client: AsyncWebClient, nothing
):
    blocks = [
        {"type": "divider"},
        {"type": "image", "image_url": "https://photos.example.com/1.jpg", "alt_text": "a sink"},
    ]
    await client.chat_postMessage(channel=LEADS, text="fine", blocks=blocks)
    slack.unfetchable.add(nothing)
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=LEADS, text="not fine", blocks=blocks)
    assert caught.value.response["error"] == "invalid_blocks"
    assert caught.value.response["response_metadata"]["messages"] == [
        "[ERROR] downloading image failed [json-pointer:/blocks/1/image_url]"
    ]
    assert [m["text"] for m in slack.messages(LEADS)] == ["fine"]


async def test_tokens_methods_and_bodies_slack_does_not_know(slack: SlackStandIn, curl: httpx.AsyncClient):
    async def error(method: str, **request) -> str:
        return (await curl.post(f"/slack/api/{method}", **request)).json()["error"]

    right = {"authorization": f"Bearer {slack.api.bot_token}"}
    assert await error("auth.test") == "not_authed"
    assert await error("auth.test", data={"token": "xoxb-wrong"}) == "invalid_auth"
    assert await error("chat.nonsense", headers=right) == "unknown_method"
    assert (
        await error("auth.test", headers=right | {"content-type": "application/json"}, content=b"{") == "invalid_json"
    )
    assert await error("auth.test", headers=right, json=[1]) == "json_not_object"
    assert await error("api.test", data={"error": "as_asked"}) == "as_asked"
    assert [call.token_ok for call in slack.called("auth.test")] == [False, False, True, True]


async def test_reads_take_query_and_form_but_no_json(slack: SlackStandIn, curl: httpx.AsyncClient):
    right = {"authorization": f"Bearer {slack.api.bot_token}"}
    path = "/slack/api/conversations.info"
    assert (await curl.get(path, params={"channel": LEADS}, headers=right)).json()["ok"]
    assert (await curl.post(path, data={"channel": LEADS}, headers=right)).json()["ok"]
    assert (await curl.post(path, json={"channel": LEADS}, headers=right)).json()["error"] == "channel_not_found"


async def test_json_without_a_charset_is_warned_about(slack: SlackStandIn, curl: httpx.AsyncClient):
    right = {"authorization": f"Bearer {slack.api.bot_token}"}
    answer = (await curl.post("/slack/api/auth.test", json={}, headers=right)).json()
    assert (answer["ok"], answer["warning"]) == (True, "missing_charset")
    headers = right | {"content-type": "application/json; charset=utf-8"}
    assert "warning" not in (await curl.post("/slack/api/auth.test", content=b"{}", headers=headers)).json()


async def test_every_answer_says_what_was_granted_and_what_time_it_is(slack: SlackStandIn, client: AsyncWebClient):
    headers = (await client.auth_test()).headers
    assert {"chat:write", "commands", "metadata.message:read"} <= set(headers["x-oauth-scopes"].split(","))
    told = parsedate_to_datetime(headers["date"]).timestamp()
    assert told <= slack.workspace.clock() < told + 60


async def test_a_channel_in_which_the_bot_may_not_post(slack: SlackStandIn, client: AsyncWebClient):
    slack.workspace.channels[LEADS].read_only = True
    assert (await client.conversations_info(channel=LEADS))["channel"]["is_read_only"] is True
    with pytest.raises(SlackApiError, match="restricted_action_read_only_channel"):
        await client.chat_postMessage(channel=LEADS, text="x")


async def test_scopes_that_were_not_granted(slack: SlackStandIn, client: AsyncWebClient):
    slack.api.scopes = ("chat:write", "channels:history")
    assert (await client.chat_postMessage(channel=LEADS, text="x")).headers["x-oauth-scopes"].startswith("chat:write")
    assert (await client.conversations_history(channel=LEADS))["ok"]
    with pytest.raises(SlackApiError) as caught:
        await client.users_info(user="U0ANA")
    assert (caught.value.response["error"], caught.value.response["needed"]) == ("missing_scope", "users:read")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"limit": 0}, "invalid_limit"),
        ({"limit": "many"}, "invalid_limit"),
        ({"limit": 1000}, "invalid_limit"),
        ({"cursor": "not base64"}, "invalid_cursor"),
        ({"cursor": "bmV4dDoxLjA="}, "invalid_cursor"),
        ({"oldest": "yesterday"}, "invalid_ts_oldest"),
        ({"latest": "1.2.3"}, "invalid_ts_latest"),
    ],
)
async def test_pages_that_do_not_exist(client: AsyncWebClient, arguments, error):
    assert await refused(client.conversations_history(channel=LEADS, **arguments)) == error
    assert await refused(client.conversations_replies(channel=LEADS, ts="1.0")) == "thread_not_found"


async def test_posting_too_fast_is_answered_429(slack: SlackStandIn, client: AsyncWebClient, clock):
    slack.api.limit_posts = True
    slack.add_channel("C0OTHER", "other")
    for _ in range(4):
        await client.chat_postMessage(channel=LEADS, text="a short burst")
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=LEADS, text="too much")
    assert (caught.value.response.status_code, caught.value.response["error"]) == (429, "ratelimited")
    assert caught.value.response.headers["retry-after"] == "1"
    await client.chat_postMessage(channel="C0OTHER", text="each channel has its own pace")
    clock.now += 1
    assert (await client.chat_postMessage(channel=LEADS, text="a second later"))["ok"]
    assert [call.status for call in slack.called("chat.postMessage")] == [200, 200, 200, 200, 429, 200, 200]


async def test_other_methods_have_their_tiers(slack: SlackStandIn, client: AsyncWebClient, clock):
    slack.api.limit_methods = True
    for _ in range(24):
        await client.users_info(user="U0ANA")
    with pytest.raises(SlackApiError) as caught:
        await client.users_info(user="U0ANA")
    assert (caught.value.response.status_code, caught.value.response.headers["retry-after"]) == (429, "1")
    await client.conversations_info(channel=LEADS)
    clock.now += 1
    await client.users_info(user="U0ANA")


async def test_the_workspace_has_a_limit_too(slack: SlackStandIn, client: AsyncWebClient):
    slack.api.limit_posts = True
    for number in range(26):
        slack.add_channel(f"C0{number:02}", f"channel-{number}")
    for number in range(25):
        await client.chat_postMessage(channel=f"C0{number:02}", text="one each")
    assert await refused(client.chat_postMessage(channel="C025", text="too many")) == "ratelimited"


async def test_failures_on_request(slack: SlackStandIn, client: AsyncWebClient):
    slack.faults.add("chat.postMessage", rate_limited(7))
    slack.faults.add("chat.postMessage", slack_error("token_revoked", "[ERROR] gone"), times=2)
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=LEADS, text="x")
    assert (caught.value.response.status_code, caught.value.response.headers["retry-after"]) == (429, "7")
    assert await refused(client.chat_postMessage(channel=LEADS, text="x")) == "token_revoked"
    assert (await client.auth_test())["ok"]
    assert await refused(client.chat_postMessage(channel=LEADS, text="x")) == "token_revoked"
    assert (await client.chat_postMessage(channel=LEADS, text="x"))["ok"]
    assert [call.error for call in slack.called("chat.postMessage")] == [
        "ratelimited", "token_revoked", "token_revoked", None,
    ]  # fmt: skip


async def test_an_outage_lasts_until_it_is_cleared(slack: SlackStandIn, client: AsyncWebClient):
    slack.faults.stand("*", down())
    for _ in range(2):
        with pytest.raises(SlackApiError) as caught:
            await client.chat_postMessage(channel=LEADS, text="x")
        assert caught.value.response.status_code == 503
    slack.faults.clear("*")
    await client.chat_postMessage(channel=LEADS, text="back")
    assert [(call.ok, call.error, call.status) for call in slack.calls] == [
        (False, "http_503", 503), (False, "http_503", 503), (True, None, 200),
    ]  # fmt: skip


async def test_a_cut_connection_did_nothing_and_a_lost_answer_did_it(slack: SlackStandIn, client: AsyncWebClient):
    slack.faults.add("chat.postMessage", cut())
    slack.faults.add("chat.postMessage", lost_answer())
    for text in ("never posted", "posted"):
        with pytest.raises(aiohttp.ClientError):
            await client.chat_postMessage(channel=LEADS, text=text)
    assert [m["text"] for m in slack.messages(LEADS)] == ["posted"]
    assert [(call.ok, call.error, call.status) for call in slack.calls] == [(False, "cut", 0), (True, None, 0)]


async def test_a_slow_answer_is_to_a_post_that_stands_already(slack: SlackStandIn, client: AsyncWebClient):
    slack.faults.add("chat.postMessage", slow(30))
    client.timeout = 0.05
    with pytest.raises(TimeoutError):
        await client.chat_postMessage(channel=LEADS, text="posted")
    assert [m["text"] for m in slack.messages(LEADS)] == ["posted"]


async def test_every_call_is_remembered_without_its_token(slack: SlackStandIn, client: AsyncWebClient, curl):
    await client.chat_postMessage(channel=LEADS, text="x")
    await curl.post("/slack/api/users.info", data={"token": slack.api.bot_token, "user": "U0ANA"})
    assert (slack.calls[1].args, slack.calls[1].token_ok) == ({"user": "U0ANA"}, True)
    call = slack.calls[0]
    assert (call.method, call.ok, call.at, call.token_ok) == ("chat.postMessage", True, 1_700_000_000.0, True)
    assert call.args == {"channel": LEADS, "text": "x"}
