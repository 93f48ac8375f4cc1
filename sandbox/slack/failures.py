"""The ways in which Slack fails that are worth trying, ready for `SlackStandIn.faults`."""

from sandbox.faults import Fault


def rate_limited(retry_after: int = 2) -> Fault:
    """429 with Retry-After in seconds (https://docs.slack.dev/apis/web-api/rate-limits)."""
    return Fault(status=429, body={"ok": False, "error": "ratelimited"}, headers={"retry-after": str(retry_after)})


def slack_error(error: str, *messages: str) -> Fault:
    """200 with `ok: false`: how Slack refuses, for example "channel_not_found" or "token_revoked"."""
    body: dict[str, object] = {"ok": False, "error": error}
    if messages:
        body["response_metadata"] = {"messages": list(messages)}
    return Fault(status=200, body=body)


def down(status: int = 503) -> Fault:
    """An outage: the load balancer's page instead of JSON."""
    return Fault(status=status, body="<html><body>Slack is having trouble.</body></html>")


def slow(seconds: float) -> Fault:
    """The work is done at once, its answer comes only after `seconds`: a client that gives up has posted anyway."""
    return Fault(delay=seconds)


def cut() -> Fault:
    """The connection breaks and nothing was done."""
    return Fault(cut=True)


def lost_answer() -> Fault:
    """The work is done, and the connection breaks before anybody hears of it: the outcome nobody knows."""
    return Fault(lose_answer=True)
