"""A message for Slack, made but not yet sent."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Post:
    """What chat.postMessage, chat.update or chat.postEphemeral shows.

    `text` is what a notification and a screen reader say; people in the channel see `blocks`, which are never empty.
    Whoever sends it puts the delivery id into the first block's `block_id` and passes neither `parse` nor `link_names`:
    with them Slack would find mentions in a customer's words. `broadcast` shows a thread reply in the channel too.
    """

    text: str
    blocks: list[dict[str, Any]]
    broadcast: bool = False

    def __post_init__(self) -> None:
        if not self.text or not self.blocks:
            raise ValueError("a post needs text and at least one block")
