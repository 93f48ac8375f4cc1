"""Consent and tokens at both OAuth servers."""

import base64
import logging
from datetime import timedelta
from urllib.parse import parse_qsl, unquote_plus, urlsplit

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.scripted import LEGACY_CLIENT, V4_CLIENT

from webhooks.thumbtack.errors import (
    CallError,
    OutcomeUnknown,
    RateLimited,
    ReconnectRequired,
    RequestRejected,
    ScopeMissing,
    Unavailable,
    UnexpectedResponse,
)
from webhooks.thumbtack.facts import BusinessRef
from webhooks.thumbtack.oauth import read_scopes, read_tokens
from webhooks.thumbtack.records import Grant
from webhooks.thumbtack.wire import without_queries

CALLBACK = "https://bot.example/thumbtack/callback"
TOKENS = {"access_token": "1.abc.def", "token_type": "bearer", "expires_in": 3600, "refresh_token": "refresh-2"}
BOTH = pytest.mark.parametrize("generation", ["legacy", "v4"])


def basic(heard):
    scheme, _, value = heard.headers["authorization"].partition(" ")
    assert scheme == "Basic"
    return tuple(base64.b64decode(value).decode().split(":", 1))


def exchange(client, generation):
    return client.oauth(generation).exchange(code="code-1", redirect_uri=CALLBACK, verifier="verifier-1")


def renew(client, generation):
    return client.oauth(generation).renew(refresh_token="refresh-1")


def consent(client, generation, **changes):
    asked = {"state": "s" * 32, "redirect_uri": CALLBACK, "scopes": ["messages", "targeting"], "challenge": "ch4l"}
    url = client.oauth(generation).consent_url(**asked | changes)
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}", dict(parse_qsl(parts.query, strict_parsing=True)), url


def test_the_consent_page_of_the_pro_api(connect):
    page, query, url = consent(connect(), "legacy")
    assert page == "https://thumbtack.com/services/partner-connect/"
    assert query == {
        "client_id": "THUMBTACK INTERNAL",
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "messages targeting",
        "state": "s" * 32,
    }
    assert "THUMBTACK%20INTERNAL" in url
    assert "+" not in url


def test_the_consent_page_of_v4(connect, api):
    page, query, _ = consent(connect(), "v4", scopes=["offline_access", "supply::messages.write"])
    assert page == f"{api.address}/oauth2/auth"
    assert query == {
        "client_id": "corkboard+id",
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "offline_access supply::messages.write",
        "state": "s" * 32,
        "audience": "urn:partner-api",
        "code_challenge": "ch4l",
        "code_challenge_method": "S256",
    }


def test_a_consent_page_that_has_a_query_keeps_it(connect):
    _, query, _ = consent(connect(legacy_connect_url="https://bot.example/connect?theme=dark"), "legacy")
    assert (query["theme"], query["scope"]) == ("dark", "messages targeting")


def test_how_long_refresh_tokens_live(connect):
    client = connect()
    assert client.oauth("legacy").grace == timedelta(seconds=10)
    assert client.oauth("legacy").lifetime == timedelta(hours=720)
    assert client.oauth("v4").grace == timedelta(seconds=60)
    assert client.oauth("v4").lifetime == timedelta(days=180)


@BOTH
async def test_without_a_client_nothing_is_asked(connect, api, generation):
    client = connect(legacy_client=None, v4_client=None)
    assert not client.oauth(generation).configured
    assert connect().oauth(generation).configured
    with pytest.raises(ReconnectRequired, match="No OAuth client"):
        consent(client, generation)
    for call in (exchange, renew):
        with pytest.raises(ReconnectRequired, match="No OAuth client"):
            await call(client, generation)
    assert api.heard == []


async def test_tokens_of_the_pro_api(client, api):
    api.answer(TOKENS).answer(TOKENS)
    pair = await exchange(client, "legacy")
    assert (pair.access_token, pair.refresh_token) == ("1.abc.def", "refresh-2")
    assert (pair.expires_in, pair.scopes) == (timedelta(hours=1), ())
    await renew(client, "legacy")
    first, second = api.heard
    assert {(one.method, one.path, one.body) for one in api.heard} == {("POST", "/legacy/v2/tokens/access", b"")}
    assert first.query == {
        "grant_type": "authorization_code",
        "code": "code-1",
        "redirect_uri": CALLBACK,
        "token_type": "AUTH_CODE",
    }
    assert second.query == {"grant_type": "refresh_token", "refresh_token": "refresh-1", "token_type": "REFRESH"}
    assert basic(first) == basic(second) == (LEGACY_CLIENT.username, LEGACY_CLIENT.password)


