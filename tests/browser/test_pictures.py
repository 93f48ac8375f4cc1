"""The papers' pictures, taken while a lead is played: `make pictures` keeps them, every other run only takes them."""

import os
from pathlib import Path

import pytest
from playwright.async_api import expect
from support.at_the_page import Person
from support.browsing import PHONE, Tabs
from support.playing import Play

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEPT_IN = Path(__file__).parents[2] / "docs" / "pictures"
MAYA = "Maya Alvarez"
DESK = {"width": 1440, "height": 1075}
TALL = {"width": 1060, "height": 1480}
LARGEST = 400_000  # bytes: whoever clones this has them


async def a_played_lead(play: Play, ana: Person) -> None:
    """Two customers asked; one of them has an answer, and answered."""
    thumbtack = play.world.thumbtack
    await thumbtack.v4_lead()
    await thumbtack.lead()
    await play.place.at_rest()
    maya = str(thumbtack.last_lead_id)
    await ana.open_thread(MAYA)
    await ana.reply("Hello Maya, Tuesday at six works. Is the door wooden?")
    await expect(ana.mark("Is the door wooden?", "white check mark")).to_be_visible()
    await thumbtack.message(maya, "It is. See you on Tuesday then!")
    await expect(ana.message("See you on Tuesday then!")).to_be_visible()
    await play.world.slack.say(
        "U0BEN", "C0LEADS", "note: the long ladder is in my van", thread_ts=play.place.cards[-1]["ts"]
    )
    await expect(ana.mark("the long ladder", "memo")).to_be_visible()
    await play.place.at_rest()


async def test_the_pictures_of_the_papers(play: Play, tabs: Tabs):
    ana = Person(await tabs.open(play.url, size=DESK))
    await a_played_lead(play, ana)
    await expect(ana.phone(MAYA).get_by_text("See you on Tuesday then!")).to_be_visible()
    await ana.page.mouse.move(0, 0)
    await ana.thread.get_by_role("combobox").blur()
    taken = {"page": await ana.page.screenshot()}
    await ana.page.set_viewport_size(TALL)
    taken["thread"] = await ana.thread.screenshot()
    ben = Person(await tabs.open(f"{play.url}/?as=U0BEN", size=PHONE, device_scale_factor=2))
    await ben.open_thread(MAYA)
    await expect(ben.mark("the long ladder", "memo")).to_be_visible()
    await ben.page.mouse.move(0, 0)
    taken["phone"] = await ben.page.screenshot()
    for name, picture in taken.items():
        assert 10_000 < len(picture) < LARGEST, name
        if os.environ.get("PICTURES"):
            Path(os.environ["PICTURES"], f"{name}.png").write_bytes(picture)  # noqa: ASYNC240 -- nobody waits for this
    assert {path.stem for path in KEPT_IN.glob("*.png")} == set(taken), "make pictures"
