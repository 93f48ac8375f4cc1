"""How long ago something was, in words for a terminal."""

from datetime import datetime, timedelta

_STEPS = (("days", timedelta(days=2)), ("hours", timedelta(hours=2)), ("minutes", timedelta(minutes=2)))


def ago(then: datetime, now: datetime, *, bare: bool = False) -> str:
    """As in "3 hours ago"; `bare`: "3 hours"."""
    for unit, least in _STEPS:
        if now - then >= least:
            told = f"{(now - then) // (least / 2)} {unit}"
            return told if bare else f"{told} ago"
    return "a minute" if bare else "just now"
