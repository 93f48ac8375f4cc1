"""What is known of a customer from before: that they asked this business for something else."""

from datetime import UTC, datetime

from bot.blocks.kit import Element, icon, words


def before(at: datetime | None) -> list[list[Element]]:
    """A line of the card; nothing where they never asked. Told by Thumbtack's id of the customer, never by phone."""
    return [] if at is None else [[icon("repeat"), words(" Contacted you before on "), _day(at)]]


def _day(at: datetime) -> Element:
    """A day inside a rich text, in each reader's own time zone."""
    fallback = at.astimezone(UTC).strftime("%b %d, %Y")
    return {"type": "date", "timestamp": int(at.timestamp()), "format": "{date_short}", "fallback": fallback}
