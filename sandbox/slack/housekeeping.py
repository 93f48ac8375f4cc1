"""What befalls the workspace around the conversations: channels close, people and the bot come and go, the app too."""

from dataclasses import replace
from typing import Any

from sandbox.slack import lookups, payloads
from sandbox.slack.delivery import Answer
from sandbox.slack.people import People
from sandbox.slack.workspace import Channel, Json, Workspace

OLGA = "U0OLGA"


class Housekeeping:
    """Deeds of an admin (Olga unless said otherwise); each changes the workspace and returns what the bot answered.

    The bot hears what Slack tells an app: everything about public channels, of private ones only while it is in them
    (https://docs.slack.dev/reference/events). Who acts on what is not there gets a LookupError with a sentence.
    """

    def __init__(self, workspace: Workspace, people: People) -> None:
        self.workspace = workspace
        self.people = people

    # Channels

    async def archive(self, channel: str, *, user: str = OLGA) -> Answer:
        """Close a channel: nobody can write there any more. channel_archive, or group_archive of a private one."""
        where = self.workspace.channel(channel)
        where.archived = True
        return await self._tell(where, {"type": f"{where.kind}_archive", "user": user, "is_moved": 0})

    async def unarchive(self, channel: str, *, user: str = OLGA) -> Answer:
        """Open a closed channel again. channel_unarchive or group_unarchive."""
        where = self.workspace.channel(channel)
        where.archived = False
        return await self._tell(where, {"type": f"{where.kind}_unarchive", "user": user})

    async def delete_channel(self, channel: str, *, user: str = OLGA) -> Answer:
        """A channel goes with all that is in it. channel_deleted or group_deleted."""
        where = self.workspace.channel(channel)
        del self.workspace.channels[where.channel_id]
        return await self._tell(where, {"type": f"{where.kind}_deleted", "actor_id": user})

    async def rename_channel(self, channel: str, name: str) -> Answer:
        """A channel is called otherwise. channel_rename or group_rename."""
        where = self.workspace.channel(channel)
        where.name = name
        self.workspace.changed.fire()
        named = {"id": where.channel_id, "name": name, "name_normalized": name, "created": lookups.CHANNELS_MADE_AT}
        return await self._tell(where, {"type": f"{where.kind}_rename", "channel": named})

    async def invite_bot(self, channel: str, *, user: str = OLGA) -> Answer:
        """Bring the bot (back) in: member_joined_channel. In again is nothing new."""
        where = self.workspace.channel(channel)
        if self.workspace.bot_user_id in where.members:
            return Answer()
        return await self.people.enter(self.workspace.bot_user_id, where, inviter=user)

    async def remove_bot(self, channel: str, *, user: str = OLGA) -> Answer:
        """Kick the bot out: it can neither post nor hear there.

        The last it hears is channel_left or group_left. Slack does not send member_left_channel to who was removed:
        only the members who stay hear that (https://github.com/slackapi/bolt-js/issues/1847).
        """
        where = self.workspace.channel(channel)
        where.members.remove(self.workspace.bot_user_id)
        self.workspace.changed.fire()
        event = {"type": f"{where.kind}_left", "channel": where.channel_id, "actor_id": user}
        return await self._hear(event)

    async def leave(self, user: str, channel: str) -> Answer:
        """A person leaves a channel: member_left_channel."""
        where = self.workspace.channel(channel)
        where.members.remove(self.workspace.person(user).user_id)
        self.workspace.changed.fire()
        left = payloads.membership(
            "member_left_channel", self.workspace.person(user), where, team_id=self.workspace.team_id
        )
        return await self._tell(where, left)

    # People

    async def change_person(self, user: str, **changes: Any) -> Answer:
        """Somebody gets another name, role, time zone …: user_change."""
        person = replace(self.workspace.person(user), **changes)
        self.workspace.people[user] = person
        self.workspace.changed.fire()
        shown = lookups.user(self.workspace, person)
        return await self._hear({"type": "user_change", "user": shown, "cache_ts": int(self.workspace.clock())})

    async def deactivate(self, user: str) -> Answer:
        """Somebody loses their account, and their place in every channel: user_change with `deleted`."""
        for channel in self.workspace.channels.values():
            if channel.direct_with is None and user in channel.members:
                channel.members.remove(user)
        return await self.change_person(user, deleted=True)

    # The app

    async def uninstall(self) -> Answer:
        """The app is taken off the workspace: its token is dead, and after tokens_revoked and app_uninstalled all is silent."""
        await self.revoke("account_inactive")
        return await self.people.event({"type": "app_uninstalled", "event_ts": self.workspace.next_ts()})

    async def revoke(self, refusal: str = "token_revoked") -> Answer:
        """The bot's token is taken back: every call is refused, and nothing is heard after tokens_revoked."""
        self.workspace.refusal = refusal
        self.workspace.changed.fire()
        tokens = {"oauth": [], "bot": [self.workspace.bot_user_id]}
        return await self.people.event(
            {"type": "tokens_revoked", "tokens": tokens, "event_ts": self.workspace.next_ts()}
        )

    async def reinstall(self) -> Answer:
        """The app is installed again, with the same token; Slack has no event of that for the app itself."""
        self.workspace.refusal = None
        self.workspace.changed.fire()
        return Answer()

    async def _tell(self, where: Channel, event: Json) -> Answer:
        """An event about a channel; of a private one the bot hears only as a member."""
        self.workspace.changed.fire()
        if where.is_private and self.workspace.bot_user_id not in where.members:
            return Answer()
        return await self._hear({"channel": where.channel_id, **event})

    async def _hear(self, event: Json) -> Answer:
        """An event that the bot hears as long as it is installed."""
        if self.workspace.refusal is not None:
            return Answer()
        return await self.people.event(event | {"event_ts": self.workspace.next_ts()})
