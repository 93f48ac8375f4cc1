"""Where leads go: the first rule that matches, else the business's own channel, else the one for everything else.

A channel that belongs to one business never takes another's leads unless a rule names that other business; one that is
closed to us (archived, left, deleted) is passed over. A rule without conditions is the one for everything else: it stands
behind the businesses' own channels, and before the deployment's default.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Select, Text, and_, bindparam, func, or_, select
from sqlmodel import col

from storage import businesses, channels
from storage.database import Transaction
from storage.models import Business, Lead, Route
from storage.prepared import Prepared
from storage.whole import Whole

Owners = Mapping[str, frozenset[int]]
"""The businesses, by our ids, to which each channel belongs alone."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a lead goes. `channel` None: nowhere yet, it waits; `ring` None: whom the deployment mentions.

    `rule`: the one that decided. `instead_of`: the channel that it would have gone to, were that one not closed.
    """

    channel: str | None
    ring: tuple[str, ...] | None = None
    rule: int | None = None
    instead_of: str | None = None


@dataclass(frozen=True, kw_only=True)
class Matter:
    """What rules look at: of a lead, or of a review that belongs to none."""

    business: Business | None
    categories: frozenset[str] = frozenset()
    zip_code: str = ""
    cost_cents: int | None = None

    @classmethod
    def of(cls, lead: Lead, business: Business | None) -> Self:
        """What a lead tells."""
        return cls(
            business=business,
            categories=frozenset(plain(name) for name in (lead.category, lead.category_id) if name),
            zip_code=lead.zip_code or "",
            cost_cents=lead.charge_cents,
        )


async def rules(tx: Transaction) -> Sequence[Route]:
    """The rules, in the order in which they are tried."""
    return (await tx.execute(select(Route).order_by(col(Route.position), col(Route.id)))).scalars().all()


async def place_of(tx: Transaction, lead: Lead, *, default: str | None) -> Place:
    """Where this lead goes; `default` is the deployment's channel for all leads."""
    business = await businesses.get(tx, lead.business_id)
    return await place_for(tx, Matter.of(lead, business), default=default)


async def may_go(tx: Transaction, lead: Lead, channel: str, *, default: str | None) -> bool:
    """Whether the place that was decided for a lead is one still: it may have become another business's own since."""
    owners = {owner for (owner,) in await _OWNED_BY.all(tx, called=channel)}
    if not owners or lead.business_id in owners:
        return True
    return (await place_of(tx, lead, default=default)).channel == channel


async def place_for(tx: Transaction, matter: Matter, *, default: str | None) -> Place:
    """Where something goes that is about a business; the first place that is not closed, else the one it waits for."""
    return chosen(
        await _candidates(tx, matter), matter, await _owners(tx), closed=await channels.closed(tx), default=default
    )


def chosen(
    found: Sequence[Route], matter: Matter, owners: Owners, *, closed: Collection[str], default: str | None
) -> Place:
    """Likewise from the rules in their order, and which channels are closed to us."""
    places = list(_places(found, matter, owners, default=default))
    if not places:
        return Place(channel=None)
    first = places[0]
    for place in places:
        if place.channel not in closed:
            return place if place is first else Place(channel=place.channel, ring=first.ring, instead_of=first.channel)
    return first


def _places(found: Sequence[Route], matter: Matter, owners: Owners, *, default: str | None) -> Iterator[Place]:
    """The rule that decides, then what there is without it."""
    own = matter.business.channel if matter.business is not None else None
    decides = (rule for rule in found if has_conditions(rule) and matches(rule, matter) and _may(rule, matter, owners))
    for rule in decides:
        yield Place(channel=rule.channel, ring=tuple(rule.ring) or None, rule=rule.id)
        break
    if own is not None:
        yield Place(channel=own)
    for rule in found:
        if not has_conditions(rule) and _may(rule, matter, owners):
            yield Place(channel=rule.channel, ring=tuple(rule.ring) or None, rule=rule.id)
            break
    if default is not None and is_open_to(default, matter.business, owners):
        yield Place(channel=default)


