"""chat.* and reactions.*: what the bot writes (https://docs.slack.dev/reference/methods/chat.postMessage and its kin)."""

import copy
import re
from typing import Any

from sandbox.slack import access
from sandbox.slack.arguments import Arguments, Json, RefusedError
from sandbox.slack.block_kit import MESSAGE_SIZE, judge_blocks, judge_downloads, size
from sandbox.slack.workspace import Channel, Workspace

TEXT_SIZE = 40_000  # chat.postMessage: "msg_too_long"
NO_TEXT = "This content can't be displayed."  # what Slack shows as `text` of a message that has only blocks
_EMOJI_NAME = re.compile(r"[\w+'-]+(::skin-tone-[2-6])?")


def post_message(workspace: Workspace, args: Arguments) -> Json:
    """chat.postMessage; an unknown thread_ts posts in the channel's root and is not an error."""
    channel = access.writable(workspace, args, people=True)
    message = {**_author(workspace), **content(workspace, args)}
    if metadata := _metadata(args):
        message["metadata"] = metadata
    stored = workspace.post(
        channel, message, thread_ts=args.text("thread_ts") or None, broadcast=args.flag("reply_broadcast")
    )
    return {"channel": channel.channel_id, "ts": stored["ts"], "message": copy.deepcopy(stored)}


def update(workspace: Workspace, args: Arguments) -> Json:
    """chat.update; blocks and metadata that are not given stay, an empty list or object removes them."""
    channel = access.writable(workspace, args)
    stored = access.message(channel, args.text("ts"))
    if stored.get("bot_id") != workspace.bot_id:
        raise RefusedError("cant_update_message")
    changes = content(workspace, args, previous=stored)
    if "metadata" in args:
        changes["metadata"] = _metadata(args)
    stored |= changes
    stored["edited"] = {"user": workspace.bot_user_id, "ts": f"{int(workspace.clock())}.000000"}
    for name in ("blocks", "metadata"):
        if not stored.get(name):
            stored.pop(name, None)
    workspace.changed.fire()
    return {
        "channel": channel.channel_id,
        "ts": stored["ts"],
        "text": stored["text"],
        "message": workspace.shown(channel, stored, metadata=True),
    }


def delete(workspace: Workspace, args: Arguments) -> Json:
    """chat.delete; a parent with replies leaves a tombstone."""
    channel = access.writable(workspace, args)
    stored = access.message(channel, args.text("ts"))
    if stored.get("bot_id") != workspace.bot_id:
        raise RefusedError("cant_delete_message")
    workspace.remove(channel, stored["ts"])
    return {"channel": channel.channel_id, "ts": stored["ts"]}


def post_ephemeral(workspace: Workspace, args: Arguments) -> Json:
    """chat.postEphemeral; it is shown to one member of the channel and never stored in it."""
    channel = access.writable(workspace, args)
    user_id = args.text("user")
    if user_id not in channel.members:
        raise RefusedError("user_not_in_channel")
    message = {**_author(workspace), **content(workspace, args)}
    if thread_ts := args.text("thread_ts"):
        message["thread_ts"] = thread_ts
    return {"message_ts": workspace.whisper(user_id, channel, message)}


def get_permalink(workspace: Workspace, args: Arguments) -> Json:
    """chat.getPermalink."""
    channel = access.visible(workspace, args)
    stored = access.message(channel, args.text("message_ts"))
    link = f"https://{workspace.domain}.slack.com/archives/{channel.channel_id}/p{stored['ts'].replace('.', '')}"
    if "thread_ts" in stored:
        link += f"?thread_ts={stored['thread_ts']}&cid={channel.channel_id}"
    return {"channel": channel.channel_id, "permalink": link}


def add_reaction(workspace: Workspace, args: Arguments) -> Json:
    """reactions.add."""
    _, stored, name = _reacted(workspace, args)
    if not workspace.react(stored, name, workspace.bot_user_id):
        raise RefusedError("already_reacted")
    return {}


def remove_reaction(workspace: Workspace, args: Arguments) -> Json:
    """reactions.remove."""
    _, stored, name = _reacted(workspace, args)
    if not workspace.unreact(stored, name, workspace.bot_user_id):
        raise RefusedError("no_reaction")
    return {}


def get_reactions(workspace: Workspace, args: Arguments) -> Json:
    """reactions.get."""
    channel = access.readable(workspace, args)
    stored = access.message(channel, args.text("timestamp"))
    return {"type": "message", "channel": channel.channel_id, "message": workspace.shown(channel, stored)}


def content(workspace: Workspace, args: Arguments, *, previous: Json | None = None) -> Json:
    """The text, blocks and attachments of a message, refused as Slack refuses them; `previous` is what they replace."""
    text = args.text("text")
    blocks = args.structure("blocks", error="invalid_blocks_format")
    attachments = args.structure("attachments", error="invalid_attachments")
    if not text and not blocks and not attachments:
        raise RefusedError("no_text")
    if len(text) > TEXT_SIZE:
        raise RefusedError("msg_too_long")
    found: Json = {"text": text or (previous or {}).get("text") or NO_TEXT}
    if blocks is not None:
        found["blocks"] = checked_blocks(workspace, blocks)
    if attachments is not None:
        found["attachments"] = attachments
    return found


def checked_blocks(workspace: Workspace, blocks: Any) -> list[Json]:
    """The blocks as Slack stores them; a broken limit, or one image it cannot download, refuses the whole message."""
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise RefusedError("invalid_blocks_format")
    if complaints := judge_blocks(blocks) or judge_downloads(blocks, workspace.unfetchable):
        raise RefusedError("invalid_blocks", tuple(complaints))
    if size(blocks) > MESSAGE_SIZE:
        raise RefusedError("msg_blocks_too_long")
    return with_ids(workspace, blocks)


def with_ids(workspace: Workspace, blocks: list[Json]) -> list[Json]:
    """A copy in which every block has a block_id, and every button an action_id."""
    named = copy.deepcopy(blocks)
    for block in named:
        block.setdefault("block_id", workspace.next_id("b"))
        for element in (*block.get("elements", ()), block.get("accessory")):
            if element and element["type"] == "button":
                element.setdefault("action_id", workspace.next_id("a"))
    return named


def _author(workspace: Workspace) -> Json:
    return {"user": workspace.bot_user_id, "bot_id": workspace.bot_id, "app_id": workspace.app_id}


def _metadata(args: Arguments) -> Json | None:
    metadata: Json | None = args.structure("metadata", error="invalid_metadata_format")
    if not metadata:
        return None
    known = isinstance(metadata, dict) and metadata.keys() == {"event_type", "event_payload"}
    if not known or not isinstance(metadata["event_payload"], dict) or not isinstance(metadata["event_type"], str):
        raise RefusedError("invalid_metadata_format")
    return metadata


def _reacted(workspace: Workspace, args: Arguments) -> tuple[Channel, Json, str]:
    channel = access.writable(workspace, args)
    if "timestamp" not in args:
        raise RefusedError("no_item_specified")
    if not _EMOJI_NAME.fullmatch(args.text("name")):
        raise RefusedError("invalid_name")
    return channel, access.message(channel, args.text("timestamp")), args.text("name")
