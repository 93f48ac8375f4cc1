"""What is counted about webhooks, on an object handed in: whoever keeps the figures is no concern of this package."""

from typing import Protocol


class Counts(Protocol):
    """Keeps count. Nothing here raises or waits."""

    def accepted(self, route: str, *, seconds: float) -> None:
        """A webhook by this route was stored and is answered, so many seconds after it came."""
        ...

    def refused(self, reason: str) -> None:
        """A webhook was refused for a reason of `webhooks.problems.REASONS`."""
        ...

    def ingested(self, *, seconds: float) -> None:
        """A stored webhook was read, so many seconds after it came."""
        ...

    def not_understood(self) -> None:
        """A stored webhook could not be read and is kept for a person."""
        ...