async def test_tokens_of_v4(client, api):
    api.answer(TOKENS | {"scope": "offline_access supply::messages.write"}).answer(TOKENS)
    pair = await exchange(client, "v4")
    assert pair.scopes == ("offline_access", "supply::messages.write")
    await renew(client, "v4")
    first, second = api.heard
    assert {(one.method, one.path, *one.query) for one in api.heard} == {("POST", "/oauth2/token")}
    assert first.headers["content-type"] == "application/x-www-form-urlencoded"
    assert first.form == {
        "grant_type": "authorization_code",
        "code": "code-1",
        "redirect_uri": CALLBACK,
        "code_verifier": "verifier-1",
    }
    assert second.form == {"grant_type": "refresh_token", "refresh_token": "refresh-1"}
    shown = [tuple(map(unquote_plus, basic(one))) for one in api.heard]
    assert shown == [(V4_CLIENT.username, V4_CLIENT.password)] * 2


@BOTH
async def test_a_code_that_no_utf8_can_hold_is_asked_for_all_the_same(client, api, generation):
    api.answer({"error": "invalid_grant"}, 400)
    with pytest.raises(RequestRejected) as refused:
        await client.oauth(generation).exchange(code="\ud800&x=1", redirect_uri=CALLBACK, verifier="v")
    assert refused.value.code == "invalid_grant"
    assert (api.last.query | api.last.form)["code"] == "\ufffd&x=1"


HYDRA = {"error": "invalid_client", "error_description": "Client authentication failed (e.g., unknown client …)."}
ANSWERS = [
    # body, status, headers, what is raised, its code
    (None, 200, {}, OutcomeUnknown, None),
    (b"", 200, {}, OutcomeUnknown, None),
    (b'{"access_tok', 200, {}, OutcomeUnknown, None),
    (None, 502, {}, OutcomeUnknown, None),
    (None, 504, {}, OutcomeUnknown, None),
    ({}, 200, {}, UnexpectedResponse, None),
    ([], 200, {}, UnexpectedResponse, None),
    ({"access_token": None}, 200, {}, UnexpectedResponse, None),
    ({"access_token": " "}, 200, {}, UnexpectedResponse, None),
    ({"access_token": 7}, 200, {}, UnexpectedResponse, None),
    ({"access_token": "a\r\nX-Evil: 1"}, 200, {}, UnexpectedResponse, None),
    ({"access_token": "é"}, 200, {}, UnexpectedResponse, None),
    ({"error": "INVALID_GRANT"}, 400, {}, RequestRejected, "invalid_grant"),
    ({"error": "invalid_grant"}, 401, {}, RequestRejected, "invalid_grant"),
    ({"code": "INVALID_GRANT", "message": "expired"}, 400, {}, RequestRejected, "invalid_grant"),
    ({"error": {"code": "INVALID_GRANT"}}, 400, {}, RequestRejected, "invalid_grant"),
    (b"INVALID_GRANT: it expired", 400, {}, RequestRejected, "invalid_grant"),
    (HYDRA, 401, {}, RequestRejected, "invalid_client"),
    (b"", 401, {}, RequestRejected, "invalid_client"),
    ({"error": "INVALID_CLIENT"}, 400, {}, RequestRejected, "invalid_client"),
    ({"error": "UNAUTHORIZED_CLIENT"}, 400, {}, RequestRejected, "unauthorized_client"),
    ({"error": "INVALID_REQUEST"}, 400, {}, RequestRejected, "invalid_request"),
    ({"error": "invalid_scope"}, 400, {}, RequestRejected, "invalid_scope"),
    ({"error": "UNSUPPORTED_GRANT_TYPE"}, 400, {}, RequestRejected, "unsupported_grant_type"),
    ({"error": "something new"}, 400, {}, RequestRejected, None),
    ({"error": "503"}, 400, {}, Unavailable, None),
    ({"error": "temporarily_unavailable"}, 400, {}, Unavailable, None),
    (None, 503, {"Retry-After": "7"}, Unavailable, None),
    (None, 500, {}, Unavailable, None),
    (None, 429, {}, RateLimited, None),
    (b"<html>challenge</html>", 202, {}, Unavailable, None),
    (b"", 202, {}, Unavailable, None),
    ({"error": "INSUFFICIENT_SCOPE"}, 400, {}, ScopeMissing, None),
]


