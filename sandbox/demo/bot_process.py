"""The bot as people run it: `corkboard serve` in a process of its own, with nothing but the settings it is given."""

import asyncio
import json
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

from bot.settings import Settings

_START = 60.0  # seconds to begin to listen, on the slowest machine
_STOP = 20.0  # seconds to end by itself; then it is killed
_LINES = 200


class BotEndedError(Exception):
    """The bot did not start, ended before it was told to, or did not end well."""

    def __init__(self, sentence: str, log: Iterable[str]) -> None:
        """`log`: what the bot logged, line by line."""
        super().__init__(sentence)
        self.log = list(log)


class BotProcess:
    """A running `corkboard serve`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.log: deque[str] = deque(maxlen=_LINES)
        self.mistakes: list[str] = []
        self._reading = asyncio.create_task(self._read())

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """What it ended with; negative where a signal ended it, None while it runs."""
        return self._process.returncode

    async def address(self) -> str:
        """Where it listens, as soon as it does; raises BotEndedError when it does not begin to."""
        either: set[asyncio.Future[Any]] = {self._listening, self._reading}
        await asyncio.wait(either, timeout=_START, return_when=asyncio.FIRST_COMPLETED)
        if not self._listening.done():
            raise BotEndedError("The bot did not start.", self.log)
        return self._listening.result()

    async def ended(self) -> NoReturn:
        """Wait until it ends, and raise BotEndedError then."""
        await asyncio.shield(self._reading)
        raise BotEndedError(f"The bot ended with {await self._process.wait()}.", self.log)

    def put_forward(self, by: timedelta) -> None:
        """Let its clock go forward; what is due by then is done within seconds."""
        assert self._process.stdin is not None  # noqa: S101 -- it was started with a pipe
        self._process.stdin.write(f"{by.total_seconds():.0f}\n".encode())

    def let_go(self) -> None:
        """Let go of the leash: it ends by itself then, as it does when this process dies."""
        assert self._process.stdin is not None  # noqa: S101 -- it was started with a pipe
        self._process.stdin.close()

    async def stop(self) -> None:
        """Tell it to stop, as an operator would; kill it where it does not."""
        self.signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), timeout=_STOP)
        except TimeoutError:
            self.signal(signal.SIGKILL)
        await self._reading

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs.

        Not by the process object: that looks first whether it has ended, which takes the exit code from asyncio, and the
        bot would seem to have ended with 255.
        """
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, number)

    async def _read(self) -> None:
        """Keep its log, learn where it listens, and count what it calls a mistake of its own."""
        assert self._process.stderr is not None  # noqa: S101 -- it was started with a pipe
        async for line in self._process.stderr:
            text = line.decode(errors="replace").rstrip()
            self.log.append(text)
            event = _event(text)
            if event.get("event") == "listening" and not self._listening.done():
                self._listening.set_result(event["address"])
            if event.get("level", "error") in ("error", "critical"):  # what is no event is a traceback
                self.mistakes.append(text)


@asynccontextmanager
async def running_bot(
    settings: Mapping[str, str],
    *,
    folder: Path,
    port: int = 0,
    workers: int = 1,
    program: str = "sandbox.demo.leash",
) -> AsyncIterator[BotProcess]:
    """`corkboard serve` at 127.0.0.1 (port 0: any free one), with `folder` as its own; stopped at the end.

    `program`: the module that runs it.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        program,
        "serve",
        f"--port={port}",
        f"--workers={workers}",
        cwd=folder,
        env=_environment(settings),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for us; we tell the bot
    )
    bot = BotProcess(process)
    try:
        yield bot
    finally:
        await bot.stop()


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Ours without any setting of a real deployment, and without proxies: it talks to this machine alone."""
    ours = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    return ours | {"LOG_FORMAT": "json", "NO_PROXY": "*", "no_proxy": "*"} | dict(settings)


def _event(line: str) -> dict[str, Any]:
    """A line of the log; empty where it is none, as of a traceback."""
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}
