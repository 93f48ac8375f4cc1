"""The sample bodies by the name of their file, and a Thumbtack whose every answer a test decides."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from support.scripted import LEGACY_CLIENT, V1, V4_CLIENT, Scripted, Store, scripted

from webhooks.thumbtack.client import ThumbtackClient

PAYLOADS = Path(__file__).parents[2] / "payloads"


@pytest.fixture(scope="session")
def payload() -> Callable[[str], Any]:
    def load(name: str) -> Any:
        return json.loads((PAYLOADS / f"{name}.json").read_text())

    return load


@pytest.fixture
async def api() -> AsyncIterator[Scripted]:
    """Both APIs and both OAuth servers, at /legacy, /api and /oauth2 of one address."""
    async with scripted() as server:
        yield server


@pytest.fixture
def connect(api: Scripted) -> Callable[..., ThumbtackClient]:
    """Makes a client of `api`; its changes go to ThumbtackClient."""

    def make(**changes: Any) -> ThumbtackClient:
        given = {
            "version": "1.2.3",
            "legacy_url": f"{api.address}/legacy",
            "legacy_credentials": V1,
            "legacy_client": LEGACY_CLIENT,
            "v4_url": f"{api.address}/api",
            "v4_auth_url": f"{api.address}/oauth2",
            "v4_client": V4_CLIENT,
        }
        return ThumbtackClient(**given | changes)

    return make


@pytest.fixture
async def client(connect: Callable[..., ThumbtackClient]) -> AsyncIterator[ThumbtackClient]:
    made = connect()
    yield made
    await made.aclose()


@pytest.fixture
def store() -> Store:
    return Store()
