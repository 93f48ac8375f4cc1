"""The rows: what is remembered, and for what. Rows are made and changed only by the functions of `storage`.

`id` is ours; `thumbtack_id`, `slack_ts` and the like are other people's, always text. Columns ending in `_at` are UTC
instants. Enumerations are stored as their text, so that an older program can read a newer row.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from storage.columns import Json, UtcDateTime

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
BigId = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up by itself only for INTEGER


class Row(SQLModel):
    """Base of all rows: one metadata with names for every constraint, so that migrations can drop them."""

    metadata = MetaData(naming_convention=NAMING)


def _id() -> Any:
    return Field(default=None, sa_column=Column(BigId, primary_key=True, autoincrement=True))


def _text(*, nullable: bool = True, **kwargs: Any) -> Any:
    if nullable:
        kwargs.setdefault("default", None)
    return Field(sa_type=Text, nullable=nullable, **kwargs)


def _at(*, nullable: bool = True, **kwargs: Any) -> Any:
    if nullable:
        kwargs.setdefault("default", None)
    return Field(sa_type=UtcDateTime, nullable=nullable, **kwargs)


def _list() -> Any:
    return Field(default_factory=list, sa_type=Json, nullable=False)


def _dict() -> Any:
    return Field(default_factory=dict, sa_type=Json, nullable=False)


def _unsettled(name: str, *columns: str) -> Index:
    """An index over the work that is still to do, however much is behind us."""
    return _only(name, "settled_at IS NULL", *columns)


def _only(name: str, where: str, *columns: str) -> Index:
    """An index over some of the rows; a query uses it where it says the same condition, word for word."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


def _ref(target: str, *, nullable: bool = True) -> Any:
    if nullable:
        return Field(default=None, sa_type=BigId, foreign_key=target, index=True)
    return Field(sa_type=BigId, foreign_key=target, index=True, nullable=False)


class Environment(StrEnum):
    """Which Thumbtack an event came from; the same id in another environment is another lead."""

    PRODUCTION = "production"
    STAGING = "staging"


class Business(Row, table=True):
    """A business (pro) on Thumbtack whose events reach us."""

    __table_args__ = (UniqueConstraint("environment", "thumbtack_id"),)
    id: int | None = _id()
    environment: Environment = _text(nullable=False)
    thumbtack_id: str = _text(nullable=False)
    name: str | None = _text()
    time_zone: str | None = _text()
    created_at: datetime = _at(nullable=False)


class Customer(Row, table=True):
    """A customer as one business knows them: erasing one business takes no other's data with it."""

    __table_args__ = (UniqueConstraint("business_id", "thumbtack_id"),)
    id: int | None = _id()
    business_id: int = _ref("business.id", nullable=False)
    thumbtack_id: str = _text(nullable=False)
    name: str | None = _text()
    phone: str | None = _text()
    created_at: datetime = _at(nullable=False)


class Lead(Row, table=True):
    """A customer's request to one business. A placeholder (received_at is None) until the lead's own body arrives.

    `details` is a list of {"question", "answer"}; `attachments` a list of {"url", "file_name", "file_size",
    "mime_type", "description"}; `extra` holds the fields of the body that we do not know.
    """

    __table_args__ = (
        UniqueConstraint("environment", "thumbtack_id"),
        Index(None, "business_id", "request_thumbtack_id"),
    )
    id: int | None = _id()
    environment: Environment = _text(nullable=False)
    thumbtack_id: str = _text(nullable=False)
    request_thumbtack_id: str | None = _text()
    generation: str = _text(nullable=False)
    business_id: int | None = _ref("business.id")
    customer_id: int | None = _ref("customer.id")
    is_test: bool = Field(default=False, nullable=False)
    created_at: datetime | None = _at()
    received_at: datetime | None = _at()
    announced_at: datetime | None = _at()  # its card was enqueued
    posted_at: datetime | None = _at()
    first_answer_at: datetime | None = _at()
    first_answer_by: str | None = _text()
    first_answer_via: str | None = _text()
    category_id: str | None = _text()
    category: str | None = _text()
    title: str | None = _text()
    description: str | None = _text()
    schedule: str | None = _text()
    address1: str | None = _text()
    address2: str | None = _text()
    city: str | None = _text()
    state: str | None = _text()
    zip_code: str | None = _text()
    travel_preferences: str | None = _text()
    details: list[dict[str, Any]] = _list()
    attachments: list[dict[str, Any]] = _list()
    lead_type: str | None = _text()
    price_text: str | None = _text()
    price_cents: int | None = Field(default=None, sa_type=BigInteger)
    charge_text: str | None = _text()
    charge_cents: int | None = Field(default=None, sa_type=BigInteger)
    charge_state: str | None = _text()
    extra: dict[str, Any] = _dict()

    @property
    def is_placeholder(self) -> bool:
        """Whether only something about this lead was heard so far, not the lead itself."""
        return self.received_at is None


