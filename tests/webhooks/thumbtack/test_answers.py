"""What each answer of Thumbtack means, as one table."""

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import sentence
from webhooks.thumbtack import answers
from webhooks.thumbtack.answers import (
    judge_answer,
    judge_client_call,
    judge_created,
    judge_done,
    judge_send,
    judge_success,
    judge_tokens,
    retry_after,
    trace_id,
)
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

HTML = {"content-type": "text/html; charset=utf-8"}
PAGE = b"<!DOCTYPE html><html><body>Just a moment</body></html>"
SUCCESS = b'{"status": "success"}'
DELIVERED = None

TABLE = [
    # status, headers, body, what a send makes of it, what a repeatable call makes of it
    (200, {}, SUCCESS, DELIVERED, DELIVERED),
    (201, {}, b'{"status": "success", "messageID": "1"}', DELIVERED, DELIVERED),
    (202, {}, SUCCESS, DELIVERED, DELIVERED),
    (200, {}, b"null", OutcomeUnknown, DELIVERED),
    (200, {}, b"", OutcomeUnknown, UnexpectedResponse),
    (204, {}, b"", OutcomeUnknown, UnexpectedResponse),
    (200, {}, b"{}", OutcomeUnknown, DELIVERED),
    (200, {}, b'"success"', OutcomeUnknown, DELIVERED),
    (200, {}, b'{"status": "failure"}', OutcomeUnknown, DELIVERED),
    (200, {}, b'{"status": true}', OutcomeUnknown, DELIVERED),
    (200, {}, b"success", OutcomeUnknown, UnexpectedResponse),
    (200, {}, b'{"status": "succ', OutcomeUnknown, UnexpectedResponse),
    (202, {}, b"null", OutcomeUnknown, DELIVERED),
    (202, {}, b'{"queued": true}', OutcomeUnknown, DELIVERED),
    (202, {}, b"", Unavailable, Unavailable),
    (202, {}, b"challenge", Unavailable, Unavailable),
    (202, HTML, PAGE, Unavailable, Unavailable),
    (200, HTML, PAGE, Unavailable, Unavailable),
    (200, {}, b"\n " + PAGE, Unavailable, Unavailable),
    (200, {"x-amzn-waf-action": "challenge"}, SUCCESS, Unavailable, Unavailable),
    (405, {"x-amzn-waf-action": "captcha"}, b"", Unavailable, Unavailable),
    (302, {"location": "https://example.com/"}, b"", RequestRejected, RequestRejected),
    (400, {}, b"", RequestRejected, RequestRejected),
    (403, {}, b"", RequestRejected, RequestRejected),
    (403, HTML, PAGE, RequestRejected, RequestRejected),
    (404, {}, b"", RequestRejected, RequestRejected),
    (405, {}, b"", RequestRejected, RequestRejected),
    (409, {}, b"", RequestRejected, RequestRejected),
    (413, {}, b"", RequestRejected, RequestRejected),
    (422, {}, b"", RequestRejected, RequestRejected),
    (451, {}, b"", RequestRejected, RequestRejected),
    (401, {}, b"", ReconnectRequired, ReconnectRequired),
    (401, {}, b'{"detail": "required scope(s) [supply::messages.write] not found"}', ScopeMissing, ScopeMissing),
    (403, {}, b'{"error": "INSUFFICIENT_SCOPE"}', ScopeMissing, ScopeMissing),
    (400, {}, b'{"code": "INSUFFICIENT_SCOPE"}', ScopeMissing, ScopeMissing),
    (404, {}, b'{"error": "INSUFFICIENT_SCOPE"}', RequestRejected, RequestRejected),
    (401, {}, b'{"error": "INVALID_TOKEN"}', ReconnectRequired, ReconnectRequired),
    (400, {}, b'{"error": "invalid_token"}', ReconnectRequired, ReconnectRequired),
    (403, {}, b"INVALID_TOKEN", ReconnectRequired, ReconnectRequired),
    (404, {}, b'{"error": "INVALID_TOKEN"}', RequestRejected, RequestRejected),
    (400, {}, b'{"error": "503"}', Unavailable, Unavailable),
    (400, {}, b'{"status": 503}', RequestRejected, RequestRejected),
    (401, {}, b'{"error": "INVALID_CLIENT"}', RequestRejected, RequestRejected),
    (429, {}, b"", RateLimited, RateLimited),
    (408, {}, b"", Unavailable, Unavailable),
    (425, {}, b"", Unavailable, Unavailable),
    (500, {}, b"", Unavailable, Unavailable),
    (500, HTML, PAGE, Unavailable, Unavailable),
    (503, {}, b"", Unavailable, Unavailable),
    (501, {}, b"", OutcomeUnknown, Unavailable),
    (502, {}, b"", OutcomeUnknown, Unavailable),
    (502, HTML, PAGE, OutcomeUnknown, Unavailable),
    (502, {}, b'{"error": "proxy_oauth_failed"}', ReconnectRequired, ReconnectRequired),
    (503, {}, b'{"error": "proxy_oauth_failed"}', Unavailable, Unavailable),
    (504, {}, b"", OutcomeUnknown, Unavailable),
    (520, {}, b"", OutcomeUnknown, Unavailable),
]
NAMES = [f"{number}: {row[0]} {row[2][:24]!r}" for number, row in enumerate(TABLE)]


