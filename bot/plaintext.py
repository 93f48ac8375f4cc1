"""What a person wrote in Slack, as the plain text that a customer reads.

A message holds its text twice: in a `rich_text` block, which says exactly what was written, and as mrkdwn in `text`,
where `& < >` are entities (https://docs.slack.dev/messaging/formatting-message-text). The block is read where there is
one; what is odd in it is passed over, and the text is read where nothing is left.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

Leaf = dict[str, Any]

_TOKEN = re.compile(r"```(?P<pre>.+?)```|`(?P<code>[^`\n]+)`|<(?P<token>[^<>\n]+)>", re.DOTALL)
_STYLES = tuple(
    re.compile(rf"(?<![\w{mark}]){mark}(?=\S)([^\n{mark}]+)(?<=\S){mark}(?![\w{mark}])") for mark in (r"\*", "_", "~")
)
_HELD = "\x00"  # stands for a token while styles are dropped around it; Slack sends none
_LABELLED = re.compile(r"<(?:@|#|!subteam\^)([A-Z0-9]+)\|([^<>|\n]+)>")
_PERSON_OR_CHANNEL = re.compile(r"<[@#]([A-Z0-9]+)(?:\|[^<>\n]*)?>")
_ASIDE = re.compile(r"\W+")
_UNNAMED = {"user": "teammate", "channel": "channel", "usergroup": "team"}


def to_plain(text: str | None, blocks: Any, names: Mapping[str, str]) -> str:
    """A message as a customer reads it, without outer blanks. Never raises, whatever the blocks look like.

    `text` and `blocks` are Slack's; `names` gives the names of people, channels and groups by id.
    """
    text = (text or "").replace(_HELD, "")
    known = dict(_LABELLED.findall(text)) | dict(names)
    return _of_blocks(blocks, known).strip() or _of_mrkdwn(text, known).strip()


def ids_to_name(text: str | None, blocks: Any) -> set[str]:
    """The ids of the people and channels that a message mentions."""
    found = set(_PERSON_OR_CHANNEL.findall(text or ""))
    for leaf in leaves(blocks):
        found.update(filter(None, (_string(leaf, "user_id"), _string(leaf, "channel_id"))))
    return found


def leaves(blocks: Any, *, quotes: bool = True) -> Iterator[Leaf]:
    """The smallest parts of a message's rich text in their order: texts, links, emoji, mentions.

    `quotes=False` leaves out what stands in quotes. Between two lines there is a text leaf with a line end.
    """
    for element in _elements(blocks):
        if element.get("type") == "rich_text_quote" and not quotes:
            continue
        for item in _dicts(element.get("elements")):
            nested = list(_dicts(item.get("elements")))
            yield from [*nested, {"type": "text", "text": "\n"}] if nested else [item]
        yield {"type": "text", "text": "\n"}


def emoji(leaf: Leaf) -> str:
    """An emoji itself; a workspace's own one, which has no character, as `:name:`."""
    try:
        characters = "".join(chr(int(part, 16)) for part in _string(leaf, "unicode").split("-"))
        characters.encode()
    except (ValueError, OverflowError):  # nothing there, not a code point, or half of one
        name = _string(leaf, "name")
        return f":{name}:" if name else ""
    return characters


def decoded(text: str) -> str:
    """The text with Slack's three entities decoded."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _elements(blocks: Any) -> Iterator[dict[str, Any]]:
    for block in _dicts(blocks):
        if block.get("type") == "rich_text":
            yield from _dicts(block.get("elements"))


def _string(leaf: Leaf, key: str) -> str:
    value = leaf.get(key)
    return value if isinstance(value, str) else ""


def _number(leaf: Leaf, key: str) -> int:
    value = leaf.get(key)
    return value if isinstance(value, int) and 0 <= value < 10_000 else 0


def _of_blocks(blocks: Any, names: Mapping[str, str]) -> str:
    return "\n".join(_of_element(element, names) for element in _elements(blocks))


def _of_element(element: dict[str, Any], names: Mapping[str, str]) -> str:
    """One paragraph, list, quote or preformatted part; the line end that closes it is not part of it."""
    if element.get("type") == "rich_text_list":
        return "\n".join(_of_list(element, names))
    written = _of_leaves(element, names)
    if element.get("type") == "rich_text_quote":
        return "\n".join(f"> {line}" for line in written.split("\n"))
    return written


def _of_leaves(element: dict[str, Any], names: Mapping[str, str]) -> str:
    return "".join(_of_leaf(leaf, names) for leaf in _dicts(element.get("elements"))).removesuffix("\n")


def _of_list(element: dict[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    margin = "  " * min(_number(element, "indent"), 8)
    first = _number(element, "offset") + 1
    for number, item in enumerate(_dicts(element.get("elements")), start=first):
        mark = f"{number}." if element.get("style") == "ordered" else "•"
        if written := _of_leaves(item, names):
            yield f"{margin}{mark} " + written.replace("\n", f"\n{margin}  ")


def _of_leaf(leaf: Leaf, names: Mapping[str, str]) -> str:
    match leaf.get("type"):
        case "link":
            return _link(_string(leaf, "url"), _string(leaf, "text"))
        case "emoji":
            return emoji(leaf)
        case "user" | "channel" | "usergroup" as kind:
            return _named(kind, _string(leaf, f"{kind}_id"), names)
        case "broadcast":
            return f"@{_string(leaf, 'range') or 'channel'}"
        case _:  # texts, dates with their fallback, colours; of what Slack invents next, whatever is readable
            return next(filter(None, (_string(leaf, key) for key in ("fallback", "text", "value", "name", "url"))), "")


def _named(kind: str, slack_id: str, names: Mapping[str, str]) -> str:
    name = names.get(slack_id) or _UNNAMED[kind]
    return ("#" if kind == "channel" else "@") + name.lstrip("@#")


def _link(url: str, label: str) -> str:
    """What a reader needs of a link: its label, and its address where the label does not say it."""
    scheme, _, rest = url.partition(":")
    address = rest if scheme in ("mailto", "tel") else url
    if not label or _same(label, address):
        return label or address
    return f"{label} ({address})" if address else label


def _same(label: str, address: str) -> bool:
    """Whether both are the same address, written differently: without https://, or with blanks in a number."""
    bare = [_ASIDE.sub("", re.sub(r"^(?:https?://|\+1)", "", text.strip())).casefold() for text in (label, address)]
    return bare[0] == bare[1]


def _of_mrkdwn(text: str, names: Mapping[str, str]) -> str:
    held: list[str] = []

    def hold(found: re.Match[str]) -> str:
        token = found["token"]
        held.append(_of_token(token, names) if token else decoded(found["pre"] or found["code"]).strip("\n"))
        return _HELD

    left = _TOKEN.sub(hold, text)
    for style in _STYLES:
        left = style.sub(r"\1", left)
    between = decoded(left).split(_HELD)
    return between[0] + "".join(token + after for token, after in zip(held, between[1:], strict=True))


def _of_token(token: str, names: Mapping[str, str]) -> str:
    """What stands between `<` and `>`: a mention, a date, or a link."""
    target, _, label = map(decoded, token.partition("|"))
    if target.startswith(("@", "#")):
        return _named("user" if target[0] == "@" else "channel", target[1:], names)
    if target.startswith("!subteam^"):
        return _named("usergroup", target.removeprefix("!subteam^"), names)
    if target.startswith("!date^"):
        return label
    if target.startswith("!"):
        return f"@{target[1:]}"
    return _link(target, label)
