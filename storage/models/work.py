"""What is to be read and to be said, and who does it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field

from storage.models.base import Environment, Row, at_, dict_, id_, only_, ref_, text_, unsettled_


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
        unsettled_("ix_inbox_unsettled", "id"),
        unsettled_("ix_inbox_unsettled_lane", "lane", "id"),
        only_("ix_inbox_dead", "state = 'dead'", "id"),
    )
    id: int | None = id_()
    environment: Environment = text_(nullable=False)
    route: str = text_(nullable=False)
    lane: str = text_(nullable=False)
    dedupe: str | None = text_()  # route and body hash; None where the same body may mean something again
    body_hash: str = text_(nullable=False)
    lead_thumbtack_id: str | None = text_()
    business_thumbtack_id: str | None = text_()
    body: bytes | None = Field(default=None, sa_type=LargeBinary)  # None once pruned
    received_at: datetime = at_(nullable=False)
    state: WorkState = text_(nullable=False)
    due_at: datetime = at_(nullable=False)
    attempt: int = Field(default=0, nullable=False)
    reason: str | None = text_()
    settled_at: datetime | None = at_()


class Outbox(Row, table=True):
    """One thing to say to Slack or Thumbtack, written in the same transaction as the state it belongs to.

    `lane` is the ordering key (None: no order); within a lane `position`, then `id`, say who is first. `channel` is the
    Slack channel it is about, whose pace it shares unless `pace` names another row of paces (of a method, of a person); a
    lower `priority` goes first among lanes, then an earlier `turn_at`: when it came, or later where more of its lane was to
    be said before. `delivery_id` is in the Slack message's metadata and first block_id. `attempt` counts calls out,
    `mistakes` our own errors on the way there.
    """

    __table_args__ = (
        UniqueConstraint("delivery_id"),
        unsettled_("ix_outbox_unsettled_due", "due_at"),
        only_("ix_outbox_claimed", "claimed_until IS NOT NULL", "claimed_until"),
        only_("ix_outbox_sending", "state = 'sending'", "channel"),
        only_("ix_outbox_dead", "state = 'dead'", "id"),
        unsettled_("ix_outbox_unsettled_lane", "lane", "position", "id"),
        only_(
            "ix_outbox_unsettled_posts", "settled_at IS NULL AND pace IS NULL", "channel", "priority", "turn_at", "id"
        ),
        only_(
            "ix_outbox_unsettled_calls", "settled_at IS NULL AND pace IS NOT NULL", "pace", "priority", "turn_at", "id"
        ),
        only_("ix_outbox_home", "kind = 'publish_home'", "lane", "id"),
    )
    id: int | None = id_()
    delivery_id: str = text_(nullable=False)
    kind: str = text_(nullable=False)
    lane: str | None = text_()
    position: str = Field(default="", sa_type=Text, nullable=False)  # replies: the Slack ts, so that order is theirs
    channel: str | None = text_()
    priority: int = Field(default=1, nullable=False)
    lead_id: int | None = ref_("lead.id")
    message_id: int | None = ref_("message.id")
    payload: dict[str, Any] = dict_()
    created_at: datetime = at_(nullable=False)
    state: WorkState = text_(nullable=False)
    due_at: datetime = at_(nullable=False)
    attempt: int = Field(default=0, nullable=False)
    mistakes: int = Field(default=0, nullable=False)
    claimed_by: str | None = text_()
    claimed_until: datetime | None = at_()
    sending_at: datetime | None = at_()  # when the call out began, committed before it is made
    reason: str | None = text_()
    settled_at: datetime | None = at_()
    pace: str | None = text_()
    turn_at: datetime | None = at_()


class Lane(Row, table=True):
    """The pace of a Slack channel, of a method of Slack's or of the conversation with a person.

    `free_us`: from when (microseconds since 1970) its bucket has something in it (see `storage.pacing`). `next_at`: nobody
    goes before that, for Slack asked for it. `held`: posts were refused for a reason that a person must mend; until one
    succeeds, one at a time is tried.
    """

    key: str = Field(sa_column=Column(Text, primary_key=True))
    next_at: datetime | None = at_()
    held: bool = Field(default=False, nullable=False)
    free_us: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))


class Lease(Row, table=True):
    """Who of several replicas does a named job just now."""

    name: str = Field(sa_column=Column(Text, primary_key=True))
    owner: str = text_(nullable=False)
    until: datetime = at_(nullable=False)


class Presence(Row, table=True):
    """When the program was last there, on any replica: one row, written each minute.

    `back_at`: when it came back last. `missed_since`: what Slack tells since then may not have reached us (None: it did),
    noticed at `missed_at` last. `reply_mode`: the deployment's while it was there, "replies" or "quiet". `unsteady_since`:
    since when no process was there for as long as Slack tries an event (None: one was), as of `unsteady_at`: who was there
    after that did not look after it.
    """

    name: str = Field(sa_column=Column(Text, primary_key=True))
    alive_at: datetime = at_(nullable=False)
    back_at: datetime | None = at_()
    missed_since: datetime | None = at_()
    missed_at: datetime | None = at_()
    reply_mode: str | None = text_()
    unsteady_since: datetime | None = at_()
    unsteady_at: datetime | None = at_()


class Seal(Row, table=True):
    """One sealed word: a key that cannot open it is not the key of this database."""

    id: int | None = id_()
    canary: str = text_(nullable=False)