@BOTH
@pytest.mark.parametrize(("body", "status", "headers", "error", "code"), ANSWERS, ids=range(len(ANSWERS)))
async def test_what_a_token_call_may_be_answered(client, api, generation, body, status, headers, error, code):
    for call in (exchange, renew):
        api.answer(body, status, headers)
        with pytest.raises(CallError) as refused:
            await call(client, generation)
        assert type(refused.value) is error
        assert getattr(refused.value, "code", None) == code
        assert getattr(refused.value, "retry_after", None) == (7.0 if headers else None)
    assert len(api.heard) == 2


@BOTH
@pytest.mark.parametrize("failure", [httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError])
async def test_a_lost_answer_is_an_unknown_outcome(connect, generation, failure):
    def lose(request):
        raise failure("lost", request=request)

    with pytest.raises(OutcomeUnknown):
        await renew(connect(transport=httpx.MockTransport(lose)), generation)


@BOTH
async def test_a_token_call_has_a_deadline_of_its_own(connect, api, generation):
    api.answer(TOKENS)
    assert connect().oauth(generation)._wire._deadline == 4.0
    client = connect(token_deadline=0.0)
    with pytest.raises(OutcomeUnknown):
        await renew(client, generation)
    await client.aclose()


@BOTH
async def test_tokens_are_never_shown_nor_logged(client, api, generation, caplog):
    caplog.set_level(logging.DEBUG)
    api.answer(TOKENS).answer(TOKENS).answer(None)
    pairs = [await exchange(client, generation), await renew(client, generation)]
    with pytest.raises(OutcomeUnknown) as lost:
        await renew(client, generation)
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn")]
    said = " ".join([*ours, repr(pairs), repr(lost.value), str(lost.value)])
    assert "HTTP Request: POST" in said
    for secret in ("code-1", "verifier-1", "refresh-1", "refresh-2", "1.abc.def", "s3cret"):
        assert secret not in said


def test_other_words_of_the_library_are_left_as_they_are():
    for args in ((), ("a", 7), {"a": 1}):
        record = logging.makeLogRecord({"msg": "said", "args": args})
        assert without_queries(record)
        assert record.args == args


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (3600, 3600),
        ("120", 120),
        (59.5, 59.5),
        (None, 3600),
        ("soon", 3600),
        (0, 3600),
        (-5, 3600),
        (True, 3600),
        ([], 3600),
        ("nan", 3600),
        ("inf", 366 * 86_400),
        (10**30, 366 * 86_400),
    ],
)
def test_how_long_an_access_token_lives(said, seconds):
    assert read_tokens({"access_token": "a", "expires_in": said}).expires_in == timedelta(seconds=seconds)
    assert read_tokens({"access_token": "a"}).expires_in == timedelta(hours=1)


@pytest.mark.parametrize(
    ("said", "scopes"),
    [
        ("messages targeting", ("messages", "targeting")),
        (" messages\ttargeting messages ", ("messages", "targeting")),
        (["messages", "targeting", "messages"], ("messages", "targeting")),
        (["messages", None, 7, {}, " "], ("messages", "7")),
        ("", ()),
        (None, ()),
        ({"messages": True}, ()),
    ],
)
def test_scopes_as_text_or_as_a_list(said, scopes):
    assert read_scopes(said) == scopes


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(TOKENS | {"scope": ""}, JSON)))
def test_no_answer_of_a_token_endpoint_surprises(answer):
    try:
        pair = read_tokens(answer)
    except UnexpectedResponse:
        return
    f"Bearer {pair.access_token}".encode("ascii")
    assert timedelta(0) < pair.expires_in <= timedelta(days=366)


def test_a_refresh_token_that_is_none_is_left_out():
    assert read_tokens({"access_token": "a"}).refresh_token is None
    assert read_tokens({"access_token": "a", "refresh_token": ""}).refresh_token is None


