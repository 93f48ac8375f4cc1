"""Businesses, their customers and leads, and what was said about them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Index, UniqueConstraint, false
from sqlmodel import Field

from storage.columns import Json
from storage.models.base import BigId, Environment, Row, at_, dict_, id_, list_, only_, ref_, text_


class Business(Row, table=True):
    """A business (pro) on Thumbtack whose events reach us.

    `disconnected_at`: somebody ended its connections here; nothing is sent for it until it is connected again.
    How its leads are worked, where None is the deployment's default: `channel` is its own, where only its leads go;
    `privacy` ("full" or "private"); `remind_after` are minutes, ascending ([]: never); `hours` are by weekday ("mon" …)
    [["08:00", "17:30"], …] in its time zone (None: always); `on_duty` are user and group ids. `first_reply` is the text
    of the automatic one (None: off), `first_reply_when` "always", "open" or "closed", by `hours`, or "off" too.
    `silence_told_at`: when the keepers were told last that nothing comes for it.
    """

    __table_args__ = (UniqueConstraint("environment", "thumbtack_id"),)
    id: int | None = id_()
    environment: Environment = text_(nullable=False)
    thumbtack_id: str = text_(nullable=False)
    name: str | None = text_()
    time_zone: str | None = text_()
    created_at: datetime = at_(nullable=False)
    disconnected_at: datetime | None = at_()
    channel: str | None = text_()
    privacy: str | None = text_()
    remind_after: list[int] | None = Field(default=None, sa_type=Json)
    hours: dict[str, list[list[str]]] | None = Field(default=None, sa_type=Json)
    on_duty: list[str] | None = Field(default=None, sa_type=Json)
    first_reply: str | None = text_()
    first_reply_when: str | None = text_()
    silence_told_at: datetime | None = at_()


class LeadOutcome(StrEnum):
    """What became of a lead, as the team says."""

    WON = "won"
    LOST = "lost"
    CLOSED = "closed"


class Customer(Row, table=True):
    """A customer as one business knows them: erasing one business takes no other's data with it."""

    __table_args__ = (UniqueConstraint("business_id", "thumbtack_id"),)
    id: int | None = id_()
    business_id: int = ref_("business.id", nullable=False)
    thumbtack_id: str = text_(nullable=False)
    name: str | None = text_()
    phone: str | None = text_()
    created_at: datetime = at_(nullable=False)


