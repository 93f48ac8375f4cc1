"""Every kind of message and window that the bot makes is drawn on the sandbox page with all its words, for everybody to read."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect
from support.browsing import DESKTOP, PHONE, Tabs, faults_of, overflowing

from sandbox.outside import CHANNEL, Outside
from sandbox.slack.chat import with_ids
from sandbox.slack.modals import make_view

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]
GOLDEN = [json.loads(file.read_text()) for file in sorted((Path(__file__).parents[1] / "golden").glob("*.json"))]
POSTS = [post["blocks"] for golden in GOLDEN if isinstance(golden, list) for post in golden if post.get("blocks")]
VIEWS = [golden["blocks"] for golden in GOLDEN if isinstance(golden, dict)]


@pytest_asyncio.fixture(loop_scope="session")
async def world() -> AsyncIterator[Outside]:
    """Everything that the bot ever says stands in the channel, and what its windows ask, one below the other, on Ana's Home."""
    world = Outside()
    workspace = world.slack.workspace
    for blocks in POSTS:
        post = {
            "user": workspace.bot_user_id,
            "bot_id": workspace.bot_id,
            "text": "",
            "blocks": with_ids(workspace, blocks),
        }
        workspace.post(workspace.channel(CHANNEL), post)
    asked = [block | {"block_id": workspace.next_id("b")} for blocks in VIEWS for block in blocks]
    workspace.homes["U0ANA"] = make_view(workspace, {"type": "home", "blocks": asked})
    yield world
    await world.aclose()


@pytest.mark.parametrize(("size", "dark"), [(PHONE, True), (DESKTOP, False)])
async def test_everything_that_the_bot_says_and_asks_is_shown(world: Outside, tabs: Tabs, size, dark):
    async with world.serve() as address:
        page = await tabs.open(address, size=size, dark=dark)
        shown = page.get_by_role("article")
        await expect(shown).to_have_count(len(POSTS))
        for blocks, text in zip(POSTS, await shown.all_text_contents(), strict=True):
            assert missing(blocks, text) == []
        await is_well_drawn(page)
        await page.get_by_role("button", name="Corkboard Home").click()
        home = page.locator(".home")
        await expect(home.locator(".block-header").first).to_be_visible()
        assert (
            missing([block for blocks in VIEWS for block in blocks], await home.inner_text(), await typed(home)) == []
        )
        await is_well_drawn(page)


async def test_what_was_chosen_and_not_meant_is_not_chosen(tabs: Tabs):
    world = Outside()
    option = {"text": {"type": "plain_text", "text": "Everything"}, "value": "all"}
    plain = {name: {"type": "plain_text", "text": name} for name in ("title", "text", "confirm", "deny")}
    select = {"type": "static_select", "action_id": "erase", "options": [option], "confirm": plain}
    said = {"type": "section", "text": {"type": "mrkdwn", "text": ":constructor: and :eyes:"}}
    blocks = [said, {"type": "actions", "elements": [select]}]
    workspace = world.slack.workspace
    post = {
        "user": workspace.bot_user_id,
        "bot_id": workspace.bot_id,
        "text": "",
        "blocks": with_ids(workspace, blocks),
    }
    workspace.post(workspace.channel(CHANNEL), post)
    async with world.serve() as address:
        page = await tabs.open(address)
        await expect(page.get_by_text(":constructor:")).to_be_visible()  # a word that every object of JavaScript knows
        await page.get_by_role("article").get_by_role("combobox").select_option("all")
        await page.get_by_role("dialog").get_by_role("button", name="deny").click()
        await expect(page.get_by_role("article").get_by_role("combobox")).to_have_value("")
    await world.aclose()


async def is_well_drawn(page: Page) -> None:
    assert await page.locator(".unknown").count() == 0
    assert await overflowing(page) == []
    assert await faults_of(page) == []
    assert await page.locator("img, iframe, script:not([src]), [onerror], [onclick]").count() == 0


async def typed(home: Any) -> str:
    """What stands in boxes and menus, which is no text of the page."""
    found: str = await home.evaluate(
        "home => [...home.querySelectorAll('input, textarea, option, optgroup')].map(one => `${one.value} ${one.textContent} ${one.label ?? ''} ${one.placeholder ?? ''}`).join(' ')"
    )
    return found


def missing(blocks: list[Json], *texts: str) -> list[str]:
    """The words of these blocks that are not shown."""
    shown = squeezed(" ".join(texts))
    return [words for words in spoken(blocks) if squeezed(words) not in shown]


def spoken(value: Any) -> Iterator[str]:
    """What stands in texts that Slack shows as they are; mrkdwn and what is behind three dots are told by other tests."""
    if isinstance(value, list):
        for inner in value:
            yield from spoken(inner)
    elif isinstance(value, dict) and value.get("type") not in ("mrkdwn", "overflow"):
        if value.get("type") in ("text", "plain_text"):
            yield value["text"]
        yield from spoken([inner for name, inner in value.items() if not is_elsewhere(name, value)])


def is_elsewhere(name: str, value: Json) -> bool:
    """What is asked once more, what is chosen already, and what a list of boxes needs no words for."""
    boxes = name == "placeholder" and value["type"].startswith("multi_")
    return name == "confirm" or name.startswith("initial_") or boxes


def squeezed(text: str) -> str:
    return "".join(text.split())
