"""People at the terminal of `corkboard setup`: one who types what the test says, and the program as a process on a real one."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Self

from rich.console import Console

from bot.setup import env_file
from bot.setup.draft import Draft
from bot.setup.interview import Interview
from bot.setup.person import Person
from bot.setup.taking import Trier
from storage.database import utcnow

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
COLOURS = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-9;?]*[A-Za-z]")

TOKEN = "xoxb-sandbox"
SECRET = "0123456789abcdef0123456789abcdef"
"""As long as Slack's."""

Line = str | Callable[[], str]
"""What is typed; a function is called when it is its turn, and may change the world first."""


class Conversation:
    """An interview with somebody who types these lines. `text`: what they read; `draft`: what came of it."""

    def __init__(self, *lines: Line, environ: Mapping[str, str]) -> None:
        self._lines = list(lines)
        self._screen = StringIO()
        console = Console(file=self._screen, force_terminal=False)
        self.draft = Draft(env_file.read(Path(".env")), environ)
        self.interview = Interview(
            self.draft,
            Person(console, read=self._typed),
            Trier(draft=self.draft, clock=utcnow),
            manifest_file=None,
        )

    def _typed(self, _hidden: bool) -> str:  # noqa: FBT001 -- the person's own shape
        if not self._lines:
            raise EOFError
        line = self._lines.pop(0)
        return line if isinstance(line, str) else line()

    def asking(self, *names: str) -> Self:
        """Ask for these alone; everything that was to be typed must have been asked for."""
        self.interview.ask_only(names)
        assert not self._lines
        return self

    @property
    def text(self) -> str:
        return self._screen.getvalue()


AT_A_TERMINAL = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("bot.cli", run_name="__main__", alter_sys=True)
"""
"""Who starts the tests in the background may have let them ignore Ctrl-C, which a terminal does not."""


class Terminal:
    """`corkboard setup` on a terminal of its own."""

    def __init__(self, descriptor: int, process: subprocess.Popen[bytes]) -> None:
        self._descriptor = descriptor
        self._read = 0
        self._raw = b""
        self.process = process
        self.text = ""

    def wait_for(self, words: str) -> None:
        """Until it says this, after what was waited for before."""
        ends = time.monotonic() + PATIENCE
        while words not in self.text[self._read :]:
            assert self._more(ends - time.monotonic()), f"{words!r} did not come:\n{self.text}"
        self._read = self.text.index(words, self._read) + len(words)

    def types(self, line: str, *, after: str) -> None:
        """Type a line once it says `after` and then waits for an answer."""
        self.wait_for(after)
        self.wait_for("> ")
        os.write(self._descriptor, f"{line}\n".encode())

    def interrupt(self) -> None:
        """Press Ctrl-C, again where nothing comes of it: one that meets the very beginning of reading a line is heard after it."""
        for _ in range(3):
            self.process.send_signal(signal.SIGINT)
            if self._more(5):
                return

    def ended(self) -> int:
        """Its exit code, with all that it said."""
        ends = time.monotonic() + PATIENCE
        while self._more(ends - time.monotonic()):
            pass
        return self.process.wait(PATIENCE)

    def _more(self, seconds: float) -> bool:
        readable, _, _ = select.select([self._descriptor], [], [], max(0.0, seconds))
        try:
            read = os.read(self._descriptor, 65_536) if readable else b""
        except OSError:  # Linux says so where the other side is closed
            return False
        self._raw += read
        self.text = COLOURS.sub("", self._raw.decode(errors="ignore").replace("\r\n", "\n"))
        return bool(read)


@contextmanager
def at_a_terminal(*arguments: str, **environ: str) -> Iterator[Terminal]:
    """The real program, in the folder of the test."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(  # noqa: S603 -- our own program, with what a test says
        [sys.executable, "-c", AT_A_TERMINAL, "setup", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "96", **environ},
        start_new_session=True,  # the terminal from which the tests run is not asked
    )
    os.close(theirs)
    try:
        yield Terminal(ours, process)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
