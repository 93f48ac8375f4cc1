"""SlackStandIn: one Slack workspace on loopback, for the bot to call and for people to act in."""

import asyncio
import copy
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import httpx
from starlette.applications import Starlette
from starlette.routing import Route

from sandbox.faults import Faults
from sandbox.servers import serving
from sandbox.slack.control import control_routes
from sandbox.slack.delivery import Answer, Courier
from sandbox.slack.housekeeping import Housekeeping
from sandbox.slack.people import People
from sandbox.slack.socket_mode import Sockets
from sandbox.slack.transcript import transcript
from sandbox.slack.web_api import Call, WebApi
from sandbox.slack.workspace import Channel, Json, Person, UserGroup, Workspace

T = TypeVar("T")


class StillWaitingError(AssertionError):
    """What `wait_until` waited for did not happen in time; the message shows the workspace."""


class SlackStandIn:
    """A workspace with two members, an admin, a channel #leads and a group, in which the bot is installed.

    Mount `routes` (or serve `app`); the bot's Slack API address is then `{base_url}/slack/api/`. What people do here
    reaches the bot as signed requests at `events_url`, and each such method returns the bot's answer. People who act
    where they cannot (no such channel, message or button) raise LookupError or ValueError with a sentence.

    After `sockets.start()` all this travels over Socket Mode instead, for an app that shows `app_token`.

    `client` is for reaching the bot without a socket. `scopes`: what the bot was granted (None: everything).
    `limit_posts`: one post a second and channel, hundreds a minute in all, then 429; `api.limit_methods`: each other
    method's tier too (see `rates`). `echo_posts`: the bot hears of its own posts, as an app does
    that subscribes to channel messages. `retries`: pauses in seconds before an event is delivered again that was not
    answered with 2xx within 3 s (Slack's are `delivery.SLACKS_PAUSES`). All of these can be changed later, on `api`,
    `courier` and here; so can `api.bot_token`, the only token that is accepted.
    """

    def __init__(  # noqa: PLR0913 - the identities of one workspace; all but two have a default
        self,
        *,
        bot_token: str,
        signing_secret: str,
        events_url: str | None = None,
        client: httpx.AsyncClient | None = None,
        team_id: str = "T0CORKBOARD",
        bot_user_id: str = "U0CORKBOT",
        bot_id: str = "B0CORKBOT",
        app_id: str = "A0CORKBOARD",
        clock: Callable[[], float] = time.time,
        base_url: str = "http://127.0.0.1:8100",
        scopes: Collection[str] | None = None,
        limit_posts: bool = False,
        echo_posts: bool = False,
        retries: Sequence[float] = (),
        app_token: str = "xapp-sandbox",  # noqa: S107 - opens only this stand-in
    ) -> None:
        self.workspace = Workspace(team_id=team_id, app_id=app_id, bot_id=bot_id, bot_user_id=bot_user_id, clock=clock)
        self.workspace.base_url = base_url
        self.sockets = Sockets(app_token=app_token)
        self.api = WebApi(self.workspace, bot_token=bot_token, heard=self._heard, sockets=self.sockets)
        self.api.scopes = scopes
        self.api.limit_posts = limit_posts
        self.courier = Courier(
            signing_secret=signing_secret, events_url=events_url, client=client, sockets=self.sockets
        )
        self.courier.pauses = retries
        self.echo_posts = echo_posts
        self.calls: list[Call] = []
        self.people = people = People(self.workspace, self.courier)
        self.say, self.edit, self.delete, self.join = people.say, people.edit, people.delete, people.join
        self.press, self.press_in_view, self.submit = people.press, people.press_in_view, people.submit
        self.close_view = people.close_view
        self.command, self.open_home, self.unfurl = people.command, people.open_home, people.unfurl
        self.bot_says, self.event, self.redeliver = people.bot_says, people.event, people.redeliver
        self.verify_url = people.verify_url
        self.housekeeping = admin = Housekeeping(self.workspace, people)
        self.archive, self.unarchive, self.delete_channel = admin.archive, admin.unarchive, admin.delete_channel
        self.rename_channel, self.invite_bot, self.remove_bot = admin.rename_channel, admin.invite_bot, admin.remove_bot
        self.leave, self.change_person, self.deactivate = admin.leave, admin.change_person, admin.deactivate
        self.uninstall, self.revoke, self.reinstall = admin.uninstall, admin.revoke, admin.reinstall
        self._echoes: set[asyncio.Task[Answer]] = set()
        self._settle_in()
        self.routes = [
            Route("/slack/api/{method}", self.api.answer, methods=["GET", "POST"]),
            Route("/slack/response/{url_id}", self.api.answer_response_url, methods=["POST"]),
            *control_routes(self),
        ]
        self.app = Starlette(routes=self.routes)

    def _settle_in(self) -> None:
        bot_user_id = self.workspace.bot_user_id
        self.workspace.people[bot_user_id] = Person(user_id=bot_user_id, name="Corkboard", is_bot=True)
        self.add_person("U0ANA", "Ana")
        self.add_person("U0BEN", "Ben")
        self.add_person("U0OLGA", "Olga", is_admin=True)
        self.add_channel("C0LEADS", "leads", members=("U0ANA", "U0BEN", "U0OLGA", bot_user_id))
        self.add_group("S0CREW", "crew", users=("U0ANA", "U0BEN"))

    # Running it

    @asynccontextmanager
    async def serve(self, *, port: int = 0) -> AsyncIterator[str]:
        """Serve this workspace alone on loopback; yields the Slack API address for the bot, with its final slash."""
        async with serving(self.app, port=port) as address:
            self.workspace.base_url = address
            try:
                yield f"{address}/slack/api/"
            finally:
                await self.aclose()

    async def aclose(self) -> None:
        """Let echoes of posts arrive, and close the connections to the bot."""
        await asyncio.gather(*self._echoes)
        await self.sockets.aclose()
        await self.courier.aclose()

    @property
    def faults(self) -> Faults:
        """What shall go wrong, by method name ("chat.postMessage", "response_url") or "*"."""
        return self.api.faults

    @property
    def unfetchable(self) -> set[str]:
        """Image hosts or whole URLs that Slack cannot download ("*": all); a message with one of them is refused."""
        return self.workspace.unfetchable

    @property
    def base_url(self) -> str:
        """Where this workspace is served, for response_urls; `serve` sets it."""
        return self.workspace.base_url

    @base_url.setter
    def base_url(self, url: str) -> None:
        self.workspace.base_url = url

    @property
    def answers(self) -> list[Answer]:
        """Everything the bot answered to people's actions, oldest first."""
        return self.people.answers

    @property
    def events_url(self) -> str | None:
        """Where the bot hears Slack; None: people act, and the bot is told nothing."""
        return self.courier.events_url

    @events_url.setter
    def events_url(self, url: str | None) -> None:
        self.courier.events_url = url

    # The workspace

    def add_person(
        self,
        user_id: str,
        name: str,
        *,
        is_admin: bool = False,
        is_owner: bool = False,
        deleted: bool = False,
        tz: str = "America/Los_Angeles",
        is_restricted: bool = False,
        is_ultra_restricted: bool = False,
        team_id: str | None = None,
        channels: Collection[str] = (),
    ) -> Person:
        """A member joins, and is in these channels; adding the same id again replaces that person.

        `is_restricted`: a guest, `is_ultra_restricted`: a guest in a single channel; `team_id`: that of another
        company, whose person shares a channel by Slack Connect.
        """
        person = Person(
            user_id=user_id, name=name, is_admin=is_admin, is_owner=is_owner, deleted=deleted, tz=tz,
            is_restricted=is_restricted, is_ultra_restricted=is_ultra_restricted, team_id=team_id,
        )  # fmt: skip
        self.workspace.people[user_id] = person
        for channel in channels:
            members = self.workspace.channel(channel).members
            members.extend({user_id}.difference(members))
        return person

    def add_channel(
        self, channel_id: str, name: str, *, is_private: bool = False, members: Collection[str] | None = None
    ) -> Channel:
        """A channel opens; without `members`, everybody is in it, the bot too."""
        everybody = self.workspace.people if members is None else members
        channel = Channel(channel_id=channel_id, name=name, is_private=is_private, members=list(everybody))
        self.workspace.channels[channel_id] = channel
        return channel

    def add_group(self, group_id: str, handle: str, *, users: Collection[str]) -> UserGroup:
        """A user group is made; adding the same id again replaces it."""
        group = UserGroup(group_id=group_id, handle=handle, users=tuple(users))
        self.workspace.groups[group_id] = group
        return group

    def add_emoji(self, name: str, unicode: str | None = None) -> None:
        """An emoji people can type as :name:; without `unicode` ("1f44d") a custom one."""
        self.workspace.emoji[name] = unicode

    # What can be seen

    def messages(self, channel: str) -> list[Json]:
        """What the channel shows, oldest first, metadata included: no thread replies but those also sent to it."""
        found = self.workspace.channel(channel)
        return [self.workspace.shown(found, message, metadata=True) for message in found.shown()]

    def thread(self, channel: str, ts: str) -> list[Json]:
        """The parent and its replies, oldest first, metadata included; empty when there is no such message."""
        found = self.workspace.channel(channel)
        return [self.workspace.shown(found, message, metadata=True) for message in found.thread(ts)]

    def message(self, channel: str, ts: str) -> Json:
        """One message of a channel or thread, metadata included; LookupError when there is none."""
        found = self.workspace.channel(channel)
        return self.workspace.shown(found, found.messages[ts], metadata=True)

    def reactions(self, channel: str, ts: str) -> dict[str, list[str]]:
        """The users behind each emoji on a message; empty when there is no such message."""
        message = self.workspace.channel(channel).messages.get(ts, {})
        return {reaction["name"]: list(reaction["users"]) for reaction in message.get("reactions", ())}

    def ephemerals(self, user: str) -> list[Json]:
        """What only this person sees now, oldest first, each with its `channel`."""
        return copy.deepcopy(self.workspace.ephemerals.get(user, []))

    def direct_messages(self, user: str) -> list[Json]:
        """The conversation between the bot and this person, oldest first."""
        return self.messages(self.workspace.direct_channel(user).channel_id)

    def views(self, user: str) -> list[Json]:
        """The modals this person has open, the top one last."""
        return [copy.deepcopy(view) for owner, view in self.workspace.views.values() if owner == user]

    def home(self, user: str) -> Json | None:
        """This person's Home tab, if one was published."""
        return copy.deepcopy(self.workspace.homes.get(user))

    def called(self, method: str) -> list[Call]:
        """The recorded calls of one method, oldest first."""
        return [call for call in self.calls if call.method == method]

    def transcript(self) -> str:
        """The workspace and the last calls as a person would read them."""
        return transcript(self.workspace, self.calls)

    async def wait_until(self, look: Callable[[], T], *, timeout: float = 5.0) -> T:  # noqa: ASYNC109 - the limit is the promise
        """What `look` returns as soon as it is true; it is asked again at every call and every change here.

        A LookupError in `look` counts as not yet. After `timeout` seconds StillWaitingError shows the workspace.
        """
        try:
            return await self.workspace.changed.until(look, timeout=timeout)
        except TimeoutError:
            raise StillWaitingError(f"this did not happen within {timeout} s\n{self.transcript()}") from None

    def _heard(self, call: Call, answer: Json) -> None:
        self.calls.append(call)
        self.workspace.changed.fire()
        if self.echo_posts and call.ok and call.method == "chat.postMessage":
            task = asyncio.create_task(self.people.echo(answer["channel"], answer["ts"]))
            self._echoes.add(task)
            task.add_done_callback(self._echoes.discard)
