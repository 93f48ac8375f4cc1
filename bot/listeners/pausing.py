"""What somebody wants of new leads, from what they typed: whose, on or off, until when; stored and enqueued."""

import difflib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import structlog

from bot import choosing, features, times
from bot.blocks import targeting as blocks
from bot.blocks.posts import Post
from bot.blocks.targeting import Cannot, Subject
from bot.services import Services
from storage import connections, outbox, targeting
from storage.database import Transaction
from storage.models import Business, ConnectionState, Generation
from storage.outbox import Kind, targeting_lane
from storage.targeting import Category

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody wants: new leads on or off. `words`: what they typed behind the verb (and the business).

    `key` names the question that a choice answers: chosen twice, it has one effect.
    """

    services: Services
    team_id: str
    user_id: str
    url: str
    enabled: bool
    words: str
    key: str | None = None

    @property
    def now(self) -> datetime:
        """The time by the program's clock."""
        return self.services.clock()

    @property
    def block_id(self) -> str:
        """What a question carries, so that its answer knows what was wanted."""
        return f"{'resume' if self.enabled else 'pause'}|{secrets.token_hex(8)}|{self.words}"


async def of_some_business(tx: Transaction, wish: Wish) -> Post:
    """For the business that is named, or the only one."""
    environment = wish.services.settings.thumbtack_environment
    found = await connections.connected_businesses(tx, environment=environment, generation=Generation.LEGACY)
    if not found:
        return blocks.no_business()
    chosen = choosing.business(found, wish.words)
    if len(found) == 1 and await _begins_with_a_category(tx, found[0], wish.words):
        chosen = choosing.Chosen(business=found[0], choices=(), rest=wish.words)  # it may begin as the business does
    if chosen.business is not None:
        return await of_business(tx, replace(wish, words=chosen.rest), chosen.business)
    choices = [(one.id or 0, blocks.named(one.name, one.thumbtack_id)) for one in chosen.choices]
    question = replace(wish, words=chosen.rest)
    return blocks.choose_business(choices, block_id=question.block_id, enabled=wish.enabled)


async def _begins_with_a_category(tx: Transaction, business: Business, words: str) -> bool:
    known = await targeting.categories(tx, business.id or 0)
    return any(called(known, typed) for typed in (words, times.split(words)[0]))


async def of_business(tx: Transaction, wish: Wish, business: Business) -> Post:
    """`wish.words`: a category and a time, or one of them, or nothing."""
    subject = Subject(business=blocks.named(business.name, business.thumbtack_id))
    if reason := await why_not(tx, business):
        return blocks.cannot(subject, reason, enabled=wish.enabled)
    known = await targeting.categories(tx, business.id or 0)
    typed, when = (wish.words, None) if called(known, wish.words) else times.split(wish.words)
    if refused := _wrong_time(wish, when):
        return refused
    category = called(known, typed)
    if typed and category is None:
        question = replace(wish, words=f"{business.id} {when or ''}".strip())
        closest = [(one.category_id, one.name) for one in _closest(known, typed)]
        return blocks.choose_category(typed, closest, block_id=question.block_id, subject=subject)
    return await store(tx, wish, business, category, when)


async def why_not(tx: Transaction, business: Business) -> Cannot | None:
    """What is known already to be in the way."""
    connection = await connections.of_business(tx, business.id, Generation.LEGACY)
    if connection is None:
        return Cannot.NOT_CONNECTED
    if connection.state == ConnectionState.BROKEN:
        return Cannot.RECONNECT
    return None if features.TARGETING in features.works(Generation.LEGACY, connection.scopes) else Cannot.SCOPE_MISSING


def _wrong_time(wish: Wish, when: str | None) -> Post | None:
    """What is wrong with the time in any time zone; the rest is seen when Slack has said which one it is."""
    if when is None:
        return None
    if wish.enabled:
        return blocks.no_time_for_resume()
    if not times.is_readable(when):
        return blocks.bad_time(times.Refusal.UNREADABLE)
    found = wish.now if times.needs_zone(when) else times.instant(when, now=wish.now, zone=UTC)
    return blocks.bad_time(found) if isinstance(found, times.Refusal) else None


def called(known: Sequence[Category], typed: str) -> Category | None:
    """The category with this name or id, else the only one whose name begins so."""
    said = typed.casefold()
    same = [one for one in known if said in (one.name.casefold(), one.category_id)]
    alike = same or [one for one in known if said and one.name.casefold().startswith(said)]
    return alike[0] if len(alike) == 1 else None


def _closest(known: Sequence[Category], typed: str) -> list[Category]:
    """The categories, the one that is most like what was typed first."""

    def likeness(one: Category) -> float:
        name, said = one.name.casefold(), typed.casefold()
        return difflib.SequenceMatcher(None, name, said).ratio() + (said in name)

    return sorted(known, key=likeness, reverse=True)


async def store(tx: Transaction, wish: Wish, business: Business, category: Category | None, when: str | None) -> Post:
    """Store and enqueue what is wanted, `when` in their own words; what the person is told at once."""
    subject = Subject(
        business=blocks.named(business.name, business.thumbtack_id), category=category.name if category else None
    )
    is_new = await want(tx, wish, business.id or 0, category, {"when": when})
    return blocks.asked(subject, enabled=wish.enabled, when=when) if is_new else blocks.already()


async def want(tx: Transaction, wish: Wish, business_id: int, category: Category | None, more: dict[str, Any]) -> bool:
    """Note what is wanted, and have Thumbtack asked; False where this very question was answered before."""
    row = await targeting.want(
        tx,
        business_id=business_id,
        category=category,
        enabled=wish.enabled,
        by=wish.user_id,
        now=wish.now,
        key=wish.key,
    )
    if row is None:
        return False
    lane = targeting_lane(business_id)
    if (earlier := await outbox.pending_of(tx, lane, Kind.SET_TARGETING)) is not None:
        earlier.due_at = wish.now  # it may wait for Thumbtack; it sees at once whether it is still wanted
    payload = {
        "targeting_id": row.id,
        "version": row.version,
        "enabled": wish.enabled,
        "user": wish.user_id,
        "team_id": wish.team_id,
        "url": wish.services.vault.seal(wish.url),
        **more,
    }
    await outbox.enqueue(tx, Kind.SET_TARGETING, now=wish.now, lane=lane, priority=outbox.FIRST, payload=payload)
    log.info("targeting_wanted", targeting_id=row.id, version=row.version, enabled=wish.enabled)
    return True
