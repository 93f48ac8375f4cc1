"""Ids from outside as parts of an address."""

from urllib.parse import quote

from webhooks.thumbtack.payloads.text import storable


def segment(thumbtack_id: str) -> str:
    """The id as one part of a path, whatever is in it: it came from outside and must not lead elsewhere."""
    quoted = quote(storable(thumbtack_id), safe="")
    return quoted if quoted.strip(".") else quoted.replace(".", "%2E")
