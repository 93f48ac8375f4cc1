"""What Slack's own client makes of what a person types: the escaped `text` of the message, and its rich_text block."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

Json = dict[str, Any]

EMOJI: Mapping[str, str | None] = {
    "+1": "1f44d", "-1": "1f44e", "100": "1f4af", "alarm_clock": "23f0", "arrow_forward": "25b6-fe0f",
    "bar_chart": "1f4ca", "bell": "1f514", "bulb": "1f4a1", "bust_in_silhouette": "1f464", "calendar": "1f4c5",
    "car": "1f697", "clap": "1f44f", "clock3": "1f552", "cry": "1f622", "dollar": "1f4b5",
    "double_vertical_bar": "23f8-fe0f", "ear": "1f442", "electric_plug": "1f50c", "exclamation": "2757",
    "eyes": "1f440", "fire": "1f525", "grin": "1f601", "hammer": "1f528", "hammer_and_wrench": "1f6e0-fe0f",
    "heart": "2764-fe0f", "heavy_minus_sign": "2796", "hourglass": "231b", "hourglass_flowing_sand": "23f3",
    "house": "1f3e0", "inbox_tray": "1f4e5", "information_source": "2139-fe0f", "joy": "1f602", "key": "1f511",
    "large_green_circle": "1f7e2", "leftwards_arrow_with_hook": "21a9-fe0f", "link": "1f517", "lock": "1f512",
    "loud_sound": "1f50a", "memo": "1f4dd", "moneybag": "1f4b0", "mute": "1f507", "new": "1f195", "no_bell": "1f515",
    "no_entry": "26d4", "no_entry_sign": "1f6ab", "ok_hand": "1f44c", "outbox_tray": "1f4e4", "paperclip": "1f4ce",
    "point_down": "1f447", "point_right": "1f449", "pray": "1f64f", "pushpin": "1f4cc", "question": "2753",
    "raising_hand": "1f64b", "receipt": "1f9fe", "repeat": "1f501", "robot_face": "1f916", "rocket": "1f680",
    "rotating_light": "1f6a8", "round_pushpin": "1f4cd", "slightly_smiling_face": "1f642", "smile": "1f604",
    "speech_balloon": "1f4ac", "star": "2b50", "star2": "1f31f", "stopwatch": "23f1-fe0f", "sunglasses": "1f60e",
    "tada": "1f389", "telephone_receiver": "1f4de", "test_tube": "1f9ea", "thinking_face": "1f914", "trophy": "1f3c6",
    "truck": "1f69a", "warning": "26a0-fe0f", "wastebasket": "1f5d1-fe0f", "wave": "1f44b", "white_check_mark": "2705",
    "wink": "1f609", "wrench": "1f527", "x": "274c", "zzz": "1f4a4",
}  # fmt: skip
_AS_PICTURE = "\N{VARIATION SELECTOR-16}"  # some keyboards add it, some leave it out
_TONES = {"2": "1f3fb", "3": "1f3fc", "4": "1f3fd", "5": "1f3fe", "6": "1f3ff"}
_STYLES = {"*": "bold", "_": "italic", "~": "strike", "`": "code"}
_BROADCASTS = ("here", "channel", "everyone")

_CODE_BLOCK = re.compile(r"```\n?(.+?)\n?```", re.DOTALL)
_STYLED = re.compile(r"(?<![\w*_~`])(?P<mark>[*_~`])(?=[^\s*_~`])(?P<inner>[^\n]*?[^\s])(?P=mark)(?![\w*_~`])")
_QUOTE = re.compile(r"> ?(.*)")
_BULLET = re.compile(r"[-*•] (.*)")
_MARKUP = (
    r"<(?P<markup>@[UW]\w+|#C\w+(?:\|[^<>]*)?|!subteam\^S\w+|!(?:here|channel|everyone)|https?://[^<>\s|]+\|[^<>]+)>"
)
_URL = r"(?P<url>https?://[^\s<>]*[^\s<>.,;:!?)\]'\"])"
_NAME = r":(?P<name>[a-z0-9_+'-]+):(?::skin-tone-(?P<tone>[2-6]):)?"

Composed = tuple[str, list[Json]]  # the text with Slack's markup, and the elements that say the same


class Composer:
    """Turns typed text into what Slack delivers; `emoji` are the names that exist in the workspace."""

    def __init__(self, emoji: Mapping[str, str | None]) -> None:
        self._emoji = emoji
        self._names = {_picture(points).removesuffix(_AS_PICTURE): name for name, points in emoji.items() if points}
        pictures = "|".join(sorted(map(re.escape, self._names), key=len, reverse=True))
        tones = "".join(map(_picture, _TONES.values()))
        self._token = re.compile(f"{_MARKUP}|{_URL}|{_NAME}|(?P<picture>{pictures}){_AS_PICTURE}?(?P<shade>[{tones}])?")

    def compose(self, typed: str) -> Composed:
        """The `text` and the elements of the rich_text block: sections, quotes, lists and code blocks, in order."""
        texts: list[str] = []
        elements: list[Json] = []
        for position, part in enumerate(_CODE_BLOCK.split(typed)):
            if position % 2:
                texts.append(f"```{escape(part)}```")
                elements.append({"type": "rich_text_preformatted", "elements": [_text(part)], "border": 0})
            elif part.strip("\n"):
                text, found = self._lines(part.strip("\n"))
                texts.append(text)
                elements.extend(found)
        return "\n".join(texts), _joined(elements)

    def _lines(self, part: str) -> Composed:
        texts: list[str] = []
        elements: list[Json] = []
        for line in part.split("\n"):
            kind, rest = _line_kind(line)
            text, inner = self._inline(rest)
            texts.append({"section": "", "quote": "&gt; ", "list": "• "}[kind] + text)
            _append_line(elements, kind=kind, inner=inner)
        return "\n".join(texts), elements

    def _inline(self, line: str) -> Composed:
        texts: list[str] = []
        elements: list[Json] = []
        at = 0
        for styled in _STYLED.finditer(line):
            mark, inner = styled["mark"], styled["inner"]
            found = [(escape(inner), _text(inner))] if mark == "`" else list(self._tokens(inner))
            texts += [*self._plain(line[at : styled.start()], elements), mark, *(text for text, _ in found), mark]
            elements += [element | {"style": {_STYLES[mark]: True}} for _, element in found]
            at = styled.end()
        texts += self._plain(line[at:], elements)
        return "".join(texts), elements

    def _plain(self, part: str, elements: list[Json]) -> Iterator[str]:
        for text, element in self._tokens(part):
            elements.append(element)
            yield text

    def _tokens(self, part: str) -> Iterator[tuple[str, Json]]:
        at = 0
        for token in self._token.finditer(part):
            made = self._token_element(token)
            if made is None:
                continue
            if before := part[at : token.start()]:
                yield escape(before), _text(before)
            yield made
            at = token.end()
        if rest := part[at:]:
            yield escape(rest), _text(rest)

    def _token_element(self, token: re.Match[str]) -> tuple[str, Json] | None:
        if markup := token["markup"]:
            return _markup(markup)
        if url := token["url"]:
            return f"<{escape(url)}>", {"type": "link", "url": url}
        shade = token["shade"]
        name = token["name"] or self._names[token["picture"]]
        tone = token["tone"] or next((n for n, points in _TONES.items() if shade and _picture(points) == shade), None)
        if name not in self._emoji:
            return None  # "10:30:45" is a time of day
        points = self._emoji[name]
        element: Json = {"type": "emoji", "name": name}
        if points:
            element["unicode"] = f"{points}-{_TONES[tone]}" if tone else points
        if tone:
            element["skin_tone"] = int(tone)
        return f":{name}:" + (f":skin-tone-{tone}:" if tone else ""), element


def escape(text: str) -> str:
    """The three characters Slack escapes (https://docs.slack.dev/messaging/formatting-message-text#escaping)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _picture(points: str) -> str:
    return "".join(chr(int(point, 16)) for point in points.split("-"))


def _text(text: str) -> Json:
    return {"type": "text", "text": text}


def _markup(markup: str) -> tuple[str, Json]:
    text = f"<{markup}>"
    head, _, label = markup.partition("|")
    if head.startswith("@"):
        return text, {"type": "user", "user_id": head[1:]}
    if head.startswith("#"):
        return text, {"type": "channel", "channel_id": head[1:]}
    if head.startswith("!subteam^"):
        return text, {"type": "usergroup", "usergroup_id": head.removeprefix("!subteam^")}
    if head[1:] in _BROADCASTS:
        return text, {"type": "broadcast", "range": head[1:]}
    return f"<{escape(head)}|{escape(label)}>", {"type": "link", "url": head, "text": label}


def _line_kind(line: str) -> tuple[Literal["section", "quote", "list"], str]:
    if quote := _QUOTE.fullmatch(line):
        return "quote", quote[1]
    if bullet := _BULLET.fullmatch(line):
        return "list", bullet[1]
    return "section", line


def _append_line(elements: list[Json], *, kind: Literal["section", "quote", "list"], inner: list[Json]) -> None:
    """Continue the last element when it is of this kind, else begin a new one."""
    last = elements[-1] if elements and elements[-1]["type"] == f"rich_text_{kind}" else None
    if kind == "list":
        item = {"type": "rich_text_section", "elements": inner}
        if last is None:
            elements.append({"type": "rich_text_list", "style": "bullet", "indent": 0, "border": 0, "elements": [item]})
        else:
            last["elements"].append(item)
    elif last is None:
        elements.append({"type": f"rich_text_{kind}", "elements": inner})
    else:
        last["elements"] = _merged([*last["elements"], _text("\n"), *inner])


def _merged(elements: list[Json]) -> list[Json]:
    """Neighbouring plain texts become one, as in Slack."""
    merged: list[Json] = []
    for element in elements:
        if merged and element.keys() == merged[-1].keys() == {"type", "text"}:
            merged[-1] = _text(merged[-1]["text"] + element["text"])
        else:
            merged.append(element)
    return merged


def _joined(elements: list[Json]) -> list[Json]:
    """A section that something else follows ends with its line break, as in Slack."""
    for element in elements[:-1]:
        if element["type"] == "rich_text_section":
            element["elements"] = _merged([*element["elements"], _text("\n")])
    return elements
