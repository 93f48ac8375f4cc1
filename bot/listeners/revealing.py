"""Opening what is private: the one who presses sees it in a window, if they may, and that they did is written down."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot import access, lead_views
from bot.blocks import deliveries
from bot.blocks import revealed as blocks
from bot.blocks.posts import Post
from bot.blocks.reading import row_id
from bot.blocks.revealed import Opened
from bot.errors import Reason
from bot.listeners import acting, windows
from bot.reply_rules import Desk
from bot.services import Services
from storage import audit, conversation, leads, reviews, threads
from storage.database import Transaction
from storage.models import Lead, Review

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Who opens something."""

    services: Services
    team_id: str
    user_id: str


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the Open buttons, and to those that turn the pages of what was opened."""

    async def on_open(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
        await opened(_visitor(services, body, context), body, action)
        await ack()

    async def on_turn(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
        await turned(_visitor(services, body, context), body["view"], page=row_id(action.get("value")))
        await ack()

    for action_id in ("lead_reveal", "review_reveal"):
        app.action(action_id)(on_open)
    for action_id in (blocks.NEXT, blocks.BACK):
        app.action(action_id)(on_turn)


def _visitor(services: Services, body: Mapping[str, Any], context: AsyncBoltContext) -> Visitor:
    return Visitor(services=services, team_id=context.team_id or "", user_id=body["user"]["id"])


async def opened(visitor: Visitor, body: Mapping[str, Any], action: Mapping[str, Any]) -> None:
    """Show the window; it is on the record before anything is seen, also where Slack then does not show it."""
    services, pressed = visitor.services, row_id(action.get("value"))
    about = Opened(lead_id=pressed) if action["action_id"] == "lead_reveal" else Opened(review_id=pressed)
    told = await _refusal(visitor, about, pressed_in=(body.get("channel") or {}).get("id"))
    if told is None:
        async with services.database.transaction() as tx:
            view = await _recorded(visitor, tx, about)
        if view is None:
            told = deliveries.cannot(Reason.NO_LEAD)
        elif not await windows.opened(services, body.get("trigger_id"), view):
            told = blocks.did_not_open()
    if told is not None:
        async with services.database.transaction() as tx:
            await acting.whisper(tx, services, body, told)


async def turned(visitor: Visitor, view: Mapping[str, Any], *, page: int) -> None:
    """Show another page of what is open, as it stands now; who may not any more sees why."""
    about = blocks.opened_of(view.get("private_metadata"))
    told = await _refusal(visitor, about, pressed_in=None)
    changed = None if told is not None else await _page(visitor, about, page)
    await windows.updated(visitor.services, view, changed or blocks.closed(told or deliveries.cannot(Reason.NO_LEAD)))


async def _refusal(visitor: Visitor, about: Opened, *, pressed_in: str | None) -> Post | None:
    """None for who may see it: who is in its channel, and of this workspace or allowed. `pressed_in`: the channel."""
    async with visitor.services.database.reading() as tx:
        channel = await _channel(tx, about)
    if channel is None:
        return deliveries.cannot(Reason.NO_LEAD)
    if pressed_in not in (None, channel):
        return blocks.not_here()
    may, channels = await asyncio.gather(
        access.may_work(visitor.services, team_id=visitor.team_id, user_id=visitor.user_id),
        visitor.services.directory.channels_of(visitor.user_id),
    )
    if may is False:
        return blocks.for_members_only()
    if may is None or channels is None:
        return blocks.not_asked()
    return None if channel in channels else blocks.not_a_member()


async def _channel(tx: Transaction, about: Opened) -> str | None:
    """Where it stands; None where it is gone."""
    lead, review = await _found(tx, about)
    if review is not None and review.lead_id is None:
        return review.channel
    thread = await threads.of_lead(tx, review.lead_id if review else lead.id if lead else None)
    return thread.channel if thread else None


async def _found(tx: Transaction, about: Opened) -> tuple[Lead | None, Review | None]:
    if about.review_id:
        return None, await reviews.get(tx, about.review_id)
    return await leads.get(tx, about.lead_id), None


async def _page(visitor: Visitor, about: Opened, page: int) -> dict[str, Any] | None:
    async with visitor.services.database.reading() as tx:
        return await _window(visitor, tx, *await _found(tx, about), page=page)


async def _recorded(visitor: Visitor, tx: Transaction, about: Opened) -> dict[str, Any] | None:
    """The first page, and in the same transaction who opens it."""
    lead, review = await _found(tx, about)
    seen = lead or review
    if seen is None:
        return None
    audit.record(
        tx,
        team_id=visitor.team_id,
        actor=visitor.user_id,
        action="lead_opened" if lead else "review_opened",
        now=visitor.services.clock(),
        subject=str(seen.id),
        business_id=seen.business_id,
    )
    log.info("private_opened", lead_id=about.lead_id, review_id=about.review_id)
    return await _window(visitor, tx, lead, review, page=1)


async def _window(
    visitor: Visitor, tx: Transaction, lead: Lead | None, review: Review | None, *, page: int
) -> dict[str, Any] | None:
    if review is not None:
        return blocks.review_window(review, page=page)
    if lead is None:
        return None
    lead_id = leads.known(lead.id)
    desk = Desk(tx=tx, settings=visitor.services.settings, now=visitor.services.clock())
    return blocks.lead_window(
        replace(await lead_views.of(desk, lead), private=False, ring=(), ring_hint=False),
        messages=await conversation.said(tx, lead_id, limit=blocks.MESSAGES),
        reviews_=await reviews.of_lead(tx, lead_id),
        page=page,
    )
