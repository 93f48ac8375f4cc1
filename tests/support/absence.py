"""Time in which nobody is there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from support.office import Office

ONE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
"""For what does not depend on the kind of database."""

READ = "conversations.replies"
LONG = {"minutes": 6}


@asynccontextmanager
async def away(place: Office, *, killed: bool = False, **long: float) -> AsyncIterator[None]:
    """Nobody is there for so long; what happens inside of this happens meanwhile, before the time has passed."""
    await (place.crash() if killed else place.stop())
    place.slack.events_url, url = None, place.slack.events_url
    yield
    place.slack.events_url = url
    place.clock.ahead += timedelta(**long)
    await place.start()
