"""conversations.*, users.* and usergroups.*: what the bot reads, page by page."""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from sandbox.slack import access
from sandbox.slack.arguments import Arguments, Json, RefusedError
from sandbox.slack.workspace import Channel, Person, Workspace

T = TypeVar("T")
Page = tuple[Sequence[T], str]  # the items, and the cursor of the next page ("" at the end)

CHANNELS_MADE_AT = 1_700_000_000
_NEVER = "9999999999.999999"
_TYPES = {"channel": "public_channel", "group": "private_channel", "im": "im"}


def history(workspace: Workspace, args: Arguments) -> Json:
    """conversations.history: what the channel shows, newest first (thread replies are not in it)."""
    channel = access.readable(workspace, args)
    found = _between(channel.shown(), args)[::-1]
    page, cursor = _page(found, args, mark=_ts, limits=(100, 999))
    return _messages(workspace, channel, page, cursor, args)


def replies(workspace: Workspace, args: Arguments) -> Json:
    """conversations.replies: the parent, on every page, then its replies, oldest first."""
    channel = access.readable(workspace, args)
    asked = channel.messages.get(args.text("ts"))
    if asked is None:
        raise RefusedError("thread_not_found")
    parent, *answers = channel.thread(asked.get("thread_ts") or asked["ts"])
    page, cursor = _page(_between(answers, args), args, mark=_ts, limits=(1000, 1000))
    return _messages(workspace, channel, [parent, *page], cursor, args)


def conversation_info(workspace: Workspace, args: Arguments) -> Json:
    """conversations.info."""
    channel = access.visible(workspace, args)
    shown = _conversation(workspace, channel)
    if args.flag("include_num_members"):
        shown["num_members"] = len(channel.members)
    return {"channel": shown}


def open_conversation(workspace: Workspace, args: Arguments) -> Json:
    """conversations.open with one person."""
    person = access.person(workspace, args, name="users")
    if person.deleted:
        raise RefusedError("user_disabled")
    channel = workspace.direct_channel(person.user_id)
    return {"channel": _conversation(workspace, channel) if args.flag("return_im") else {"id": channel.channel_id}}


def members(workspace: Workspace, args: Arguments) -> Json:
    """conversations.members."""
    page, cursor = _page(access.visible(workspace, args).members, args, mark=str, limits=(100, 1000))
    return {"members": list(page), "response_metadata": {"next_cursor": cursor}}


def conversations_of(workspace: Workspace, args: Arguments) -> Json:
    """users.conversations: where a person is (without `user`, the bot); of private ones, those where the bot is too."""
    person = access.person(workspace, args) if "user" in args else workspace.people[workspace.bot_user_id]
    types = set((args.text("types") or "public_channel").replace(" ", "").split(","))
    if types - {*_TYPES.values(), "mpim"}:
        raise RefusedError("invalid_types")
    together = {person.user_id, workspace.bot_user_id}
    found = [
        channel
        for channel in workspace.channels.values()
        if person.user_id in channel.members and (channel.kind == "channel" or together <= set(channel.members))
        if _TYPES[channel.kind] in types and not (channel.archived and args.flag("exclude_archived"))
    ]
    page, cursor = _page(found, args, mark=lambda channel: channel.channel_id, limits=(100, 999))
    shown = [_conversation(workspace, channel) for channel in page]
    for one in shown:
        one.pop("is_member", None)  # of whom would not be said: Slack leaves it out here
    return {"channels": shown, "response_metadata": {"next_cursor": cursor}}


def user_info(workspace: Workspace, args: Arguments) -> Json:
    """users.info."""
    return {"user": user(workspace, access.person(workspace, args))}


def user_list(workspace: Workspace, args: Arguments) -> Json:
    """users.list."""
    page, cursor = _page(list(workspace.people.values()), args, mark=lambda p: p.user_id, limits=(1000, 1000))
    return {
        "members": [user(workspace, person) for person in page],
        "cache_ts": int(workspace.clock()),
        "response_metadata": {"next_cursor": cursor},
    }


def group_list(workspace: Workspace, args: Arguments) -> Json:
    """usergroups.list."""
    shown = []
    for group in workspace.groups.values():
        entry = {
            "id": group.group_id, "team_id": workspace.team_id, "is_usergroup": True, "name": group.handle.title(),
            "handle": group.handle, "description": "", "is_external": False, "date_delete": 0,
            "user_count": len(group.users),
        }  # fmt: skip
        shown.append(entry | ({"users": list(group.users)} if args.flag("include_users") else {}))
    return {"usergroups": shown}


def group_users(workspace: Workspace, args: Arguments) -> Json:
    """usergroups.users.list."""
    group = workspace.groups.get(args.text("usergroup"))
    if group is None:
        raise RefusedError("no_such_subteam")
    return {"users": list(group.users)}


