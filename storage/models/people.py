"""People in Slack who decide here, and what they did."""

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from storage.models.base import BigId, Row, at_, dict_, id_, text_


class Keeper(Row, table=True):
    """A person who is told about trouble and may change settings, where the settings name nobody."""

    __table_args__ = (UniqueConstraint("team_id", "user_id"),)
    id: int | None = id_()
    team_id: str = text_(nullable=False)
    user_id: str = text_(nullable=False)
    since: datetime = at_(nullable=False)


class Manager(Row, table=True):
    """A person or a user group allowed to connect, disconnect, pause and change phones and settings."""

    __table_args__ = (UniqueConstraint("team_id", "subject"),)
    id: int | None = id_()
    team_id: str = text_(nullable=False)
    subject: str = text_(nullable=False)  # U… or W…: a person; S…: a user group
    added_by: str = text_(nullable=False)
    added_at: datetime = at_(nullable=False)


class Audit(Row, table=True):
    """Who did or saw what, appended to and never changed; no customer's data.

    `before` and `after`: what changed, by field. `business_id` names no row: it outlives the business.
    """

    id: int | None = id_()
    team_id: str | None = text_()
    actor: str | None = text_()
    action: str = text_(nullable=False)
    subject: str | None = text_()
    at: datetime = at_(nullable=False)
    business_id: int | None = Field(default=None, sa_type=BigId)
    before: dict[str, Any] = dict_(sa_column_kwargs={"server_default": "{}"})
    after: dict[str, Any] = dict_(sa_column_kwargs={"server_default": "{}"})
