"""Keeps the demo's bot: one process after the other on the same database, killed and started again as the page asks."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from typing import NoReturn

from sandbox.demo.bot_process import BotEndedError, BotProcess


class Keeper:
    """The bot of now. What ends without being killed here ends the demo."""

    def __init__(
        self, starting: Callable[[], AbstractAsyncContextManager[BotProcess]], *, changed: Callable[[], None]
    ) -> None:
        """`starting` runs a bot, with the same settings each time; `changed` is told whenever it comes or goes."""
        self._starting = starting
        self._changed = changed
        self._ahead = timedelta()
        self._bot: BotProcess  # from `begin` on
        self._killed: BotProcess | None = None
        self._started = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._stack = AsyncExitStack()

    @property
    def running(self) -> bool:
        """Whether it is there and listens."""
        return self._started.is_set()

    @property
    def exit_code(self) -> int | None:
        """What it ended with; 0 where it was killed here, None while it runs."""
        return 0 if self._bot is self._killed else self._bot.exit_code

    @property
    def log(self) -> Sequence[str]:
        """What it logged, line by line."""
        return list(self._bot.log)

    @property
    def mistakes(self) -> Sequence[str]:
        """What it logged as a mistake of its own."""
        return self._bot.mistakes

    async def begin(self) -> str:
        """Start the first one; where it listens. Raises BotEndedError."""
        self._bot = await self._stack.enter_async_context(self._starting())
        self._bot.put_forward(self._ahead)  # before it looks at the clock for the first time
        address = await self._bot.address()
        self._started.set()
        self._changed()
        return address

    async def kill(self) -> None:
        """End it in the middle of whatever it does; it has ended then."""
        async with self._one_at_a_time:
            if not self.running:
                raise ValueError("The bot does not run.")
            self._killed = bot = self._bot
            self._started.clear()
            bot.signal(signal.SIGKILL)
            with suppress(BotEndedError):
                await bot.ended()
            self._changed()

    async def start(self) -> None:
        """Start another one after a kill; it listens then."""
        async with self._one_at_a_time:
            if self.running:
                raise ValueError("The bot runs already.")
            try:
                await self.begin()
            except BotEndedError as error:
                self._bot.signal(signal.SIGKILL)  # where it runs, and does not listen
                raise ValueError(str(error)) from error

    def put_forward(self, by: timedelta) -> None:
        """Let its clock go forward, and that of those that come after it."""
        self._ahead += by
        if self.running:
            self._bot.put_forward(by)

    async def ended(self) -> NoReturn:
        """Wait until it ends without being killed here, and raise BotEndedError then."""
        while True:
            bot = self._bot
            try:
                await bot.ended()
            except BotEndedError:
                if bot is not self._killed:
                    raise
            await self._started.wait()

    async def aclose(self) -> None:
        """Tell it to stop, as an operator would."""
        await self._stack.aclose()


@asynccontextmanager
async def kept(
    starting: Callable[[], AbstractAsyncContextManager[BotProcess]], *, changed: Callable[[], None]
) -> AsyncIterator[Keeper]:
    """A keeper without a bot yet; stopped at the end."""
    keeper = Keeper(starting, changed=changed)
    try:
        yield keeper
    finally:
        await keeper.aclose()
