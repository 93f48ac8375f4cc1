"""Showing a window: the one thing a listener does in Slack by itself, since its trigger dies in 3 s."""

from collections.abc import Mapping
from typing import Any

import structlog

from bot.failures import Failure
from bot.services import Services

log = structlog.get_logger()


async def opened(services: Services, trigger_id: str | None, view: dict[str, Any]) -> bool:
    """Whether Slack shows the window (docs.slack.dev/reference/methods/views.open)."""
    return await _shown(services, "views.open", trigger_id, view)


async def pushed(services: Services, trigger_id: str | None, view: dict[str, Any]) -> bool:
    """Likewise on top of the window that the person looks at (docs.slack.dev/reference/methods/views.push)."""
    return await _shown(services, "views.push", trigger_id, view)


async def updated(services: Services, view: Mapping[str, Any], changed: dict[str, Any]) -> bool:
    """Whether Slack shows `changed` in place of the `view` that an interaction came from.

    Not where somebody was faster: the window changed since (docs.slack.dev/reference/methods/views.update). Of a window
    below that one only the id is known; then whatever it shows is replaced.
    """
    known = {"view_id": view.get("id")} | ({"hash": view["hash"]} if view.get("hash") else {})
    return await _made(services, "views.update", {**known, "view": changed})


async def above(services: Services, body: Mapping[str, Any], view: dict[str, Any]) -> bool:
    """Likewise for what was pressed in a window or on a post: on top of the window where there is one."""
    is_in_window = (body.get("view") or {}).get("type") == "modal"
    return await (pushed if is_in_window else opened)(services, body.get("trigger_id"), view)


async def _shown(services: Services, method: str, trigger_id: str | None, view: dict[str, Any]) -> bool:
    return await _made(services, method, {"trigger_id": trigger_id, "view": view})


async def _made(services: Services, method: str, arguments: dict[str, Any]) -> bool:
    try:
        await services.slack.call(method, arguments)
    except Failure as failure:
        log.warning("window_not_opened", reason=failure.reason)
        return False
    return True
