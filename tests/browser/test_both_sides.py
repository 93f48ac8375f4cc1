"""A whole lead played from both sides on the sandbox page, every button of it, and all the trouble that one can make there."""

import asyncio
import re
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, Route, expect
from support.at_the_page import FOCUSED, Person
from support.browsing import PHONE, SMALL_DESKTOP, SMALL_PHONE, Tabs, faults_of, overflowing
from support.playing import Play

from sandbox.outside import Outside

pytestmark = pytest.mark.asyncio(loop_scope="session")

MAYA = "Maya Alvarez"
DONE, WAITS = "white check mark", "hourglass flowing sand"


async def is_well_made(page: Page) -> None:
    assert await overflowing(page) == []
    assert await faults_of(page) == []


async def at_the_page(play: Play, tabs: Tabs, user: str = "U0ANA", **look: object) -> Person:
    return Person(await tabs.open(f"{play.url}/?as={user}", **look))


async def test_a_whole_lead_is_played_from_both_sides(play: Play, tabs: Tabs):
    ana = await at_the_page(play, tabs)
    await expect(ana.customers_side.get_by_text("Start here: press New lead")).to_be_visible()
    await ana.happens("New lead Pro API")
    await expect(ana.card(MAYA, "nobody has it yet")).to_be_visible()
    await ana.card(MAYA).get_by_role("button", name="I've got it").click()
    await expect(ana.card("Claimed · @Ana")).to_be_visible()
    await ana.open_thread(MAYA)
    await ana.reply("Tuesday at six?")
    phone = ana.phone(MAYA)
    await expect(phone.get_by_role("log").get_by_text("Tuesday at six?")).to_be_visible()
    await expect(ana.mark("Tuesday at six?", DONE)).to_be_visible()
    await ana.write_as(MAYA, "Six is perfect.")
    await expect(ana.message("Six is perfect.")).to_be_visible()
    await phone.get_by_role("button", name="Price", exact=True).click()
    await phone.get_by_role("button", name="Charge").click()
    await expect(ana.message("$26.00").last).to_contain_text("Lead")
    await ana.card(MAYA).get_by_role("button", name="Won").click()
    await ana.window.get_by_role("textbox").fill("450")
    await ana.window.get_by_role("button", name="Won").click()
    await expect(ana.card("Won", "$450")).to_be_visible()
    await phone.get_by_role("button", name="Review", exact=True).click()
    await phone.get_by_role("combobox", name="Stars").select_option("4")
    await phone.get_by_role("button", name="Review", exact=True).last.click()
    await expect(phone.get_by_role("img", name="4 of 5 stars")).to_be_visible()
    await expect(ana.message("4 of 5")).to_be_visible()
    assert play.world.thumbtack.received(str(play.world.thumbtack.last_lead_id)) == ["Tuesday at six?"]
    await is_well_made(ana.page)