class Lead(Row, table=True):
    """A customer's request to one business. A placeholder (received_at is None) until the lead's own body arrives.

    From v4 alone: `status` and `charge_breakdown` as sent; `estimate` {"type", "price_per_unit", "unit_quantity",
    "unit_name", "total"}; `windows`, a list of {"kind": "proposed" or "booking", "start", "end"} in RFC 3339; how many
    other pros the customer asked. `poll_at`: when it is worth asking v4 how it stands.
    How the team works it: `owner` (a Slack user id) has it since `owned_at`; `waiting_since`: the customer waits for us
    since then (None: not); nobody is reminded before `snoozed_until`; `outcome` and what it brought, `won_cents`.
    `channel` and `ring` (whom to mention) were decided when its card was announced (see `storage.routing`).
    `joined_id`: this row turned out to be that lead; it stays for whoever still holds its id (see `storage.joining`).
    `details` is a list of {"question", "answer"}; `attachments` a list of {"url", "file_name", "file_size",
    "mime_type", "description"}; `extra` holds the fields of the body that we do not know.
    """

    __table_args__ = (
        UniqueConstraint("environment", "thumbtack_id"),
        Index(None, "business_id", "received_at"),
        Index(None, "business_id", "request_thumbtack_id"),
        Index(None, "customer_id", "id"),
        Index(None, "owner", "id"),
        only_("ix_lead_waiting", "waiting_since IS NOT NULL", "waiting_since"),
    )
    id: int | None = id_()
    environment: Environment = text_(nullable=False)
    thumbtack_id: str = text_(nullable=False)
    request_thumbtack_id: str | None = text_()
    generation: str = text_(nullable=False)
    business_id: int | None = Field(default=None, sa_type=BigId, foreign_key="business.id")
    customer_id: int | None = ref_("customer.id")
    is_test: bool = Field(default=False, nullable=False)
    created_at: datetime | None = at_()
    received_at: datetime | None = at_()
    announced_at: datetime | None = at_()  # its card was enqueued
    posted_at: datetime | None = at_()
    first_answer_at: datetime | None = at_()
    first_answer_by: str | None = text_()
    first_answer_via: str | None = text_()
    category_id: str | None = text_()
    category: str | None = text_()
    title: str | None = text_()
    description: str | None = text_()
    schedule: str | None = text_()
    address1: str | None = text_()
    address2: str | None = text_()
    city: str | None = text_()
    state: str | None = text_()
    zip_code: str | None = text_()
    travel_preferences: str | None = text_()
    details: list[dict[str, Any]] = list_()
    attachments: list[dict[str, Any]] = list_()
    lead_type: str | None = text_()
    price_text: str | None = text_()
    price_cents: int | None = Field(default=None, sa_type=BigInteger)
    charge_text: str | None = text_()
    charge_cents: int | None = Field(default=None, sa_type=BigInteger)
    charge_state: str | None = text_()
    extra: dict[str, Any] = dict_()
    charge_breakdown: dict[str, Any] | None = Field(default=None, sa_type=Json)
    status: str | None = text_()
    estimate: dict[str, Any] | None = Field(default=None, sa_type=Json)
    windows: list[dict[str, Any]] | None = Field(default=None, sa_type=Json)
    asked_others: int | None = Field(default=None)
    review_link: str | None = text_()
    refund_link: str | None = text_()
    access_code: str | None = text_()
    polled_at: datetime | None = at_()
    poll_at: datetime | None = at_()
    joined_id: int | None = Field(default=None, sa_type=BigId, index=True)
    owner: str | None = text_()
    owned_at: datetime | None = at_()
    waiting_since: datetime | None = at_()
    snoozed_until: datetime | None = at_()
    outcome: LeadOutcome | None = text_()
    outcome_at: datetime | None = at_()
    outcome_by: str | None = text_()
    won_cents: int | None = Field(default=None, sa_type=BigInteger)
    channel: str | None = text_()
    ring: list[str] | None = Field(default=None, sa_type=Json)

    @property
    def is_placeholder(self) -> bool:
        """Whether only something about this lead was heard so far, not the lead itself."""
        return self.received_at is None


class LeadAlias(Row, table=True):
    """Another id of a lead that two APIs call by two names: the same request to the same business."""

    __tablename__ = "lead_alias"
    __table_args__ = (UniqueConstraint("environment", "thumbtack_id"),)
    id: int | None = id_()
    lead_id: int = ref_("lead.id", nullable=False)
    environment: Environment = text_(nullable=False)
    thumbtack_id: str = text_(nullable=False)
    generation: str = text_(nullable=False)


class LeadEvent(Row, table=True):
    """What happened to a lead, appended to and never changed: who did what, by which way, when."""

    __tablename__ = "lead_event"
    __table_args__ = (Index(None, "lead_id", "at"),)
    id: int | None = id_()
    lead_id: int = Field(sa_type=BigId, foreign_key="lead.id", nullable=False)
    kind: str = text_(nullable=False)
    actor: str | None = text_()
    via: str = text_(nullable=False)
    at: datetime = at_(nullable=False)


class LeadCharge(Row, table=True):
    """What Thumbtack said a lead costs, each time it said so."""

    __tablename__ = "lead_charge"
    id: int | None = id_()
    lead_id: int = ref_("lead.id", nullable=False)
    raw: str | None = text_()
    cents: int | None = Field(default=None, sa_type=BigInteger)
    state: str | None = text_()
    source: str = text_(nullable=False)
    at: datetime = at_(nullable=False)


class Thread(Row, table=True):
    """Where a lead stands in Slack: the card's channel and ts. The newest row of a lead is the one in use."""

    __table_args__ = (UniqueConstraint("team_id", "channel", "ts"),)
    id: int | None = id_()
    lead_id: int = ref_("lead.id", nullable=False)
    team_id: str = text_(nullable=False)
    channel: str = text_(nullable=False)
    ts: str = text_(nullable=False)
    delivery_id: str = text_(nullable=False)  # in the card's metadata and first block_id, also when it is updated
    as_placeholder: bool = Field(default=False, nullable=False)
    attached_at: datetime = at_(nullable=False)


