"""The Home tab: a person's own leads, those that wait, how each business stands, and what needs a keeper."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.blocks import found as found_blocks
from bot.blocks import status
from bot.blocks.changes import API_NAMES, and_more, short
from bot.blocks.found import FoundLead
from bot.blocks.kit import (
    Block,
    Element,
    actions,
    bullets,
    button,
    channel_name,
    divider,
    header,
    icon,
    line,
    lines,
    moment,
    plain,
    rich,
    section,
    small,
    words,
)
from bot.blocks.mrkdwn import date
from bot.blocks.posts import Post
from storage.models import Connection, ConnectionState, Generation, Targeting
from storage.overview import Backlog, Standing
from storage.searching import Found, Page

FORTH, BACK, REFRESH = "home_page", "home_page_back", "home_refresh"
SETTINGS, STATUS = "home_settings", "home_status"
"""What can be pressed on the tab. The first three carry the pages that are to be shown then."""

_CLOSED = {
    "archived": "is archived",
    "deleted": "was deleted",
    "removed": "is left: invite Corkboard again",
}

PAGE = 5
"""How many of each list are shown at once."""

_MOST_PAGES = 5  # digits of a page's number
_PROBLEMS = 5


@dataclass(frozen=True, kw_only=True)
class Pages:
    """Which page of each list is shown, from 0."""

    mine: int = 0
    unanswered: int = 0
    businesses: int = 0

    @property
    def value(self) -> str:
        """As a button carries it."""
        return f"{self.mine}.{self.unanswered}.{self.businesses}"

    def turned(self, which: str, number: int) -> "Pages":
        """With another page of one list."""
        now = {"mine": self.mine, "unanswered": self.unanswered, "businesses": self.businesses}
        return Pages(**{**now, which: number})


def pages_of(value: object) -> Pages:
    """What a button carried; the first pages for what is not understood."""
    parts = str(value).split(".")
    if len(parts) != 3 or not all(one.isascii() and one.isdecimal() and len(one) <= _MOST_PAGES for one in parts):
        return Pages()
    mine, unanswered, businesses = map(int, parts)
    return Pages(mine=mine, unanswered=unanswered, businesses=businesses)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A page of leads, and what is shown of each."""

    page: Page[Found]
    found: Sequence[FoundLead]


@dataclass(frozen=True, kw_only=True)
class Businesses:
    """A page of businesses. `heard`: by our id, when Thumbtack last told of each."""

    page: Page[Standing]
    heard: Mapping[int, datetime]


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """What a keeper looks after: the queue, connections that must be made again, channels that are closed and why."""

    backlog: Backlog
    broken: Sequence[str]
    closed: Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class HomeView:
    """All that the tab shows. `mine` and `unanswered` are None where `refused` says why they are not shown.

    `businesses` is None for guests and strangers; `trouble` is for who may change things, and so are the settings.
    """

    mine: Listed | None
    unanswered: Listed | None
    refused: Post | None
    businesses: Businesses | None
    trouble: Trouble | None
    now: datetime


def tab(view: HomeView) -> dict[str, Any]:
    """The view that views.publish takes (docs.slack.dev/surfaces/app-home)."""
    pages = _pages(view)
    blocks = [
        *_leads("Your leads", "mine", view.mine, view, pages),
        *_leads("Waiting for an answer", "unanswered", view.unanswered, view, pages),
        *(view.refused.blocks if view.refused else []),
        *_businesses(view.businesses, pages),
        *_trouble(view.trouble),
        divider(),
        *_foot(view, pages),
    ]
    return {"type": "home", "blocks": blocks}


def _pages(view: HomeView) -> Pages:
    """Those that are shown, where a list has become shorter than somebody thought."""
    return Pages(
        mine=view.mine.page.number if view.mine else 0,
        unanswered=view.unanswered.page.number if view.unanswered else 0,
        businesses=view.businesses.page.number if view.businesses else 0,
    )


_NONE = {
    "mine": "You have no open lead. Press “I've got it” on a lead's card to take one.",
    "unanswered": ":white_check_mark: Nobody waits for an answer.",
}


def _leads(title: str, which: str, listed: Listed | None, view: HomeView, pages: Pages) -> list[Block]:
    if listed is None:
        return []
    if not listed.found:
        return [header(title), section(_NONE[which])]
    shown = found_blocks.rows(listed.found, now=view.now)
    return [header(f"{title} ({listed.page.total})"), *shown, *_pager(listed.page, which, pages)]


