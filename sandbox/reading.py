"""Reads a Slack message as a person sees it: its blocks as lines of styled text for a terminal."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from rich.emoji import Emoji
from rich.style import Style
from rich.text import Text

from sandbox.slack.workspace import Workspace

Json = dict[str, Any]

_BOLD, _DIM, _CODE, _LINK = (Style(bold=True), Style(dim=True), Style(color="red"), Style(color="blue", underline=True))
_BUTTON = Style(bold=True, color="white", bgcolor="dark_green")
_STYLES = {"bold": _BOLD, "italic": Style(italic=True), "strike": Style(strike=True), "code": _CODE}
_TOKEN = re.compile(
    r"<(?P<markup>[^<>]+)>|:(?P<emoji>[a-z0-9_+'-]+):|\*(?P<bold>\S(?:[^*\n]*\S)?)\*|`(?P<code>[^`\n]+)`"
    r"|(?<!\w)_(?P<italic>[^_\n]+)_(?!\w)"
)
_MENTIONS = {
    "user": ("@", "user_id"),
    "usergroup": ("!subteam^", "usergroup_id"),
    "channel": ("#", "channel_id"),
    "broadcast": ("!", "range"),
}
_DATES = {"time_secs": "%H:%M:%S", "time": "%H:%M", "date_num": "%Y-%m-%d"}
_DATES |= dict.fromkeys(("date", "date_short", "date_pretty", "date_short_pretty"), "%b %d, %Y")


class Reader:
    """Reads the messages of one workspace: it knows the names behind mentions."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def lines(self, message: Json) -> list[Text]:
        """The message as lines, never none; what people see are its blocks, or its text where it has none."""
        shown = [line for block in message.get("blocks") or () for line in self._block(block)]
        files = [Text(f"📎 {file['name']}", _DIM) for file in message.get("files", ())]
        return [*(shown or self._mrkdwn(message.get("text", "")).split("\n", allow_blank=True)), *files]

    def window(self, view: Json) -> list[Text]:
        """A modal: its title, what it asks, and the buttons at its foot."""
        foot = [view[name]["text"] for name in ("close", "submit") if view.get(name)]
        buttons = Text("  ").join(Text.assemble("[", Text(f" {label} ", _BUTTON), "]") for label in foot)
        return [Text(view["title"]["text"], _BOLD), *self.lines(view), *([buttons] if foot else [])]

    def name(self, user_id: str | None) -> str:
        """Who that is; the id itself for somebody who is not in the workspace."""
        person = self._workspace.people.get(user_id or "")
        return person.name if person else user_id or "somebody"

    def _block(self, block: Json) -> Iterator[Text]:
        match block["type"]:
            case "header":
                yield Text(block["text"]["text"], _BOLD)
            case "section":
                yield from self._section(block)
            case "divider":
                yield Text("─" * 8, _DIM)
            case "input":
                yield Text.assemble((block["label"]["text"], _BOLD), " ", *self._elements([block["element"]]))
            case "context":
                yield from _styled(Text("  ").join(map(self._object, block["elements"])), _DIM).split("\n")
            case "actions":
                yield from self._elements(block["elements"])
            case "image":
                yield Text(f"🖼  {block['alt_text']}", _DIM)
            case "rich_text":
                yield from self._rich(block["elements"])
            case other:
                yield Text(f"({other})", _DIM)

    def _section(self, block: Json) -> Iterator[Text]:
        for text in (block.get("text"), *block.get("fields", ())):
            yield from self._object(text).split("\n") if text else ()
        if "accessory" in block:
            yield from self._elements([block["accessory"]])

    def _elements(self, elements: Iterable[Json]) -> Iterator[Text]:
        """What can be pressed, chosen from or typed into, side by side."""
        labels = [self._label(element) for element in elements]
        shown = [Text.assemble("[", Text(f" {label} ", _BUTTON), "]") for label in labels if label]
        if shown:
            yield Text("  ").join(shown)

    def _label(self, element: Json) -> str:
        """What a button says, and what the others hold or offer."""
        if element["type"] == "image":
            return ""
        if "text" in element:
            return str(element["text"]["text"])
        if held := self._held(element):
            return held
        if "options" in element:
            return " | ".join(option["text"]["text"] for option in element["options"])
        return str(element.get("placeholder", {}).get("text") or "…")

    def _held(self, element: Json) -> str:
        """What was chosen or typed; of several things, all of them."""
        held = next((element[name] for name in element if name.startswith("initial_")), None)
        if held is None:
            return ""
        several = held if isinstance(held, list) else [held]
        shown = ", ".join(one["text"]["text"] if isinstance(one, dict) else self._chosen(str(one)) for one in several)
        return f"{shown} ▾" if "initial_option" in element or "select" in element["type"] else shown

    def _chosen(self, value: str) -> str:
        """A person, group or channel by its name, everything else as it is."""
        workspace = self._workspace
        if value in workspace.people:
            return f"@{self.name(value)}"
        if value in workspace.channels:
            return f"#{workspace.channels[value].name}"
        return f"@{workspace.groups[value].handle}" if value in workspace.groups else value

    def _rich(self, elements: Iterable[Json]) -> Iterator[Text]:
        for element in elements:
            if element["type"] == "rich_text_list":
                yield from (Text.assemble("• ", self._inline(item["elements"])) for item in element["elements"])
                continue
            lines = list(self._inline(element["elements"]).split("\n", allow_blank=True))
            if lines and not lines[-1].plain:  # a section that something follows ends with its line break
                del lines[-1]
            edge = {"rich_text_quote": "▌ ", "rich_text_preformatted": "  "}.get(element["type"], "")
            yield from (Text.assemble((edge, _DIM), line) for line in lines)

    def _inline(self, elements: Iterable[Json]) -> Text:
        return Text.assemble(*map(self._leaf, elements))

    def _leaf(self, leaf: Json) -> Text:
        match leaf["type"]:
            case "text":
                chosen = [_STYLES[name] for name, on in leaf.get("style", {}).items() if on and name in _STYLES]
                return Text(leaf["text"], sum(chosen, start=Style()))
            case "emoji":
                return Text(_emoji(leaf["name"]))
            case "link":
                return Text(leaf.get("text") or leaf["url"], _LINK)
            case "date":
                return Text(_date(f"!date^{leaf['timestamp']}^{leaf['format']}", leaf.get("fallback", "")))
            case kind if kind in _MENTIONS:
                sign, key = _MENTIONS[kind]
                return self._mention(f"{sign}{leaf[key]}")
            case other:
                return Text(f"({other})", _DIM)

    def _object(self, text: Json) -> Text:
        """A text object; where Slack interprets nothing, nor do we."""
        if text["type"] == "mrkdwn":
            return self._mrkdwn(text["text"])
        return Text(text.get("text") or text.get("alt_text") or "")

    def _mrkdwn(self, source: str) -> Text:
        read, at = Text(), 0
        for token in _TOKEN.finditer(source):
            read.append(_unescaped(source[at : token.start()]))
            read.append_text(self._token(token))
            at = token.end()
        return read.append(_unescaped(source[at:]))

    def _token(self, token: re.Match[str]) -> Text:
        if token["markup"]:
            return self._mention(token["markup"])
        if token["emoji"]:
            return Text(_emoji(token["emoji"]))
        style = next(name for name in ("bold", "code", "italic") if token[name])
        inner = Text(_unescaped(token["code"])) if style == "code" else self._mrkdwn(token[style])
        return _styled(inner, _STYLES[style])

    def _mention(self, markup: str) -> Text:
        """What stands between < and > (https://docs.slack.dev/messaging/formatting-message-text)."""
        target, _, label = markup.partition("|")
        if target.startswith("!date^"):
            return Text(_date(target, _unescaped(label)))
        if target.startswith("!subteam^"):
            group = self._workspace.groups.get(target.removeprefix("!subteam^"))
            return Text(f"@{group.handle}" if group else target, _LINK)
        if target[0] in "!@":
            return Text(f"@{self.name(target[1:])}", _LINK)
        if target[0] == "#":
            channel = self._workspace.channels.get(target[1:])
            return Text(f"#{channel.name}" if channel else target, _LINK)
        return Text(_unescaped(label or target), _LINK)


def marks(message: Json) -> str:
    """The emoji that stand under a message."""
    return " ".join(_emoji(reaction["name"]) for reaction in message.get("reactions", ()))


def _emoji(name: str) -> str:
    return Emoji.replace(f":{name}:")


def _unescaped(text: str) -> str:
    """Slack escapes these three characters and no others."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _date(target: str, fallback: str) -> str:
    """Slack's date markup in the time zone of this machine; the fallback for a form we do not know."""
    _, seconds, form = target.split("^")[:3]
    shown = form
    for name, pattern in _DATES.items():
        shown = shown.replace(f"{{{name}}}", f"{datetime.fromtimestamp(int(seconds)).astimezone():{pattern}}")
    return fallback if "{" in shown else shown


def _styled(text: Text, style: Style) -> Text:
    text.stylize_before(style)
    return text
