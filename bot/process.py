"""How a process that serves shares its time between its threads and with Python's collector of cycles."""

import gc
import sys

SWITCH_AFTER = 0.0005
"""Seconds after which a thread that waits for Python's lock gets it, instead of 5 ms.

A webhook's answer waits for the thread that stores it, which takes that lock again after every statement.
"""


def tune() -> None:
    """Once everything is loaded and before anything is served.

    What is loaded by now stays for ever: looking through it again and again for garbage would stop all else for some
    hundredths of a second each time.
    """
    sys.setswitchinterval(SWITCH_AFTER)
    gc.collect()
    gc.freeze()