class LeadEvent(Row, table=True):
    """What happened to a lead, appended to and never changed: who did what, by which way, when."""

    __tablename__ = "lead_event"
    id: int | None = _id()
    lead_id: int = _ref("lead.id", nullable=False)
    kind: str = _text(nullable=False)
    actor: str | None = _text()
    via: str = _text(nullable=False)
    at: datetime = _at(nullable=False)


class LeadCharge(Row, table=True):
    """What Thumbtack said a lead costs, each time it said so."""

    __tablename__ = "lead_charge"
    id: int | None = _id()
    lead_id: int = _ref("lead.id", nullable=False)
    raw: str | None = _text()
    cents: int | None = Field(default=None, sa_type=BigInteger)
    state: str | None = _text()
    source: str = _text(nullable=False)
    at: datetime = _at(nullable=False)


class Thread(Row, table=True):
    """Where a lead stands in Slack: the card's channel and ts. The newest row of a lead is the one in use."""

    __table_args__ = (UniqueConstraint("team_id", "channel", "ts"),)
    id: int | None = _id()
    lead_id: int = _ref("lead.id", nullable=False)
    team_id: str = _text(nullable=False)
    channel: str = _text(nullable=False)
    ts: str = _text(nullable=False)
    delivery_id: str = _text(nullable=False)  # in the card's metadata and first block_id, also when it is updated
    as_placeholder: bool = Field(default=False, nullable=False)
    attached_at: datetime = _at(nullable=False)


