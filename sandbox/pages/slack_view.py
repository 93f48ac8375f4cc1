"""What one person sees in Slack, as JSON that the page draws."""

from typing import TYPE_CHECKING

from sandbox.pages.deeds import Json
from sandbox.slack.workspace import Channel, Person, Workspace

if TYPE_CHECKING:
    from sandbox.outside import Outside

COMMANDS = {
    "/thumbtack": ("help", "connect", "disconnect", "status", "pause", "resume", "phones", "leads", "settings"),
}
"""What can be typed after a slash, as the manifest tells Slack."""


def view(world: "Outside", as_user: str) -> Json:
    """Everything in Slack that `as_user` can see; LookupError for nobody."""
    slack, workspace = world.slack, world.slack.workspace
    person = workspace.person(as_user)
    workspace.direct_channel(as_user)  # Slack shows everybody a conversation with an app, also before it spoke
    return {
        "me": person.user_id,
        "bot": workspace.bot_user_id,
        "domain": workspace.domain,
        "installed": workspace.refusal is None,
        "people": {one.user_id: _person(one) for one in workspace.people.values()},
        "groups": {one.group_id: one.handle for one in workspace.groups.values()},
        "names": {one.channel_id: one.name for one in workspace.channels.values() if one.name},
        "emoji": workspace.emoji,
        "commands": COMMANDS,
        "channels": [_channel(workspace, one) for one in workspace.channels.values() if as_user in one.members],
        "ephemerals": slack.ephemerals(as_user),
        "views": slack.views(as_user),
        "home": slack.home(as_user),
    }


def _person(person: Person) -> Json:
    return {
        "id": person.user_id, "name": person.name, "admin": person.is_admin or person.is_owner, "bot": person.is_bot,
        "gone": person.deleted, "tz": person.tz,
    }  # fmt: skip


def _channel(workspace: Workspace, channel: Channel) -> Json:
    """A conversation with all that was written there, in threads too, oldest first."""
    return {
        "id": channel.channel_id, "name": channel.name, "kind": channel.kind, "with": channel.direct_with,
        "archived": channel.archived, "bot": workspace.bot_user_id in channel.members,
        "members": list(channel.members),
        "messages": [workspace.shown(channel, one) for one in channel.messages.values()],
    }  # fmt: skip
