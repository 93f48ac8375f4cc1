"""What the doctor found: one value for each thing that was looked at, with what to do where it is not as it should be."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a thing stands: as it should; worth a look; or leads or replies are lost or wait because of it."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"


class Area(StrEnum):
    """What a thing belongs to, in the order in which people read them: each rests on those before it."""

    SETTINGS = "settings"
    DATABASE = "database"
    SLACK = "slack"
    CHANNELS = "channels"
    THUMBTACK = "thumbtack"
    WEBHOOKS = "webhooks"
    QUEUES = "queues"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at: `subject` names it, `told` is how it stands, `remedy` what to do ("": nothing).

    `plain`: it is as it is for everybody (a default), and a person need not read it.
    """

    area: Area
    subject: str
    state: State
    told: str
    remedy: str = ""
    plain: bool = False


def ok(area: Area, subject: str, told: str, *, plain: bool = False) -> Finding:
    """It is as it should be."""
    return Finding(area=area, subject=subject, state=State.OK, told=told, plain=plain)


def warning(area: Area, subject: str, told: str, remedy: str) -> Finding:
    """It works, or it cannot be known, or something is left out; a person should know."""
    return Finding(area=area, subject=subject, state=State.WARNING, told=told, remedy=remedy)


def broken(area: Area, subject: str, told: str, remedy: str) -> Finding:
    """Leads or replies do not get through because of it."""
    return Finding(area=area, subject=subject, state=State.BROKEN, told=told, remedy=remedy)


def worst(findings: Iterable[Finding]) -> State:
    """The state of the whole."""
    states = {finding.state for finding in findings}
    return next((state for state in (State.BROKEN, State.WARNING) if state in states), State.OK)
