"""A lead's new card: the last messages of the old one below it, and what the old card becomes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.blocks.kit import Block, Element, line, link, moment, quote, rich, section, small_plain, words
from bot.blocks.mrkdwn import shorten, visible
from bot.blocks.posts import Post
from bot.plaintext import decoded

MOST = 5
"""How many messages are repeated."""

_SHOWN = 600  # characters of each
_NAME = 80


@dataclass(frozen=True, kw_only=True)
class Line:
    """One message. `name`: whose, where that is known; who of the team wrote it is not said, a mention would call them."""

    at: datetime
    text: str
    name: str | None


def recent(lines: Sequence[Line], *, before: str | None) -> Post | None:
    """The messages, oldest first, in one post that calls nobody; `before`: where the old card stands, if it does.

    None where nothing was said.
    """
    told = "This lead continues here."
    opening = told if before is None else f"{told} <{before}|The thread before>"
    if not lines and before is None:
        return None
    shown: list[Block] = [section(opening)]
    if lines:
        shown.append(rich(*(element for one in lines[-MOST:] for element in _said(one))))
    return Post(text=told, blocks=shown)


def signpost(headline: str | None, url: str) -> Post:
    """What an old card becomes once there is a new one at `url`.

    `headline` is a card's text; None: nothing of the lead is said.
    """
    told, about = "This lead continues on a newer card.", visible(decoded(headline or ""))
    opening = rich(line(words("This lead continues on "), link(url, "its newer card"), words(".")))
    said = [small_plain(about)] if about else []
    last = small_plain("Replies that are written here still go to the customer. Please go on over there.")
    return Post(text=told, blocks=[opening, *said, last])


def address(channel: str, ts: str) -> str:
    """Where a post stands, in the form of Slack's own links (docs.slack.dev/reference/methods/chat.getPermalink)."""
    return f"https://slack.com/archives/{channel}/p{ts.replace('.', '')}"


def _said(one: Line) -> tuple[Element, Element]:
    who = words(shorten(visible(one.name) or "Somebody", _NAME), bold=True)
    text = shorten(visible(one.text) or "(no text)", _SHOWN)
    return line(who, words(", "), moment(one.at)), quote(words(text))