async def test_a_connected_business_is_played_by_the_newer_api(play: Play, tabs: Tabs):
    olga = await at_the_page(play, tabs, "U0OLGA")
    await olga.type("/thumbtack connect")
    link = olga.channel.get_by_role("link", name=re.compile("Connect|Leads|opens in a new tab")).first
    async with olga.page.context.expect_page() as opened:
        await link.click()
    consent = await opened.value
    await consent.get_by_role("button", name="Confirm connection").click()
    await expect(consent.get_by_role("heading")).to_have_text("Bright Oak Home Services is connected")
    await expect(olga.customers_side.get_by_text("Bright Oak Home Services · newer API")).to_be_visible()
    await olga.happens("Question first")
    await play.place.at_rest()
    await expect(olga.channel.get_by_text("Hi! Is this something you do?")).to_be_visible()
    await olga.customers_side.get_by_role("button", name="Tell it now").click()
    tessa = "Tessa Lindqvist"
    await expect(olga.card(tessa, "Gutter Cleaning")).to_be_visible()
    await olga.open_thread(tessa)
    await olga.reply("We do, every autumn.")
    await expect(olga.phone(tessa).get_by_role("log").get_by_text("We do, every autumn.")).to_have_count(1)
    await olga.phone(tessa).get_by_role("button", name="App", exact=True).click()
    box = olga.phone(tessa).get_by_role("textbox")
    await box.fill("Written in Thumbtack's app.")
    await box.press("Enter")
    await expect(olga.message("Written in Thumbtack's app.")).to_be_visible()
    await expect(olga.mark("We do, every autumn.", DONE)).to_be_visible()
    await play.place.at_rest()
    assert await olga.message("We do, every autumn.").count() == 1  # its echo was no message
    await olga.make_trouble("Let the tokens expire")
    await olga.reply("We can come on Monday.")
    await expect(olga.mark("We can come on Monday.", DONE)).to_be_visible()
    await expect(olga.trouble.get_by_text("All is well")).to_be_visible()
    await olga.make_trouble("Withdraw consent")
    await expect(olga.trouble.get_by_role("status").get_by_text("Consent is withdrawn.")).to_be_visible()
    await olga.reply("And on Tuesday?")
    await expect(olga.mark("And on Tuesday?", WAITS)).to_be_visible()
    await expect(olga.phone(tessa).get_by_role("log").get_by_text("And on Tuesday?")).to_have_count(0)


@pytest.mark.parametrize(
    ("begin", "end", "sign"),
    [
        ("Take Thumbtack down", "Bring Thumbtack back", "Thumbtack is down."),
        ("Take Slack down", "Bring Slack back", "Slack is down."),
        ("Kill the bot", "Start", "killed"),
    ],
)
async def test_a_reply_comes_through_whatever_was_down(play: Play, tabs: Tabs, begin: str, end: str, sign: str):
    ana = await at_the_page(play, tabs)
    await ana.happens("New lead Pro API")
    await ana.open_thread(MAYA)
    await play.place.at_rest()
    await ana.make_trouble(begin)
    await expect(ana.trouble.get_by_role("status").get_by_text(sign)).to_be_visible()
    await is_well_made(ana.page)
    await ana.reply("Are you still there?")
    received = ana.phone(MAYA).get_by_role("log").get_by_text("Are you still there?")
    if begin == "Take Thumbtack down":
        await expect(ana.mark("Are you still there?", WAITS)).to_be_visible()
        await expect(received).to_have_count(0)
    await ana.trouble.get_by_role("status").get_by_role("button", name=end).click()
    await expect(ana.trouble.get_by_text("All is well")).to_be_visible()
    await play.place.at_rest()  # a call that lasts a quarter of an hour would be given up
    await ana.page.get_by_role("button", name="15 minutes later").click()
    await expect(ana.mark("Are you still there?", DONE)).to_be_visible()
    await expect(received).to_have_count(1)


async def test_an_answer_of_thumbtacks_that_is_lost_is_asked_about(play: Play, tabs: Tabs):
    ana = await at_the_page(play, tabs)
    await ana.happens("New lead Pro API")
    await ana.open_thread(MAYA)
    await ana.make_trouble("Lose Thumbtack's next answer")
    await ana.reply("Did this arrive?")
    await expect(ana.mark("Did this arrive?", "warning")).to_be_visible()
    await expect(ana.phone(MAYA).get_by_role("log").get_by_text("Did this arrive?")).to_be_visible()
    await ana.thread.get_by_role("button", name="It arrived").click()
    await expect(ana.mark("Did this arrive?", DONE)).to_be_visible()


async def test_an_answer_of_slacks_that_is_lost_makes_no_second_card(play: Play, tabs: Tabs):
    ana = await at_the_page(play, tabs)
    await ana.make_trouble("Lose Slack's next answer")
    await ana.happens("New lead Pro API")
    await expect(ana.card(MAYA)).to_have_count(1)
    await play.place.at_rest()
    await play.place.advance(minutes=5)
    await play.place.at_rest()
    await expect(ana.card(MAYA)).to_have_count(1)
    assert len([card for card in play.place.cards if MAYA in str(card)]) == 1