class Direction(StrEnum):
    """Whose words: the customer's, or the team's."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class ReplyState(StrEnum):
    """Where a message of the team stands on its way to the customer. The mark in Slack follows from it."""

    HELD = "held"  # stored; the hold window is open
    WAITING = "waiting"  # Thumbtack asked to try later
    SENDING = "sending"  # the call is under way
    CHOICE = "choice"  # a person must say whether it is meant (a file is attached)
    OVERDUE = "overdue"  # too old to be sent by itself: its writer is asked
    DELIVERED = "delivered"
    REFUSED = "refused"
    UNKNOWN = "unknown"  # sent, and the answer was lost
    KEPT = "kept"  # stays inside
    CANCELLED = "cancelled"  # deleted in Slack before it went out


class Message(Row, table=True):
    """A message of a lead, the customer's or the team's.

    Outbound: `team_id, channel, slack_ts` name the person's own message (slack_ts None: written in the window
    `view_id`, and then `line_ts` is the bot's line that shows it); `text` and `blocks` are Slack's, as last edited, and
    `changed_ts` is the ts of that edit; `sent_text` is what the customer got. `lead_id` is None while its thread is not
    attached yet. `mark` is the reaction that stands in Slack, `marks_tried` those that may stand beside it until a call
    under way is known to have succeeded.
    Inbound: `slack_ts` is our post. `reason` is a code of `bot.errors`, never text from outside.
    """

    __table_args__ = (
        UniqueConstraint("team_id", "channel", "slack_ts"),
        UniqueConstraint("team_id", "view_id"),
        UniqueConstraint("environment", "thumbtack_id"),
        Index(None, "channel", "thread_ts"),
    )
    id: int | None = _id()
    lead_id: int | None = _ref("lead.id")
    environment: Environment = _text(nullable=False)
    generation: str | None = _text()
    direction: Direction = _text(nullable=False)
    thumbtack_id: str | None = _text()
    author: str | None = _text()  # outbound: Slack user id; inbound: "customer" or "business"
    text: str | None = _text()
    blocks: list[dict[str, Any]] = _list()
    attachments: list[dict[str, Any]] = _list()
    sent_at: datetime | None = _at()
    stored_at: datetime = _at(nullable=False)
    team_id: str | None = _text()
    channel: str | None = _text()
    thread_ts: str | None = _text()
    slack_ts: str | None = _text()
    line_ts: str | None = _text()
    view_id: str | None = _text()
    has_files: bool = Field(default=False, nullable=False)
    changed_ts: str | None = _text()
    deleted_at: datetime | None = _at()  # its writer deleted it in Slack, perhaps after it went out
    state: ReplyState | None = _text()
    mark: str | None = _text()
    marks_tried: list[str] = _list()
    reason: str | None = _text()
    trace_id: str | None = _text()
    confirmed_at: datetime | None = _at()  # a person said "send now": the age counts from here
    sent_text: str | None = _text()
    extra: dict[str, Any] = _dict()


class Review(Row, table=True):
    """A customer's review, in its lead's thread or, without a lead, in a post of its own."""

    __table_args__ = (UniqueConstraint("environment", "thumbtack_id"),)
    id: int | None = _id()
    environment: Environment = _text(nullable=False)
    thumbtack_id: str = _text(nullable=False)
    lead_id: int | None = _ref("lead.id")
    business_id: int | None = _ref("business.id")
    category_id: str | None = _text()
    rating: str | None = _text()
    text: str | None = _text()
    reviewer_name: str | None = _text()
    verified: bool | None = Field(default=None)
    photos: list[dict[str, Any]] = _list()
    created_at: datetime | None = _at()
    modified_at: datetime | None = _at()
    received_at: datetime = _at(nullable=False)
    channel: str | None = _text()
    slack_ts: str | None = _text()
    extra: dict[str, Any] = _dict()


class WorkState(StrEnum):
    """Where a piece of work (an inbox or outbox row) stands. The first three are unsettled and hold their lane."""

    PENDING = "pending"
    SENDING = "sending"  # outbox: the call out may have been made
    PARKED = "parked"  # waits for a person's choice
    DONE = "done"
    DEAD = "dead"  # gave up; a person was told; can be retried by hand
    CANCELLED = "cancelled"


class Inbox(Row, table=True):
    """A webhook as it arrived. The body is safe here before Thumbtack hears 200; ingest reads it later."""

    __table_args__ = (
        UniqueConstraint("dedupe"),
        Index(None, "environment", "lead_thumbtack_id"),
        _unsettled("ix_inbox_unsettled", "id"),
        _unsettled("ix_inbox_unsettled_lane", "lane", "id"),
    )
    id: int | None = _id()
    environment: Environment = _text(nullable=False)
    route: str = _text(nullable=False)
    lane: str = _text(nullable=False)
    dedupe: str | None = _text()  # route and body hash; None where the same body may mean something again
    body_hash: str = _text(nullable=False)
    lead_thumbtack_id: str | None = _text()
    business_thumbtack_id: str | None = _text()
    body: bytes | None = Field(default=None, sa_type=LargeBinary)  # None once pruned
    received_at: datetime = _at(nullable=False)
    state: WorkState = _text(nullable=False)
    due_at: datetime = _at(nullable=False)
    attempt: int = Field(default=0, nullable=False)
    reason: str | None = _text()
    settled_at: datetime | None = _at()


class Outbox(Row, table=True):
    """One thing to say to Slack or Thumbtack, written in the same transaction as the state it belongs to.

    `lane` is the ordering key (None: no order); within a lane `position`, then `id`, say who is first. `channel` is the
    Slack channel whose pace it shares (None: none); a lower `priority` goes first among lanes. `delivery_id` is in the
    Slack message's metadata and first block_id. `attempt` counts calls out, `mistakes` our own errors on the way there.
    """

    __table_args__ = (
        UniqueConstraint("delivery_id"),
        _unsettled("ix_outbox_unsettled", "channel", "priority", "id"),
        _unsettled("ix_outbox_unsettled_due", "due_at"),
        _only("ix_outbox_claimed", "claimed_until IS NOT NULL", "claimed_until"),
        _only("ix_outbox_sending", "state = 'sending'", "channel"),
        _unsettled("ix_outbox_unsettled_lane", "lane", "position", "id"),
    )
    id: int | None = _id()
    delivery_id: str = _text(nullable=False)
    kind: str = _text(nullable=False)
    lane: str | None = _text()
    position: str = Field(default="", sa_type=Text, nullable=False)  # replies: the Slack ts, so that order is theirs
    channel: str | None = _text()
    priority: int = Field(default=1, nullable=False)
    lead_id: int | None = _ref("lead.id")
    message_id: int | None = _ref("message.id")
    payload: dict[str, Any] = _dict()
    created_at: datetime = _at(nullable=False)
    state: WorkState = _text(nullable=False)
    due_at: datetime = _at(nullable=False)
    attempt: int = Field(default=0, nullable=False)
    mistakes: int = Field(default=0, nullable=False)
    claimed_by: str | None = _text()
    claimed_until: datetime | None = _at()
    sending_at: datetime | None = _at()  # when the call out began, committed before it is made
    reason: str | None = _text()
    settled_at: datetime | None = _at()


class Lane(Row, table=True):
    """The pace of a Slack channel: `next_at` is when the next post may go there.

    `held`: posts were refused for a reason that a person must mend; until one succeeds, one at a time is tried.
    """

    key: str = Field(sa_column=Column(Text, primary_key=True))
    next_at: datetime | None = _at()
    held: bool = Field(default=False, nullable=False)


class Lease(Row, table=True):
    """Who of several replicas does a named job just now."""

    name: str = Field(sa_column=Column(Text, primary_key=True))
    owner: str = _text(nullable=False)
    until: datetime = _at(nullable=False)


class Keeper(Row, table=True):
    """A person who is told about trouble and may change settings, where the settings name nobody."""

    __table_args__ = (UniqueConstraint("team_id", "user_id"),)
    id: int | None = _id()
    team_id: str = _text(nullable=False)
    user_id: str = _text(nullable=False)
    since: datetime = _at(nullable=False)


class Seal(Row, table=True):
    """One sealed word: a key that cannot open it is not the key of this database."""

    id: int | None = _id()
    canary: str = _text(nullable=False)


class Audit(Row, table=True):
    """Who did or saw what, appended to and never changed; no content, only ids."""

    id: int | None = _id()
    team_id: str | None = _text()
    actor: str | None = _text()
    action: str = _text(nullable=False)
    subject: str | None = _text()
    at: datetime = _at(nullable=False)
