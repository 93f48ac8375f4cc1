"""Calls out that did not succeed, by what must be done about them; and what Slack's error strings mean."""

from enum import Enum


class Sort(Enum):
    """What kind of failure it was, by what must be done."""

    LATER = "later"  # nothing was done; the other side asks for time
    UNKNOWN = "unknown"  # it may have been done
    HELD = "held"  # a person must mend something (a token, a channel): the queue waits
    REFUSED = "refused"  # it will never be done like this


class Failure(Exception):  # noqa: N818 -- a value that happens to be raised
    """A call out that did not succeed: its sort, its reason code and how long the other side wants us to wait."""

    def __init__(self, sort: Sort, reason: str, *, retry_after: float | None = None, method: str | None = None) -> None:
        """`retry_after` in seconds; `reason` is a code, never text from outside; `method` of Slack's, where known."""
        super().__init__(reason)
        self.sort = sort
        self.reason = reason
        self.retry_after = retry_after
        self.method = method


RATE_LIMITED = "ratelimited"
"""Our code for Slack's 429."""

PACED = "paced"
"""Likewise for a call that was not made, so that there is none."""

SLACK_LATER = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
SLACK_UNKNOWN = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
)
SLACK_HELD = frozenset(
    {
        "account_inactive",
        "access_denied",
        "channel_not_found",
        "ekm_access_denied",
        "invalid_auth",
        "is_archived",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "not_in_channel",
        "org_login_required",
        "restricted_action",
        "restricted_action_non_threadable_channel",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
    }
)
"""Slack's error strings, each under the one thing to do (docs.slack.dev/reference/methods/chat.postMessage#errors)."""


def of_slack(error: str, *, status: int, retry_after: float | None) -> Failure:
    """What an answer of Slack's Web API that is not ok means."""
    if status == 429 or error in SLACK_LATER:
        return Failure(Sort.LATER, RATE_LIMITED, retry_after=retry_after)
    if status >= 500 or error in SLACK_UNKNOWN:
        return Failure(Sort.UNKNOWN, "slack_unavailable", retry_after=retry_after)
    if error in SLACK_HELD:
        return Failure(Sort.HELD, error)
    return Failure(Sort.REFUSED, error)
