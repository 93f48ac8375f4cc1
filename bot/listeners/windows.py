"""Showing a window: the one thing a listener does in Slack by itself, since its trigger dies in 3 s."""

from typing import Any

import structlog

from bot.failures import Failure
from bot.services import Services

log = structlog.get_logger()


async def opened(services: Services, trigger_id: str | None, view: dict[str, Any]) -> bool:
    """Whether Slack shows the window (docs.slack.dev/reference/methods/views.open)."""
    try:
        await services.slack.call("views.open", {"trigger_id": trigger_id, "view": view})
    except Failure as failure:
        log.warning("window_not_opened", reason=failure.reason)
        return False
    return True
