"""The page behind `/thumbtack status`: what is connected, what is set, what waits, and who changed what last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from bot.blocks import webhooks
from bot.blocks.changes import API_NAMES, MOST, and_more, change, people, short, who
from bot.blocks.kit import (
    LARGEST,
    Block,
    Element,
    bullets,
    channel_name,
    divider,
    header,
    icon,
    line,
    moment,
    rich,
    size,
    small,
    words,
)
from bot.blocks.mrkdwn import shorten, visible
from bot.blocks.posts import Post
from bot.blocks.settings_people import Keepers
from bot.blocks.webhooks import WebhookView
from storage.models import Audit, Business, Connection, ConnectionState, Environment, Erasure, Generation, Targeting
from storage.overview import Backlog

BUSINESSES, CATEGORIES, CHANGES = 8, 4, 5
"""How many of each are shown at most; the rest is counted."""

_ROOM_FOR_CHANGES = 3_500  # bytes of LARGEST

_LONGEST_NAME = 80
_AROUND = 100


@dataclass(frozen=True, kw_only=True)
class Connected:
    """A connection: which features work by it, which lack which scopes, and when its consent lapses if not renewed."""

    row: Connection
    works: Sequence[str]
    lacks: Mapping[str, Sequence[str]]
    lapses_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class BusinessView:
    """A connected business, or one that is being erased. `webhook`: of one that v4 is connected for."""

    business: Business
    connections: Sequence[Connected]
    targeting: Sequence[Targeting]
    erasure: Erasure | None
    webhook: WebhookView | None = None


@dataclass(frozen=True, kw_only=True)
class StatusView:
    """All that the page shows. `others`: businesses that send leads without being connected.

    `others_answered`: whether replies to those go out all the same. `unclear`: connections of which nobody has said yet
    for which businesses they are. `earlier`: changes before the last ones. `names`: our businesses' names by id.
    """

    environment: Environment
    businesses: Sequence[BusinessView]
    unclear: Sequence[Connection]
    others: Sequence[Business]
    others_answered: bool
    keepers: Keepers
    allowed: Sequence[str]
    backlog: Backlog
    changes: Sequence[Audit]
    earlier: int
    names: Mapping[int, str]


def page(view: StatusView) -> Post:
    """The whole page, for who asked alone."""
    above = [
        header("How Corkboard stands"),
        *([small(":test_tube: Thumbtack's test environment (staging).")] if _is_staging(view) else []),
        *([] if view.businesses else [_nothing()]),
    ]
    below = [
        *([_unclear(view.unclear)] if view.unclear else []),
        *([_others(view)] if view.others else []),
        divider(),
        _people(view),
        queue(view.backlog),
        divider(),
        _changes(view),
    ]
    businesses = _fitting([_business(one) for one in view.businesses[:BUSINESSES]], LARGEST - size(above + below))
    more = len(view.businesses) - len(businesses)
    if more:
        businesses.append([rich(line(words(f"And {more} more connected businesses.")))])
    return Post(text="How Corkboard stands", blocks=[*above, *chain.from_iterable(businesses), *below])


def _fitting(parts: Sequence[list[Block]], room: int) -> list[list[Block]]:
    """As many of the first ones as `room` bytes take."""
    shown = []
    for part in parts:
        room -= size(part) + _AROUND
        if room < 0:
            break
        shown.append(part)
    return shown


def _is_staging(view: StatusView) -> bool:
    return view.environment == Environment.STAGING


def _nothing() -> Block:
    return rich(line(words("No business is connected.", bold=True), words(" Type /thumbtack connect.")))


def _business(view: BusinessView) -> list[Block]:
    told = [part for connected in view.connections for part in _connection(connected)] or [[words("Not connected.")]]
    shown = view.targeting[:CATEGORIES]
    if view.webhook is not None:
        told.append(webhooks.shown(view.webhook))
    told += [_targeting(row) for row in shown]
    if len(shown) < len(view.targeting):
        told.append([words(f"And {len(view.targeting) - len(shown)} more categories.")])
    if view.erasure is not None:
        told.append(_erasure(view.erasure))
    buttons = [] if view.webhook is None else webhooks.buttons(view.webhook, view.business.id or 0)
    return [rich(line(words(name_of(view.business), bold=True)), bullets(told)), *buttons]


def _connection(view: Connected) -> list[list[Element]]:
    row, can = view.row, ", ".join(view.works) or "nothing works"
    told = [
        words(f"{_api(row)}: {can}. Connected by "),
        who(row.connected_by),
        words(", "),
        moment(row.connected_at),
    ]
    tokens = _tokens(view)
    return [[*told, words(".")], *([tokens] if tokens else []), *(_lack(*one) for one in view.lacks.items())]


def _api(row: Connection) -> str:
    return API_NAMES[Generation(row.generation)]


def _tokens(view: Connected) -> list[Element]:
    """What is wrong with the tokens, if anything."""
    row = view.row
    if row.state == ConnectionState.BROKEN:
        told = " Thumbtack no longer renews these tokens. Type /thumbtack connect: what waits goes out then."
        return [icon("rotating_light"), words(told)]
    if row.failing_since is not None:
        told = " These tokens could not be renewed since "
        last = [words(", until "), moment(view.lapses_at)] if view.lapses_at else []
        again = words("; it is tried again by itself")
        return [icon("warning"), words(told), moment(row.failing_since), again, *last, words(".")]
    if view.lapses_at is not None and row.renew_at is None:
        told = " These tokens are not renewed here. Type /thumbtack connect before "
        return [icon("warning"), words(told), moment(view.lapses_at), words(".")]
    return []


def _lack(feature: str, scopes: Sequence[str]) -> list[Element]:
    told = f" No {feature}: it was not allowed ({', '.join(scopes)}). Type /thumbtack connect and allow it."
    return [icon("no_entry_sign"), words(told)]


def _targeting(row: Targeting) -> list[Element]:
    """What was set last; Thumbtack cannot be asked what holds, so it says who set it and when."""
    what = "New leads" if not row.category_id else f"New leads for {short(row.category or row.category_id)}"
    told: list[Element] = [words(f"{what}: ")]
    if row.set_at is None:
        told.append(words("not set yet"))
    else:
        told += [*_on_or_off(enabled=bool(row.set_enabled), until=row.set_until), words(", as set by Corkboard at ")]
        told += [moment(row.set_at), *([words(" by order of "), who(row.set_by)] if row.set_by else [])]
    wanted, is_set = (row.enabled, row.until), (row.set_enabled, row.set_until)
    if row.failing_since is not None:
        told += [words("; "), icon("warning"), words(" not set to "), *_on_or_off(enabled=row.enabled, until=row.until)]
        told += [words(", tried since "), moment(row.failing_since)]
    elif wanted != is_set:
        told += [words("; being set to "), *_on_or_off(enabled=row.enabled, until=row.until)]
    return [*told, words(".")]


def _on_or_off(*, enabled: bool, until: datetime | None) -> list[Element]:
    if enabled:
        return [words("on")]
    return [words("paused", bold=True), *([words(" until "), moment(until)] if until else [])]


def _erasure(erasure: Erasure) -> list[Element]:
    bin_ = icon("wastebasket")
    if erasure.started_at is not None:
        return [bin_, words(" It is being erased since "), moment(erasure.started_at), words(".")]
    told = ". To keep it, type /thumbtack connect before then."
    return [bin_, words(" It will be erased "), moment(erasure.starts_at), words(told)]


def _unclear(connections: Sequence[Connection]) -> Block:
    told = [
        [
            *(words(f"{_api(row)}, connected by "), who(row.connected_by), words(", "), moment(row.connected_at)),
            words(": nobody said yet which it is for. Type /thumbtack connect."),
        ]
        for row in connections[:BUSINESSES]
    ]
    return rich(line(words("Without a business", bold=True)), bullets(told))


def _others(view: StatusView) -> Block:
    listed = ", ".join(short(name_of(one)) for one in view.others[:MOST])
    answered = "Replies go out all the same, but only to leads of the Pro API"
    replies = answered if view.others_answered else "Replies to them cannot go out"
    told = f" {listed}{and_more(len(view.others))}. {replies}. Connect with /thumbtack connect."
    return rich(line(words("Not connected:", bold=True), words(told)))


def _people(view: StatusView) -> Block:
    keepers = people(view.keepers.ids) or [words("none; set SLACK_KEEPERS")]
    allowed = people(view.allowed) or [words("nobody else")]
    others = [words("May change things besides them and the admins: ", bold=True), *allowed]
    return rich(line(words("Keepers: ", bold=True), *keepers, words("\n"), *others))


def queue(backlog: Backlog) -> Block:
    """What comes in and what goes out: how much of either waits, was given up, or could not be understood."""
    return rich(line(*_arriving(backlog), words("\n"), *_leaving(backlog)))


def _arriving(backlog: Backlog) -> list[Element]:
    told: list[Element] = [words("From Thumbtack: ", bold=True)]
    told += [words("last heard "), moment(backlog.heard_at)] if backlog.heard_at else [words("nothing came yet")]
    if backlog.unread:
        told.append(words(f"; {backlog.unread} not read yet"))
    if backlog.not_understood:
        told.append(words(f"; {backlog.not_understood} not understood: a keeper sees them with corkboard inbox list"))
    return [*told, words(".")]


def _leaving(backlog: Backlog) -> list[Element]:
    told: list[Element] = [words("To be sent: ", bold=True)]
    if backlog.waiting:
        told.append(words(f"{backlog.waiting} waiting"))
        told += [words(", the first since "), moment(backlog.oldest)] if backlog.oldest else []
    else:
        told.append(words("nothing waits"))
    if backlog.dead:
        told.append(words(f"; {backlog.dead} given up: a keeper sees them with corkboard outbox list"))
    return [*told, words("."), *_held(backlog.held)]


def _held(held: Sequence[str]) -> list[Element]:
    if not held:
        return []
    names: list[Element] = []
    for channel in held[:MOST]:
        names += [*([words(", ")] if names else []), channel_name(channel)]
    told = f"{and_more(len(held))}: Slack refuses posts there, and what is for it waits. Is Corkboard in it?"
    return [words("\n"), icon("warning"), words(" "), *names, words(told)]


def _changes(view: StatusView) -> Block:
    if not view.changes:
        return rich(line(words("Last changes: ", bold=True), words("none yet.")))
    shown = _fitting([change(entry, view.names) for entry in view.changes], _ROOM_FOR_CHANGES)
    earlier = view.earlier + len(view.changes) - len(shown)
    if earlier:
        shown.append([words(f"And {earlier} earlier.")])
    return rich(line(words("Last changes", bold=True)), bullets(shown))


def name_of(business: Business) -> str:
    """What a business is called, by its id where it has no name."""
    return shorten(visible(business.name) or f"Business {business.thumbtack_id}", _LONGEST_NAME)
