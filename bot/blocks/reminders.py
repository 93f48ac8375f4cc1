"""The lines that remind the team of a customer who waits, and what stands in their place once somebody snoozed them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.blocks.kit import Block, Element, actions, bell, button, icon, line, link_button, plain, rich, section, words
from bot.blocks.mrkdwn import date, escape, mention, shorten
from bot.blocks.posts import Post

HOUR, WORKING_DAY = "hour", "day"
"""For how long one can snooze; each stands before the lead's id in the value of its option."""

SNOOZES = {HOUR: "For 1 hour", WORKING_DAY: "Until the next working day"}

_LONGEST_NAME = 80


@dataclass(frozen=True, kw_only=True)
class Reminder:
    """A customer who waits. `name` is None where it is not known, or must not be seen; `answered`: not for the first time.

    `replies`: what the team writes goes out; where it does not, `url` leads to the lead in Thumbtack.
    `ring`: people and groups whose phones ring besides that of `owner`; `in_channel`: the line is shown there too.
    """

    lead_id: int
    name: str | None
    waited: timedelta
    answered: bool
    owner: str | None
    ring: tuple[str, ...]
    in_channel: bool
    replies: bool
    url: str | None


def reminder(told: Reminder) -> Post:
    """The line in the lead's thread, with what stops or puts off the next one."""
    name = shorten(told.name, _LONGEST_NAME).replace("\n", " ") if told.name else "A customer"
    waits = _waits(told)
    said = rich(line(icon("alarm_clock"), words(" "), words(name, bold=True), words(f" {waits}")))
    return Post(
        text=escape(f"{name} {waits}"),
        blocks=[said, *_bell(told), actions(_elements(told))],
        broadcast=told.in_channel,
    )


def _bell(told: Reminder) -> list[Block]:
    """Who has the lead, then who else is called."""
    if told.owner is None:
        return bell(told.ring)
    others = mention(one for one in told.ring if one != told.owner)
    return [section(f":bell: {mention([told.owner])} has it. {others}".rstrip())]


def _waits(told: Reminder) -> str:
    waited = _length(told.waited)
    if told.answered:
        return f"wrote {waited} ago and was not answered."
    return f"has been waiting {waited} for a first answer."


def _length(waited: timedelta) -> str:
    """Counted as it passed, rounded down: minutes up to two hours, hours up to two days."""
    minutes = max(1, int(waited.total_seconds()) // 60)
    if minutes == 1:
        return "1 minute"
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 2 * 24 * 60 else f"{minutes // (24 * 60)} days"


def _elements(told: Reminder) -> Iterator[Element]:
    if told.owner is None:
        yield button("lead_claim", "I've got it", told.lead_id, style="primary")
    if told.replies:
        yield button("reply_open", "Reply", told.lead_id, style=None if told.owner is None else "primary")
    elif told.url:
        yield link_button("lead_open", "Open in Thumbtack", told.url)
    yield button("lead_elsewhere", "Called / answered elsewhere", told.lead_id)
    options = [{"text": plain(label), "value": f"{name}:{told.lead_id}"} for name, label in SNOOZES.items()]
    yield {"type": "static_select", "action_id": "lead_snooze", "placeholder": plain("Snooze"), "options": options}


def snoozed(user: str, until: datetime) -> Post:
    """What takes a reminder's place: who put it off, and until when."""
    told = f"put this reminder off until {date(until)}."
    return Post(text=f"{mention([user])} {told}", blocks=[section(f":zzz: {mention([user])} {told}")])


def nobody_waits() -> Post:
    """For who snoozes a reminder that there is no reason for any more."""
    told = "This customer does not wait for an answer any more, so there is nothing to snooze."
    return Post(text=told, blocks=[section(told)])
