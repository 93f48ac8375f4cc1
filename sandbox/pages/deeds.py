"""What a deed on the page is: a person does something with arguments, and hears what came of it."""

from collections.abc import Awaitable, Callable
from typing import Any

Json = dict[str, Any]

Deed = Callable[[str, Json], Awaitable[str | Json | None]]
"""Who acts, and the arguments; gives a sentence to show, or an answer that has one as `said`.

LookupError or ValueError: the sentence that says why not.
"""
