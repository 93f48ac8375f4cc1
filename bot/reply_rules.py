"""What holds for the replies to a lead and for one of them: whether they go, by which settings, what it says, how old it may be."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot import policies, ways
from bot.blocks.lead_view import RepliesGo
from bot.errors import Reason
from bot.notes import Disposition, disposition
from bot.policies import Policy
from bot.settings import Settings
from storage import leads, threads
from storage.database import Transaction
from storage.models import Lead, Message


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What functions about replies work with: a transaction, the settings and the time."""

    tx: Transaction
    settings: Settings
    now: datetime


async def why_not(desk: Desk, lead: Lead) -> Reason | None:
    """The code of what keeps every reply to this lead from being sent; None where they go, or wait to be able to."""
    found = await ways.find(desk.tx, desk.settings, lead, now=desk.now)
    return found if isinstance(found, Reason) else None


async def replies_go(desk: Desk, lead: Lead) -> RepliesGo:
    """What happens to what the team writes about this lead."""
    match await why_not(desk, lead):
        case Reason.OTHER_ENVIRONMENT:
            return RepliesGo.STAGING
        case Reason.TEST_LEAD:
            return RepliesGo.TEST
        case None:
            policy = await policies.of_channel(desk.tx, desk.settings, await channel_of(desk, lead))
            return RepliesGo.QUIET if policy.quiet else RepliesGo.OUT
        case _:
            return RepliesGo.INSIDE


async def channel_of(desk: Desk, lead: Lead) -> str | None:
    """Where a lead stands, or will; None where that is not decided."""
    thread = await threads.of_lead(desk.tx, lead.id)
    return thread.channel if thread else lead.channel


async def policy_of(desk: Desk, message: Message) -> Policy:
    """What holds where a message was written; for one written in a window, where its lead stands."""
    is_in_thread = message.channel is not None or message.lead_id is None
    lead = None if is_in_thread else await leads.get(desk.tx, leads.known(message.lead_id))
    channel = message.channel if lead is None else await channel_of(desk, lead)
    return await policies.of_channel(desk.tx, desk.settings, channel)


async def reading(desk: Desk, message: Message, *, quiet: bool = False) -> Disposition:
    """What the message, as it stands now, is by its words; `quiet`: it was written under quiet mode, whatever holds now."""
    policy = await policy_of(desk, message)
    return disposition(message.text, message.blocks, files=message.has_files, quiet=quiet or policy.quiet)


def deadline(settings: Settings, message: Message) -> datetime:
    """When a reply is too old to be sent by itself: "on my way, 20 minutes" must not arrive two days later.

    Its age counts from when it was written in Slack, whoever was late with it, or from when a person confirmed it.
    """
    since = message.confirmed_at or min(message.stored_at, written_at(message.slack_ts) or message.stored_at)
    return since + timedelta(minutes=settings.reply_max_age_minutes)


def written_at(ts: str | None) -> datetime | None:
    """When that was, None for what is no ts: a Slack ts begins with the seconds since 1970 (docs.slack.dev/messaging/retrieving-messages)."""
    try:
        return datetime.fromtimestamp(float(ts or ""), UTC)
    except (ValueError, OverflowError, OSError):  # written in the window, or not a ts that Slack makes
        return None
