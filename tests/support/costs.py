"""What SQLite does for each statement of this process: how often it looked whether it may go on, which it does at each turn of a loop."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

_VALUES = re.compile(r"'(?:[^']|'')*'|\b\d+\b")


class Costs:
    """Of each statement, whatever its values, the most that one execution took since this was last emptied."""

    def __init__(self) -> None:
        self.turns: dict[str, int] = {}

    def listen(self, connection: sqlite3.Connection) -> None:
        """Count what this connection does from now on."""
        statement, turns = "", 0

        def begun(told: str) -> None:
            nonlocal statement, turns
            statement, turns = _VALUES.sub("?", told), 0

        def turn() -> int:
            nonlocal turns
            turns += 1
            self.turns[statement] = max(turns, self.turns.get(statement, 0))
            return 0

        connection.set_trace_callback(begun)
        connection.set_progress_handler(turn, 1)


@contextmanager
def counted() -> Iterator[Costs]:
    """Count what the connections do that are opened meanwhile."""
    costs, connect = Costs(), sqlite3.connect

    def listened(*where: Any, **how: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*where, **how)
        costs.listen(connection)
        return connection

    with patch("sqlite3.connect", listened):
        yield costs
