"""What somebody said at Thumbtack, for posting it, and where it stands in Slack then."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlmodel import col

from storage.columns import word
from storage.database import Transaction
from storage.models import Business, Customer, Direction, Lead, Message, ReplyState
from storage.prepared import Prepared


@dataclass(frozen=True, kw_only=True)
class OfBusiness:
    """What posting asks of a business (see `storage.models.Business`)."""

    name: str | None
    privacy: str | None


@dataclass(frozen=True, kw_only=True)
class OfLead:
    """What posting asks of a lead (see `storage.models.Lead`). `business` None: Thumbtack has not said yet whose it is."""

    id: int
    owner: str | None
    ring: list[str] | None
    business: OfBusiness | None
    customer_name: str | None


@dataclass(frozen=True, kw_only=True)
class ToPost:
    """A message (see `storage.models.Message`, whose words these are), and the lead in whose thread it is posted."""

    id: int
    lead_id: int | None
    author: str | None
    text: str | None
    attachments: list[dict[str, Any]]
    stored_at: datetime
    is_automatic: bool
    lead: OfLead | None


async def to_post(tx: Transaction, message_id: int | None, *, lead_id: int | None) -> ToPost | None:
    """A message for posting it, with this lead; where that one joined another (see `storage.joining`), with the other."""
    found = await _TO_POST.first(tx, of=message_id, lead=lead_id)
    if found is None:
        return None
    if found.joined_id is not None:
        return await to_post(tx, message_id, lead_id=found.joined_id)
    business = None
    if found.business_id is not None:
        business = OfBusiness(name=found.business_name, privacy=found.privacy)
    lead = None
    if found.of_lead is not None:
        lead = OfLead(
            id=found.of_lead,
            owner=found.owner,
            ring=found.ring,
            business=business,
            customer_name=found.customer_name,
        )
    return ToPost(
        id=found.id,
        lead_id=found.lead_id,
        author=found.author,
        text=found.text,
        attachments=found.attachments,
        stored_at=found.stored_at,
        is_automatic=found.is_automatic,
        lead=lead,
    )


async def was_written_after(tx: Transaction, message: ToPost, after: datetime) -> bool:
    """Whether somebody, of either side, wrote in a lead's thread after that time and before this message."""
    found = await _WRITTEN_AFTER.scalar(tx, lead=message.lead_id, before=message.id, after=after)
    return found is not None


async def last_writer(tx: Transaction, lead_id: int) -> str | None:
    """Who of the team wrote to this lead's customer last; nobody wrote the automatic first reply."""
    author: str | None = await _LAST_WRITER.scalar(tx, lead=lead_id)
    return author


async def stands(tx: Transaction, message_id: int, *, team_id: str, channel: str, ts: str) -> None:
    """Remember where a message of Thumbtack's was posted."""
    await _STANDS.changed(tx, of_id=message_id, team=team_id, in_channel=channel, at_ts=ts)


# Asked for each message, built once: that takes longer than asking it.
_TO_POST = Prepared(
    select(
        col(Message.id),
        col(Message.lead_id),
        col(Message.author),
        col(Message.text),
        col(Message.attachments),
        col(Message.stored_at),
        col(Message.is_automatic),
        col(Lead.id).label("of_lead"),
        col(Lead.joined_id),
        col(Lead.owner),
        col(Lead.ring),
        col(Business.id).label("business_id"),
        col(Business.name).label("business_name"),
        col(Business.privacy),
        col(Customer.name).label("customer_name"),
    )
    .select_from(Message)
    .outerjoin(Lead, col(Lead.id) == bindparam("lead"))
    .outerjoin(Business, col(Business.id) == col(Lead.business_id))
    .outerjoin(Customer, col(Customer.id) == col(Lead.customer_id))
    .where(col(Message.id) == bindparam("of"))
)
_WRITTEN = (
    select(col(Message.id))
    .where(
        col(Message.lead_id) == bindparam("lead"),
        col(Message.stored_at) > bindparam("after"),
        col(Message.id) < bindparam("before"),
    )
    .limit(1)
)
_BY_TEAM = _WRITTEN.where(col(Message.direction) == word(Direction.OUTBOUND)).order_by(col(Message.stored_at).desc())
_BY_CUSTOMER = _WRITTEN.where(col(Message.direction) == word(Direction.INBOUND), ~col(Message.is_automatic))
_LATELY = _BY_CUSTOMER.where(col(Message.sent_at) > bindparam("after")).order_by(col(Message.sent_at).desc())
_WRITTEN_AFTER = Prepared(
    select(
        func.coalesce(
            _BY_TEAM.scalar_subquery(),
            _LATELY.scalar_subquery(),  # what was told after that time was said after it, as a rule
            _BY_CUSTOMER.scalar_subquery(),  # no index: all are read, for the first message after a silence
        )
    )
)
_LAST_WRITER = Prepared(
    select(col(Message.author))
    .where(
        col(Message.lead_id) == bindparam("lead"),
        col(Message.direction) == word(Direction.OUTBOUND),
        col(Message.author).is_not(None),  # an automatic reply is nobody's
        col(Message.state) != word(ReplyState.CANCELLED),
    )
    .order_by(col(Message.stored_at).desc(), col(Message.id).desc())
    .limit(1)
)
_STANDS = Prepared(
    update(Message)
    .where(col(Message.id) == bindparam("of_id"))
    .values(team_id=bindparam("team"), channel=bindparam("in_channel"), slack_ts=bindparam("at_ts"))
)
