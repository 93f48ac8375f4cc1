"""What a part of the settings is: the button that opens it, what it is about, and its window."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from bot.services import Services


@dataclass(frozen=True, kw_only=True)
class Visit:
    """Somebody who may change things opens a part of the settings; `channel`: from which channel, where Slack tells it."""

    services: Services
    team_id: str
    user_id: str
    channel: str | None = None


@dataclass(frozen=True, kw_only=True)
class Section:
    """One part. `action_id` is that of its button; `window` gives the modal that is pushed on top of the list of parts."""

    action_id: str
    label: str
    told: str
    window: Callable[[Visit], Awaitable[dict[str, Any]]]
