"""How the bot stands to a channel."""

from enum import Enum


class Room(Enum):
    """Whether the bot can post to a channel, and why not; it can only where that is OPEN."""

    OPEN = "open"
    ARCHIVED = "archived"
    NOT_IN = "not_in"
    NOT_SEEN = "not_seen"  # there is none, or it is private and the bot is not in it