def meaning(judge, response):
    try:
        judge(response)
    except CallError as error:
        raised = error
    else:
        return DELIVERED
    assert raised.status == response.status_code
    return type(raised)


@pytest.mark.parametrize(("status", "headers", "body", "for_send", "for_call"), TABLE, ids=NAMES)
def test_the_table(status, headers, body, for_send, for_call):
    response = httpx.Response(status, headers=headers, content=body)
    assert meaning(judge_send, response) is for_send
    assert meaning(judge_answer, response) is for_call


CODES = [
    # every code that either API documents, and what it means wherever it stands
    ("INVALID_CLIENT", RequestRejected),
    ("UNAUTHORIZED_CLIENT", RequestRejected),
    ("INVALID_REQUEST", RequestRejected),
    ("INVALID_GRANT", RequestRejected),
    ("INVALID_SCOPE", RequestRejected),
    ("UNSUPPORTED_GRANT_TYPE", RequestRejected),
    ("INSUFFICIENT_SCOPE", ScopeMissing),
    ("INVALID_TOKEN", ReconnectRequired),
    ("TEMPORARILY_UNAVAILABLE", Unavailable),
]


@pytest.mark.parametrize(
    "judge", [judge_send, judge_answer, judge_done, judge_created, judge_client_call, judge_tokens]
)
@pytest.mark.parametrize(("code", "error"), CODES)
def test_a_code_means_the_same_in_every_call_and_spelling(judge, code, error):
    for status in (400, 401, 403):
        for spelled in (code, code.lower()):
            for body in ({"error": spelled}, {"code": spelled}, {"message": f"{spelled}: no"}, {"errors": [spelled]}):
                with pytest.raises(error) as raised:
                    judge(httpx.Response(status, json=body))
                assert getattr(raised.value, "code", None) == (code.lower() if error is RequestRejected else None)


@pytest.mark.parametrize(
    ("status", "headers", "body", "code"),
    [
        (403, HTML, PAGE, "blocked"),
        (403, {}, PAGE, "blocked"),
        (403, {}, b"", None),
        (403, {}, b'{"title": "No."}', None),
        (451, {}, b"", "sanctioned"),
        (451, HTML, PAGE, "sanctioned"),
        (409, {}, b"", None),
        (400, {}, b'{"code": "SOMETHING_NEW"}', None),
        (404, {}, b'{"error": "invalid_grant"}', None),
    ],
)
def test_what_was_refused_has_a_code_that_may_be_stored(status, headers, body, code):
    with pytest.raises(RequestRejected) as refused:
        judge_answer(httpx.Response(status, headers=headers, content=body))
    assert refused.value.code == code


def test_a_bare_401_is_about_whatever_the_call_showed():
    for judge in (judge_send, judge_answer, judge_done, judge_created, judge_success):
        with pytest.raises(ReconnectRequired):
            judge(httpx.Response(401))
    for judge in (judge_client_call, judge_tokens):
        with pytest.raises(RequestRejected) as refused:
            judge(httpx.Response(401))
        assert refused.value.code == "invalid_client"


