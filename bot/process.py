"""How a process that serves shares its time between its threads and with Python's collector of cycles."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SWITCH_AFTER = 0.0005
"""Seconds after which a thread that waits for Python's lock gets it, instead of 5 ms.

A webhook's answer waits for the thread that stores it, which takes that lock again after every statement.
"""


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


def tune() -> None:
    """Once everything is loaded and before anything is served.

    What is loaded by now stays for ever: looking through it again and again for garbage would stop all else for some
    hundredths of a second each time.
    """
    sys.setswitchinterval(SWITCH_AFTER)
    gc.collect()
    gc.freeze()
