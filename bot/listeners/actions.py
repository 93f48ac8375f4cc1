"""What people press: one effect, however often it is pressed, and a word about it in place of the button."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot import answers, doubts, policies, replies, reply_rules
from bot.blocks import contact_data, deliveries, leads, modals, private
from bot.blocks.posts import Post
from bot.blocks.reading import row_id
from bot.errors import Reason
from bot.listeners import acting, windows
from bot.notes import Disposition
from bot.reply_rules import Desk
from bot.services import Services
from storage import businesses, messages, outbox, people
from storage import leads as lead_rows
from storage.database import Transaction
from storage.models import Lead, Message, ReplyState
from storage.outbox import Kind

log = structlog.get_logger()


async def _arrived(desk: Desk, message: Message) -> None:
    message.sent_at = message.sent_at or desk.now
    await replies.move(desk, message, ReplyState.DELIVERED)
    await replies.answered(desk, message)


async def _never_asked(desk: Desk, message: Message) -> None:
    """It goes out, and its writer is not asked about phone numbers and e-mail addresses again."""
    await people.set_contact_ok(desk.tx, team_id=message.team_id or "", user_id=message.author or "", ok=True)
    await replies.confirm(desk, message)


async def _keep(desk: Desk, message: Message) -> None:
    await replies.withdraw(desk, message, ReplyState.KEPT)


@dataclass(frozen=True, kw_only=True)
class Button:
    """A button about a reply: the states (and the reason) in which it means something, and what it does then."""

    states: frozenset[ReplyState]
    reason: Reason | None = None
    press: Callable[[Desk, Message], Awaitable[None]]

    @property
    def sends(self) -> bool:
        """Whether the customer gets the reply."""
        return self.press in (replies.resend, replies.confirm, _never_asked)

    def means_something(self, message: Message) -> bool:
        """What was kept inside goes out only where that was asked: not a note, and not what somebody decided about."""
        kept_for_good = message.state == ReplyState.KEPT and message.reason not in replies.ASKS
        return message.state in self.states and self.reason in (None, message.reason) and not kept_for_good


BUTTONS: Mapping[str, Button] = {
    "reply_send_now": Button(states=frozenset({ReplyState.HELD, ReplyState.OVERDUE}), press=replies.resend),
    "reply_keep": Button(states=frozenset(replies.GOING), press=_keep),
    "reply_discard": Button(states=frozenset({ReplyState.OVERDUE, ReplyState.CHOICE}), press=_keep),
    "reply_send": Button(states=frozenset({ReplyState.KEPT, ReplyState.CHOICE}), press=replies.confirm),
    "contact_ok": Button(states=frozenset({ReplyState.CHOICE}), reason=Reason.CONTACT_DATA, press=_never_asked),
    "reply_retry": Button(states=frozenset({ReplyState.REFUSED}), press=replies.resend),
    "reply_arrived": Button(states=frozenset({ReplyState.UNKNOWN}), press=_arrived),
    "reply_send_again": Button(states=frozenset({ReplyState.UNKNOWN}), press=replies.resend),
}


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the buttons."""

    async def on_press(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
        if not await acting.is_refused(services, body, team_id=context.team_id, if_unknown=False):
            await pressed(services, body, action, team_id=context.team_id)
        await ack()

    async def on_reply(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
        if not await acting.is_refused(services, body, team_id=context.team_id, if_unknown=False):
            await reply_opened(services, body, action)
        await ack()

    async def on_ask_again(ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        await asked_again(services, body, team_id=context.team_id or "")
        await ack()

    async def on_keeper(ack: AsyncAck, body: dict[str, Any]) -> None:
        await keeper_asked(services, body)
        await ack()

    async def on_link(ack: AsyncAck) -> None:
        await ack()

    for action_id in BUTTONS:
        app.action(action_id)(on_press)
    app.action("reply_open")(on_reply)
    app.action("contact_ask")(on_ask_again)
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
            await _pressed(services, desk, body, action, message)


async def _pressed(
    services: Services, desk: Desk, body: dict[str, Any], action: dict[str, Any], message: Message
) -> None:
    action_id, asks = action["action_id"], action.get("block_id")
    button = BUTTONS[action_id]
    is_of_a_doubt = asks in doubts.DOUBTS or (button.sends and message.reason in doubts.DOUBTS)
    is_other_question = is_of_a_doubt and asks != message.reason
    if is_other_question or not button.means_something(message):
        await _answer(services, desk, body, deliveries.already_decided())
    elif button.sends and await reply_rules.reading(desk, message) is Disposition.NOTE:
        await _answer(services, desk, body, deliveries.stays_inside(Reason.NOTE), replace=False)
    else:
        await button.press(desk, message)
        await _answer(services, desk, body, _after(action_id, message, pressed_by=body["user"]["id"]))
        log.info("button_pressed", action_id=action_id, message_id=message.id)


def _after(action_id: str, message: Message, *, pressed_by: str) -> Post:
    """What replaces the question."""
    if message.state == ReplyState.CHOICE:
        return deliveries.asked_more() if pressed_by == message.author else deliveries.writer_asked()
    if message.state == ReplyState.REFUSED:
        return deliveries.refused_again(message.reason)
    if message.state == ReplyState.KEPT and message.reason is not None:
        return deliveries.stays_inside(message.reason)
    if action_id == "contact_ok":
        return contact_data.not_asked_again(lead_rows.known(message.id))
    return deliveries.answered(action_id)


async def asked_again(services: Services, body: dict[str, Any], *, team_id: str) -> None:
    """Somebody wants to be asked about phone numbers and e-mail addresses in their replies after all."""
    async with services.database.transaction() as tx:
        await people.set_contact_ok(tx, team_id=team_id, user_id=body["user"]["id"], ok=False)
        desk = Desk(tx=tx, settings=services.settings, now=services.clock())
        await _answer(services, desk, body, contact_data.asked_again())


async def reply_opened(services: Services, body: dict[str, Any], action: dict[str, Any]) -> None:
    """The Reply button shows its window."""
    async with services.database.reading() as tx:
        lead = await lead_rows.get(tx, row_id(action.get("value")))
        view = None if lead is None else await reply_view(services, tx, lead, to=body["user"]["id"])
    if view is None:
        await _answer_alone(services, body, deliveries.cannot(Reason.NO_LEAD))
        return
    if not await windows.above(services, body, view):
        await _answer_alone(services, body, modals.did_not_open())


async def reply_view(services: Services, tx: Transaction, lead: Lead, *, to: str) -> dict[str, Any]:
    """The reply window of a lead, as this person sees it; without an input where nothing can be sent."""
    desk = Desk(tx=tx, settings=services.settings, now=services.clock())
    hidden = await policies.hides(tx, services.settings, await businesses.get(tx, lead.business_id))
    customer = None if hidden else await businesses.customer(tx, lead.customer_id)
    policy = await policies.of_channel(tx, services.settings, await reply_rules.channel_of(desk, lead))
    return modals.reply_modal(
        lead_rows.known(lead.id),
        headline=private.TITLE if hidden else leads.headline(lead),
        customer_name=customer.name if customer else None,
        mode=await reply_rules.replies_go(desk, lead),
        signed=policy.signature,
        held_by=None if lead.owner == to else lead.owner,
    )


async def keeper_asked(services: Services, body: dict[str, Any]) -> None:
    """Somebody wants to be told about trouble; whether they are an admin is looked up by the dispatcher."""
    async with services.database.transaction() as tx:
        payload = {"user": body["user"]["id"], "url": services.vault.seal(body.get("response_url") or "")}
        await outbox.enqueue(tx, Kind.SET_KEEPER, now=services.clock(), payload=payload)


async def _answer_alone(services: Services, body: dict[str, Any], post: Post) -> None:
    async with services.database.transaction() as tx:
        await acting.whisper(tx, services, body, post)


async def _answer(services: Services, desk: Desk, body: dict[str, Any], post: Post, *, replace: bool = True) -> None:
    """Say something in place of the button, or (not `replace`) beside it, to who pressed it alone."""
    url = body.get("response_url")
    if url:
        await answers.enqueue(desk.tx, services.vault, url=url, post=post, now=desk.now, replace=replace)
