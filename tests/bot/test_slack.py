"""The client of Slack's Web API: each failure says what to do, nothing is repeated, and only Slack is answered."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot import slack as bot_slack
from bot.failures import Failure, Sort, of_slack
from bot.slack import Identity, Slack
from sandbox.faults import Fault
from sandbox.slack import SlackStandIn
from sandbox.slack.failures import cut, down, lost_answer, rate_limited, slack_error, slow

TOKEN = "xoxb-of-this-test"
POST = {"channel": "C0LEADS", "text": "hello"}


@pytest.fixture
async def workspace() -> AsyncIterator[SlackStandIn]:
    workspace = SlackStandIn(bot_token=TOKEN, signing_secret="s")
    async with workspace.serve():
        yield workspace


@pytest.fixture
async def slack(workspace: SlackStandIn) -> AsyncIterator[Slack]:
    client = Slack(token=TOKEN, base_url=f"{workspace.base_url}/slack/api/")
    await client.open()
    yield client
    await client.close()


async def _fails(slack: Slack, method: str = "chat.postMessage", arguments: dict | None = None) -> Failure:
    with pytest.raises(Failure) as failed:
        await slack.call(method, POST if arguments is None else arguments)
    return failed.value


async def test_a_call_that_succeeds(slack: Slack, workspace: SlackStandIn):
    answer = await slack.call("chat.postMessage", POST)
    assert workspace.message("C0LEADS", answer["ts"])["text"] == "hello"
    assert (await slack.call("conversations.info", {"channel": "C0LEADS"}))["channel"]["name"] == "leads"


async def test_whatever_is_said_arrives_as_it_is(slack: Slack, workspace: SlackStandIn):
    for text in ("½ a 🛁", "half of one: \ud83d"):
        workspace.faults.add("chat.postMessage", Fault(status=200, body={"ok": True}))
        await slack.call("chat.postMessage", {"channel": "C0LEADS", "text": text})
        assert workspace.called("chat.postMessage")[-1].args["text"] == text


@pytest.mark.parametrize(
    ("fault", "sort", "reason"),
    [
        (rate_limited(7), Sort.LATER, "ratelimited"),
        (Fault(status=429, body="slow down"), Sort.LATER, "ratelimited"),
        (Fault(status=429, body="{", headers={"content-type": "application/json"}), Sort.LATER, "ratelimited"),
        (slack_error("ratelimited"), Sort.LATER, "ratelimited"),
        (cut(), Sort.UNKNOWN, "slack_no_answer"),
        (lost_answer(), Sort.UNKNOWN, "slack_no_answer"),
        (down(503), Sort.UNKNOWN, "slack_unavailable"),
        (down(500), Sort.UNKNOWN, "slack_unavailable"),
        (down(404), Sort.UNKNOWN, "slack_unavailable"),
        (Fault(status=200, body="<html>"), Sort.UNKNOWN, "slack_unavailable"),
        (Fault(status=302, headers={"Location": "http://127.0.0.1:1/"}), Sort.UNKNOWN, "slack_no_answer"),
        (Fault(status=307, headers={"Location": "http://127.0.0.1:1/"}), Sort.UNKNOWN, "slack_no_answer"),
        (Fault(status=200, body="hi", headers={"content-type": "text/plain"}), Sort.UNKNOWN, "slack_unavailable"),
        (Fault(status=200, body="{", headers={"content-type": "application/json"}), Sort.UNKNOWN, "slack_unavailable"),
        (Fault(status=200, body=[]), Sort.UNKNOWN, "slack_unavailable"),
        (slack_error("internal_error"), Sort.UNKNOWN, "slack_unavailable"),
        (slack_error("token_revoked"), Sort.HELD, "token_revoked"),
        (slack_error("channel_not_found"), Sort.HELD, "channel_not_found"),
        (slack_error("invalid_blocks"), Sort.REFUSED, "invalid_blocks"),
        (slack_error("something_new"), Sort.REFUSED, "something_new"),
    ],
    ids=lambda value: str(value)[:70],
)
async def test_each_failure_says_what_to_do_and_the_call_is_made_once(
    slack: Slack, workspace: SlackStandIn, fault: Fault, sort: Sort, reason: str
):
    workspace.faults.add("chat.postMessage", fault)
    failure = await _fails(slack)
    assert (failure.sort, failure.reason) == (sort, reason)
    assert len(workspace.called("chat.postMessage")) == 1


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("0.5", 0.5), ("-3", 0.0), ("nan", 0.0), ("inf", 3600.0), ("soon", None)]
)
async def test_retry_after(slack: Slack, workspace: SlackStandIn, header: str, seconds: float | None):
    workspace.faults.add("chat.postMessage", Fault(status=429, body={"ok": False}, headers={"Retry-After": header}))
    assert (await _fails(slack)).retry_after == seconds


async def test_cookies_are_not_kept(workspace: SlackStandIn):
    slack = Slack(token=TOKEN, base_url=f"{workspace.base_url}/slack/api/".replace("127.0.0.1", "localhost"))
    await slack.open()
    cookie = {"set-cookie": "b=1; Path=/", "X-OAuth-Scopes": "chat:write"}
    workspace.faults.add("chat.postMessage", Fault(status=200, body={"ok": True}, headers=cookie))
    answer = await slack.ask("chat.postMessage", POST)
    assert (answer.headers.get("set-cookie"), answer.headers.get("x-oauth-scopes")) == ("b=1; Path=/", "chat:write")
    assert list(slack.client.session.cookie_jar) == []
    await slack.close()


async def test_a_connection_that_is_refused_is_safe_to_repeat():
    slack = Slack(token=TOKEN, base_url="http://127.0.0.1:1/slack/api/")
    await slack.open()
    try:
        failure = await _fails(slack)
        assert (failure.sort, failure.reason) == (Sort.LATER, "slack_unreachable")
        with pytest.raises(Failure) as failed:
            await slack.respond("http://127.0.0.1:1/slack/response/R1", {"text": "hi"})
        assert failed.value.sort is Sort.LATER
    finally:
        await slack.close()


async def test_a_call_that_hangs_is_given_up_and_its_outcome_is_not_known(
    workspace: SlackStandIn, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bot_slack, "TIMEOUT", aiohttp.ClientTimeout(total=0.2))
    slack = Slack(token=TOKEN, base_url=f"{workspace.base_url}/slack/api/")
    await slack.open()
    workspace.faults.add("chat.postMessage", slow(5))
    assert (await _fails(slack)).sort is Sort.UNKNOWN
    assert len(workspace.messages("C0LEADS")) == 1
    await slack.close()


async def test_who_we_are_is_asked_once(slack: Slack, workspace: SlackStandIn):
    assert slack.known_identity is None
    workspace.faults.add("auth.test", down())
    with pytest.raises(Failure):
        await slack.identity()
    assert slack.known_identity is None
    url = f"https://{workspace.workspace.domain}.slack.com/"
    known = Identity(team_id="T0CORKBOARD", user_id="U0CORKBOT", bot_id="B0CORKBOT", url=url)
    assert [await slack.identity() for _ in range(3)] == [known] * 3
    assert slack.known_identity == known
    assert len(workspace.called("auth.test")) == 2


async def test_names(slack: Slack, workspace: SlackStandIn):
    workspace.add_channel("C0SECRET", "secret", is_private=True, members=("U0ANA",))
    names = await slack.names(["U0ANA", "C0LEADS", "U0NOBODY", "C0SECRET", "U0ANA"])
    assert names == {"U0ANA": "ana", "C0LEADS": "leads"}
    asked = len(workspace.calls)
    assert await slack.names(["U0ANA", "C0LEADS"]) == names
    assert len(workspace.calls) == asked
    assert await slack.names([]) == {}


async def test_names_are_asked_for_all_at_once_and_again_after_a_failure(slack: Slack, workspace: SlackStandIn):
    workspace.faults.add("users.info", down())
    with pytest.raises(Failure) as failed:
        await slack.names(["U0ANA", "U0BEN"])
    assert failed.value.sort is Sort.UNKNOWN
    assert await slack.names(["U0ANA", "U0BEN"]) == {"U0ANA": "ana", "U0BEN": "ben"}


@pytest.mark.parametrize(
    ("profile", "name"),
    [
        ({"profile": {"display_name": "Ana B."}, "real_name": "Ana", "name": "ana"}, "Ana B."),
        ({"profile": {"display_name": ""}, "real_name": "Ana", "name": "ana"}, "Ana"),
        ({"profile": None, "name": "ana"}, "ana"),
        ({}, None),
    ],
    ids=["display name", "real name", "handle", "nothing"],
)
async def test_a_person_is_called_as_slack_shows_them(
    slack: Slack, workspace: SlackStandIn, profile: dict, name: str | None
):
    workspace.faults.add("users.info", Fault(status=200, body={"ok": True, "user": profile}))
    assert (await slack.names(["U0ANA"])).get("U0ANA") == name


async def test_answers_go_to_slack_alone(slack: Slack, workspace: SlackStandIn):
    url_id = workspace.workspace.new_response_url("U0ANA", "C0LEADS")
    await slack.respond(f"{workspace.base_url}/slack/response/{url_id}", {"text": "hi"})
    assert workspace.ephemerals("U0ANA")[0]["text"] == "hi"
    elsewhere = [
        "https://hooks.slack.com.example.com/x",
        "http://hooks.slack.com/x",
        "https://example.com/?u=https://hooks.slack.com/",
        f"https{workspace.base_url.removeprefix('http')}/slack/response/{url_id}",
        "file:///etc/passwd",
        "http://[",
        "",
    ]
    for url in elsewhere:
        with pytest.raises(Failure) as failed:
            await slack.respond(url, {"text": "secret"})
        assert (failed.value.sort, failed.value.reason) == (Sort.REFUSED, "response_url"), url


@pytest.mark.parametrize(
    ("fault", "sort"),
    [
        (Fault(status=404, body="expired_url"), Sort.REFUSED),
        (Fault(status=302, headers={"Location": "http://127.0.0.1:1/"}), Sort.REFUSED),
        (Fault(status=429), Sort.LATER),
        (down(), Sort.UNKNOWN),
    ],
    ids=["gone", "redirect", "429", "503"],
)
async def test_an_answer_that_slack_does_not_take(slack: Slack, workspace: SlackStandIn, fault: Fault, sort: Sort):
    url_id = workspace.workspace.new_response_url("U0ANA", "C0LEADS")
    workspace.faults.add("response_url", fault)
    with pytest.raises(Failure) as failed:
        await slack.respond(f"{workspace.base_url}/slack/response/{url_id}", {"text": "hi"})
    assert failed.value.sort is sort


async def test_without_a_token_nothing_is_configured():
    slack = Slack(token=None, base_url="https://slack.com/api")
    assert not slack.configured
    with pytest.raises(Failure):
        await slack.respond("https://hooks.slack.com/x", {})
    await slack.close()


def test_what_slacks_errors_mean():
    assert of_slack("ratelimited", status=200, retry_after=3.0).retry_after == 3.0
    assert of_slack("invalid_auth", status=401, retry_after=None).sort is Sort.HELD
    assert of_slack("anything", status=502, retry_after=None).sort is Sort.UNKNOWN
    assert str(of_slack("no_text", status=200, retry_after=None)) == "no_text"
