"""What a pro allowed us at Thumbtack, and what was set there: tokens, targeting, phone numbers, erasure."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field

from storage.models.base import BigId, Environment, Row, at_, dict_, id_, list_, ref_, text_


class Generation(StrEnum):
    """Which of Thumbtack's two APIs a connection is for."""

    LEGACY = "legacy"  # the Pro API: messages and targeting
    V4 = "v4"  # leads, messages, phone numbers


class ConnectionState(StrEnum):
    """Whether a connection's tokens can be used."""

    ACTIVE = "active"
    BROKEN = "broken"  # Thumbtack refuses to renew them: somebody must connect again
    ENDED = "ended"  # disconnected, or replaced by a newer one; it holds no tokens any more


class Connection(Row, table=True):
    """One consent of a pro: the tokens that speak for one or several businesses.

    Tokens are sealed. `renewing_since` is when a renewal began whose outcome is not stored yet: the refresh token may be
    used up then, and may be used once more within Thumbtack's grace. `claimed_by` and `claimed_until`: which replica
    renews it just now. `failing_since`: since when no renewal succeeds. `granted_at` is when the refresh token was
    issued; its life counts from there.
    """

    __table_args__ = (Index(None, "state", "renew_at"),)
    id: int | None = id_()
    environment: Environment = text_(nullable=False)
    generation: Generation = text_(nullable=False)
    team_id: str = text_(nullable=False)
    state: ConnectionState = text_(nullable=False)
    scopes: list[str] = list_()
    connected_by: str = text_(nullable=False)
    connected_at: datetime = at_(nullable=False)
    access_token: str | None = text_()
    refresh_token: str | None = text_()
    expires_at: datetime | None = at_()
    granted_at: datetime = at_(nullable=False)
    renew_at: datetime | None = at_()  # when the tokens are to be renewed next, or tried again
    renewing_since: datetime | None = at_()
    claimed_by: str | None = text_()
    claimed_until: datetime | None = at_()
    failing_since: datetime | None = at_()
    failures: int = Field(default=0, nullable=False)
    reason: str | None = text_()  # why it is broken or failing, a code
    warned_at: datetime | None = at_()
    ended_at: datetime | None = at_()


class ConnectionBusiness(Row, table=True):
    """Which businesses a connection speaks for."""

    __tablename__ = "connection_business"
    __table_args__ = (UniqueConstraint("connection_id", "business_id"),)
    id: int | None = id_()
    connection_id: int = ref_("connection.id", nullable=False)
    business_id: int = ref_("business.id", nullable=False)


class Consent(Row, table=True):
    """A person's way to Thumbtack's consent page and back: good once, and for ten minutes.

    `nonce` is what the signed state carries; `verifier` is PKCE's, sealed; `business_id`: which business is to be
    connected again, None for any.
    """

    __table_args__ = (UniqueConstraint("nonce"),)
    id: int | None = id_()
    nonce: str = text_(nullable=False)
    team_id: str = text_(nullable=False)
    user_id: str = text_(nullable=False)
    environment: Environment = text_(nullable=False)
    generation: Generation = text_(nullable=False)
    business_id: int | None = ref_("business.id")
    verifier: str = text_(nullable=False)
    expires_at: datetime = at_(nullable=False)
    used_at: datetime | None = at_()


class Targeting(Row, table=True):
    """Whether a business (or one category of it) is to get new leads, as somebody set it here last.

    Thumbtack cannot be asked. `enabled` is what is wanted, `set_enabled` what Thumbtack last confirmed, at `set_at`.
    `version` counts what was wanted: entries of the outbox about an older one do nothing. `set_version` counts what was
    confirmed: a resume or a reminder that was planned for an older one does nothing. `asked_key` names the question
    whose answer it was, so that a question answered twice has one effect. `category_id` is "" for the whole business.
    """

    __table_args__ = (UniqueConstraint("business_id", "category_id"),)
    id: int | None = id_()
    business_id: int = ref_("business.id", nullable=False)
    category_id: str = Field(default="", sa_type=Text, nullable=False)
    category: str | None = text_()
    enabled: bool = Field(nullable=False)
    until: datetime | None = at_()  # when it resumes by itself
    time_zone: str | None = text_()  # of the person who set it
    asked_by: str = text_(nullable=False)
    asked_at: datetime = at_(nullable=False)
    version: int = Field(default=1, nullable=False)
    asked_key: str | None = text_()
    set_version: int = Field(default=0, nullable=False)
    set_enabled: bool | None = Field(default=None)
    set_until: datetime | None = at_()
    set_by: str | None = text_()
    set_at: datetime | None = at_()
    failing_since: datetime | None = at_()


class Phone(Row, table=True):
    """A phone number that may call customers through Thumbtack Numbers, as Thumbtack listed it last."""

    __table_args__ = (UniqueConstraint("business_id", "thumbtack_id"),)
    id: int | None = id_()
    business_id: int = ref_("business.id", nullable=False)
    thumbtack_id: str = text_(nullable=False)
    number: str = text_(nullable=False)  # E.164
    name: str | None = text_()
    last_activity_at: datetime | None = at_()
    is_deleted: bool = Field(default=False, nullable=False)
    listed_at: datetime = at_(nullable=False)


class Erasure(Row, table=True):
    """What is to be forgotten of a business: announced, then done, then told with counts.

    `business_name` and `thumbtack_id` outlive the business's row for the receipt and are cleared with it.
    """

    id: int | None = id_()
    business_id: int | None = Field(default=None, sa_type=BigId)  # no foreign key: the row it names goes
    thumbtack_id: str | None = text_()
    business_name: str | None = text_()
    team_id: str | None = text_()
    asked_by: str | None = text_()
    asked_at: datetime = at_(nullable=False)
    starts_at: datetime = at_(nullable=False)
    cancelled_at: datetime | None = at_()
    started_at: datetime | None = at_()
    finished_at: datetime | None = at_()
    counts: dict[str, Any] = dict_()


class Webhook(Row, table=True):
    """A webhook of ours at v4, for one business: with credentials of its own, so that no business can post as another.

    `url` names the business; `password` is sealed. `thumbtack_id` is None until Thumbtack confirmed it.
    """

    __table_args__ = (UniqueConstraint("business_id"),)
    id: int | None = id_()
    business_id: int = ref_("business.id", nullable=False)
    environment: Environment = text_(nullable=False)
    thumbtack_id: str | None = text_()
    url: str = text_(nullable=False)
    username: str = text_(nullable=False)
    password: str = text_(nullable=False)
    event_types: list[str] = list_()
    is_enabled: bool = Field(default=False, nullable=False)
    made_at: datetime = at_(nullable=False)
    checked_at: datetime | None = at_()
    last_delivery_at: datetime | None = at_()
    reason: str | None = text_()  # why it could not be set last, a code
