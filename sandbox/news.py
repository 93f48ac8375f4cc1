"""What is new in the sandbox since one looked last: cards, lines in threads, marks, and what customers received."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from sandbox import as_text
from sandbox.reading import Reader, marks
from sandbox.slack import SlackStandIn
from sandbox.slack.workspace import Channel
from sandbox.thumbtack import ThumbtackStandIn

Json = dict[str, Any]

_FOR_EVER = 365 * 24 * 3600.0


@dataclass(kw_only=True)
class _Seen:
    """A message as it was seen last."""

    lines: list[str]
    marks: str


class News:
    """Remembers what was seen. What stands there at the beginning is no news."""

    def __init__(self, slack: SlackStandIn, thumbtack: ThumbtackStandIn) -> None:
        self._slack = slack
        self._thumbtack = thumbtack
        self._reader = Reader(slack.workspace)
        self._seen: dict[str, _Seen] = {}
        self._whispers: set[str] = set()
        self._views: dict[str, list[str]] = {}
        self._received = 0
        self._set = 0
        self._place: str | None = None
        self.fresh()

    async def follow(self, tell: Callable[[RenderableType], None]) -> None:
        """Tell all news as it comes, until cancelled."""
        while True:
            for item in await self._slack.wait_until(self.fresh, timeout=_FOR_EVER):
                tell(item)

    def fresh(self) -> list[RenderableType]:
        """What is new since the last call."""
        return [*self._said(), *self._whispered(), *self._viewed(), *self._arrived(), *self._targeted()]

    def _said(self) -> Iterator[RenderableType]:
        for channel in list(self._slack.workspace.channels.values()):
            here = {f"{channel.channel_id} {ts}": message for ts, message in channel.messages.items()}
            for key, message in list(here.items()):
                yield from self._message(channel, key, message)
            for key in [key for key in self._seen if key.startswith(f"{channel.channel_id} ") and key not in here]:
                gone = self._seen.pop(key)
                yield self._row("deleted", Text(" ".join(gone.lines), "strike"))

    def _message(self, channel: Channel, key: str, message: Json) -> Iterator[RenderableType]:
        now = _Seen(lines=[line.plain for line in self._reader.lines(message)], marks=marks(message))
        before, self._seen[key] = self._seen.get(key), now
        parent = channel.messages.get(message.get("thread_ts", ""))
        if before is None:
            yield from self._new(channel, message, parent)
            return
        if before.lines != now.lines:
            yield from self._where(channel, parent or message)
            yield self._row("changed", Text("\n".join(line for line in now.lines if line not in before.lines)))
        if " " in now.marks:
            now.marks = before.marks  # the new mark is set before the old one is removed
        elif now.marks and now.marks != before.marks:
            yield from self._where(channel, parent or message)
            yield self._row(now.marks, Text(f"{self._reader.name(message.get('user'))}: {' '.join(now.lines)}", "dim"))

    def _new(self, channel: Channel, message: Json, parent: Json | None) -> Iterator[RenderableType]:
        if parent is None or parent is message:
            self._place = None
            yield as_text.title(as_text.channel_name(self._reader, channel))
            yield as_text.card(self._reader, message)
            return
        yield from self._where(channel, parent)
        yield self._row(self._reader.name(message.get("user")), as_text.said(self._reader, message))

    def _whispered(self) -> Iterator[RenderableType]:
        for user_id, whispers in self._slack.workspace.ephemerals.items():
            for whisper in whispers:
                if whisper["ts"] not in self._whispers:
                    self._whispers.add(whisper["ts"])
                    said = Text("\n").join(self._reader.lines(whisper))
                    yield self._row(f"only {self._reader.name(user_id)}", said)

    def _viewed(self) -> Iterator[RenderableType]:
        """Windows and Home tabs that are new, or show something else."""
        workspace, seen = self._slack.workspace, self._views
        name = self._reader.name
        shown = [
            (view["id"], f"{name(user)}'s Home", self._reader.lines(view)) for user, view in workspace.homes.items()
        ]
        shown += [
            (view["id"], f"{name(user)}'s window", self._reader.window(view)) for user, view in workspace.views.values()
        ]
        self._views = {key: [line.plain for line in lines] for key, _, lines in shown}
        for key, whose, lines in shown:
            if seen.get(key) != self._views[key]:
                yield self._row(whose, Text("\n").join(lines))

    def _arrived(self) -> Iterator[RenderableType]:
        fresh, self._received = self._thumbtack.sent[self._received :], len(self._thumbtack.sent)
        for sent in fresh:
            name = self._thumbtack.customer_of(sent.lead_id)
            yield self._row("Thumbtack", Text.assemble((f"{name} received: ", "bold green"), sent.text))

    def _targeted(self) -> Iterator[RenderableType]:
        calls = self._thumbtack.targeting_calls
        fresh, self._set = calls[self._set :], len(calls)
        for call in fresh:
            name = self._thumbtack.grants.name_of(call.business_id)
            what = f"New leads {'on' if call.enabled else 'off'}: {name}"
            yield self._row(
                "Thumbtack", Text(what if call.category_id is None else f"{what}, {call.category_id}", "bold")
            )

    def _where(self, channel: Channel, parent: Json) -> Iterator[RenderableType]:
        """The thread that the next lines are about, said once."""
        place = f"{as_text.channel_name(self._reader, channel)} › {self._reader.lines(parent)[0].plain}"
        if place != self._place:
            self._place = place
            yield Text(f"\n{place}", "dim")

    def _row(self, who: str, what: Text) -> RenderableType:
        return as_text.rows([(as_text.time(datetime.now(UTC)), as_text.who(who), what)], indent=2)
