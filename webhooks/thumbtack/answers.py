"""What an HTTP answer of Thumbtack means for the call that got it.

Sources: the Pro API's page, "Errors"; Thumbtack's "Troubleshooting" page, where 202 is the firewall's silent challenge;
AWS WAF's "CAPTCHA and Challenge action behavior" (x-amzn-waf-action: the request was kept from its destination).
"""

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from webhooks.thumbtack.errors import (
    JsonError,
    OutcomeUnknown,
    RateLimited,
    ReconnectRequired,
    RequestRejected,
    ScopeMissing,
    Unavailable,
    UnexpectedResponse,
)
from webhooks.thumbtack.payloads.body import read_json
from webhooks.thumbtack.payloads.text import plain

_DAY = 86_400.0
_SCOPE = re.compile(r"required scope\(s\) \[([^\]]{1,100})\] not found")
_SENTENCES = ("detail", "error_description", "message", "title", "error")
_TRACE_HEADERS = ("traceid", "trace-id", "x-trace-id")  # Thumbtack says "a response header" without its name


def judge_send(response: httpx.Response) -> None:
    """Returns if the message was delivered; else raises what it means for sending it again.

    | answer                                            | raised              |
    | ------------------------------------------------- | ------------------- |
    | 2xx with `{"status": "success"}`                  | nothing: delivered  |
    | 429                                               | RateLimited         |
    | 408, 425, 500, 503; the firewall's 202 or HTML    | Unavailable         |
    | 401                                               | ReconnectRequired   |
    | 401, 400, 403 that name a missing scope           | ScopeMissing        |
    | 502, 504, other 5xx; 2xx with anything else       | OutcomeUnknown      |
    | all others (400, 403, 404, 409, 451, redirects)   | RequestRejected     |
    """
    _raise_for_status(response)
    if not _says_success(_json(response)):
        raise OutcomeUnknown(status=response.status_code, trace_id=trace_id(response))


def judge_answer(response: httpx.Response) -> Any:
    """The JSON of the answer to a call that may be repeated; else raises what it means.

    The same as for a send, but that no outcome is unknown: 502, 504 and other 5xx are Unavailable, and a 2xx without
    JSON is UnexpectedResponse.
    """
    try:
        _raise_for_status(response)
    except OutcomeUnknown as lost:
        raise Unavailable(retry_after=retry_after(response), status=lost.status, trace_id=lost.trace_id) from lost
    try:
        return read_json(response.content)
    except JsonError:
        raise UnexpectedResponse(status=response.status_code, trace_id=trace_id(response)) from None


def retry_after(response: httpx.Response) -> float | None:
    """The pause that the Retry-After header asks for, in seconds from 0 to a day; None without a readable one.

    It is a number of seconds or an HTTP date (RFC 9110, 10.2.3); a date is measured against the answer's own Date, so
    that our clock does not matter.
    """
    header = response.headers.get("retry-after", "").strip()
    try:
        seconds = float(header)
    except ValueError:
        until, now = _http_date(header), _http_date(response.headers.get("date", ""))
        seconds = (until - now).total_seconds() if until and now else math.nan
    return None if math.isnan(seconds) else min(max(seconds, 0.0), _DAY)


def trace_id(response: httpx.Response) -> str | None:
    """What to quote to Thumbtack's support about this answer, if it says."""
    body = _json(response)
    named = [body.get("traceID")] if isinstance(body, dict) else []
    named += [response.headers.get(name) for name in _TRACE_HEADERS]
    return next((text[:100] for text in map(plain, named) if text), None)


def _raise_for_status(response: httpx.Response) -> None:
    """Raises what a status (or the firewall) says; returns on a 2xx of Thumbtack's own, whose body is still to judge."""
    status, trace = response.status_code, trace_id(response)
    if _is_firewalls(response):
        raise Unavailable(retry_after=retry_after(response), status=status, trace_id=trace)
    if response.is_success:
        return
    scope = _missing_scope(response)
    match status:
        case 400 | 401 | 403 if scope is not None:
            raise ScopeMissing(scope=scope or None, status=status, trace_id=trace)
        case 401:
            raise ReconnectRequired(status=status, trace_id=trace)
        case 429:
            raise RateLimited(retry_after=retry_after(response), status=status, trace_id=trace)
        case 408 | 425 | 500 | 503:
            raise Unavailable(retry_after=retry_after(response), status=status, trace_id=trace)
        case _ if status >= 500:
            raise OutcomeUnknown(status=status, trace_id=trace)
        case _:
            raise RequestRejected(detail=_detail(response), status=status, trace_id=trace)


def _is_firewalls(response: httpx.Response) -> bool:
    """Whether the firewall answered and Thumbtack itself never saw the request."""
    if "x-amzn-waf-action" in response.headers:
        return True
    if not response.is_success:
        return False
    if response.headers.get("content-type", "").lower().startswith("text/html"):
        return True
    content = response.content.lstrip()
    return content.startswith(b"<") or (response.status_code == 202 and not _is_json(response))


def _missing_scope(response: httpx.Response) -> str | None:
    """The scope that an error says is missing, "" where it does not name it; None if that is not what it says."""
    problem = _json(response)
    said = " ".join(plain(problem.get(key)) or "" for key in (*_SENTENCES, "code")) if isinstance(problem, dict) else ""
    named = _SCOPE.search(said)
    if named:
        return named[1]
    return "" if "INSUFFICIENT_SCOPE" in said.upper() else None


def _detail(response: httpx.Response) -> str | None:
    """Thumbtack's own sentence about an error, if its body has one."""
    problem = _json(response)
    if not isinstance(problem, dict):
        return None
    return next((text[:300] for text in (plain(problem.get(key)) for key in _SENTENCES) if text), None)


def _says_success(answer: Any) -> bool:
    return isinstance(answer, dict) and answer.get("status") == "success"


def _json(response: httpx.Response) -> Any:
    """The body as JSON; None where it is none."""
    try:
        return read_json(response.content)
    except JsonError:
        return None


def _is_json(response: httpx.Response) -> bool:
    try:
        read_json(response.content)
    except JsonError:
        return False
    return True


def _http_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date
