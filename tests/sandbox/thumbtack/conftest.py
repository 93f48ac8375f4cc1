"""A stand-in for Thumbtack with a clock that tests move, and an HTTP client of it without sockets."""

from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from support.consents import LEGACY, OTHER, PRO, V4, Bearer, Clock, granting

from sandbox.thumbtack import ThumbtackStandIn


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def thumbtack(clock) -> ThumbtackStandIn:
    stand_in = ThumbtackStandIn(
        username="u", password="p", known_leads=None, legacy_client=LEGACY, v4_client=V4, clock=clock
    )
    stand_in.grants.businesses.clear()
    stand_in.grants.add_business(PRO, "Bright Oak")
    stand_in.grants.add_business(OTHER, "Bright <Oak> & Sons")
    return stand_in


@pytest.fixture
async def http(thumbtack) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(thumbtack.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://thumbtack") as client:
        yield client


@pytest.fixture
def as_legacy(thumbtack) -> Callable[..., httpx.Auth]:
    return lambda **changes: Bearer(granting(thumbtack, "legacy", **changes).access_token)


@pytest.fixture
def as_v4(thumbtack) -> Callable[..., httpx.Auth]:
    return lambda **changes: Bearer(granting(thumbtack, "v4", **changes).access_token)
