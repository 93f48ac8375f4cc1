"""Who is told about trouble: the answers to the button that offers it."""

from bot.blocks.kit import section
from bot.blocks.posts import Post


def became() -> Post:
    """A workspace admin pressed the button first."""
    return _told(":key: You are the keeper now: Corkboard tells you about trouble here.")


def did_not(*, is_admin: bool) -> Post:
    """Somebody pressed the button who may not, or too late."""
    if is_admin:
        return _told("There is a keeper already. Ask them, or set SLACK_KEEPERS.")
    return _told("Only a workspace admin can take this on. Ask one to press the button.")


def _told(mrkdwn: str) -> Post:
    return Post(text=mrkdwn, blocks=[section(mrkdwn)])
