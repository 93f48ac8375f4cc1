"""Which reminder is due when: the steps of a ladder, counted in open hours since the customer began to wait. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.hours import Hours


@dataclass(frozen=True, kw_only=True)
class Say:
    """A step is due: the last of those that are, where several were missed."""

    step: int


@dataclass(frozen=True, kw_only=True)
class Wait:
    """Nothing is due before this instant."""

    until: datetime


def turn(minutes: Sequence[int], *, following: int, since: datetime, now: datetime, hours: Hours) -> Say | Wait | None:
    """What is to be done at `now` about a customer who waits since then; None where there is nothing any more.

    `minutes` are the steps, ascending; `following` is the first that was not said yet. Nothing is said while the
    business is closed.
    """
    due = [hours.after(since, timedelta(minutes=after)) for after in minutes]
    ahead = {step: at for step, at in enumerate(due) if step >= following and at is not None}
    if not ahead:
        return None
    passed = [step for step, at in ahead.items() if at <= now]
    if not passed:
        return Wait(until=min(ahead.values()))
    opens = hours.opening(now)
    if opens == now:
        return Say(step=passed[-1])
    return None if opens is None else Wait(until=opens)
