"""Finds a post of ours again by the delivery id in it, after an answer was lost or the program was killed."""

from datetime import datetime, timedelta
from typing import Any

from bot.blocks.pointers import MISPLACED
from bot.dispatch.plans import Answer
from bot.failures import Failure, Sort
from bot.slack import Slack
from storage.threads import LeadThread

LOOK_BACK = timedelta(minutes=15)
"""How much earlier than our own clock says a post may have been stamped by Slack's."""

PAGES = 100
PAGE = 200  # more per page is not recommended (docs.slack.dev/reference/methods/conversations.history)

THREAD_GONE = "thread_gone"
"""Our code for a thread whose parent was deleted: Slack posts an answer to it in the channel instead."""


async def find(
    slack: Slack, channel: str, thread: LeadThread | None, delivery_id: str, *, since: datetime
) -> Answer | None:
    """The post that carries our delivery id, as chat.postMessage would have answered; None where there is none.

    Raises Failure where that cannot be known, and with THREAD_GONE where the thread is no more.
    """
    if thread is None:
        return await _among(slack, "conversations.history", {"channel": channel}, delivery_id, since=since)
    try:
        return await _among(
            slack, "conversations.replies", {"channel": channel, "ts": thread.ts}, delivery_id, since=since
        )
    except Failure as failure:
        if failure.reason != "thread_not_found":
            raise
    stray = await find(slack, channel, None, delivery_id, since=since)
    if stray is not None:
        await take_back(slack, stray)
    raise Failure(Sort.REFUSED, THREAD_GONE)


async def take_back(slack: Slack, stray: Answer) -> None:
    """Delete a post that went where it does not belong, or where nobody may delete, say there that it is elsewhere.

    Raises Failure where Slack's limits do not permit it now.
    """
    where = {"channel": stray["channel"], "ts": stray["ts"]}
    misplaced = {**where, "text": MISPLACED.text, "blocks": MISPLACED.blocks, "metadata": {}}
    for method, arguments in (("chat.delete", where), ("chat.update", misplaced)):
        try:
            await slack.call(method, arguments)
        except Failure as failure:
            if failure.sort is Sort.LATER:
                raise
        else:
            return


async def _among(
    slack: Slack, method: str, arguments: dict[str, Any], delivery_id: str, *, since: datetime
) -> Answer | None:
    """Slack gives metadata back only with include_all_metadata (docs.slack.dev/messaging/message-metadata)."""
    oldest = f"{(since - LOOK_BACK).timestamp():.6f}"
    asked = {**arguments, "oldest": oldest, "include_all_metadata": "true", "limit": PAGE}
    for _ in range(PAGES):
        page = await slack.call(method, asked)
        for message in page.get("messages", []):
            if _carries(message, delivery_id):
                return {"ok": True, "channel": arguments["channel"], "ts": message["ts"], "message": message}
        cursor = (page.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            return None
        asked["cursor"] = cursor
    return None


def _carries(message: dict[str, Any], delivery_id: str) -> bool:
    payload = (message.get("metadata") or {}).get("event_payload") or {}
    blocks = message.get("blocks") or [{}]
    return payload.get("delivery_id") == delivery_id or blocks[0].get("block_id") == delivery_id