async def _candidates(tx: Transaction, matter: Matter) -> Sequence[Route]:
    """The rules that may fit, so that not thousands are read for each lead; what fits is decided by `misfit`."""
    found = await _CANDIDATES.all(
        tx,
        called="" if matter.business is None else matter.business.thumbtack_id,
        zip=matter.zip_code,
        cents=-1 if matter.cost_cents is None else matter.cost_cents,
    )
    return [ROUTE.of(tx, row) for row in found]


def has_conditions(rule: Route) -> bool:
    """Whether a rule is about some leads only; one without conditions is for everything else."""
    return any(value is not None for value in (rule.business, rule.category, rule.zip_prefix, rule.min_cents))


def matches(rule: Route, matter: Matter) -> bool:
    """Whether a rule says something about this; what a lead does not tell matches no condition."""
    return misfit(rule, matter) is None


def misfit(rule: Route, matter: Matter) -> str | None:
    """The first condition of a rule that does not hold: "business", "category", "zip" or "cost"; None where all do."""
    business = matter.business
    if rule.business is not None and (business is None or business.thumbtack_id != rule.business):
        return "business"
    if rule.category is not None and plain(rule.category) not in matter.categories:
        return "category"
    if rule.zip_prefix is not None and not matter.zip_code.startswith(rule.zip_prefix):
        return "zip"
    if rule.min_cents is not None and (matter.cost_cents is None or matter.cost_cents < rule.min_cents):
        return "cost"
    return None


def plain(name: str) -> str:
    """A category's name as it is compared."""
    return " ".join(name.split()).casefold()


def is_open_to(channel: str, business: Business | None, owners: Owners) -> bool:
    """Whether this business's leads may go to a channel by a rule that does not name it, or by no rule at all."""
    belongs_to = owners.get(channel)
    return not belongs_to or (business is not None and business.id in belongs_to)


def _may(rule: Route, matter: Matter, owners: Owners) -> bool:
    return rule.business is not None or is_open_to(rule.channel, matter.business, owners)


async def owners_of(tx: Transaction, channel: str) -> Sequence[Business]:
    """The businesses to which a channel belongs alone."""
    query = select(Business).where(col(Business.channel) == channel).order_by(col(Business.id))
    return (await tx.execute(query)).scalars().all()


async def is_used(tx: Transaction, channel: str) -> bool:
    """Whether a business or a rule sends leads to this channel."""
    if await owners_of(tx, channel):
        return True
    query = select(col(Route.id)).where(col(Route.channel) == channel).limit(1)
    return (await tx.execute(query)).first() is not None


async def _owners(tx: Transaction) -> Owners:
    found: dict[str, frozenset[int]] = {}
    for channel, business_id in await _OWNERS.all(tx):
        found[channel] = found.get(channel, frozenset()) | {business_id}
    return found


def _that_may_fit() -> Select[*tuple[Any, ...]]:
    of_business, zip_prefix, min_cents = col(Route.business), col(Route.zip_prefix), col(Route.min_cents)
    beginning = func.substr(bindparam("zip", type_=Text), 1, func.length(zip_prefix))
    query = select(*ROUTE.columns).where(
        or_(of_business.is_(None), of_business == bindparam("called")),
        or_(zip_prefix.is_(None), and_(zip_prefix != "", zip_prefix == beginning)),
        or_(min_cents.is_(None), min_cents <= bindparam("cents")),
    )
    return query.order_by(col(Route.position), col(Route.id))


# Asked for each lead; building them takes longer than asking them.
ROUTE = Whole(Route)
_CANDIDATES = Prepared(_that_may_fit())
_OWNERS = Prepared(select(col(Business.channel), col(Business.id)).where(col(Business.channel).is_not(None)))
_OWNED_BY = Prepared(select(col(Business.id)).where(col(Business.channel) == bindparam("called")))
