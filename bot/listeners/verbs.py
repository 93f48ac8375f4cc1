"""What a verb of the slash command is: its sentence, how it is written, who may use it, and what it does."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.blocks.posts import Post
from bot.services import Services


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The command as somebody typed it. `words` and `text`: what follows the verb, split at blanks and as typed; `channel`: where."""

    services: Services
    team_id: str
    user_id: str
    text: str
    response_url: str
    trigger_id: str
    channel: str | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """What follows the verb, split at blanks."""
        return tuple(self.text.split())


@dataclass(frozen=True, kw_only=True)
class Verb:
    """One verb. `run` stores and enqueues, and answers what the person alone sees at once (None: nothing).

    `usage`: the lines that show how it is written, without `/thumbtack`. `managers_only`: admins, keepers, and whom they allow.
    """

    sentence: str
    usage: tuple[str, ...]
    run: Callable[[Asked], Awaitable[Post | None]]
    managers_only: bool = False
