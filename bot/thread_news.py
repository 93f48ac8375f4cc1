"""Takes in what people write, edit and delete in the threads of leads; everything else they write is neither kept nor logged.

Each is one transaction and does nothing where it is known already, so that it may be told twice, at the same time too:
by Slack's event, and by the thread that is read back after an absence.
"""

from dataclasses import dataclass
from typing import Any, Self

import structlog

from bot import access, arrivals, edits, replies
from bot.reply_rules import Desk
from bot.services import Services
from storage import leads, messages, threads, unsettled
from storage.database import Transaction
from storage.messages import Recorded, Said
from storage.models import Environment, Lead, ReplyState

BY_A_PERSON = frozenset({None, "file_share", "thread_broadcast", "me_message"})
"""Subtypes of what a person says (docs.slack.dev/reference/events/message); all others are Slack's own news."""

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A person's message as an event tells it; `under_ours`: in the thread of a post of ours, perhaps a lead's card."""

    said: Said
    under_ours: bool

    @classmethod
    def of(
        cls, message: dict[str, Any], *, team_id: str, channel: Any, bot_user_id: str | None, changed_ts: Any = None
    ) -> Self | None:
        """None for what is not a person's words in a thread: a bot's, outside a thread, Slack's news."""
        subtype = message.get("subtype")
        if message.get("bot_id") or not isinstance(subtype, str | None) or subtype not in BY_A_PERSON:
            return None
        user, ts, thread_ts = message.get("user"), message.get("ts"), message.get("thread_ts")
        if not (isinstance(user, str) and isinstance(ts, str) and isinstance(thread_ts, str) and ts != thread_ts):
            return None
        said = Said(
            team_id=team_id,
            channel=str(channel),
            thread_ts=thread_ts,
            ts=ts,
            user=user,
            text=str(message.get("text") or ""),
            blocks=[block for block in _parts(message.get("blocks")) if isinstance(block, dict)],
            files=bool(message.get("files")),
            changed_ts=changed_ts if isinstance(changed_ts, str) else None,
        )
        parent = message.get("parent_user_id") or part(message, "root").get("user")
        return cls(said=said, under_ours=parent is not None and parent == bot_user_id)


@dataclass(frozen=True, kw_only=True)
class ThreadNews:
    """What news about messages change; `bot_user_id` is ours."""

    services: Services
    team_id: str
    bot_user_id: str | None

    async def said(
        self,
        channel: Any,
        message: dict[str, Any],
        *,
        changed_ts: Any = None,
        may_be_out: bool = False,
        quiet: bool = False,
    ) -> None:
        """A person wrote something. `may_be_out`: it has our mark of what is on its way, and we forgot it.

        `quiet`: it was written under quiet mode, whatever holds now.
        """
        heard = self._heard(message, channel, changed_ts=changed_ts)
        if heard is None:
            return
        async with self.services.database.transaction() as tx:
            desk = self._desk(tx)
            recorded = await _record(desk, heard)
            if recorded is None or not recorded.is_new:
                return
            if may_be_out:
                recorded.message.mark = replies.MARKS[ReplyState.HELD]
                await arrivals.ask(desk, recorded.message)
            else:
                await self._take(desk, recorded, quiet=quiet)

    async def changed(self, channel: Any, message: dict[str, Any], *, changed_ts: Any) -> None:
        """A person edited a message. An edit that comes before its message is taken for the message."""
        heard = self._heard(message, channel, changed_ts=changed_ts)
        if heard is None:
            return
        async with self.services.database.transaction() as tx:
            desk, said = self._desk(tx), heard.said
            known = await messages.at(tx, team_id=said.team_id, channel=said.channel, ts=said.ts)
            if known is None and message.get("edited"):  # Slack's own changes (previews of links) have no "edited"
                recorded = await _record(desk, heard)
                if recorded is not None and recorded.is_new:
                    await self._take(desk, recorded)
                    return
                known = None if recorded is None else recorded.message
            if known is not None:
                await edits.edited(desk, known, said)

    async def deleted(self, channel: Any, ts: Any, previous: dict[str, Any]) -> None:
        """A person deleted a message. A deletion that comes before its message is remembered."""
        async with self.services.database.transaction() as tx:
            desk = self._desk(tx)
            message = await messages.at(tx, team_id=self.team_id, channel=str(channel), ts=str(ts))
            if message is None:
                heard = self._heard(previous, channel)
                recorded = None if heard is None else await _record(desk, heard)
                message = None if recorded is None else recorded.message
            if message is not None:
                await edits.deleted(desk, message)

    async def _take(self, desk: Desk, recorded: Recorded, *, quiet: bool = False) -> None:
        """Decide about a new message; in a thread that is not known to be a lead's yet, that waits."""
        message = recorded.message
        lead = None if message.lead_id is None else await leads.get(desk.tx, message.lead_id)
        if lead is None:
            return
        kept_out = await access.is_kept_out(self.services, desk.tx, team_id=self.team_id, user_id=message.author or "")
        await replies.take(desk, message, lead, by_outsider=kept_out, quiet=quiet)
        log.info("reply_stored", message_id=message.id, state=message.state)

    def _heard(self, message: dict[str, Any], channel: Any, *, changed_ts: Any = None) -> Heard | None:
        return Heard.of(
            message, team_id=self.team_id, channel=channel, bot_user_id=self.bot_user_id, changed_ts=changed_ts
        )

    def _desk(self, tx: Transaction) -> Desk:
        return Desk(tx=tx, settings=self.services.settings, now=self.services.clock())


async def _record(desk: Desk, heard: Heard) -> Recorded | None:
    """Keep a message of a lead's thread, or of one that may turn out to be a lead's; None for all others."""
    said, lead = heard.said, await _lead_at(desk.tx, heard.said)
    if lead is None:
        if not heard.under_ours:
            return None
        await threads.lock(desk.tx, said.channel)  # whoever attaches a card to its lead just now, is before or after us
        lead = await _lead_at(desk.tx, said)
        if lead is None and not await unsettled.lead_post_under_way(desk.tx, said.channel):
            return None
    environment = Environment.PRODUCTION if lead is None else Environment(lead.environment)
    lead_id = None if lead is None else lead.id
    return await messages.record_outbound(desk.tx, said, lead_id=lead_id, environment=environment, now=desk.now)


async def _lead_at(tx: Transaction, said: Said) -> Lead | None:
    thread = await threads.at(tx, team_id=said.team_id, channel=said.channel, ts=said.thread_ts)
    return None if thread is None else await leads.get(tx, thread.lead_id)


def part(whole: dict[str, Any], name: str) -> dict[str, Any]:
    """An object within an event; an empty one where there is none."""
    found = whole.get(name)
    return found if isinstance(found, dict) else {}


def _parts(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
