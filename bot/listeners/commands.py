"""The slash command: `/thumbtack VERB …`, with its verbs as a table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.blocks import help as help_blocks
from bot.blocks.posts import Post
from bot.services import Services
from bot.settings import ReplyMode

COMMAND = "/thumbtack"


@dataclass(frozen=True, kw_only=True)
class Verb:
    """What can follow the command: its sentence in the help, and what it answers."""

    sentence: str
    answer: Callable[[Services], Post]


def _help(services: Services) -> Post:
    quiet = services.settings.reply_mode is ReplyMode.QUIET
    return help_blocks.help_page([(name, verb.sentence) for name, verb in VERBS.items()], quiet=quiet)


VERBS: Mapping[str, Verb] = {"help": Verb(sentence="shows this page", answer=_help)}


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the command; nothing, or a verb that does not exist, gets the help."""

    async def on_command(ack: AsyncAck, command: dict[str, Any]) -> None:
        word = (str(command.get("text") or "").split() or ["help"])[0].lower()
        post = VERBS.get(word, VERBS["help"]).answer(services)
        await ack(text=post.text, blocks=post.blocks, response_type="ephemeral")

    app.command(COMMAND)(on_command)
