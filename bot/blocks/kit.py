"""Slack's Block Kit as small functions: each makes one block or element (https://docs.slack.dev/reference/block-kit).

Functions that take mrkdwn say so and are for our own words only; all others show text exactly as it is.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Literal

from bot.blocks.mrkdwn import mention, shorten

Block = dict[str, Any]
Element = dict[str, Any]

LARGEST = 11_500
"""Bytes of JSON that the blocks of one post may have.

Slack documents no limit; it was seen to answer `msg_blocks_too_long` from about 13,200 characters
(https://github.com/slackapi/bolt-js/issues/2509). Whether it counts characters or bytes is not known, so bytes.
"""

LONGEST_TEXT = 2_900
"""Characters of one text element; Slack's limit for text objects is 3,000."""

_SHORTEST = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
"""Made once: `json.dumps` makes one each time."""


def size(value: Block | Sequence[Block]) -> int:
    """How many bytes of JSON something has."""
    return len(_SHORTEST.encode(value).encode(errors="surrogatepass"))


def header(text: str) -> Block:
    """A large first line; one that is too long for Slack's header (150) becomes a bold line."""
    if len(text) <= 150:
        return {"type": "header", "text": plain(text)}
    return rich(line(words(text, bold=True)))


def plain(text: str) -> Element:
    """Text that is shown as it is, for the places that take no rich text."""
    return {"type": "plain_text", "text": text, "emoji": False}


def section(mrkdwn: str) -> Block:
    """Our own words, with Slack's markup."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": mrkdwn}}


def small(mrkdwn: str) -> Block:
    """Our own words, with Slack's markup, small and grey."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": mrkdwn}]}


def small_plain(text: str) -> Block:
    """Text that is shown as it is, small and grey."""
    return {"type": "context", "elements": [plain(text)]}


def bell(ids: Iterable[str]) -> list[Block]:
    """A line that makes phones ring: it mentions people and groups. At most 50 of them; more belong into a group."""
    names = mention(islice(ids, 50))
    return [section(f":bell: {names}")] if names else []


def rich(*elements: Element) -> Block:
    """Text in which nothing is interpreted: lines, quotes and preformatted parts, one below the other."""
    return {"type": "rich_text", "elements": list(elements)}


def line(*inline: Element) -> Element:
    """A paragraph of a rich text."""
    return {"type": "rich_text_section", "elements": list(inline)}


def lines(*paragraphs: Sequence[Element]) -> Element:
    """Several short lines as one paragraph, so that Slack leaves no gaps between them."""
    inline: list[Element] = []
    for paragraph in paragraphs:
        inline += [words("\n"), *paragraph] if inline else paragraph
    return line(*inline)


def bullets(items: Iterable[Sequence[Element]]) -> Element:
    """A list inside a rich text; each item is a line."""
    return {"type": "rich_text_list", "style": "bullet", "elements": [line(*item) for item in items]}


def quote(*inline: Element) -> Element:
    """Somebody else's words, with a bar beside them."""
    return {"type": "rich_text_quote", "elements": list(inline)}


def copyable(text: str) -> Element:
    """Text in a box from which Slack lets people copy it."""
    return {"type": "rich_text_preformatted", "elements": [words(text)]}


def words(text: str, *, bold: bool = False) -> Element:
    """Text of any origin inside a rich text; never empty."""
    return {"type": "text", "text": text, "style": {"bold": True}} if bold else {"type": "text", "text": text}


def icon(name: str) -> Element:
    """An emoji of ours inside a rich text."""
    return {"type": "emoji", "name": name}


def person(slack_id: str) -> Element:
    """A person (U…, W…) or user group (S…) inside a rich text, as a mention."""
    if slack_id.startswith("S"):
        return {"type": "usergroup", "usergroup_id": slack_id}
    return {"type": "user", "user_id": slack_id}


def channel_name(slack_id: str) -> Element:
    """A channel by its name, which leads there."""
    return {"type": "channel", "channel_id": slack_id}


def moment(instant: datetime) -> Element:
    """An instant inside a rich text: each reader sees it in their own time zone."""
    fallback = instant.astimezone(UTC).strftime("%b %d, %Y at %H:%M UTC")
    style = "{date_short_pretty} at {time}"
    return {"type": "date", "timestamp": int(instant.timestamp()), "format": style, "fallback": fallback}


def link(url: str, text: str) -> Element:
    """A link inside a rich text; `url` must be one that we made or checked."""
    return {"type": "link", "url": url, "text": text}


def image(url: str, *, title: str) -> Block:
    """A picture that Slack fetches itself; it refuses the whole message when it cannot."""
    title = shorten(title, 150)
    return {"type": "image", "image_url": url, "alt_text": title, "title": plain(title)}


def button(
    action_id: str, label: str, value: int | str, *, style: Literal["primary", "danger"] | None = None
) -> Element:
    """A button; `value` is our own id, never a customer's data."""
    made = {"type": "button", "action_id": action_id, "text": plain(label), "value": str(value)}
    return made | {"style": style} if style else made


def link_button(action_id: str, label: str, url: str) -> Element:
    """A button that opens a page."""
    return {"type": "button", "action_id": action_id, "text": plain(label), "url": url}


def menu(action_id: str, pages: Iterable[tuple[str, str]], value: int) -> Element:
    """Three dots that open a menu of pages, each a label and an address; `value` is our own id. At most 5."""
    options = [{"text": plain(label), "value": str(value), "url": url} for label, url in pages]
    return {"type": "overflow", "action_id": action_id, "options": options}


def divider() -> Block:
    """A thin line between things."""
    return {"type": "divider"}


def actions(buttons: Iterable[Element]) -> Block:
    """A row of buttons."""
    return {"type": "actions", "elements": list(buttons)}
