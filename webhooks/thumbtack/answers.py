"""What an HTTP answer of Thumbtack means for the call that got it.

| answer, in this order                                                  | raised                                  |
| ---------------------------------------------------------------------- | --------------------------------------- |
| `x-amzn-waf-action`; 202 without JSON; 2xx with HTML: the firewall      | Unavailable                             |
| 2xx of Thumbtack's own, as the call expects it                         | nothing                                 |
| 400, 401, 403 `INSUFFICIENT_SCOPE` or `required scope(s) […] not found` | ScopeMissing                            |
| 400, 401, 403 `INVALID_TOKEN`                                          | ReconnectRequired                       |
| 400, 401, 403 `503` or `TEMPORARILY_UNAVAILABLE`                       | Unavailable                             |
| 400, 401, 403 `INVALID_CLIENT`, `UNAUTHORIZED_CLIENT`, `INVALID_GRANT`, | RequestRejected, with this `code`       |
| `INVALID_REQUEST`, `INVALID_SCOPE`, `UNSUPPORTED_GRANT_TYPE`            |                                         |
| 401 without a code, where the call shows a token or the v1 password    | ReconnectRequired                       |
| 401 without a code, where the call shows our client                    | RequestRejected, code `invalid_client`  |
| 403 with HTML: the firewall blocks our IP or User-Agent                | RequestRejected, code `blocked`         |
| 451: a sanctioned country                                              | RequestRejected, code `sanctioned`      |
| 429                                                                    | RateLimited                             |
| 408, 425, 500, 503                                                     | Unavailable                             |
| 502 `proxy_oauth_failed`: the token is for another audience            | ReconnectRequired                       |
| 502, 504, other 5xx                                                    | OutcomeUnknown; Unavailable if repeated |
| all others (400, 403, 404, 405, 409, 422, redirects)                   | RequestRejected                         |
| 2xx with anything else than the call expects                           | OutcomeUnknown, or UnexpectedResponse   |

Codes are read in either spelling (`INVALID_GRANT`, `invalid_grant`), wherever the body has them.

Sources: the Pro API's page, "Errors" (whose table of 400s lists 503 too); RFC 6749, 5.2; Thumbtack's page
"Troubleshooting", for 202, 403, 451 and 502; AWS WAF's "CAPTCHA and Challenge action behavior" (x-amzn-waf-action: the
request was kept from its destination).
"""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from webhooks.thumbtack.errors import (
    CallError,
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

REJECTING = frozenset(
    {
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_grant_type",
    }
)
"""The OAuth codes that say that the same call fails again."""

_LATER = frozenset({"503", "temporarily_unavailable"})
_CODES = REJECTING | _LATER | {"insufficient_scope", "invalid_token"}
_WORD = re.compile(r"[a-z]+(?:_[a-z]+)+")
_READ = 4_000  # characters of an error that are searched for a code
_DAY = 86_400.0
_SCOPE = re.compile(r"required scope\(s\) \[([^\]]{1,100})\] not found")
_NAMES = ("error", "code", "errorCode")
_SENTENCES = ("detail", "error_description", "message", "title", "error")
_TRACE_HEADERS = ("traceid", "trace-id", "x-trace-id")  # Thumbtack says "a response header" without its name


def says_success(answer: Any) -> bool:
    """What the Pro API answers once it did what it was asked."""
    return isinstance(answer, dict) and answer.get("status") == "success"


def is_taken(answer: Any) -> bool:
    """What v4 answers to a message: an object whose shape is not published, and surely no error."""
    return isinstance(answer, dict) and not (answer.get("error") or answer.get("errors"))


def judge_send(response: httpx.Response, *, accepts: Callable[[Any], bool] = says_success) -> Any:
    """The answer, if the message was delivered; else raises what it means for sending it again.

    A 2xx with anything but what `accepts` takes is OutcomeUnknown.
    """
    _raise_for_status(response)
    answer = _json(response)
    if not accepts(answer):
        raise OutcomeUnknown(status=response.status_code, trace_id=trace_id(response))
    return answer


def judge_answer(response: httpx.Response) -> Any:
    """The JSON of the answer to a call that may be repeated; else raises what it means.

    No outcome is unknown then: 502, 504 and other 5xx are Unavailable, and a 2xx without JSON is UnexpectedResponse.
    """
    _raise_for_repeatable(response)
    try:
        return read_json(response.content)
    except JsonError:
        raise UnexpectedResponse(status=response.status_code, trace_id=trace_id(response)) from None


def judge_success(response: httpx.Response) -> None:
    """Returns if a call of the Pro API that may be repeated was done, as it says itself; raises as `judge_answer`."""
    if not says_success(judge_answer(response)):
        raise UnexpectedResponse(status=response.status_code, trace_id=trace_id(response))


def judge_done(response: httpx.Response) -> None:
    """Returns if a call that may be repeated was done: any 2xx, also without a body; else raises as `judge_answer`."""
    _raise_for_repeatable(response)
    if response.content.strip():
        judge_answer(response)


def judge_created(response: httpx.Response) -> Any:
    """The answer (None without a body) to a call that must not be made twice; raises as `judge_send`."""
    _raise_for_status(response)
    return judge_send(response, accepts=is_taken) if response.content.strip() else None


def judge_client_call(response: httpx.Response) -> None:
    """`judge_done` for a call that shows our client's id and secret."""
    _raise_for_repeatable(response, shows_client=True)


def judge_tokens(response: httpx.Response) -> dict[str, Any]:
    """The object that a token endpoint answered; raises as `judge_send`, and UnexpectedResponse for what is none.

    `null`, nothing, or half an answer is OutcomeUnknown: the Pro API's page, "Error handling with grace period", has
    the same refresh token sent again then.
    """
    _raise_for_status(response, shows_client=True)
    answer = _json(response)
    if answer is None:
        raise OutcomeUnknown(status=response.status_code, trace_id=trace_id(response))
    if not isinstance(answer, dict):
        raise UnexpectedResponse(status=response.status_code, trace_id=trace_id(response))
    return answer


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


def missing_scope(response: httpx.Response) -> str | None:
    """The scope that an error says is missing, "" where it does not name it; None if that is not what it says."""
    named = _SCOPE.search(_said(response))
    if named:
        return named[1]
    return "" if _code(response) == "insufficient_scope" else None


def _raise_for_repeatable(response: httpx.Response, *, shows_client: bool = False) -> None:
    try:
        _raise_for_status(response, shows_client=shows_client)
    except OutcomeUnknown as lost:
        raise Unavailable(retry_after=retry_after(response), status=lost.status, trace_id=lost.trace_id) from lost


def _raise_for_status(response: httpx.Response, *, shows_client: bool = False) -> None:
    """Raises what the table says; returns on a 2xx of Thumbtack's own, whose body is still to judge."""
    status, trace = response.status_code, trace_id(response)
    if _is_firewalls(response):
        raise Unavailable(retry_after=retry_after(response), status=status, trace_id=trace)
    if response.is_success:
        return
    if status in (400, 401, 403):
        raise _refused(response, shows_client=shows_client)
    match status:
        case 429:
            raise RateLimited(retry_after=retry_after(response), status=status, trace_id=trace)
        case 408 | 425 | 500 | 503:
            raise Unavailable(retry_after=retry_after(response), status=status, trace_id=trace)
        case 502 if b"proxy_oauth_failed" in response.content:
            raise ReconnectRequired(status=status, trace_id=trace)
        case _ if status >= 500:
            raise OutcomeUnknown(status=status, trace_id=trace)
        case _:
            raise _rejected(response, "sanctioned" if status == 451 else None)


def _refused(response: httpx.Response, *, shows_client: bool) -> CallError:
    """What a 400, 401 or 403 says by its code."""
    status, trace, code = response.status_code, trace_id(response), _code(response)
    scope = missing_scope(response)
    if scope is not None:
        return ScopeMissing(scope=scope or None, status=status, trace_id=trace)
    if code == "invalid_token":
        return ReconnectRequired(status=status, trace_id=trace)
    if code in _LATER:
        return Unavailable(retry_after=retry_after(response), status=status, trace_id=trace)
    if code is None and status == 401:
        if not shows_client:
            return ReconnectRequired(status=status, trace_id=trace)
        code = "invalid_client"
    if code is None and status == 403 and _is_html(response):
        code = "blocked"
    return _rejected(response, code)


def _rejected(response: httpx.Response, code: str | None) -> RequestRejected:
    status, trace = response.status_code, trace_id(response)
    return RequestRejected(code=code, detail=_detail(response), status=status, trace_id=trace)


def _is_firewalls(response: httpx.Response) -> bool:
    """Whether the firewall answered and Thumbtack itself never saw the request."""
    if "x-amzn-waf-action" in response.headers:
        return True
    if not response.is_success:
        return False
    return _is_html(response) or (response.status_code == 202 and not _is_json(response))


def _is_html(response: httpx.Response) -> bool:
    kind = response.headers.get("content-type", "").lower()
    return kind.startswith("text/html") or response.content.lstrip().startswith(b"<")


def _code(response: httpx.Response) -> str | None:
    """The documented code in an error's body, in lower case: where a code belongs, else anywhere in it.

    What the body of an error looks like at the Pro API is not published.
    """
    problem = _json(response)
    named = [(plain(problem.get(name)) or "").lower() for name in _NAMES] if isinstance(problem, dict) else []
    words = _WORD.findall(response.text[:_READ].lower())
    return next((code for code in (*named, *words) if code in _CODES), None)


def _said(response: httpx.Response) -> str:
    """All that an error's body says in words."""
    problem = _json(response)
    if not isinstance(problem, dict):
        return ""
    return " ".join(plain(problem.get(key)) or "" for key in (*_SENTENCES, "code"))


def _detail(response: httpx.Response) -> str | None:
    """Thumbtack's own sentence about an error, if its body has one; with what its list of errors says, if it has one."""
    problem = _json(response)
    if not isinstance(problem, dict):
        return None
    errors = problem.get("errors")
    inner = [_first(one) if isinstance(one, dict) else plain(one) for one in errors] if isinstance(errors, list) else []
    said = [text for text in (_first(problem), *inner[:3]) if text]
    return " ".join(dict.fromkeys(said))[:300] or None


def _first(problem: dict[str, Any]) -> str | None:
    return next((text for text in (plain(problem.get(key)) for key in _SENTENCES) if text), None)


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
