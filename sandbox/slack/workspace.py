"""What the stand-in's workspace remembers: people, channels, messages, and what only one person sees."""

import asyncio
import copy
import itertools
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sandbox.slack.composing import EMOJI

Json = dict[str, Any]
T = TypeVar("T")

TRIGGER_SECONDS = 3  # https://docs.slack.dev/interactivity/handling-user-interaction: a trigger_id expires in 3 s
RESPONSE_URL_SECONDS = 30 * 60  # same page: five uses within 30 minutes
RESPONSE_URL_USES = 5


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody in the workspace.

    A member, a guest (`is_restricted`; `is_ultra_restricted`: in a single channel), or somebody of another company
    (`team_id` is theirs) who shares a channel by Slack Connect.
    """

    user_id: str
    name: str
    is_admin: bool = False
    is_owner: bool = False
    deleted: bool = False
    tz: str = "America/Los_Angeles"
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    team_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class UserGroup:
    """People who are mentioned together, as in @crew."""

    group_id: str
    handle: str
    users: tuple[str, ...]


@dataclass(kw_only=True)
class Channel:
    """A conversation with its messages, oldest first; `direct_with` is the person of a direct message.

    `read_only`: the bot may not post there.
    """

    channel_id: str
    name: str
    is_private: bool = False
    direct_with: str | None = None
    archived: bool = False
    read_only: bool = False
    members: list[str] = field(default_factory=list)
    messages: dict[str, Json] = field(default_factory=dict)
    threads: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def kind(self) -> str:
        """What Slack writes into an event's `channel_type`."""
        if self.direct_with is not None:
            return "im"
        return "group" if self.is_private else "channel"

    def shown(self) -> list[Json]:
        """What the channel itself shows: no thread replies but those also sent to the channel."""
        return [m for m in self.messages.values() if not _is_reply(m) or m.get("subtype") == "thread_broadcast"]

    def thread(self, ts: str) -> list[Json]:
        """The message and its replies, oldest first; empty when there is no such message."""
        if ts not in self.messages:
            return []
        return [self.messages[ts], *(self.messages[reply] for reply in self.threads.get(ts, ()))]


@dataclass(kw_only=True)
class Trigger:
    """A person's click, which one view can be opened with."""

    user_id: str
    made_at: float
    used: bool = False


@dataclass(kw_only=True)
class ResponseUrl:
    """Where an app may answer an interaction; `source_ts` is the message that was pressed."""

    user_id: str
    channel_id: str
    made_at: float
    source_ts: str | None = None
    uses: int = 0