async def test_every_button_of_thumbtacks_side_does_what_it_says(play: Play, tabs: Tabs):
    """Each is pressed once, also where the business is not connected: none of them may fail without a sentence."""
    ana = await at_the_page(play, tabs)
    for what in await ana.customers_side.get_by_role("group", name="Let something happen").get_by_role("button").all():
        async with ana.page.expect_response("**/page/do") as done:
            await what.click()
        answer = await (await done.value).json()
        assert answer.get("said", "").endswith("."), answer
        await expect(ana.page.get_by_role("status").last).to_contain_text(answer["said"])
    troubles = ana.trouble.get_by_role("list", name="What can go wrong")
    await ana.page.get_by_role("button", name="Make trouble").click()
    names = await troubles.get_by_role("heading").all_inner_texts()
    assert len(names) == len(set(names)) >= 7
    await ana.page.get_by_role("button", name="Calls").click()
    await expect(ana.page.get_by_role("table")).to_contain_text("Corkboard → Slack")
    await is_well_made(ana.page)


async def test_what_is_typed_on_while_words_are_sent_stays(play: Play, tabs: Tabs):
    ana = await at_the_page(play, tabs)
    await ana.happens("New lead Pro API")
    phone = ana.phone(MAYA)
    box = phone.get_by_role("textbox", name=f"Write as {MAYA}")
    held = asyncio.Event()

    async def hold(route: Route) -> None:
        await held.wait()
        await route.continue_()

    await ana.page.route("**/page/do", hold)
    await box.fill("Six is perfect.")
    await box.press("Enter")
    await expect(box).to_have_value("")
    await box.press_sequentially("And bring a lad")
    async with ana.page.expect_response("**/page/do"):
        held.set()
    await expect(phone.get_by_role("log").get_by_text("Six is perfect.")).to_be_visible()
    await box.press_sequentially("der.")
    await expect(box).to_have_value("And bring a ladder.")


async def test_the_tab_key_reaches_everything_and_shows_where_it_is(play: Play, tabs: Tabs):
    ana = await at_the_page(play, tabs)
    await ana.happens("New lead newer API")
    await ana.happens("New lead Pro API")
    await ana.open_thread(MAYA)
    await play.place.at_rest()
    wanted = await ana.page.evaluate(STOPS)
    met, unseen = set(), []
    for _ in range(2 * wanted):
        await ana.page.keyboard.press("Tab")
        stop = await ana.page.evaluate(HERE)
        if stop["number"] in met:
            break
        if stop["number"] >= 0:  # else it is round once, at the page itself
            met.add(stop["number"])
            unseen += [] if stop["shown"] else [stop["name"]]
    assert unseen == []
    assert [await ana.page.evaluate(NAME, one) for one in sorted(set(range(wanted)) - met)] == []


STOPS = """() => {
  const all = 'a[href], button:not(:disabled), input:not(:disabled), select, textarea, summary, [tabindex="0"]'
  window.stops = [...document.querySelectorAll(all)].filter((one) =>
    one.checkVisibility() && one.tabIndex >= 0 && !(one.type === 'radio' && !one.checked))
  return window.stops.length
}"""
NAME = "(number) => window.stops[number].outerHTML.slice(0, 120)"
HERE = f"() => ({{ ...({FOCUSED})(), number: window.stops.indexOf(document.activeElement) }})"


