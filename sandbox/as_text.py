"""Everything that people can see, as a page for a terminal: Slack's threads, and what customers received."""

import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from sandbox.reading import Reader, marks
from sandbox.slack import SlackStandIn
from sandbox.slack.workspace import Channel
from sandbox.thumbtack import Sent, ThumbtackStandIn

Json = dict[str, Any]

LEGEND = "⏳ waits   ✅ delivered   ❌ not delivered   ⚠ may have arrived   📝 kept inside"


def page(slack: SlackStandIn, thumbtack: ThumbtackStandIn) -> RenderableType:
    """All conversations that hold something, then what each customer received."""
    reader = Reader(slack.workspace)
    shown: list[RenderableType] = []
    for channel in slack.workspace.channels.values():
        if channel.messages:
            shown += [title(channel_name(reader, channel)), *_conversation(reader, channel)]
    shown += _customers(thumbtack)
    return Group(*shown) if shown else Text("Nothing happened yet.")


def as_text(renderable: RenderableType, *, width: int = 100) -> str:
    """The same without colours, for whoever asks by HTTP."""
    console = Console(file=io.StringIO(), width=width, color_system=None, force_terminal=False)
    console.print(renderable)
    assert isinstance(console.file, io.StringIO)  # noqa: S101 -- it was made three lines above
    return console.file.getvalue()


def title(text: str) -> RenderableType:
    """A line that begins a part."""
    return Rule(Text(text, "bold"), align="left", style="dim")


def channel_name(reader: Reader, channel: Channel) -> str:
    """What the conversation is called in Slack."""
    return f"#{channel.name}" if channel.name else f"Direct messages to {reader.name(channel.direct_with)}"


def card(reader: Reader, message: Json) -> RenderableType:
    """A message that heads a thread, in full."""
    shown = Group(who(reader.name(message.get("user"))), said(reader, message))
    return Group(Text(), Padding(shown, (0, 0, 0, 2), expand=False))


def said(reader: Reader, message: Json) -> Text:
    """What a message says, with what was done to it and the marks under it."""
    text = Text("\n").join(reader.lines(message))
    if "edited" in message and not message.get("bot_id"):
        text.append(" (edited)", "dim")
    if message.get("subtype") == "thread_broadcast":
        text.append(" (shown in the channel too)", "dim")
    if shown := marks(message):
        text.append(f"  {shown}")
    return text


def read(lines: Sequence[Text]) -> RenderableType:
    """What somebody reads, a little away from the edge."""
    return Padding(Text("\n").join(lines), (0, 0, 1, 2), expand=False)


def rows(lines: Sequence[tuple[Text, ...]], *, indent: int) -> RenderableType:
    """Columns, of which the last one takes as many lines as it needs."""
    table = Table.grid(padding=(0, 2))
    *narrow, _ = lines[0]
    for _ in narrow:
        table.add_column(no_wrap=True, min_width=len("Corkboard"))
    table.add_column(overflow="fold")
    for line in lines:
        table.add_row(*line)
    return Padding(table, (0, 0, 0, indent), expand=False)


def who(name: str) -> Text:
    """A name beside what was said."""
    return Text(name, "bold magenta" if name == "Corkboard" else "bold cyan")


def time(instant: datetime) -> Text:
    """An instant on the clock of this machine."""
    return Text(f"{instant.astimezone():%H:%M:%S}", "dim")


def _conversation(reader: Reader, channel: Channel) -> Iterator[RenderableType]:
    for message in channel.shown():
        if message.get("subtype") == "thread_broadcast":
            continue  # it is read in its thread
        yield card(reader, message)
        replies = channel.thread(message["ts"])[1:]
        if replies:
            lines = [(who(reader.name(reply.get("user"))), said(reader, reply)) for reply in replies]
            yield Text()
            yield rows(lines, indent=6)


def _customers(thumbtack: ThumbtackStandIn) -> Iterator[RenderableType]:
    by_lead: dict[str, list[Sent]] = {}
    for sent in sorted([*thumbtack.sent, *thumbtack.typed], key=lambda one: one.at):
        by_lead.setdefault(sent.lead_id, []).append(sent)
    for lead_id, received in by_lead.items():
        yield Text()
        yield title(f"What {thumbtack.customer_of(lead_id)} received on Thumbtack")
        yield Text()
        yield rows([(time(one.at), _received(one)) for one in received], indent=2)


def _received(sent: Sent) -> Text:
    """What a customer reads; whether it came from the bot or from a person in Thumbtack's app is for us."""
    return Text.assemble(sent.text, (" (typed in Thumbtack's app)" if sent.via == "app" else "", "dim"))
