"""The page behind `/thumbtack help`."""

from collections.abc import Iterable

from bot.blocks.kit import header, section
from bot.blocks.mrkdwn import escape, shorten
from bot.blocks.posts import Post

_WHAT = (
    "Every Thumbtack lead is a post with a thread. *What you write in the thread goes to the customer*, "
    "and their answers appear there."
)
_HOW = (
    "• Edit or delete your message in its first seconds, and the customer gets the new text or nothing.\n"
    "• Start with `note:` (or `//`) to keep a message inside.\n"
    "• Messages that mention somebody in Slack stay inside until you press Send.\n"
    "• Photos and files cannot be sent; the text can."
)
_QUIET_HOW = (
    "• Only the Reply button, and messages that start with `send:`, go to the customer.\n"
    "• Everything else in a thread stays inside.\n"
    "• Photos and files cannot be sent; the text can."
)
_MARKS = (
    (":hourglass_flowing_sand:", "waiting to go out"),
    (":white_check_mark:", "the customer has it"),
    (":x:", "not delivered: see the thread for the reason and Retry"),
    (":warning:", "not known whether it arrived: see the thread"),
    (":memo:", "kept inside"),
)


def help_page(verbs: Iterable[tuple[str, str]], *, quiet: bool = False) -> Post:
    """What the bot does, the marks on messages, and the commands: a sequence of verb and sentence."""
    what = (
        _WHAT if not quiet else "Every Thumbtack lead is a post with a thread, and the customer's words appear there."
    )
    marks = "\n".join(f"{mark} {meaning}" for mark, meaning in _MARKS)
    commands = "\n".join(f"`/thumbtack {escape(verb)}` {escape(sentence)}" for verb, sentence in verbs)
    blocks = [
        header("Corkboard: Thumbtack in Slack"),
        section(what),
        section(_QUIET_HOW if quiet else _HOW),
        section(f"*Marks on your messages*\n{marks}"),
        *([section(f"*Commands*\n{commands}")] if commands else []),
    ]
    return Post(text="Corkboard: how it works", blocks=blocks)


def no_such_verb(word: str, *, closest: str, usage: Iterable[str]) -> Post:
    """Somebody typed a verb that does not exist: the closest one, and how it is written."""
    told = f"There is no `{escape(shorten(word, 40))}`. Did you mean this?"
    lines = "\n".join(f"`/thumbtack {escape(one)}`" for one in usage)
    also = "" if closest == "help" else "\n`/thumbtack help` shows everything."
    return Post(text=f"There is no such command: {closest}?", blocks=[section(f"{told}\n{lines}{also}")])