class Signal:
    """Wakes whoever waits for a change."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    @property
    def coming(self) -> asyncio.Event:
        """Set by the next change."""
        return self._event

    def fire(self) -> None:
        """Something changed: everybody who waits looks again."""
        event, self._event = self._event, asyncio.Event()
        event.set()

    async def until(self, look: Callable[[], T], *, timeout: float) -> T:  # noqa: ASYNC109 - the limit is the promise
        """What `look` returned as soon as it was true; TimeoutError after `timeout` seconds.

        `look` may fail on what does not exist yet (IndexError, KeyError): that counts as not yet.
        """
        async with asyncio.timeout(timeout):
            while True:
                event = self._event
                try:
                    found = look()
                except LookupError:
                    found = None
                if found:
                    return found
                await event.wait()


class Workspace:
    """The whole state behind one team id. Everything here is synchronous, so a call is never seen half done."""

    def __init__(self, *, team_id: str, app_id: str, bot_id: str, bot_user_id: str, clock: Callable[[], float]) -> None:
        self.team_id, self.app_id, self.bot_id, self.bot_user_id = team_id, app_id, bot_id, bot_user_id
        self.clock = clock
        self.domain = "corkboard-sandbox"
        self.base_url = ""  # where this workspace is served; response_urls begin with it
        self.people: dict[str, Person] = {}
        self.channels: dict[str, Channel] = {}
        self.groups: dict[str, UserGroup] = {}
        self.emoji: dict[str, str | None] = dict(EMOJI)  # name -> code points as Slack writes them; None: a custom one
        self.ephemerals: dict[str, list[Json]] = defaultdict(list)
        self.views: dict[str, tuple[str, Json]] = {}  # open modals: view id -> (user, view), the top one last
        self.homes: dict[str, Json] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.refusal: str | None = (
            None  # what every call is answered with once the app is uninstalled, its token revoked
        )
        self.unfetchable: set[str] = set()  # image hosts or whole URLs that Slack "cannot download"; "*" is all
        self.changed = Signal()
        self._numbers = itertools.count(1)
        self._last_microsecond = 0

    # Identities and time

    def next_id(self, prefix: str) -> str:
        """An id as Slack's look: a letter for the kind, then capitals and digits."""
        return f"{prefix}0{next(self._numbers):07d}"

    def next_ts(self) -> str:
        """A message's ts: unique in the workspace and increasing, whatever the clock does."""
        self._last_microsecond = max(int(self.clock() * 1_000_000), self._last_microsecond + 100)
        return f"{self._last_microsecond // 1_000_000}.{self._last_microsecond % 1_000_000:06d}"

    def new_trigger(self, user_id: str) -> str:
        """A trigger_id for what `user_id` just did."""
        trigger_id = f"{next(self._numbers)}.{self.team_id[1:]}.sandbox"
        self.triggers[trigger_id] = Trigger(user_id=user_id, made_at=self.clock())
        return trigger_id

    def new_response_url(self, user_id: str, channel_id: str, *, source_ts: str | None = None) -> str:
        """The id that ends a response_url for what `user_id` just did."""
        url_id = self.next_id("R")
        self.response_urls[url_id] = ResponseUrl(
            user_id=user_id, channel_id=channel_id, made_at=self.clock(), source_ts=source_ts
        )
        return url_id

    # People and channels

    def person(self, user_id: str) -> Person:
        """That person; a LookupError that says who exists."""
        if user_id not in self.people:
            raise LookupError(f"nobody here is {user_id}; there are {', '.join(self.people)}")
        return self.people[user_id]

    def team_of(self, user_id: str | None) -> str:
        """The workspace that somebody belongs to: ours, but for people of other companies."""
        person = self.people.get(user_id or "")
        return (person and person.team_id) or self.team_id

    def channel(self, channel_id: str) -> Channel:
        """That channel, by id or by #name; a LookupError that says which exist."""
        for channel in self.channels.values():
            if channel_id in (channel.channel_id, f"#{channel.name}"):
                return channel
        raise LookupError(f"no channel is {channel_id}; there are {', '.join(self.channels)}")

    def direct_channel(self, user_id: str) -> Channel:
        """The conversation between the bot and `user_id`, opened when there was none."""
        for channel in self.channels.values():
            if channel.direct_with == user_id:
                return channel
        channel = Channel(
            channel_id=self.next_id("D"), name="", direct_with=user_id, members=[user_id, self.bot_user_id]
        )
        self.channels[channel.channel_id] = channel
        return channel

    # Messages

    def post(self, channel: Channel, message: Json, *, thread_ts: str | None = None, broadcast: bool = False) -> Json:
        """Store `message` in the channel, or in the thread whose parent is `thread_ts`, and return it with its ts.

        A `thread_ts` that is no parent is not an error: Slack posts in the channel's root then.
        """
        stored = {"type": "message", "team": self.team_of(message.get("user")), **message, "ts": self.next_ts()}
        parent = channel.messages.get(thread_ts or "")
        if parent is not None and not _is_reply(parent):
            stored["thread_ts"] = parent["ts"]
            if "user" in parent:
                stored["parent_user_id"] = parent["user"]
            channel.threads[parent["ts"]].append(stored["ts"])
            if broadcast:
                stored["subtype"] = "thread_broadcast"
        channel.messages[stored["ts"]] = stored
        self.changed.fire()
        return stored

    def remove(self, channel: Channel, ts: str) -> Json | None:
        """Take a message away; returns the tombstone Slack leaves where a parent still has replies."""
        gone = channel.messages[ts]
        self.changed.fire()
        if channel.threads.get(ts):
            tombstone = {
                "type": "message", "subtype": "tombstone", "text": "This message was deleted.", "user": "USLACKBOT",
                "hidden": True, "ts": ts, "team": self.team_id,
            }  # fmt: skip
            channel.messages[ts] = tombstone
            return tombstone
        del channel.messages[ts]
        if _is_reply(gone):
            channel.threads[gone["thread_ts"]].remove(ts)
        return None

    def shown(self, channel: Channel, message: Json, *, metadata: bool = False) -> Json:
        """A copy of the message as Slack returns it: a parent counts its replies, metadata only when asked for."""
        shown = copy.deepcopy(message)
        if not metadata:
            shown.pop("metadata", None)
        replies = [channel.messages[ts] for ts in channel.threads.get(message["ts"], ())]
        if replies:
            writers = list(dict.fromkeys(reply.get("user") or reply["bot_id"] for reply in replies))
            shown |= {
                "thread_ts": message["ts"], "reply_count": len(replies), "reply_users": writers,
                "reply_users_count": len(writers), "latest_reply": replies[-1]["ts"], "is_locked": False,
                "subscribed": False,
            }  # fmt: skip
        return shown

    def react(self, message: Json, name: str, user_id: str) -> bool:
        """Put an emoji on a message; False when that person's was there already."""
        reactions: list[Json] = message.setdefault("reactions", [])
        entry = next((r for r in reactions if r["name"] == name), None)
        if entry is None:
            entry = {"name": name, "users": [], "count": 0}
            reactions.append(entry)
        if user_id in entry["users"]:
            return False
        entry["users"].append(user_id)
        entry["count"] = len(entry["users"])
        self.changed.fire()
        return True

    def unreact(self, message: Json, name: str, user_id: str) -> bool:
        """Take an emoji off a message; False when that person had not put it there."""
        for entry in message.get("reactions", []):
            if entry["name"] == name and user_id in entry["users"]:
                entry["users"].remove(user_id)
                entry["count"] = len(entry["users"])
                if not entry["users"]:
                    message["reactions"].remove(entry)
                self.changed.fire()
                return True
        return False

    def whisper(self, user_id: str, channel: Channel, message: Json) -> str:
        """Show an ephemeral message to one person; returns its ts, which no history knows."""
        ts = self.next_ts()
        self.ephemerals[user_id].append(
            {"type": "message", "user": self.bot_user_id, **message, "channel": channel.channel_id, "ts": ts}
        )
        self.changed.fire()
        return ts


def _is_reply(message: Json) -> bool:
    return "thread_ts" in message and message["thread_ts"] != message["ts"]
