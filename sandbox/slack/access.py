"""Which conversation an argument means for the bot, and the error Slack answers when it may not use it."""

from sandbox.slack.arguments import Arguments, Json, RefusedError
from sandbox.slack.workspace import Channel, Person, Workspace


def readable(workspace: Workspace, args: Arguments) -> Channel:
    """The `channel` of a call that reads: the bot must see it, and be in it."""
    channel = visible(workspace, args)
    if workspace.bot_user_id not in channel.members:
        raise RefusedError("not_in_channel")
    return channel


def writable(workspace: Workspace, args: Arguments, *, people: bool = False) -> Channel:
    """The `channel` of a call that writes; `people`: a user id means the direct message with that person."""
    if people and args.text("channel") in workspace.people:
        return workspace.direct_channel(args.text("channel"))
    channel = visible(workspace, args)
    if channel.archived:
        raise RefusedError("is_archived")
    if workspace.bot_user_id not in channel.members:
        raise RefusedError("not_in_channel")
    if channel.read_only:
        raise RefusedError("restricted_action_read_only_channel")
    return channel


def visible(workspace: Workspace, args: Arguments) -> Channel:
    """The `channel` of a call; a private one without the bot does not exist for it."""
    try:
        channel = workspace.channel(args.text("channel"))
    except LookupError:
        raise RefusedError("channel_not_found") from None
    if channel.kind != "channel" and workspace.bot_user_id not in channel.members:
        raise RefusedError("channel_not_found")
    return channel


def message(channel: Channel, ts: str) -> Json:
    """The message with that ts; a tombstone is none."""
    found = channel.messages.get(ts)
    if found is None or found.get("subtype") == "tombstone":
        raise RefusedError("message_not_found")
    return found


def person(workspace: Workspace, args: Arguments, *, name: str = "user") -> Person:
    """The person whose id the argument `name` is."""
    found = workspace.people.get(args.text(name))
    if found is None:
        raise RefusedError("user_not_found")
    return found
