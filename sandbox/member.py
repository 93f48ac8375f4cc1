"""What one person in Slack sees besides the channels, and presses there: windows, the Home tab, what is shown to them alone."""

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from sandbox import as_text
from sandbox.reading import Reader
from sandbox.slack import Answer, SlackStandIn
from sandbox.slack.block_kit import elements
from sandbox.slack.workspace import Person

Json = dict[str, Any]


class Member:
    """One person. Who does what they cannot gets a LookupError or ValueError with a sentence."""

    def __init__(self, slack: SlackStandIn, person: Person) -> None:
        self._slack = slack
        self._person = person
        self._reader = Reader(slack.workspace)

    def sees(self) -> RenderableType:
        """Their window, their Home tab, and what only they are told, the newest last."""
        shown = [*self._tab(), *self._alone(), *self._windows()]
        return Group(*shown) if shown else Text(f"Nothing is shown to {self._person.name} alone.")

    async def press(self, wanted: str) -> Answer:
        """They press the newest button that says this (or has this action_id); `menu=choice` chooses from a menu."""
        user = self._person.user_id
        windows = self._slack.views(user)
        if windows:  # it stands before everything else
            return await self._slack.press_in_view(user, *self._found(windows[-1], wanted))
        for message in sorted(self._messages(), key=lambda one: float(one["ts"]), reverse=True):
            if meant := _meant(message, wanted):
                return await self._slack.press(user, message["channel"], message["ts"], *meant)
        return await self._slack.press_in_view(user, *self._found(self._slack.home(user) or {}, wanted))

    async def submit(self, typed: str) -> Answer:
        """They submit their window after filling it in: a line `field=value` for each field, by its action_id."""
        windows = self._slack.views(self._person.user_id)
        kinds = {one["action_id"]: one["type"] for _, one in elements(windows[-1]["blocks"])} if windows else {}
        given = (line.partition("=") for line in typed.splitlines() if line.strip())
        values = {
            name.strip(): value.strip().split(",")
            if kinds.get(name.strip(), "").startswith("multi_")
            else value.strip()
            for name, _, value in given
        }
        return await self._slack.submit(self._person.user_id, values)

    async def close(self, _typed: str) -> Answer:
        """They close their window."""
        return await self._slack.close_view(self._person.user_id)

    async def home(self, _typed: str) -> Answer:
        """They look at the app's Home tab."""
        return await self._slack.open_home(self._person.user_id)

    def _found(self, view: Json, wanted: str) -> tuple[str, Any]:
        meant = _meant(view, wanted)
        if meant is None:
            known = [_says(one) or one["action_id"] for _, one in elements(view.get("blocks"))]
            raise LookupError(
                f"{self._person.name} sees no {wanted} to press; there is {', '.join(known) or 'nothing'}."
            )
        return meant

    def _messages(self) -> Iterator[Json]:
        """Every message that they can see, each with its `channel`."""
        for channel in self._slack.workspace.channels.values():
            if self._person.user_id in channel.members:
                yield from (one | {"channel": channel.channel_id} for one in channel.messages.values())
        yield from self._slack.ephemerals(self._person.user_id)

    def _tab(self) -> Iterator[RenderableType]:
        home = self._slack.home(self._person.user_id)
        if home is not None:
            yield as_text.title(f"{self._person.name}'s Home tab")
            yield as_text.read(self._reader.lines(home))

    def _alone(self) -> Iterator[RenderableType]:
        for whisper in self._slack.ephemerals(self._person.user_id):
            name = as_text.channel_name(self._reader, self._slack.workspace.channel(whisper["channel"]))
            yield as_text.title(f"Only {self._person.name} sees, in {name}")
            yield as_text.read(self._reader.lines(whisper))

    def _windows(self) -> Iterator[RenderableType]:
        for view in self._slack.views(self._person.user_id):
            yield as_text.title(f"{self._person.name}'s window")
            fields = "  ".join(_field(one) for block, one in elements(view["blocks"]) if block["type"] == "input")
            takes = [Text(f"Fields: {fields}", "dim")] if fields else []
            yield as_text.read([*self._reader.window(view), *takes])


def _meant(shown: Json, wanted: str) -> tuple[str, Any] | None:
    """The action_id of what is to be pressed, and the value of a button, or what is chosen from a menu."""
    name, _, choice = (part.strip() for part in wanted.partition("="))
    for _, element in elements(shown.get("blocks")):
        known = (_plain(_says(element)), element["action_id"])
        if element["type"] == "button":
            if _plain(wanted) in known:
                return element["action_id"], element.get("value")
        elif _plain(name) in known:
            return element["action_id"], choice
    return None


def _field(element: Json) -> str:
    """What a field is called, and what it takes where that is a choice."""
    values = "|".join(option["value"] for option in element.get("options", ()))
    return f"{element['action_id']}={values}" if values else str(element["action_id"])


def _says(element: Json) -> str:
    """The words of a button, or of a menu of which nothing was chosen."""
    return str((element.get("text") or element.get("placeholder") or {}).get("text") or "")


def _plain(words: str) -> str:
    """However the apostrophe is typed."""
    return words.replace("’", "'").strip()
