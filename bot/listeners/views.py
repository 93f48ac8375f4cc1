"""What people submit: the reply window. Written deliberately, so it is not held; one effect however often it comes."""

from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot import doubts, policies, replies, reply_rules
from bot.blocks import contact_data, modals
from bot.blocks.reading import row_id
from bot.errors import Reason, sentence
from bot.listeners import acting
from bot.notes import Disposition, disposition
from bot.reply_rules import Desk
from bot.services import Services
from storage import leads, messages, outbox, threads
from storage.models import Environment, Lead
from storage.outbox import Kind, slack_lane
from webhooks.thumbtack.payloads.text import storable

NO_TEXT = "Write something first."
A_NOTE = "This begins like a note to the team. Write it in the thread, or take the note mark away."

log = structlog.get_logger()


def register(app: AsyncApp, services: Services) -> None:
    """Listen to submitted windows."""

    async def on_submit(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], context: AsyncBoltContext) -> None:
        found = await reply_submitted(services, view, author=body["user"]["id"], team_id=context.team_id or "")
        match found:
            case None:
                await ack()
            case str():
                await ack(response_action="errors", errors={modals.REPLY_BLOCK: found})
            case _:
                await ack(response_action="update", view=found)

    app.view("reply_modal")(on_submit)


async def reply_submitted(
    services: Services, view: dict[str, Any], *, author: str, team_id: str
) -> str | dict[str, Any] | None:
    """Store what was written and queue it; or returns what is wrong with it, or the window that asks about it."""
    text = storable(modals.written(view)).strip()
    wrong = _wrong(text) or await _refusal(services, author, team_id=team_id)
    if wrong is not None:
        return wrong
    async with services.database.transaction() as tx:
        lead = await leads.to_change(tx, row_id(view.get("private_metadata")))  # of two who answer first, one is asked
        desk = Desk(tx=tx, settings=services.settings, now=services.clock())
        cannot = Reason.NO_LEAD if lead is None else await reply_rules.why_not(desk, lead)
        if lead is None or cannot is not None:
            return sentence(cannot)
        if lead.owner not in (None, author) and not modals.says_who_has_it(view):
            return modals.held_meanwhile(view, text, lead.owner)
        match await _contact_doubt(desk, lead, text, author=author, team_id=team_id):
            case Reason.CONTACT_BLOCKED:
                return contact_data.BLOCKED
            case Reason.CONTACT_DATA if not contact_data.is_warned(view):
                return contact_data.warned(view, text)
        await _store(
            desk,
            lead,
            text,
            view_id=str(view.get("id")),
            author=author,
            team_id=team_id,
        )
    return None


def _wrong(text: str) -> str | None:
    match disposition(text, None, files=False, quiet=False):
        case Disposition.EMPTY:
            return NO_TEXT
        case Disposition.NOTE:
            return A_NOTE
        case Disposition.TOO_LONG as too_long:
            return sentence(too_long)
        case _:
            return None


async def _refusal(services: Services, author: str, *, team_id: str) -> str | None:
    """Why this person may not; where Slack does not say who they are, that is looked at before it goes out."""
    told = await acting.refusal(services, author, team_id=team_id, if_unknown=False)
    return None if told is None else told.text


async def _contact_doubt(desk: Desk, lead: Lead, text: str, *, author: str, team_id: str) -> Reason | None:
    policy = await policies.of_channel(desk.tx, desk.settings, await reply_rules.channel_of(desk, lead))
    return await doubts.doubt_about(desk, text, policy=policy, team_id=team_id, user_id=author)


async def _store(desk: Desk, lead: Lead, text: str, *, view_id: str, author: str, team_id: str) -> None:
    lead_id = leads.known(lead.id)
    message = await messages.record_modal(
        desk.tx,
        lead_id=lead_id,
        environment=Environment(lead.environment),
        team_id=team_id,
        view_id=view_id,
        author=author,
        text=text,
        now=desk.now,
    )
    if message is None:
        return
    await replies.claimed(desk, lead, by=author)
    thread = await threads.of_lead(desk.tx, lead_id)
    await outbox.enqueue(
        desk.tx,
        Kind.POST_REPLY_LINE,
        now=desk.now,
        lane=slack_lane(lead_id),
        channel=thread.channel if thread else None,
        lead_id=lead_id,
        message_id=message.id,
    )
    await replies.send(desk, message)
    log.info("reply_stored", message_id=message.id, state=message.state)
