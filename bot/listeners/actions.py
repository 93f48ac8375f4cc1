"""What people press: one effect, however often it is pressed, and a word about it in place of the button."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot import answers, replies
from bot.blocks import deliveries, leads, modals
from bot.blocks.posts import Post
from bot.blocks.reading import row_id
from bot.errors import Reason
from bot.listeners import windows
from bot.notes import Disposition
from bot.replies import Desk
from bot.services import Services
from storage import businesses, messages, outbox
from storage import leads as lead_rows
from storage.database import Transaction
from storage.models import Lead, Message, ReplyState
from storage.outbox import Kind

log = structlog.get_logger()


async def _arrived(desk: Desk, message: Message) -> None:
    message.sent_at = message.sent_at or desk.now
    await replies.move(desk, message, ReplyState.DELIVERED)
    lead = await lead_rows.get(desk.tx, lead_rows.known(message.lead_id))
    if lead is not None:
        lead_rows.answered(desk.tx, lead, actor=message.author, via="slack", now=desk.now)


async def _keep(desk: Desk, message: Message) -> None:
    await replies.withdraw(desk, message, ReplyState.KEPT)


@dataclass(frozen=True, kw_only=True)
class Button:
    """A button about a reply: the states in which it means something, and what it does then."""

    states: frozenset[ReplyState]
    press: Callable[[Desk, Message], Awaitable[None]]

    @property
    def sends(self) -> bool:
        """Whether the customer gets the reply."""
        return self.press is replies.send_now

    def means_something(self, message: Message) -> bool:
        """What was kept inside goes out only where that was asked: not a note, and not what somebody decided about."""
        kept_for_good = message.state == ReplyState.KEPT and message.reason not in replies.ASKS
        return message.state in self.states and not kept_for_good


BUTTONS: Mapping[str, Button] = {
    "reply_send_now": Button(states=frozenset({ReplyState.HELD, ReplyState.OVERDUE}), press=replies.send_now),
    "reply_keep": Button(states=frozenset(replies.GOING), press=_keep),
    "reply_discard": Button(states=frozenset({ReplyState.OVERDUE, ReplyState.CHOICE}), press=_keep),
    "reply_send": Button(states=frozenset({ReplyState.KEPT, ReplyState.CHOICE}), press=replies.send_now),
    "reply_retry": Button(states=frozenset({ReplyState.REFUSED}), press=replies.send_now),
    "reply_arrived": Button(states=frozenset({ReplyState.UNKNOWN}), press=_arrived),
    "reply_send_again": Button(states=frozenset({ReplyState.UNKNOWN}), press=replies.send_now),
}


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the buttons."""

    async def on_press(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
        await pressed(services, body, action, team_id=context.team_id)
        await ack()

    async def on_reply(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await reply_opened(services, body, action)
        await ack()

    async def on_keeper(ack: AsyncAck, body: dict[str, Any]) -> None:
        await keeper_asked(services, body)
        await ack()

    async def on_link(ack: AsyncAck) -> None:
        await ack()

    for action_id in BUTTONS:
        app.action(action_id)(on_press)
    app.action("reply_open")(on_reply)
    app.action("keeper_me")(on_keeper)
    app.action("lead_open")(on_link)
    app.action("lead_pages")(on_link)


async def pressed(services: Services, body: dict[str, Any], action: dict[str, Any], *, team_id: str | None) -> None:
    """A button about a reply was pressed."""
    async with services.database.transaction() as tx:
        desk = Desk(tx=tx, settings=services.settings, now=services.clock())
        message = await messages.to_change(tx, row_id(action.get("value")))
        if message is None or message.team_id != team_id:
            await _answer(services, desk, body, deliveries.already_decided())
        else:
            await _pressed(services, desk, body, action["action_id"], message)


async def _pressed(services: Services, desk: Desk, body: dict[str, Any], action_id: str, message: Message) -> None:
    button = BUTTONS[action_id]
    if not button.means_something(message):
        await _answer(services, desk, body, deliveries.already_decided())
    elif button.sends and replies.reading(desk.settings, message) is Disposition.NOTE:
        await _answer(services, desk, body, deliveries.stays_inside(Reason.NOTE), replace=False)
    else:
        await button.press(desk, message)
        await _answer(services, desk, body, deliveries.answered(action_id))
        log.info("button_pressed", action_id=action_id, message_id=message.id)


async def reply_opened(services: Services, body: dict[str, Any], action: dict[str, Any]) -> None:
    """The Reply button shows its window."""
    async with services.database.reading() as tx:
        lead = await lead_rows.get(tx, row_id(action.get("value")))
        view = None if lead is None else await _reply_view(services, tx, lead)
    if view is None:
        await _answer_alone(services, body, deliveries.cannot(Reason.NO_LEAD))
        return
    if not await windows.opened(services, body.get("trigger_id"), view):
        await _answer_alone(services, body, modals.did_not_open())


async def _reply_view(services: Services, tx: Transaction, lead: Lead) -> dict[str, Any]:
    customer = await businesses.customer(tx, lead.customer_id)
    desk = Desk(tx=tx, settings=services.settings, now=services.clock())
    return modals.reply_modal(
        lead_rows.known(lead.id),
        headline=leads.headline(lead),
        customer_name=customer.name if customer else None,
        mode=await replies.replies_go(desk, lead),
    )


async def keeper_asked(services: Services, body: dict[str, Any]) -> None:
    """Somebody wants to be told about trouble; whether they are an admin is looked up by the dispatcher."""
    async with services.database.transaction() as tx:
        payload = {"user": body["user"]["id"], "url": services.vault.seal(body.get("response_url") or "")}
        await outbox.enqueue(tx, Kind.SET_KEEPER, now=services.clock(), payload=payload)


async def _answer_alone(services: Services, body: dict[str, Any], post: Post) -> None:
    async with services.database.transaction() as tx:
        desk = Desk(tx=tx, settings=services.settings, now=services.clock())
        await _answer(services, desk, body, post, replace=False)


async def _answer(services: Services, desk: Desk, body: dict[str, Any], post: Post, *, replace: bool = True) -> None:
    """Say something in place of the button, or (not `replace`) beside it, to who pressed it alone."""
    url = body.get("response_url")
    if url:
        await answers.enqueue(desk.tx, services.vault, url=url, post=post, now=desk.now, replace=replace)
