"""A post as text alone, for when Slack cannot show its blocks: a lead that looks poor is better than one that is lost."""

import html
import re
from collections.abc import Iterator
from typing import Any

from bot.blocks.mrkdwn import split
from bot.blocks.posts import Post

LONGEST = 2_900
SECTIONS = 4
"""Together less than the size at which Slack was seen to refuse a message's blocks."""

_MENTION = re.compile(r"<(?:@[UW]|!subteam\^S)[A-Z0-9]+>")


def plain(post: Post) -> Post:
    """All that the post says, without its looks; people it rings for are still rung."""
    said = "\n".join(_lines(post))
    cut = f"{said[: LONGEST * SECTIONS - 100]}…" if len(said) > LONGEST * SECTIONS - 100 else said
    blocks: list[dict[str, Any]] = [
        {"type": "section", "text": {"type": "plain_text", "text": part, "emoji": False}}
        for part in split(cut, LONGEST)
        if part.strip()
    ]
    rung = [mention for block in post.blocks for mention in _MENTION.findall(_mrkdwn(block))]
    if rung:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": " ".join(rung)}})
    return Post(text=post.text, blocks=blocks, broadcast=post.broadcast)


def _mrkdwn(block: dict[str, Any]) -> str:
    """Our own words in a section; a customer's never stand there (bot.blocks.mrkdwn)."""
    text = block.get("text") if block["type"] == "section" else None
    return str(text["text"]) if text and text["type"] == "mrkdwn" else ""


def _lines(post: Post) -> Iterator[str]:
    headline = html.unescape(post.text)
    yield headline
    for block in post.blocks:
        line = "".join(_said(block)).strip()
        if line and line != headline:
            yield line


def _said(value: Any) -> Iterator[str]:
    """The words in a block, in their order."""
    if isinstance(value, list):
        for item in value:
            yield from _said(item)
        return
    match value.get("type"):
        case "mrkdwn":
            yield html.unescape(_MENTION.sub("", value["text"])) + "\n"
        case "plain_text":
            yield value["text"] + "\n"
        case "text":
            yield value["text"]
        case "link":
            yield f"{value.get('text') or ''} {value['url']}".strip()
        case "image":
            yield f"{value['alt_text']}: {value['image_url']}\n"
        case "actions" | "emoji":
            return
        case "header" | "section":
            yield from _said([value["text"], *value.get("fields", [])] if "text" in value else value.get("fields", []))
        case _:
            yield from _said(value.get("elements", []))
            yield "\n" if str(value.get("type")).startswith("rich_text_") else ""
