"""Debian's Chromium, driven as a person drives it, and everything that a page may not do."""

import os
import shutil
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, ConsoleMessage, Error, Page, Request, Route, async_playwright, expect

QUIET = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-extensions"),
    "--force-color-profile=srgb",  # the same picture on every machine
)

PHONE = {"width": 390, "height": 844}
SMALL_PHONE = {"width": 320, "height": 568}
DESKTOP = {"width": 1600, "height": 900}
SMALL_DESKTOP = {"width": 1100, "height": 700}

PATIENCE = 30_000
"""Milliseconds; generous, for it costs only where something is wrong."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

LOOKING = (Path(__file__).parent / "looking.js").read_text(encoding="utf-8")

ANSWERED_BADLY = "Failed to load resource: the server responded with a status of"


def chromium() -> str | None:
    """Where the browser is: `CHROMIUM` of the environment, else Debian's; None where there is none."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


@asynccontextmanager
async def browsing(executable: str) -> AsyncIterator[Browser]:
    """A running browser without a window and with an empty profile."""
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable, args=QUIET, chromium_sandbox=False, timeout=PATIENCE
        )
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Watch:
    """What pages did that they may not: errors, violations of their policy, requests that leave this machine.

    `excused`: what a message of the console may hold, for a test in which a server answers badly on purpose.
    """

    wrongs: list[str] = field(default_factory=list)
    excused: list[str] = field(default_factory=list)

    def over(self, page: Page) -> None:
        """Watch this page too."""
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.wrongs.append(f"error: {error}"))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"} or any(one in message.text for one in self.excused):
            return
        self.wrongs.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    async def at_the_door(self, route: Route) -> None:
        """Nothing leaves this machine; what tried to is written down."""
        if not stays(route.request):
            self.wrongs.append(f"left this machine: {route.request.url}")
            await route.abort()
            return
        await route.continue_()


def stays(request: Request) -> bool:
    """Whether a request is for this machine, or for none."""
    address = urlsplit(request.url)
    return address.scheme in {"data", "blob", "about"} or (address.hostname or "") in LOOPBACK


class Tabs:
    """Opens tabs, each with its own size and colours, all of them watched."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.watch = Watch()
        self._opened: list[Any] = []

    async def open(
        self, url: str = "about:blank", *, size: dict[str, int] | None = None, dark: bool = False, **more: Any
    ) -> Page:
        """A tab of a person who never was there before."""
        context = await self._browser.new_context(
            viewport=size or DESKTOP,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            locale="en-US",
            timezone_id="America/Chicago",
            **more,
        )
        self._opened.append(context)
        context.set_default_timeout(PATIENCE)
        await context.route("**/*", self.watch.at_the_door)
        context.on("page", self.watch.over)
        page: Page = await context.new_page()
        if url != "about:blank":
            await page.goto(url)
        return page

    async def close(self) -> None:
        """Close them all."""
        for context in self._opened:
            try:
                await context.close()
            except Error:
                continue  # the browser went first


async def overflowing(page: Page) -> list[str]:
    """What is wider than the window: a person would have to scroll sideways for it."""
    found: Iterable[str] = await page.evaluate(
        """() => document.documentElement.scrollWidth <= window.innerWidth ? [] :
          [...document.querySelectorAll('body *')]
            .filter(one => one.getBoundingClientRect().right > window.innerWidth + 0.5)
            .map(one => one.tagName + '.' + one.className + ': ' + one.textContent.slice(0, 40))"""
    )
    return list(found)


async def faults_of(page: Page) -> list[str]:
    """What keeps somebody from reading or using the page, as far as a program can tell: see `looking.js`."""
    found: list[str] = await page.evaluate(LOOKING)
    return found
