"""A stand-in for one Slack workspace: it speaks Slack's HTTP, remembers everything, and lets people act in it."""

from sandbox.slack.delivery import Answer
from sandbox.slack.failures import cut, down, lost_answer, rate_limited, slack_error, slow
from sandbox.slack.standin import SlackStandIn, StillWaitingError
from sandbox.slack.web_api import Call

__all__ = [
    "Answer",
    "Call",
    "SlackStandIn",
    "StillWaitingError",
    "cut",
    "down",
    "lost_answer",
    "rate_limited",
    "slack_error",
    "slow",
]