async def test_whose_token_it_is_at_the_pro_api(client, api, store):
    api.answer(
        {
            "business_pk": "388006067351150595",
            "client_id": "THUMBTACK INTERNAL",
            "scope": ["messages"],
            "business_name": "Tim&#39;s cleaner business",
        }
    )
    assert await client.oauth("legacy").whose(store) == Grant(
        businesses=(BusinessRef(thumbtack_id="388006067351150595", name="Tim's cleaner business"),),
        scopes=("messages",),
    )
    assert (api.last.method, api.last.path) == ("GET", "/legacy/v2/get-thumbtack-info")
    assert api.last.headers["authorization"] == "Bearer access-1"
    assert api.last.headers["content-type"] == "application/json"


@pytest.mark.parametrize("answer", [None, [], {}, {"business_pk": None}, {"business_pk": ""}])
async def test_a_token_of_nobody(client, api, store, answer):
    api.answer(answer)
    with pytest.raises(UnexpectedResponse):
        await client.oauth("legacy").whose(store)


async def test_whose_token_it_is_at_v4(client, api, store, payload):
    api.answer(payload("v4_businesses_list"))
    assert await client.oauth("v4").whose(store) == Grant(
        businesses=(BusinessRef(thumbtack_id="1337", name="Robert's Aerial Photography"),)
    )
    assert (api.last.method, api.last.path, api.last.query) == ("GET", "/api/v4/businesses", {})


def page(first, last, **more):
    return {"data": [{"businessID": str(number), "name": f"No {number}"} for number in range(first, last)], **more}


async def ids(client, store):
    return [one.thumbtack_id for one in (await client.oauth("v4").whose(store)).businesses]


async def test_many_businesses_come_by_pages(client, api, store):
    api.answer(page(0, 20, pagination={"limit": 20})).answer(page(20, 40)).answer(page(40, 41))
    assert await ids(client, store) == [str(number) for number in range(41)]
    assert [one.query for one in api.heard] == [
        {},
        {"limit": "20", "offset": "20"},
        {"limit": "20", "offset": "40"},
    ]


async def test_shorter_pages_than_usual(client, api, store):
    api.answer(page(0, 2, pagination={"limit": 2})).answer(page(2, 3, pagination={"limit": 2}))
    assert await ids(client, store) == ["0", "1", "2"]


async def test_a_server_that_knows_no_pages_repeats_itself(client, api, store):
    api.answer(page(0, 20)).answer(page(0, 20))
    assert await ids(client, store) == [str(number) for number in range(20)]
    assert len(api.heard) == 2


async def test_a_server_that_refuses_pages(client, api, store):
    api.answer(page(0, 20)).answer({"title": "unknown parameter"}, 400)
    assert len(await ids(client, store)) == 20


async def test_businesses_that_are_refused_at_once(client, api, store):
    api.answer({"title": "No such path."}, 404)
    with pytest.raises(RequestRejected):
        await ids(client, store)


async def test_a_scope_that_ends_between_two_pages_is_told(client, api, store):
    api.answer(page(0, 20)).answer({"error": "INSUFFICIENT_SCOPE"}, 403)
    with pytest.raises(ScopeMissing):
        await ids(client, store)


async def test_pages_without_end(client, api, store):
    for number in range(100):
        api.answer(page(number, number + 1, pagination={"limit": 1}))
    assert len(await ids(client, store)) == 20


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"businesses": [{"businessID": 7}]}, ["7"]),
        ({"data": None}, []),
        ({"data": [None, {}, {"businessID": ""}, {"businessID": "8"}]}, ["8"]),
    ],
)
async def test_what_a_list_of_businesses_may_look_like(client, api, store, answer, found):
    api.answer(answer)
    assert await ids(client, store) == found


@pytest.mark.parametrize("answer", [None, [], {}, {"data": {}}, "data"])
async def test_what_is_no_list_of_businesses(client, api, store, answer):
    api.answer(answer)
    with pytest.raises(UnexpectedResponse):
        await ids(client, store)


async def test_businesses_that_may_not_be_listed(client, api, store):
    api.answer({"detail": "required scope(s) [supply::businesses.list] not found", "traceID": "t"}, 401)
    with pytest.raises(ScopeMissing) as refused:
        await ids(client, store)
    assert (refused.value.scope, refused.value.trace_id) == ("supply::businesses.list", "t")
    assert store.refused == []
