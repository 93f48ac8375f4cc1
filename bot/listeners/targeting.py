"""Pausing and resuming new leads: what people type, choose and press is stored; the dispatcher asks Thumbtack."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot import access, answers
from bot.blocks import targeting as blocks
from bot.blocks.posts import Post
from bot.blocks.reading import row_id
from bot.blocks.targeting import Subject
from bot.listeners.pausing import Wish, called, of_business, of_some_business, store, want, why_not
from bot.listeners.verbs import Asked, Verb
from bot.services import Services
from storage import audit, businesses, targeting
from storage.database import Transaction
from storage.targeting import Category

LONGEST = 200
"""Characters behind the verb: they travel in a block_id, which may have 255."""

Act = Callable[[Transaction, "Pressed"], Awaitable[Post]]


async def pause(asked: Asked) -> Post:
    """`pause [business] [category] [for … | until …]`."""
    return await _asked(asked, enabled=False)


async def resume(asked: Asked) -> Post:
    """`resume [business] [category]`."""
    return await _asked(asked, enabled=True)


PAUSE = Verb(
    sentence="stops new leads: `[business] [category] [for 2h | until 7am | until Mon 8:00]`",
    usage=("pause", "pause for 2h", "pause Interior Painting until Mon 8:00"),
    run=pause,
    managers_only=True,
)
RESUME = Verb(
    sentence="lets new leads in again: `[business] [category]`",
    usage=("resume", "resume Interior Painting"),
    run=resume,
    managers_only=True,
)


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the buttons and the menus."""
    for action_id, act in ACTIONS.items():
        app.action(action_id)(_listener(services, act))


async def _asked(asked: Asked, *, enabled: bool) -> Post:
    wish = Wish(
        services=asked.services,
        team_id=asked.team_id,
        user_id=asked.user_id,
        url=asked.response_url,
        enabled=enabled,
        words=" ".join(asked.words),
    )
    if len(wish.words) > LONGEST:
        return blocks.too_long()
    async with asked.services.database.transaction() as tx:
        return await of_some_business(tx, wish)


# Menus and buttons


@dataclass(frozen=True, kw_only=True)
class Pressed:
    """Something was pressed or chosen. `value`: our id, or Thumbtack's of a category; `block_id`: what it answers."""

    services: Services
    team_id: str
    user_id: str
    url: str
    value: str
    block_id: str

    def wish(self, *, enabled: bool, key: str, words: str = "") -> Wish:
        """What whoever pressed it wants."""
        return Wish(
            services=self.services,
            team_id=self.team_id,
            user_id=self.user_id,
            url=self.url,
            enabled=enabled,
            words=words,
            key=key,
        )

    @property
    def answered(self) -> Wish:
        """What whoever answered a question had typed before."""
        verb, key, words = (*self.block_id.split("|", 2), "", "")[:3]
        return self.wish(enabled=verb == "resume", key=key, words=words)

    @property
    def row_id(self) -> int:
        """The value as our own id; 0, which is no row's, for what is not ours."""
        return row_id(self.value)


async def _business_chosen(tx: Transaction, pressed: Pressed) -> Post:
    business = await businesses.get(tx, pressed.row_id)
    return blocks.already() if business is None else await of_business(tx, pressed.answered, business)


async def _category_chosen(tx: Transaction, pressed: Pressed) -> Post:
    business_id, _, when = pressed.answered.words.partition(" ")
    business = await businesses.get(tx, row_id(business_id))
    if business is None:
        return blocks.already()
    subject = Subject(business=blocks.named(business.name, business.thumbtack_id))
    if reason := await why_not(tx, business):
        return blocks.cannot(subject, reason, enabled=pressed.answered.enabled)
    category = called(await targeting.categories(tx, business.id or 0), pressed.value)
    if category is None:
        return blocks.already()
    return await store(tx, pressed.answered, business, category, when or None)


async def _undone(tx: Transaction, pressed: Pressed) -> Post:
    """Back to how it was before, as long as nothing else was set since. The value is the change in the audit trail."""
    change = await audit.get(tx, pressed.row_id)
    set_by_it = None if change is None else targeting.named_by(change.subject)
    if change is None or set_by_it is None:
        return blocks.already()
    until = change.before.get("until")
    if until is not None and datetime.fromisoformat(until) <= pressed.services.clock():
        return blocks.nothing_before()
    wish = pressed.wish(enabled=change.before.get("enabled") is not False, key=f"undo:{change.id}")
    return await _set_back(tx, wish, *set_by_it, {"until": until, "undo": True})


async def _resumed(tx: Transaction, pressed: Pressed) -> Post:
    row = await targeting.get(tx, pressed.row_id)
    if row is None or row.set_enabled is not False:
        return blocks.already()
    wish = pressed.wish(enabled=True, key=f"resume:{row.set_version}")
    return await _set_back(tx, wish, pressed.row_id, row.set_version, {})


async def _set_back(tx: Transaction, wish: Wish, targeting_id: int, set_version: int, more: dict[str, Any]) -> Post:
    row = await targeting.get(tx, targeting_id)
    business = None if row is None else await businesses.get(tx, row.business_id)
    if row is None or business is None or row.set_version != set_version:
        return blocks.already()
    subject = Subject(business=blocks.named(business.name, business.thumbtack_id), category=row.category)
    if reason := await why_not(tx, business):
        return blocks.cannot(subject, reason, enabled=wish.enabled)
    category = Category(category_id=row.category_id, name=row.category or "") if row.category_id else None
    if not await want(tx, wish, row.business_id, category, {"since": set_version, **more}):
        return blocks.already()
    return blocks.asked(subject, enabled=wish.enabled, when=None)


ACTIONS: Mapping[str, Act] = {
    blocks.BUSINESS: _business_chosen,
    blocks.CATEGORY: _category_chosen,
    blocks.UNDO: _undone,
    blocks.RESUME: _resumed,
}
QUESTIONS = frozenset({blocks.BUSINESS, blocks.CATEGORY})
"""What is answered in its own place; buttons stay."""


def _listener(services: Services, act: Act) -> Callable[..., Any]:
    async def on_press(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
        pressed = Pressed(
            services=services,
            team_id=context.team_id or "",
            user_id=body["user"]["id"],
            url=str(body.get("response_url") or ""),
            value=str(action.get("value") or (action.get("selected_option") or {}).get("value") or ""),
            block_id=str(action.get("block_id") or ""),
        )
        refused = await access.refusal(services, team_id=pressed.team_id, user_id=pressed.user_id)
        async with services.database.transaction() as tx:
            post = refused or await act(tx, pressed)
            await answers.enqueue(
                tx,
                services.vault,
                url=pressed.url,
                post=post,
                now=services.clock(),
                replace=refused is None and action["action_id"] in QUESTIONS,
                or_tell=pressed.user_id,
            )
        await ack()

    return on_press
