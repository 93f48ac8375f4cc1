"""Runs a `corkboard` command on a leash: it ends when whoever started it lets go of its standard input, or dies.

Its clock can be put forward from there, so that who watches a play does not wait as long as a customer does.
"""

import os
import signal
import threading
from datetime import timedelta

from sandbox.clock import Clock
from storage import database


def _hold(clock: Clock) -> None:
    """Read until the other end of the pipe is closed, which the system does however that process ended.

    Each line that comes are the seconds by which the clock goes forward.
    """
    with os.fdopen(0, "rb", buffering=0, closefd=False) as pipe:
        for line in iter(pipe.readline, b""):
            clock.put_forward(timedelta(seconds=int(line)))
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    forward = Clock()
    database.utcnow = forward  # before the program is loaded, which takes its clock from here
    database.LOOK_WHEN_TOLD = 0.0  # nobody is told that it was put forward
    threading.Thread(target=_hold, args=(forward,), daemon=True).start()

    from bot.cli import main

    main()
