"""What Thumbtack answers when it is asked, in values the rest of the program can rely on; text as in `facts`."""

from dataclasses import dataclass, field
from datetime import datetime

from webhooks.thumbtack.facts import BusinessRef

MESSAGES_PER_PAGE = 20
"""The longest page of messages there is (Thumbtack's page "Messages")."""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a token is good for. `scopes` is empty where the API does not say."""

    businesses: tuple[BusinessRef, ...]
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PhoneNumber:
    """A number that may call and text customers through Thumbtack; `number` as sent, documented as E.164.

    A list may hold removed ones: `is_deleted`.
    """

    phone_id: str
    number: str = field(repr=False)
    name: str | None = field(default=None, repr=False)
    is_deleted: bool = False
    last_activity_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """A subscription of a business's events; Thumbtack never says its secret again."""

    webhook_id: str
    url: str | None = None
    is_enabled: bool | None = None
    auth_type: str | None = None
    event_types: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class User:
    """The pro who gave the consent."""

    user_id: str
    email: str | None = field(default=None, repr=False)
    first_name: str | None = field(default=None, repr=False)
    last_name: str | None = field(default=None, repr=False)