def test_the_firewall_is_never_taken_for_success():
    for judge in (judge_created, judge_done, judge_client_call, judge_tokens, judge_success):
        for response in (
            httpx.Response(202),
            httpx.Response(200, headers=HTML, content=PAGE),
            httpx.Response(200, headers={"x-amzn-waf-action": "challenge"}),
        ):
            with pytest.raises(Unavailable):
                judge(response)


def test_the_table_of_the_module_names_every_code():
    for code, _ in CODES:
        assert code in answers.__doc__
    for code in (*answers.REJECTING, "blocked", "sanctioned"):
        assert sentence(code) != sentence(None)


def test_an_answer_is_handed_on():
    assert judge_answer(httpx.Response(200, json={"a": 1})) == {"a": 1}


@settings(deadline=None)
@given(st.integers(200, 599), st.binary(max_size=40), st.sampled_from([{}, HTML]))
def test_no_answer_surprises(status, body, headers):
    response = httpx.Response(status, headers=headers, content=body)
    if meaning(judge_send, response) is DELIVERED:
        assert response.is_success
        assert response.json()["status"] == "success"
    meaning(judge_answer, response)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"title": "Your request is not valid.", "detail": "text is empty"}', "text is empty"),
        (b'{"title": "Your request is not valid."}', "Your request is not valid."),
        (b'{"message": "Not found"}', "Not found"),
        (b'{"error": "invalid_client", "error_description": "No."}', "No."),
        (b'{"error": {"nested": 1}, "title": 5}', "5"),
        (b'{"detail": "%b"}' % (b"x" * 1000), "x" * 300),
        (b'{"title": "Not valid.", "errors": [{"detail": "name: too long"}, "odd"]}', "Not valid. name: too long odd"),
        (b'{"detail": "No.", "errors": [{"detail": "No."}, {}, 1, 2]}', "No. 1"),
        (b'{"title": "Not valid.", "errors": []}', "Not valid."),
        (b'{"title": "Not valid.", "errors": {"a": 1}}', "Not valid."),
        (b"[]", None),
        (b"<html>", None),
        (b"", None),
    ],
)
def test_thumbtacks_own_sentence(body, detail):
    with pytest.raises(RequestRejected) as refused:
        judge_send(httpx.Response(400, content=body))
    assert refused.value.detail == detail


def test_the_missing_scope_is_named():
    with pytest.raises(ScopeMissing) as refused:
        judge_send(httpx.Response(401, json={"detail": "required scope(s) [supply::businesses.list] not found"}))
    assert refused.value.scope == "supply::businesses.list"
    with pytest.raises(ScopeMissing) as refused:
        judge_send(httpx.Response(403, json={"error": "insufficient_scope"}))
    assert refused.value.scope is None


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (httpx.Response(400, json={"traceID": "feca66787a0a9ee8"}), "feca66787a0a9ee8"),
        (httpx.Response(400, json={"traceID": 7}), "7"),
        (httpx.Response(400, headers={"traceID": "abc"}), "abc"),
        (httpx.Response(400, headers={"X-Trace-Id": "abc"}), "abc"),
        (httpx.Response(400, headers={"traceID": "x" * 500}), "x" * 100),
        (httpx.Response(400, json={"traceID": None}), None),
        (httpx.Response(400), None),
    ],
    ids=range(7),
)
def test_trace_id(response, expected):
    assert trace_id(response) == expected


DATE = "Wed, 21 Oct 2026 07:28:00 GMT"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": " 1.5 "}, 1.5),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "-5"}, 0.0),
        ({"Retry-After": "999999999"}, 86400.0),
        ({"Retry-After": "inf"}, 86400.0),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": ""}, None),
        ({}, None),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT", "Date": DATE}, 30.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:45 -0000", "Date": DATE}, 45.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:27:00 GMT", "Date": DATE}, 0.0),
        ({"Retry-After": "Wed, 21 Oct 2099 07:27:00 GMT", "Date": DATE}, 86400.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT"}, None),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT", "Date": "today"}, None),
    ],
    ids=range(16),
)
@pytest.mark.parametrize(("status", "error"), [(429, RateLimited), (503, Unavailable), (202, Unavailable)])
def test_the_pause_that_is_asked_for(headers, expected, status, error):
    response = httpx.Response(status, headers=headers)
    assert retry_after(response) == expected
    with pytest.raises(error) as later:
        judge_send(response)
    assert later.value.retry_after == expected
