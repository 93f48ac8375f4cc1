"""Sets the stage for the play, tells what happens, shows what came of it, and stays for whoever wants to go on."""

import socket
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
from rich.console import Console
from rich.text import Text

from sandbox import outside
from sandbox.as_text import LEGEND, page, title
from sandbox.demo.bot_process import BotEndedError, running_bot
from sandbox.demo.keeper import Keeper, kept
from sandbox.demo.promises import NotHeldError
from sandbox.demo.script import Script, Step
from sandbox.news import News
from sandbox.outside import Outside
from sandbox.stopping import Stopped, told_to_stop, unless
from sandbox.tips import tips_table

BOT_PORT, OUTSIDE_PORT = 8000, 8100
HOLD_SECONDS = 3
"""How long a reply can be changed here: people get 15 seconds, but nobody wants to watch that."""

_LOG_SHOWN = 15
_TELLS = 63  # characters of the longest sentence, so that a step fits into 80 columns

_INTRODUCTION = Text.assemble(
    ("Corkboard turns Thumbtack leads into Slack threads.\n", "bold"),
    "Maya and Tessa are customers on Thumbtack. Olga, Ana and Ben are your team.\n",
    "All of it happens on this machine: no account is needed, nothing leaves it.\n",
)


async def play(console: Console, *, headless: bool) -> bool:
    """Play the demo; True when everything it promises held.

    `headless`: end after the checks; otherwise stay, and tell what is new until told to stop. It uses loopback and a
    temporary folder only, and leaves nothing behind.
    """
    performance = Performance(console)
    with told_to_stop() as stop:
        try:
            await unless(stop.wait(), performance.run(headless=headless))
        except Stopped:
            console.print("\nStopped. Nothing is left behind.")
    return performance.held


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What is there before the first step: the world outside, the bot, and where both listen."""

    outside: Outside
    outside_url: str
    bot: Keeper
    bot_url: str


class Performance:
    """One performance of the play. `held` is True once every check was passed."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.held = False

    async def run(self, *, headless: bool) -> None:
        """From setting the stage to the end; a bot that ends early, or not well, is a failure like any other."""
        self._console.print(_INTRODUCTION)
        try:
            async with _stage(self._say_nothing if headless else self._invite) as stage:
                await unless(stage.bot.ended(), self._on(stage, headless=headless))
            if self.held and stage.bot.exit_code != 0:
                raise BotEndedError(f"The bot ended with {stage.bot.exit_code} instead of 0.", stage.bot.log)  # noqa: TRY301 -- the same end
        except BotEndedError as error:
            self._failed(str(error), error.log)

    def _invite(self, address: str) -> None:
        """Where all of it can be seen live; first of all, because the play begins at once."""
        self._console.print(
            Text.assemble("Watch it in a browser, and then play yourself: ", (address, "bold cyan"), "\n")
        )

    def _say_nothing(self, address: str) -> None:
        """Nobody watches."""

    async def _on(self, stage: Stage, *, headless: bool) -> None:
        self.held = await self._play(stage)
        self._console.print()
        self._console.print(page(stage.outside.slack, stage.outside.thumbtack))
        self._console.print(Text(f"\n{LEGEND}\n", "dim"))
        if self.held:
            self._console.print(
                Text("Everything worked: each reply reached the customer once, in order.", "bold green")
            )
            if not headless:
                stage.outside.play(None)
                await self._stay(stage)

    async def _play(self, stage: Stage) -> bool:
        script = Script(stage.outside, stage.outside.put_forward)
        try:
            for number, step in enumerate(script.steps, start=1):
                stage.outside.play(f"{number} of {len(script.steps)}: {step.tells}")
                await self._step(step)
            script.check()
        except NotHeldError as error:
            self._failed(str(error), stage.bot.log)
            return False
        except httpx.TransportError as error:
            self._failed(f"The bot did not answer ({type(error).__name__}).", stage.bot.log)
            return False
        if stage.bot.mistakes:
            self._failed("The bot's log holds a mistake of its own.", stage.bot.mistakes)
        return not stage.bot.mistakes

    async def _step(self, step: Step) -> None:
        began = time.monotonic()
        with self._console.status(f"{step.name} …"):
            await step.play()
        took = f"{time.monotonic() - began:.1f} s"
        self._console.print(
            Text.assemble(("✓ ", "green"), (f"{step.name:<9}", "bold"), f"{step.tells:<{_TELLS}} ", (took, "dim"))
        )

    async def _stay(self, stage: Stage) -> None:
        """Let the person play, and show what comes of it, until they stop."""
        self._console.print()
        self._console.print(title(f"Now you: at {stage.outside_url} in a browser"))
        self._console.print("\nOr paste these into another terminal:")
        self._console.print(tips_table(stage.outside_url, stage.bot_url), soft_wrap=True)
        self._console.print("What happens is shown here. Ctrl-C ends it.\n")
        news = News(stage.outside.slack, stage.outside.thumbtack)
        await news.follow(self._console.print)

    def _failed(self, why: str, log: Iterable[str]) -> None:
        self.held = False
        self._console.print(Text.assemble(("✗ ", "red"), why))
        lines = list(log)[-_LOG_SHOWN:] or ["(nothing)"]
        self._console.print(Text("\n".join(["The bot's log ends so:", *lines]), "dim"), soft_wrap=True)


@asynccontextmanager
async def _stage(invite: Callable[[str], None]) -> AsyncIterator[Stage]:
    """Both stand-ins and the bot, each at its usual port where that is free. Raises BotEndedError.

    `invite` hears where the page is, as soon as it is there.
    """
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="corkboard-demo-"))
        world = Outside()
        stack.push_async_callback(world.aclose)
        world.play("The bot is starting.")
        address = await stack.enter_async_context(world.serve(port=_free(OUTSIDE_PORT)))
        invite(address)
        port = _free(BOT_PORT)
        settings = outside.settings(address, bot_url=f"http://127.0.0.1:{port}") | {
            "DATABASE_URL": f"sqlite+aiosqlite:///{folder}/corkboard.db",
            "REPLY_HOLD_SECONDS": str(HOLD_SECONDS),
        }
        starting = partial(running_bot, settings, folder=Path(folder), port=port)
        bot = await stack.enter_async_context(kept(starting, changed=world.changed.fire))
        bot_url = await bot.begin()
        world.bot = bot
        world.meet(address=address, bot_url=bot_url)
        yield Stage(outside=world, outside_url=address, bot=bot, bot_url=bot_url)


def _free(port: int) -> int:
    """The port, or any free one where something has it."""
    for wanted in (port, 0):
        try:
            with socket.create_server(("127.0.0.1", wanted)) as listener:
                found: int = listener.getsockname()[1]
                return found
        except OSError:
            continue
    return 0