def _ts(message: Json) -> str:
    return str(message["ts"])


def _between(messages: Sequence[Json], args: Arguments) -> list[Json]:
    """Those from `oldest` to `latest`; the ends themselves only with `inclusive`."""
    oldest, latest = args.text("oldest") or "0", args.text("latest") or _NEVER
    for ts, error in ((oldest, "invalid_ts_oldest"), (latest, "invalid_ts_latest")):
        if not ts.replace(".", "", 1).isdecimal():
            raise RefusedError(error)
    low, high = float(oldest), float(latest)
    inclusive = args.flag("inclusive")
    return [m for m in messages if low < float(m["ts"]) < high or (inclusive and float(m["ts"]) in (low, high))]


def _page(found: Sequence[T], args: Arguments, *, mark: Callable[[T], str], limits: tuple[int, int]) -> Page[T]:
    """One page of `found`; the cursor names the first item of the next page, so that news do not shift pages."""
    default, most = limits
    limit = args.number("limit", default=default, most=most)
    start = _position([mark(item) for item in found], args.text("cursor")) if "cursor" in args else 0
    end = start + limit
    cursor = base64.b64encode(f"next:{mark(found[end])}".encode()).decode() if end < len(found) else ""
    return found[start:end], cursor


def _position(marks: list[str], cursor: str) -> int:
    try:
        return marks.index(base64.b64decode(cursor, validate=True).decode().removeprefix("next:")) if cursor else 0
    except (binascii.Error, ValueError):
        raise RefusedError("invalid_cursor") from None


def _messages(workspace: Workspace, channel: Channel, page: Sequence[Json], cursor: str, args: Arguments) -> Json:
    metadata = args.flag("include_all_metadata")
    answer: Json = {
        "messages": [workspace.shown(channel, message, metadata=metadata) for message in page],
        "has_more": bool(cursor),
    }
    return answer | ({"response_metadata": {"next_cursor": cursor}} if cursor else {})


def _conversation(workspace: Workspace, channel: Channel) -> Json:
    common: Json = {
        "id": channel.channel_id, "created": CHANNELS_MADE_AT, "context_team_id": workspace.team_id,
        "is_archived": channel.archived, "is_im": channel.kind == "im", "is_org_shared": False,
    }  # fmt: skip
    if channel.direct_with is not None:
        return common | {"user": channel.direct_with, "is_open": True}
    return common | {
        "name": channel.name, "name_normalized": channel.name, "is_channel": not channel.is_private,
        "is_group": channel.is_private, "is_mpim": False, "is_private": channel.is_private, "is_general": False,
        "is_shared": False, "is_ext_shared": _is_shared(workspace, channel), "is_member": workspace.bot_user_id in channel.members,
        "is_read_only": channel.read_only,
        "topic": {"value": "", "creator": "", "last_set": 0}, "purpose": {"value": "", "creator": "", "last_set": 0},
    }  # fmt: skip


def user(workspace: Workspace, person: Person) -> Json:
    """A person as Slack's user object (https://docs.slack.dev/reference/objects/user-object)."""
    profile = {
        "real_name": person.name, "real_name_normalized": person.name, "display_name": person.name.split()[0].lower(),
        "team": workspace.team_of(person.user_id),
    }  # fmt: skip
    return {
        "id": person.user_id, "team_id": workspace.team_of(person.user_id), "name": profile["display_name"], "real_name": person.name,
        "deleted": person.deleted, "profile": profile, "is_admin": person.is_admin or person.is_owner,
        "is_owner": person.is_owner, "is_primary_owner": False, "is_bot": person.is_bot, "is_app_user": False,
        "is_restricted": person.is_restricted or person.is_ultra_restricted,
        "is_ultra_restricted": person.is_ultra_restricted, "is_stranger": _is_stranger(workspace, person),
        "updated": 1_700_000_000, **_time_zone(workspace, person),
    }  # fmt: skip


def _is_shared(workspace: Workspace, channel: Channel) -> bool:
    return any(workspace.team_of(member) != workspace.team_id for member in channel.members)


def _is_stranger(workspace: Workspace, person: Person) -> bool:
    """Another company's person with whom the bot shares no channel (same page): in a shared one, they are none."""
    if person.team_id in (None, workspace.team_id):
        return False
    together = {workspace.bot_user_id, person.user_id}
    return not any(together <= set(channel.members) for channel in workspace.channels.values())


def _time_zone(workspace: Workspace, person: Person) -> Json:
    """Where a person is; the offset is that of this moment, in seconds."""
    here = datetime.fromtimestamp(workspace.clock(), ZoneInfo(person.tz))
    offset = here.utcoffset() or timedelta()
    return {"tz": person.tz, "tz_label": here.tzname(), "tz_offset": int(offset.total_seconds())}
