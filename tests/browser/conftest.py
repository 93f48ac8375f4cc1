"""A browser for each process of the suite, and what its tests look at. All of it lives in one event loop, the session's."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser
from support.browsing import Tabs, browsing, chromium
from support.playing import Play, playing

NO_BROWSER = "there is no Chromium here (Debian: apt-get install chromium; elsewhere name it in CHROMIUM)"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    executable = chromium()
    if executable is None:
        pytest.skip(NO_BROWSER)
    async with browsing(executable) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def tabs(browser: Browser) -> AsyncIterator[Tabs]:
    """Tabs to open; at the end none of them may have done anything wrong."""
    opened = Tabs(browser)
    yield opened
    await opened.close()
    assert opened.watch.wrongs == []


@pytest_asyncio.fixture(loop_scope="session")
async def play(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Play]:
    """The sandbox page with a bot behind it."""
    file = tmp_path / "corkboard.db"
    shutil.copyfile(sqlite_template, file)
    async with playing(f"sqlite+aiosqlite:///{file}") as running:
        yield running
