"""The line in a lead's thread that shows the automatic first reply; it carries the mark."""

from bot.blocks.kit import section
from bot.blocks.mrkdwn import escape, shorten, visible
from bot.blocks.pieces import laid_out, of_text
from bot.blocks.posts import Post

AUTOMATIC = ":robot_face: *Automatic first reply.* Nobody wrote this, and the customer still waits for one of you."


def line(text: str) -> Post:
    """What goes to the customer by itself, marked as such."""
    said = of_text(text, quoted=True) or of_text("(no text)")
    told = escape(f"Automatic first reply: {shorten(visible(text) or '(no text)', 300)}")
    return Post(text=told, blocks=[section(AUTOMATIC), laid_out(said)])
