"""How a process that serves shares its time between its threads and with Python's collector of cycles."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SWITCH_AFTER = 0.0005
"""Seconds after which a thread that waits for Python's lock gets it, instead of 5 ms.

A webhook's answer waits for the thread that stores it, which takes that lock again after every statement.
"""

DRAW = ("rich", "pygments")


@contextmanager
def loading() -> Iterator[None]:
    """Meanwhile nothing is looked through for garbage: what is being loaded grows, is looked through each time, and is none.

    That takes an eighth of the time to the first answer. What little garbage was made stays: to look for it once would
    take half of that.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def undrawn() -> Iterator[None]:
    """Meanwhile what draws in a terminal counts as not installed, unless it is loaded already.

    structlog and httpx load it where it is there, and do without where it is not: 35 ms and 5 MB. Nothing that serves draws.
    """
    hidden = [name for name in DRAW if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: the import system's word for "not there"
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name, None)


def tune() -> None:
    """Once everything is loaded and before anything is served.

    What is loaded by now stays for ever: looking through it again and again for garbage would stop all else for some
    hundredths of a second each time.
    """
    sys.setswitchinterval(SWITCH_AFTER)
    gc.collect()
    gc.freeze()