@pytest.mark.parametrize(("size", "dark"), [(PHONE, False), (SMALL_PHONE, True)])
async def test_a_lead_is_played_on_a_phone(play: Play, tabs: Tabs, size, dark):
    ana = await at_the_page(play, tabs, size=size, dark=dark, has_touch=True)
    tab = {
        name: ana.page.get_by_role("navigation", name="Parts of the page").get_by_role("button", name=name)
        for name in ("Slack", "Customer", "Trouble")
    }
    await is_well_made(ana.page)
    await tab["Customer"].tap()
    await ana.happens("New lead Pro API")
    await expect(ana.phone(MAYA)).to_be_visible()
    await is_well_made(ana.page)
    await expect(tab["Slack"]).to_contain_text(re.compile(r"\d"))  # something is new there
    await tab["Slack"].tap()
    await ana.open_thread(MAYA)
    await ana.reply("From the road.")
    await expect(ana.mark("From the road.", DONE)).to_be_visible()
    await is_well_made(ana.page)
    await tab["Customer"].tap()
    await expect(ana.phone(MAYA).get_by_text("From the road.")).to_be_visible()
    await tab["Trouble"].tap()
    await expect(ana.trouble.get_by_role("button", name="Take Slack down")).to_be_visible()
    await is_well_made(ana.page)


async def test_who_comes_by_phone_after_the_tour_is_told_where_to_begin(play: Play, tabs: Tabs):
    await play.world.thumbtack.lead()
    ana = await at_the_page(play, tabs, size=SMALL_PHONE, has_touch=True)
    hint = ana.slack.get_by_text("Start here: press New lead on the tab Customer")
    await expect(hint).to_be_visible()
    await is_well_made(ana.page)
    parts = ana.page.get_by_role("navigation", name="Parts of the page")
    await parts.get_by_role("button", name="Customer").tap()
    await ana.happens("New lead Pro API")
    await parts.get_by_role("button", name="Slack").tap()
    await expect(ana.card(MAYA).first).to_be_visible()
    await expect(hint).to_have_count(0)


async def test_a_small_window_holds_both_sides(play: Play, tabs: Tabs):
    ana = await at_the_page(play, tabs, size=SMALL_DESKTOP)
    await ana.happens("New lead Pro API")
    await ana.open_thread(MAYA)
    await ana.write_as(MAYA, "Hello?")
    await expect(ana.message("Hello?")).to_be_visible()
    await is_well_made(ana.page)


async def test_a_deed_that_is_not_answered_is_told_and_the_words_come_back(tabs: Tabs):
    tabs.watch.excused.append("net::ERR_")
    async with Outside().serve() as url:
        page = await tabs.open()
        await page.add_init_script(
            "const timeout = AbortSignal.timeout; AbortSignal.timeout = () => timeout.call(AbortSignal, 50)"
        )
        await page.route("**/page/do", lambda _route: None)  # it waits, as behind six open tabs
        await page.goto(url)
        box = page.get_by_role("combobox", name="Message #leads")
        await box.fill("Hello?")
        await box.press("Enter")
        await expect(page.get_by_text("It may still be done: look before you try again.")).to_be_visible()
        await expect(box).to_have_value("Hello?")


async def test_a_page_whose_sandbox_was_stopped_says_so_and_goes_on_with_the_next(tabs: Tabs):
    tabs.watch.excused.append("net::ERR_")  # the browser says itself that nobody answers
    async with Outside().serve() as url:
        page = await tabs.open(url)
        await expect(page.get_by_text("Start here")).to_be_visible()
    await expect(page.get_by_role("alert")).to_contain_text("The sandbox was stopped")
    async with Outside().serve(port=urlsplit(url).port or 0):
        await expect(page.get_by_role("alert")).to_have_count(0)


async def test_a_page_whose_news_were_refused_asks_again(tabs: Tabs):
    tabs.watch.excused.append("Failed to load resource")
    page = await tabs.open()
    await page.route("**/page/events?*", lambda route: route.fulfill(status=503), times=1)
    async with Outside().serve() as url:
        await page.goto(url)
        await expect(page.get_by_text("Start here")).to_be_visible()
