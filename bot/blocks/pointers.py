"""What the card of a lead becomes that turned out to be another one: a signpost to where that one stands."""

from bot.blocks import leads
from bot.blocks.kit import line, link, rich, small_plain, words
from bot.blocks.posts import Post
from storage.models import Lead

MISPLACED = Post(
    text="This belongs to a lead's thread.",
    blocks=[small_plain("This belongs to a lead's thread, whose card was deleted. It is below the lead's new card.")],
)
"""What stands in the channel instead of a post that Slack put there, and that may not be deleted."""


def pointer(stays: Lead, url: str, *, hidden: bool = False) -> Post:
    """`stays`: the lead that it is; `url`: that one's card; `hidden`: nothing of the lead is said."""
    told = "This lead stands in another thread"
    return Post(
        text=f"{told}." if hidden else f"{told}: {leads.headline(stays)}",
        blocks=[
            rich(
                line(
                    words("Thumbtack told of this lead twice. It stands in "), link(url, "its other thread"), words(".")
                )
            ),
            small_plain("Replies that were written here go to the same customer. Please go on over there."),
        ],
    )
