"""How a process that serves shares its time between its threads and with Python's collector of cycles."""

import gc
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

SWITCH_AFTER = 0.0005
"""Seconds after which a thread that waits for Python's lock gets it, instead of 5 ms.

A webhook's answer waits for the thread that stores it, which takes that lock again after every statement.
"""


DRAW = ("rich", "pygments")
"""What structlog loads where it is there, for mistakes in colours: 35 ms and 5 MB. Nothing that serves logs what it would draw."""


@contextmanager
def loading() -> Iterator[None]:
    """Meanwhile nothing is looked through for garbage: what is being loaded grows, is looked through each time, and is none.

    That takes an eighth of the time to the first answer. What little garbage was made stays: to look for it once would
    take half of that. Libraries that would draw, if they could, find nothing to do it with.
    """
    gc.disable()
    try:
        with _hidden(DRAW):
            yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def _hidden(names: Iterable[str]) -> Iterator[None]:
    """Meanwhile these count as not installed, unless they are loaded: None is how Python's import system notes that."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # typeshed knows of modules alone
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def tune() -> None:
    """Once everything is loaded and before anything is served.

    What is loaded by now stays for ever: looking through it again and again for garbage would stop all else for some
    hundredths of a second each time.
    """
    sys.setswitchinterval(SWITCH_AFTER)
    gc.collect()
    gc.freeze()
