"""What the play promises: looked for until it is there, and said plainly where it is not."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_PATIENCE = 15.0  # seconds until something is said not to happen
_LOOK = 0.02


class NotHeldError(Exception):
    """Something that the play promises did not happen; the message says what."""


def hold(condition: object, otherwise: str) -> None:
    """Raises NotHeldError, which says `otherwise`, unless it is so."""
    if not condition:
        raise NotHeldError(f"{otherwise}.")


async def until(look: Callable[[], T], promise: str) -> T:
    """What `look` returns once that is true; what does not exist yet (LookupError) is not yet."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        try:
            if found := look():
                return found
        except LookupError:
            pass
        await asyncio.sleep(_LOOK)
    raise NotHeldError(f"It did not happen within {_PATIENCE:.0f} s that {promise}.")
