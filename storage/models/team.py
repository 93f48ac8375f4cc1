"""How the team works leads: what its channels do, what it answers with, where leads go, and who asked for what."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, UniqueConstraint
from sqlmodel import Field

from storage.models.base import Row, at_, id_, list_, ref_, text_


class ContactData(StrEnum):
    """What becomes of a reply that carries a phone number or an e-mail address."""

    ASK = "ask"
    BLOCK = "block"
    OFF = "off"


class Channel(Row, table=True):
    """A channel in Slack, once something about it was chosen or it was closed to us.

    `reply_mode` ("replies" or "quiet"), `contact_data` and `signature` are None where the deployment's default holds.
    `closed`: why nothing can be posted there ("archived", "removed", "deleted"); leads go elsewhere until it is None.
    """

    __table_args__ = (UniqueConstraint("team_id", "channel"),)
    id: int | None = id_()
    team_id: str = text_(nullable=False)
    channel: str = text_(nullable=False)
    reply_mode: str | None = text_()
    signature: bool | None = Field(default=None)
    contact_data: str | None = text_()
    closed: str | None = text_()
    closed_at: datetime | None = at_()


class Person(Row, table=True):
    """What a person in Slack chose for themselves. `contact_ok`: never ask them about phone numbers in replies again."""

    __table_args__ = (UniqueConstraint("team_id", "user_id"),)
    id: int | None = id_()
    team_id: str = text_(nullable=False)
    user_id: str = text_(nullable=False)
    contact_ok: bool = Field(default=False, nullable=False)


class SavedReply(Row, table=True):
    """A text that the team answers with; `text` may hold placeholders."""

    __tablename__ = "saved_reply"
    __table_args__ = (UniqueConstraint("team_id", "name"),)
    id: int | None = id_()
    team_id: str = text_(nullable=False)
    name: str = text_(nullable=False)
    text: str = text_(nullable=False)
    changed_by: str = text_(nullable=False)
    changed_at: datetime = at_(nullable=False)


class FirstReply(Row, table=True):
    """That the automatic first reply to a lead was decided about: there is never a second one, whatever runs twice.

    `message_id` is None where it stood down, and `reason` says why.
    """

    __tablename__ = "first_reply"
    __table_args__ = (UniqueConstraint("lead_id"),)
    id: int | None = id_()
    lead_id: int = ref_("lead.id", nullable=False)
    message_id: int | None = ref_("message.id")
    reason: str | None = text_()
    at: datetime = at_(nullable=False)


class Route(Row, table=True):
    """A rule about where leads go; the first that matches, by `position`, wins. What is None matches everything.

    `business` is Thumbtack's id; `category` its name or id, compared without case; `zip_prefix` begins the zip code;
    `min_cents`: the lead costs at least so much. `ring`: who is mentioned on those leads, in place of SLACK_RING.
    """

    id: int | None = id_()
    position: int = Field(nullable=False)
    business: str | None = text_()
    category: str | None = text_()
    zip_prefix: str | None = text_()
    min_cents: int | None = Field(default=None, sa_type=BigInteger)
    channel: str = text_(nullable=False)
    ring: list[str] = list_()
