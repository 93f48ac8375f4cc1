"""What a person does in Slack on the page, brought to the bot as Slack brings it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sandbox.pages.deeds import Deed, Json
from sandbox.slack import Answer, SlackStandIn
from sandbox.slack.workspace import Channel, Workspace

if TYPE_CHECKING:
    from sandbox.outside import Outside


def deeds(world: "Outside") -> Mapping[str, Deed]:
    """By name; what each takes stands in its function."""
    person = _Person(world.slack)
    return {
        "say": person.say, "edit": person.edit, "delete": person.delete, "react": person.react,
        "press": person.press, "press_in_view": person.press_in_view, "submit": person.submit,
        "close_view": person.close_view, "command": person.command, "open_home": person.open_home,
        "dismiss": person.dismiss,
    }  # fmt: skip


class _Person:
    """Each deed tells nothing where all is well; a bot that did not take it is told as Slack tells it."""

    def __init__(self, slack: SlackStandIn) -> None:
        self._slack = slack

    @property
    def _workspace(self) -> Workspace:
        return self._slack.workspace

    async def say(self, user: str, args: Json) -> None:
        """Write `text` in `channel` (`thread_ts`, `broadcast`; `files`: their names; `me`)."""
        await self._slack.say(
            user, args["channel"], args["text"], thread_ts=args.get("thread_ts"),
            broadcast=bool(args.get("broadcast")), files=args.get("files", ()), me=bool(args.get("me")),
        )  # fmt: skip

    async def edit(self, user: str, args: Json) -> None:
        """Change one's own message `ts` in `channel` to `text`."""
        self._own(user, args)
        await self._slack.edit(args["channel"], args["ts"], args["text"])

    async def delete(self, user: str, args: Json) -> None:
        """Delete one's own message `ts` in `channel`."""
        self._own(user, args)
        await self._slack.delete(args["channel"], args["ts"])

    async def react(self, user: str, args: Json) -> None:
        """Put the emoji `name` on the message `ts` in `channel`, or take it off where it was; no app is told."""
        message = self._message(self._channel(user, args), args)
        if args["name"] not in self._workspace.emoji:
            raise LookupError(f"There is no emoji :{args['name']}:.")
        if not self._workspace.react(message, args["name"], user):
            self._workspace.unreact(message, args["name"], user)

    async def press(self, user: str, args: Json) -> None:
        """Press `action_id` (`value`) in the message `ts` of `channel`."""
        self._channel(user, args)
        answer = await self._slack.press(user, args["channel"], args["ts"], args["action_id"], args.get("value"))
        _heard(answer)

    async def press_in_view(self, user: str, args: Json) -> None:
        """Press `action_id` (`value`) in the window `view_id`, or on Home; `values` is what was filled in by then."""
        answer = await self._slack.press_in_view(
            user, args["action_id"], args.get("value"), view_id=args.get("view_id"), values=args.get("values")
        )
        _heard(answer)

    async def submit(self, user: str, args: Json) -> Json | None:
        """Submit the window `view_id` with `values`; what is wrong comes back as `errors`, by block."""
        answer = await self._slack.submit(user, args.get("values", {}), view_id=args["view_id"])
        says = answer.json() if answer.ok else None
        if says and says.get("response_action") == "errors":
            return {"said": None, "errors": says["errors"]}
        _heard(answer)
        return None

    async def close_view(self, user: str, args: Json) -> None:
        """Close the window `view_id`."""
        await self._slack.close_view(user, view_id=args["view_id"])

    async def command(self, user: str, args: Json) -> None:
        """Type the slash `command` with `text` behind it in `channel`; Slack takes none in a thread."""
        if args.get("thread_ts"):
            raise ValueError(f"{args['command']} does not work in threads. Type it in the channel's own box.")
        answer = await self._slack.command(user, args["command"], args.get("text", ""), channel=args["channel"])
        if not answer.ok:
            raise ValueError(f"{args['command']} failed: the bot did not answer.")

    async def open_home(self, user: str, _args: Json) -> None:
        """Look at the bot's Home tab."""
        await self._slack.open_home(user)

    async def dismiss(self, user: str, args: Json) -> None:
        """Put away the message `ts` that only this person sees."""
        whispers = self._workspace.ephemerals[user]
        whispers[:] = [one for one in whispers if one["ts"] != args["ts"]]
        self._workspace.changed.fire()

    def _channel(self, user: str, args: Json) -> Channel:
        channel = self._workspace.channel(args["channel"])
        if user not in channel.members:
            raise LookupError(f"{self._workspace.person(user).name} is not in that channel.")
        return channel

    def _message(self, channel: Channel, args: Json) -> Json:
        if args["ts"] not in channel.messages:
            raise LookupError("That message is no longer there.")
        return channel.messages[args["ts"]]

    def _own(self, user: str, args: Json) -> None:
        """A person changes what they wrote themselves, and nothing else."""
        if self._message(self._channel(user, args), args).get("user") != user:
            raise ValueError("Only who wrote a message can change or delete it.")


def _heard(answer: Answer) -> None:
    """ValueError where the bot did not take it, as Slack tells it; where nobody listens, nobody is told."""
    if not answer.ok and (answer.status is not None or answer.failure is not None):
        raise ValueError("The bot did not answer in time, so nothing happened. Try again.")