class Direction(StrEnum):
    """Whose words: the customer's, or the team's."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class ReplyState(StrEnum):
    """Where a message of the team stands on its way to the customer. The mark in Slack follows from it."""

    HELD = "held"  # stored; the hold window is open
    WAITING = "waiting"  # Thumbtack asked to try later
    SENDING = "sending"  # the call is under way
    LOOKING = "looking"  # sent, and the answer was lost: Thumbtack's list of messages will tell
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
    `changed_ts` is the ts of that edit; `sent_text` and `sent_at` are what was handed to Thumbtack last and when, from
    just before the call on (`state` says whether it arrived), `echoed_at` is when Thumbtack told us of it in turn.
    `lead_id` is None while its thread is not attached yet. `mark` is the reaction that stands in Slack, `marks_tried`
    those that may stand beside it until a call under way is known to have succeeded.
    Inbound: `slack_ts` is our post. `reason` is a code of `bot.errors`, never text from outside.
    """

    __table_args__ = (
        UniqueConstraint("team_id", "channel", "slack_ts"),
        UniqueConstraint("team_id", "view_id"),
        UniqueConstraint("environment", "thumbtack_id"),
        Index(None, "lead_id", "sent_at"),
        only_("ix_message_outbound", "direction = 'outbound'", "lead_id", "stored_at", "id"),
        only_("ix_message_in_thread", "thread_ts IS NOT NULL", "channel", "thread_ts"),
        only_("ix_message_unattached", "lead_id IS NULL", "channel", "thread_ts"),
    )
    id: int | None = id_()
    lead_id: int | None = Field(default=None, sa_type=BigId, foreign_key="lead.id")
    environment: Environment = text_(nullable=False)
    generation: str | None = text_()
    direction: Direction = text_(nullable=False)
    thumbtack_id: str | None = text_()
    author: str | None = text_()  # outbound: Slack user id; inbound: "customer" or "business"
    text: str | None = text_()
    blocks: list[dict[str, Any]] = list_()
    attachments: list[dict[str, Any]] = list_()
    sent_at: datetime | None = at_()
    stored_at: datetime = at_(nullable=False)
    team_id: str | None = text_()
    channel: str | None = text_()
    thread_ts: str | None = text_()
    slack_ts: str | None = text_()
    line_ts: str | None = text_()
    view_id: str | None = text_()
    has_files: bool = Field(default=False, nullable=False)
    changed_ts: str | None = text_()
    deleted_at: datetime | None = at_()  # its writer deleted it in Slack, perhaps after it went out
    state: ReplyState | None = text_()
    mark: str | None = text_()
    marks_tried: list[str] = list_()
    reason: str | None = text_()
    trace_id: str | None = text_()
    confirmed_at: datetime | None = at_()  # a person said "send now": the age counts from here
    sent_text: str | None = text_()
    extra: dict[str, Any] = dict_()
    # made by Thumbtack; outbound: our automatic first reply
    is_automatic: bool = Field(default=False, nullable=False, sa_column_kwargs={"server_default": false()})
    echoed_at: datetime | None = at_()


class Review(Row, table=True):
    """A customer's review, in its lead's thread or, without a lead, in a post of its own.

    `also_ts`: what follows a post of its own in the channel, its photos and what did not fit.
    """

    __table_args__ = (UniqueConstraint("environment", "thumbtack_id"),)
    id: int | None = id_()
    environment: Environment = text_(nullable=False)
    thumbtack_id: str = text_(nullable=False)
    lead_id: int | None = ref_("lead.id")
    business_id: int | None = ref_("business.id")
    category_id: str | None = text_()
    rating: str | None = text_()
    text: str | None = text_()
    reviewer_name: str | None = text_()
    verified: bool | None = Field(default=None)
    photos: list[dict[str, Any]] = list_()
    created_at: datetime | None = at_()
    modified_at: datetime | None = at_()
    received_at: datetime = at_(nullable=False)
    channel: str | None = text_()
    slack_ts: str | None = text_()
    extra: dict[str, Any] = dict_()
    also_ts: list[str] | None = Field(default=None, sa_type=Json)
