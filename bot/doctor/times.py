"""How long ago something was, in words for a terminal."""

from datetime import datetime, timedelta

_STEPS = (("days", timedelta(days=2)), ("hours", timedelta(hours=2)), ("minutes", timedelta(minutes=2)))


def ago(then: datetime, now: datetime, *, bare: bool = False) -> str:
    """As in "3 hours ago"; `bare`: "3 hours"."""
    if now - then < _STEPS[-1][1]:
        return "a minute" if bare else "just now"
    return lasting(now - then) if bare else f"{lasting(now - then)} ago"


def lasting(time: timedelta) -> str:
    """As in "3 hours"."""
    unit, least = next((step for step in _STEPS if time >= step[1]), (None, timedelta()))
    return "a minute" if unit is None else f"{time // (least / 2)} {unit}"
