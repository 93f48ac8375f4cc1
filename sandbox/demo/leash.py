"""Runs a `corkboard` command on a leash: it ends when whoever started it lets go of its standard input, or dies."""

import os
import signal
import threading

from bot.cli import main


def _hold() -> None:
    """Read until the other end of the pipe is closed, which the system does however that process ended."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_hold, daemon=True).start()
    main()
