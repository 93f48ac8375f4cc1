"""Answers to `response_url`: how an app speaks after an interaction, at most five times within 30 minutes.

https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
"""

from typing import Any

from starlette.responses import JSONResponse, PlainTextResponse, Response

from sandbox.slack import chat
from sandbox.slack.arguments import Arguments, Json, Received, RefusedError
from sandbox.slack.workspace import RESPONSE_URL_SECONDS, RESPONSE_URL_USES, Channel, ResponseUrl, Workspace

_GONE = ("no_such_url", "expired_url", "used_url")


def use(workspace: Workspace, url_id: str, received: Received) -> tuple[Json, Response]:
    """Do what was sent to `/slack/response/{url_id}`; "ok", or 404 when this address takes nothing (any more)."""
    try:
        respond(workspace, _usable(workspace, url_id, received), received.given)
    except RefusedError as refused:
        return refused.answer(), JSONResponse(refused.answer(), 404 if refused.error in _GONE else 400)
    return {"ok": True}, PlainTextResponse("ok")


def _usable(workspace: Workspace, url_id: str, received: Received) -> ResponseUrl:
    url = workspace.response_urls.get(url_id)
    if url is None:
        raise RefusedError("no_such_url")
    if workspace.clock() - url.made_at > RESPONSE_URL_SECONDS:
        raise RefusedError("expired_url")
    if url.uses >= RESPONSE_URL_USES:
        raise RefusedError("used_url")
    if received.error:
        raise RefusedError("invalid_payload")
    url.uses += 1
    return url


def respond(workspace: Workspace, url: ResponseUrl, given: Json) -> None:
    """Do what an app's answer to an interaction says: replace or delete the source, or show something new."""
    args = Arguments(given)
    channel = workspace.channel(url.channel_id)
    if args.flag("delete_original"):
        _delete(workspace, channel, url)
        return
    message: dict[str, Any] = chat.content(workspace, args)
    if args.flag("replace_original") and _replace(workspace, channel, url, message):
        return
    author = {"user": workspace.bot_user_id, "bot_id": workspace.bot_id, "app_id": workspace.app_id}
    if args.text("response_type") == "in_channel":
        workspace.post(channel, author | message, thread_ts=args.text("thread_ts") or None)
        return
    if "thread_ts" in args:
        message["thread_ts"] = args.text("thread_ts")
    workspace.whisper(url.user_id, channel, author | message)


def _delete(workspace: Workspace, channel: Channel, url: ResponseUrl) -> None:
    whispers = workspace.ephemerals[url.user_id]
    if url.source_ts in channel.messages:
        workspace.remove(channel, url.source_ts)
    else:
        whispers[:] = [message for message in whispers if message["ts"] != url.source_ts]
        workspace.changed.fire()


def _replace(workspace: Workspace, channel: Channel, url: ResponseUrl, message: Json) -> bool:
    """False when there is no source to replace: a command leaves none."""
    whispers = {whisper["ts"]: whisper for whisper in workspace.ephemerals[url.user_id]}
    source = channel.messages.get(url.source_ts or "") or whispers.get(url.source_ts or "")
    if source is None:
        return False
    source.pop("blocks", None)
    source.update(message)
    workspace.changed.fire()
    return True