def _pager(page: Page[Any], which: str, pages: Pages) -> list[Block]:
    back, forth = pages.turned(which, max(0, page.number - 1)), pages.turned(which, page.number + 1)
    return found_blocks.pager(page, back=(BACK, back.value), forth=(FORTH, forth.value))


def _businesses(businesses: Businesses | None, pages: Pages) -> list[Block]:
    if businesses is None:
        return []
    if not businesses.page.found:
        return [header("Businesses"), section("No business is known yet. Type `/thumbtack connect`.")]
    told = [rich(lines(*_business(one, businesses.heard))) for one in businesses.page.found]
    return [header("Businesses"), *told, *_pager(businesses.page, "businesses", pages)]


def _business(standing: Standing, heard: Mapping[int, datetime]) -> list[list[Element]]:
    """Its name, whether it is connected and gets new leads, and when Thumbtack told of it last."""
    at = heard.get(standing.business.id or 0)
    last = [words("last event "), moment(at)] if at is not None else [words("no event yet")]
    return [
        [words(status.name_of(standing.business), bold=True)],
        [*_connected(standing), *_paused(standing.targeting), words(" · "), *last],
    ]


def _connected(standing: Standing) -> list[Element]:
    if standing.erasure is not None:
        return [icon("wastebasket"), words(" to be erased")]
    if not standing.connections:
        return [icon("no_entry_sign"), words(" not connected")]
    if any(map(_is_broken, standing.connections)):
        return [icon("rotating_light"), words(" must be connected again")]
    names = dict.fromkeys(API_NAMES[Generation(one.generation)] for one in standing.connections)
    return [icon("large_green_circle"), words(f" connected ({', '.join(names)})")]


def _is_broken(connection: Connection) -> bool:
    return connection.state == ConnectionState.BROKEN


def _paused(targeting: Sequence[Targeting]) -> list[Element]:
    """Whether new leads are paused, as set here last; what is on, or was never set, is not told."""
    paused = [one for one in targeting if one.set_enabled is False]
    whole = next((one for one in paused if not one.category_id), None)
    if whole is not None:
        until = [words(" until "), moment(whole.set_until)] if whole.set_until else []
        return [words(" · "), icon("double_vertical_bar"), words(" paused"), *until]
    if paused:
        count = "1 category" if len(paused) == 1 else f"{len(paused)} categories"
        return [words(" · "), icon("double_vertical_bar"), words(f" {count} paused")]
    return []


def _trouble(trouble: Trouble | None) -> list[Block]:
    if trouble is None:
        return []
    told: list[list[Element]] = [
        *([words(f"{short(name)} must be connected again: type /thumbtack connect.")] for name in trouble.broken),
        *(
            [
                channel_name(channel),
                words(f" {_CLOSED.get(why, 'is closed to Corkboard')}: its leads go elsewhere, or wait."),
            ]
            for channel, why in trouble.closed
        ),
    ]
    more = and_more(len(told), most=_PROBLEMS)
    shown = [*told[:_PROBLEMS], *([[words(more.strip().capitalize())]] if more else [])]
    problems = rich(line(words("Problems", bold=True)), bullets(shown)) if shown else rich(line(words("No problems.")))
    return [header("For keepers"), status.queue(trouble.backlog), problems]


def _foot(view: HomeView, pages: Pages) -> list[Block]:
    buttons = [button(REFRESH, "Refresh", pages.value)]
    if view.businesses is not None:
        buttons.append(button(STATUS, "Status", 0))
    if view.trouble is not None:
        buttons.append(button(SETTINGS, "Settings", 0))
    hint = "`/thumbtack leads` finds a lead by name, city or phone number. " if view.mine is not None else ""
    return [actions(buttons), small(f"{hint}As of {date(view.now)}.")]


def status_window(post: Post) -> dict[str, Any]:
    """The page of `/thumbtack status` as a window."""
    return {"type": "modal", "title": plain("Status"), "close": plain("Close"), "blocks": list(post.blocks)}


def did_not_open(verb: str) -> Post:
    """For who pressed a button of the tab, where Slack did not show the window: it must come within 3 s."""
    told = f"The window did not open in time. Press the button again, or type `/thumbtack {verb}`."
    return Post(text=told, blocks=[section(told)])
