"""Changing the rules about where leads go: one at a time, or all of them by a file; each change is on the record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import col

from storage import audit, lanes
from storage.database import Transaction
from storage.models import Route
from storage.routing import has_conditions, rules


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule as people write it: its conditions (None: any), where leads go then, and whom to mention there."""

    channel: str
    business: str | None = None
    category: str | None = None
    zip_prefix: str | None = None
    min_cents: int | None = None
    ring: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class By:
    """Who changes the rules, and when; `actor` None: on the server's command line."""

    team_id: str | None
    actor: str | None
    now: datetime


def rule_of(row: Route) -> Rule:
    """A row as people write it."""
    return Rule(
        channel=row.channel,
        business=row.business,
        category=row.category,
        zip_prefix=row.zip_prefix,
        min_cents=row.min_cents,
        ring=tuple(row.ring),
    )


async def save(tx: Transaction, rule: Rule, *, rule_id: int | None, by: By) -> Route:
    """Add a rule behind the others, or change one; one that is gone meanwhile is added again.

    One that stands there word for word is not added twice.
    """
    found = await _held(tx)
    row = next((one for one in found if one.id == rule_id or (rule_id is None and rule_of(one) == rule)), None)
    before = None if row is None else rule_of(row)
    if row is None:
        row = Route(position=_behind(found), channel=rule.channel)
        tx.add(row)
    _fill(row, rule)
    await tx.flush()
    if before != rule:
        _record(tx, by, before, rule)
    return row


async def for_everything_else(tx: Transaction, channel: str, *, by: By) -> Route:
    """Let a channel take all leads of which no rule and no business says otherwise."""
    found = await _held(tx)
    row = next((one for one in found if not has_conditions(one)), None)
    return await save(tx, Rule(channel=channel), rule_id=None if row is None else row.id, by=by)


async def remove(tx: Transaction, rule_id: int, *, by: By) -> bool:
    """Take a rule away; False where it is gone already."""
    row = next((one for one in await _held(tx) if one.id == rule_id), None)
    if row is None:
        return False
    _record(tx, by, rule_of(row), None)
    await tx.delete(row)
    await tx.flush()
    return True


async def move_up(tx: Transaction, rule_id: int, *, by: By) -> bool:
    """Let a rule be tried before the one that stands before it; False for the first, and for one that is gone."""
    found = list(await _held(tx))
    place = next((place for place, one in enumerate(found) if one.id == rule_id), 0)
    if place == 0:
        return False
    found[place - 1], found[place] = found[place], found[place - 1]
    for position, row in enumerate(found):
        row.position = position
    await tx.flush()
    changes = ({"place": place + 1}, {"place": place})
    audit.record(
        tx, team_id=by.team_id, actor=by.actor, action="route_moved", now=by.now, before=changes[0], after=changes[1]
    )
    return True


async def replace_all(tx: Transaction, wanted: Sequence[Rule], *, by: By) -> None:
    """These rules in this order, and no others."""
    count = len(await _held(tx))
    await tx.execute(delete(Route).where(col(Route.id).is_not(None)))
    for position, rule in enumerate(wanted):
        row = Route(position=position, channel=rule.channel)
        _fill(row, rule)
        tx.add(row)
    await tx.flush()
    changes = ({"rules": count}, {"rules": len(wanted)})
    audit.record(
        tx, team_id=by.team_id, actor=by.actor, action="routes_set", now=by.now, before=changes[0], after=changes[1]
    )


async def _held(tx: Transaction) -> Sequence[Route]:
    """The rules; of two who change them at once, the second sees what the first did."""
    await lanes.lock(tx, "routes")
    return await rules(tx)


def _behind(found: Sequence[Route]) -> int:
    return max((row.position for row in found), default=-1) + 1


def _fill(row: Route, rule: Rule) -> None:
    row.channel, row.ring = rule.channel, list(rule.ring)
    row.business, row.category, row.zip_prefix = rule.business, rule.category, rule.zip_prefix
    row.min_cents = rule.min_cents


def _record(tx: Transaction, by: By, before: Rule | None, after: Rule | None) -> None:
    audit.record(
        tx,
        team_id=by.team_id,
        actor=by.actor,
        action="route_removed" if after is None else "route_set",
        now=by.now,
        before=None if before is None else _told(before),
        after=None if after is None else _told(after),
    )


def _told(rule: Rule) -> dict[str, str | int]:
    told = {
        "business": rule.business,
        "category": rule.category,
        "zip": rule.zip_prefix,
        "min_cents": rule.min_cents,
        "channel": rule.channel,
        "mention": " ".join(rule.ring) or None,
    }
    return {name: value for name, value in told.items() if value is not None}
