"""`corkboard sandbox`: the stand-ins alone in one server, for a `corkboard serve` that runs beside it."""

import shlex
from contextlib import AsyncExitStack, suppress
from urllib.parse import urlsplit

from rich.console import Console

from sandbox import outside
from sandbox.as_text import title
from sandbox.news import News
from sandbox.outside import Outside
from sandbox.stopping import Stopped, told_to_stop, unless
from sandbox.tips import tips_table

BOT_PORT = 8000
"""Where `corkboard serve` listens unless it is told otherwise."""

DATABASE_URL = "sqlite+aiosqlite:///sandbox.db"
"""Not the database of a real deployment that may be in the same folder: what waits there must not be said here."""


class PortTakenError(Exception):
    """The port cannot be listened at."""


async def run_alone(out: Console, err: Console, *, port: int, bot_url: str, socket: bool = False) -> None:
    """Serve until told to stop; with `socket`, Slack speaks over Socket Mode. Raises PortTakenError.

    The settings for `serve` go to `out`, as lines that both `.env` and a shell take; everything else goes to `err`.
    """
    world = Outside()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(world.aclose)
        stop = stack.enter_context(told_to_stop())
        try:
            address = await stack.enter_async_context(world.serve(port=port))
        except OSError as error:
            why = (error.strerror or type(error).__name__).lower()
            raise PortTakenError(f"Cannot listen at port {port}: {why}. Choose another with --port.") from None
        world.meet(address=address, bot_url=bot_url)
        if socket:
            await world.slack.sockets.start()
        _introduce(out, err, address, bot_url, socket=socket)
        with suppress(Stopped):
            await unless(stop.wait(), News(world.slack, world.thumbtack).follow(err.print))
        err.print("\nStopped.")


def settings_lines(address: str, bot_url: str, *, socket: bool = False) -> list[str]:
    """The settings that point a `serve` at `bot_url` to the stand-ins."""
    settings = outside.settings(address, bot_url=bot_url, socket=socket) | {"DATABASE_URL": DATABASE_URL}
    return [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]


def _introduce(out: Console, err: Console, address: str, bot_url: str, *, socket: bool) -> None:
    err.print(f"Slack and Thumbtack stand in at {address}: play there with a browser.", soft_wrap=True)
    err.print("These settings lead the bot to them: paste them into its shell, or into .env.\n")
    for line in settings_lines(address, bot_url, socket=socket):
        out.print(line, soft_wrap=True, markup=False)
    port = urlsplit(bot_url).port or BOT_PORT
    err.print(f"\nThen start the bot there: corkboard serve{'' if port == BOT_PORT else f' --port {port}'}\n")
    err.print(title("Now you: paste these into another terminal"))
    err.print(tips_table(address, bot_url), soft_wrap=True)
    err.print("What happens is shown here, until Ctrl-C; then it is forgotten: delete sandbox.db too.\n")
