"""Leads in a list, as `/thumbtack leads` and the Home tab show them: how each stands, who has it, how old it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.blocks.kit import (
    Block,
    Element,
    actions,
    button,
    header,
    icon,
    line,
    lines,
    link,
    person,
    rich,
    section,
    small,
    small_plain,
    words,
)
from bot.blocks.mrkdwn import escape, shorten, visible
from bot.blocks.posts import Post
from storage import states
from storage.models import Environment, Lead
from storage.searching import Found, Page, Search, Which
from storage.states import LeadState

FORTH, BACK = "found_page", "found_page_back"
"""The buttons of a list that has several pages."""

USAGE = ("leads", "leads mine", "leads unanswered", "leads Maya", "leads Austin", "leads 555-0148")

_LONGEST = 40
_TITLES = {Which.OPEN: "Open leads", Which.MINE: "Your leads", Which.UNANSWERED: "Unanswered leads"}
_NONE = {
    Which.OPEN: "No lead is open in the channels that you are in.",
    Which.MINE: "You have no open lead. Press “I've got it” on a lead's card to take one.",
    Which.UNANSWERED: "Nobody waits for an answer in the channels that you are in.",
    Which.TEXT: "No lead in the channels that you are in has that name, city or phone number.",
}
_ICONS = {
    LeadState.NEW: "new",
    LeadState.CLAIMED: "raising_hand",
    LeadState.ANSWERED: "speech_balloon",
    LeadState.WAITING: "hourglass_flowing_sand",
    LeadState.WON: "tada",
    LeadState.LOST: "heavy_minus_sign",
    LeadState.CLOSED: "lock",
}
_HINT = "`/thumbtack leads` shows open ones; add `mine`, `unanswered`, or a name, city or phone number."


@dataclass(frozen=True, kw_only=True)
class FoundLead:
    """A lead in a list. `name`: its customer's; `private`: nothing that it says is shown; `url`: its thread."""

    lead: Lead
    name: str | None
    business: str | None
    private: bool
    url: str


@dataclass(frozen=True, kw_only=True)
class Carried:
    """What the buttons to the page before and to the next one carry."""

    back: str
    forth: str


def listing(search: Search, page: Page[Found], found: Sequence[FoundLead], *, carried: Carried, now: datetime) -> Post:
    """What was found, for who asked alone."""
    title = _title(search)
    if not found:
        return Post(text=escape(title), blocks=[header(title), section(_NONE[search.which]), small(_HINT)])
    pages = pager(page, back=(BACK, carried.back), forth=(FORTH, carried.forth))
    return Post(
        text=f"{escape(title)}: {page.total}", blocks=[header(title), *rows(found, now=now), *pages, small(_HINT)]
    )


def _title(search: Search) -> str:
    if search.which is not Which.TEXT:
        return _TITLES[search.which]
    return f"Leads with “{shorten(visible(search.text) or '?', _LONGEST)}”".replace("\n", " ")


def rows(found: Sequence[FoundLead], *, now: datetime) -> list[Block]:
    """Each lead as two lines; whose it is only where they are not all of one business."""
    several = len({one.business for one in found}) > 1
    return [rich(lines(_who(one, several=several), _how(one, now))) for one in found]


def _who(found: FoundLead, *, several: bool) -> list[Element]:
    lead = found.lead
    test = "TEST · " if lead.is_test or lead.environment == Environment.STAGING else ""
    business = [_cut(found.business)] if several and found.business else []
    if found.private:
        return [words(f"{test}Private lead {lead.id}", bold=True), *(words(f" · {one}") for one in business)]
    place = _cut(", ".join(filter(None, (visible(lead.city), visible(lead.state)))))
    about = [one for one in (_cut(lead.category or lead.title), place, *business) if one]
    name = _cut(found.name) or "Name not given"
    return [words(f"{test}{name}", bold=True), *(words(f" · {one}") for one in about)]


def _cut(text: str | None) -> str:
    return " ".join(shorten(visible(text) or "", _LONGEST).split())


def _how(found: FoundLead, now: datetime) -> list[Element]:
    """How it stands, since when, who has it, and the way there."""
    lead, state = found.lead, states.of(found.lead)
    verb = "" if state is LeadState.WAITING else "waits "
    waits = f", {verb}{age(now - lead.waiting_since)}" if lead.waiting_since is not None else ""
    arrived = lead.received_at or lead.created_at
    old = [words(f" · {age(now - arrived)} old")] if arrived is not None and _is_older(lead, arrived) else []
    snoozed = lead.snoozed_until is not None and lead.snoozed_until > now
    owner = [words(" · "), person(lead.owner)] if lead.owner else [words(" · nobody has it")]
    return [
        *(icon(_ICONS[state]), words(f" {state}{waits}{' · snoozed' if snoozed else ''}"), *old),
        *([] if state in states.FINISHED and not lead.owner else owner),
        *(words(" · "), link(found.url, "Open")),
    ]


def _is_older(lead: Lead, arrived: datetime) -> bool:
    """Whether its own age tells more than how long its customer waits."""
    return lead.waiting_since is None or lead.waiting_since - arrived > timedelta(minutes=1)


def age(length: timedelta) -> str:
    """How long something is ago, in its largest unit: a person judges by it, and does not count."""
    minutes = max(0, int(length.total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min" if minutes else "less than a minute"
    if minutes < 48 * 60:
        return f"{minutes // 60} h"
    return f"{minutes // (24 * 60)} days"


def pager(page: Page[Any], *, back: tuple[str, str], forth: tuple[str, str]) -> list[Block]:
    """Which of them these are, and the buttons to the pages beside this one, where there are any.

    `back` and `forth`: each button's action_id and what it carries.
    """
    beside = [
        *([button(back[0], "Back", back[1])] if page.number else []),
        *([button(forth[0], "More", forth[1])] if page.has_more else []),
    ]
    if not beside:
        return []
    return [small_plain(f"{page.first + 1} to {page.first + len(page.found)} of {page.total}"), actions(beside)]


def for_members() -> Post:
    """For a guest, or a person of another company: they read leads where they were let in."""
    told = "Lists of leads are for members of this workspace. In a channel that you are in, you can read its leads."
    return Post(text=told, blocks=[rich(line(icon("lock"), words(f" {told}")))])


def not_asked() -> Post:
    """Slack was asked where somebody may look, and did not answer."""
    told = "Slack did not say in which channels you are, so no leads can be shown. Try again in a minute."
    return Post(text=told, blocks=[rich(line(icon("hourglass"), words(f" {told}")))])


def cannot_turn() -> Post:
    """A button of a list that is no longer understood."""
    told = "This list is too old to turn its pages. Type /thumbtack leads again."
    return Post(text=told, blocks=[rich(line(words(told)))])
