"""How a lead stands at Thumbtack, as one line in its thread."""

from bot.blocks.kit import icon, line, rich, words
from bot.blocks.mrkdwn import escape, shorten, visible
from bot.blocks.posts import Post

_LONGEST = 60


def status_line(status: str) -> Post:
    """Tells that Thumbtack shows a lead otherwise than before; `status` in Thumbtack's own word."""
    told = f"Thumbtack shows this lead as {shorten(visible(status) or 'unknown', _LONGEST)} now."
    return Post(text=escape(told), blocks=[rich(line(icon("information_source"), words(f" {told}")))])
