"""What Thumbtack told of a lead that Corkboard does not know how to show: one honest line."""

import re

from bot.blocks.kit import Element, line, link, rich, words
from bot.blocks.mrkdwn import escape, shorten, visible
from bot.blocks.posts import Post

_LONGEST = 100
_VERSION = re.compile(r"V\d+$")  # the version of Thumbtack's API says nothing to people
_NEXT_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def event_line(event_type: str, *, lead_url: str | None) -> Post:
    """Names the event in words and as Thumbtack does, and says that no more is known. `lead_url`: where to look."""
    name = shorten(visible(event_type) or "?", _LONGEST)
    readable = in_words(name)
    said = f"Thumbtack says: {readable}."
    code = "" if readable == name else f" ({name})"
    told: list[Element] = [words(said, bold=True), words(f" Corkboard cannot tell more about it{code}. ")]
    told.append(link(lead_url, "Look in Thumbtack") if lead_url else words("Look in Thumbtack."))
    return Post(text=escape(said), blocks=[rich(line(*told))])


def in_words(name: str) -> str:
    """`PresetJobCancelledV4` as a person says it: "Preset job cancelled"; what is no such name stays as it is."""
    parts = _NEXT_WORD.split(_VERSION.sub("", name))
    if not name.isascii() or not name.isalnum() or not parts[0]:
        return name
    first, *others = parts
    return " ".join([first, *(part if part.isupper() else part.lower() for part in others)])
