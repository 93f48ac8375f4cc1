"""What a part of the settings is: the button that opens it, what it is about, its window, and who may submit that."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck

from bot import access
from bot.blocks import settings as blocks
from bot.services import Services


@dataclass(frozen=True, kw_only=True)
class Visit:
    """Somebody who may change things opens a part of the settings; `channel`: from which channel, where Slack tells it."""

    services: Services
    team_id: str
    user_id: str
    channel: str | None = None


async def may_submit(services: Services, ack: AsyncAck, *, team_id: str, user_id: str) -> bool:
    """Whether who submits a part's window may change things still; where not, the window says why."""
    refused = await access.refusal(services, team_id=team_id, user_id=user_id)
    if refused is not None:
        await ack(response_action="update", view=blocks.refused_window(refused))
    return refused is None


@dataclass(frozen=True, kw_only=True)
class Section:
    """One part. `action_id` is that of its button; `window` gives the modal that is pushed on top of the list of parts."""

    action_id: str
    label: str
    told: str
    window: Callable[[Visit], Awaitable[dict[str, Any]]]
