"""What people submit: the reply window. Written deliberately, so it is not held; one effect however often it comes."""

from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot import replies
from bot.blocks import modals
from bot.blocks.reading import filled, row_id
from bot.errors import Reason, sentence
from bot.notes import Disposition, disposition
from bot.replies import Desk
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
        wrong = await reply_submitted(services, view, author=body["user"]["id"], team_id=context.team_id or "")
        await (ack(response_action="errors", errors={modals.REPLY_BLOCK: wrong}) if wrong else ack())

    app.view("reply_modal")(on_submit)


async def reply_submitted(services: Services, view: dict[str, Any], *, author: str, team_id: str) -> str | None:
    """Store what was written and queue it; returns what is wrong with it."""
    text = storable(filled(view, modals.REPLY_BLOCK, modals.REPLY_INPUT)).strip()
    match disposition(text, None, files=False, quiet=False):
        case Disposition.EMPTY:
            return NO_TEXT
        case Disposition.NOTE:
            return A_NOTE
        case Disposition.TOO_LONG as wrong:
            return sentence(wrong)
    async with services.database.transaction() as tx:
        lead = await leads.get(tx, row_id(view.get("private_metadata")))
        desk = Desk(tx=tx, settings=services.settings, now=services.clock())
        cannot = Reason.NO_LEAD if lead is None else await replies.why_not(desk, lead)
        if lead is None or cannot is not None:
            return sentence(cannot)
        await _store(
            desk,
            lead,
            text,
            view_id=str(view.get("id")),
            author=author,
            team_id=team_id,
        )
    return None


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
