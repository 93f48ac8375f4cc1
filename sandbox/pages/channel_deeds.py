"""What a person does with Slack's channels on the page, and an admin with the app: make one, bring the bot in, send it away."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sandbox.pages.deeds import Deed, Json
from sandbox.slack import SlackStandIn

if TYPE_CHECKING:
    from sandbox.outside import Outside

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")


def deeds(world: "Outside") -> Mapping[str, Deed]:
    """By name; what each takes stands in its function."""
    channels = _Channels(world.slack)
    return {
        "add_channel": channels.add, "invite_bot": channels.invite_bot, "remove_bot": channels.remove_bot,
        "archive": channels.archive, "unarchive": channels.unarchive,
        "install": channels.install, "uninstall": channels.uninstall,
    }  # fmt: skip


class _Channels:
    """LookupError or ValueError: why that cannot be."""

    def __init__(self, slack: SlackStandIn) -> None:
        self._slack = slack

    async def add(self, _user: str, args: Json) -> Json:
        """Open a channel called `name` with everybody in it but the bot; its id comes back as `channel`."""
        name = str(args["name"]).strip().removeprefix("#").lower().replace(" ", "-")
        workspace = self._slack.workspace
        if not _NAME.fullmatch(name):
            raise ValueError("A channel's name has letters, digits and hyphens only.")
        if any(channel.name == name for channel in workspace.channels.values()):
            raise ValueError(f"There is a channel #{name} already.")
        people = [one.user_id for one in workspace.people.values() if not one.is_bot and not one.deleted]
        channel = self._slack.add_channel(workspace.next_id("C"), name, members=people)
        workspace.changed.fire()
        return {"said": f"#{name} is open. Corkboard is not in it yet.", "channel": channel.channel_id}

    async def invite_bot(self, user: str, args: Json) -> None:
        """Bring the bot into `channel`, as /invite does."""
        await self._slack.invite_bot(self._mine(user, args), user=user)

    async def remove_bot(self, user: str, args: Json) -> None:
        """Remove the bot from `channel`; ValueError where it is not."""
        await self._slack.remove_bot(self._mine(user, args), user=user)

    async def archive(self, user: str, args: Json) -> None:
        """Close `channel`: nobody writes there any more."""
        await self._slack.archive(self._mine(user, args), user=user)

    async def unarchive(self, user: str, args: Json) -> None:
        """Open `channel` again."""
        await self._slack.unarchive(self._mine(user, args), user=user)

    async def install(self, user: str, _args: Json) -> None:
        """Install the app again."""
        self._admin(user)
        await self._slack.reinstall()

    async def uninstall(self, user: str, _args: Json) -> None:
        """Take the app off the workspace: its token is dead, and it hears nothing any more."""
        self._admin(user)
        await self._slack.uninstall()

    def _admin(self, user: str) -> None:
        if not self._slack.workspace.person(user).is_admin:
            raise ValueError("Only an admin of the workspace installs and uninstalls apps. Olga is one.")

    def _mine(self, user: str, args: Json) -> str:
        """The channel's id, if this person is in it."""
        channel = self._slack.workspace.channel(str(args["channel"]))
        if user not in channel.members or channel.direct_with is not None:
            raise LookupError("That is no channel that you are in.")
        return channel.channel_id
