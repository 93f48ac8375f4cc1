"""Channels and the app itself on the sandbox page: made, closed, opened, and what the bot makes of coming and going."""

import pytest
from playwright.async_api import expect
from support.browsing import PHONE, Tabs, faults_of, overflowing
from support.playing import Play

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_channel_is_made_offered_closed_and_opened_on_a_phone(play: Play, tabs: Tabs):
    page = await tabs.open(f"{play.url}/?as=U0OLGA", size=PHONE)
    await page.get_by_role("button", name="Add a channel").click()
    name = page.get_by_label("Name of the new channel")
    await expect(name).to_be_focused()
    await name.press_sequentially("big-jobs")
    await name.press("Enter")
    await page.get_by_role("button", name="Invite Corkboard").click()
    there = page.get_by_role("log", name="Messages in big-jobs")
    await expect(there.get_by_text("Shall Thumbtack leads be posted in this channel?")).to_be_visible()
    await there.get_by_role("button", name="Post leads here").click()
    await page.get_by_role("dialog").get_by_role("button", name="Post leads here").click()
    await expect(there.get_by_text("Leads are posted here from now on.")).to_be_visible()
    assert await overflowing(page) == []
    assert await faults_of(page) == []
    await page.get_by_role("button", name="Channel", exact=True).click()
    await page.get_by_role("menuitem", name="Archive channel").click()
    await page.get_by_role("dialog").get_by_role("button", name="Archive").click()
    await expect(page.get_by_text("This channel is archived")).to_be_visible()
    await page.get_by_role("button", name="Channel", exact=True).click()
    await page.get_by_role("menuitem", name="Open channel again").click()
    await expect(page.get_by_role("combobox", name="Message #big-jobs")).to_be_visible()


async def test_the_app_is_uninstalled_and_installed_again(play: Play, tabs: Tabs):
    page = await tabs.open(f"{play.url}/?as=U0OLGA")
    await page.get_by_role("button", name="Corkboard Home").click()
    await page.get_by_role("button", name="App", exact=True).click()
    await page.get_by_role("menuitem", name="Uninstall Corkboard").click()
    await page.get_by_role("dialog").get_by_role("button", name="Uninstall").click()
    await page.get_by_role("button", name="leads").click()
    await page.get_by_role("button", name="Install it again").click()
    await expect(page.get_by_text("Corkboard was uninstalled")).to_have_count(0)
    await page.get_by_role("combobox", name="Message #leads").fill("/thumbtack help")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Corkboard: Thumbtack in Slack")).to_be_visible()
