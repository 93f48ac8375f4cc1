"""Every page of the service as a person sees it: on a phone and at a desk, by day and by night, with a keyboard."""

import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect
from support.browsing import ANSWERED_BADLY, DESKTOP, PHONE, Tabs, faults_of, overflowing
from support.office import Office, office

from sandbox.servers import serving

pytestmark = pytest.mark.asyncio(loop_scope="session")

LONG = "Bright Oak Home Services and Painting of Greater " + "Llanfairpwllgwyngyll" * 4


@pytest_asyncio.fixture(loop_scope="session")
async def place(sqlite_template, tmp_path) -> AsyncIterator[Office]:
    """A running office whose bot is at an address that a browser reaches."""
    file = tmp_path / "corkboard.db"
    shutil.copyfile(sqlite_template, file)
    async with office(f"sqlite+aiosqlite:///{file}") as running, serving(running.door) as address:
        running.thumbtack.grants.redirect_uris = {f"{address}/thumbtack/callback"}
        await running.stop()
        await running.start(public_url=address)
        yield running


def at(place: Office, path: str) -> str:
    return f"{place.knobs['public_url']}{path}"


async def is_well_made(page: Page) -> None:
    """One title, the same in the tab; nothing cut off or too small; and only what this service is made of."""
    assert await page.locator("h1").count() == 1
    assert await page.locator("main, footer").count() == 2
    assert await overflowing(page) == []
    assert await faults_of(page) == []


PAGES = {
    "/": "Corkboard is running",
    "/nothing": "There is nothing at this address",
    "/v1/lead": "This address is for Thumbtack",
    "/slack/events": "This address is for Slack",
    "/thumbtack/connect?state=old": "This link is not one of ours",
    "/thumbtack/callback": "There is nothing to do here",
    "/thumbtack/callback/?code=only": "One more step",
    "/thumbtack/callback?error=access_denied": "Nothing was connected",
}


@pytest.mark.parametrize(("size", "dark"), [(PHONE, False), (PHONE, True), (DESKTOP, False)])
async def test_every_page_is_readable_however_one_looks_at_it(place: Office, tabs: Tabs, size, dark):
    tabs.watch.excused.append(ANSWERED_BADLY)  # the page itself has the status that a program would get
    page = await tabs.open(size=size, dark=dark)
    for path, title in PAGES.items():
        await page.goto(at(place, path))
        await expect(page.get_by_role("heading", level=1)).to_have_text(title)
        assert await page.title() == f"{title} · Corkboard"
        await is_well_made(page)


@pytest.mark.parametrize("generation", ["legacy", "v4"])
async def test_a_business_is_connected_by_keyboard_alone(place: Office, tabs: Tabs, generation: str):
    place.thumbtack.grants.add_business("510000000000000102", LONG)
    await place.command("connect")
    page = await tabs.open(place.link(generation), size=PHONE)
    await expect(page.get_by_role("heading")).to_have_text("Connect to Thumbtack")
    await is_well_made(page)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space" if generation == "v4" else "ArrowDown")  # not the first business, but the second
    if generation == "v4":
        await page.keyboard.press("Tab")
        await page.keyboard.press("Space")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Confirm connection")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading")).to_have_text(f"{LONG} is connected")
    await expect(page.get_by_role("link", name="Back to Slack")).to_have_attribute(
        "href", "slack://open?team=T0CORKBOARD"
    )
    await is_well_made(page)
    tabs.watch.excused.append(ANSWERED_BADLY)
    await page.reload()
    await expect(page.get_by_role("heading")).to_have_text("This link was used already")


async def test_who_said_no_by_a_slip_goes_back(place: Office, tabs: Tabs):
    await place.command("connect")
    page = await tabs.open(place.link("v4"), size=PHONE)
    await page.get_by_role("button", name="Deny").click()
    await expect(page.get_by_role("heading")).to_have_text("Nothing was connected")
    await is_well_made(page)
    await page.get_by_role("link", name="Go back to Thumbtack").click()
    await page.get_by_role("button", name="Confirm connection").click()
    await expect(page.get_by_role("heading")).to_have_text("Bright Oak Home Services is connected")


async def test_who_picks_nothing_is_told(place: Office, tabs: Tabs):
    tabs.watch.excused.append(ANSWERED_BADLY)
    await place.command("connect")
    page = await tabs.open(place.link("v4"), size=PHONE)
    await page.get_by_role("checkbox").uncheck()
    await page.get_by_role("button", name="Confirm connection").click()
    await expect(page.get_by_role("heading")).to_have_text("Nothing was picked")
    await is_well_made(page)


async def test_the_consent_page_leads_nowhere_else(place: Office, tabs: Tabs):
    """A link with another address than the bot's is not followed, and says what to do."""
    tabs.watch.excused.append(ANSWERED_BADLY)
    await place.command("connect")
    leaving = await place.http.get(place.link("v4"))
    elsewhere = leaving.headers["location"].replace("thumbtack%2Fcallback", "elsewhere")
    page = await tabs.open(elsewhere, size=PHONE)
    await expect(page.get_by_role("heading")).to_have_text("This app may not do that")
    await expect(page.get_by_role("main")).to_contain_text("corkboard sandbox")
    await is_well_made(page)
