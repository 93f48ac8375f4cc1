"""Slack's side of the sandbox page as people use it: each deed reaches a real bot, and what comes of it is seen at once."""

import re

import pytest
from playwright.async_api import expect
from support.at_the_page import FOCUSED, Person
from support.browsing import PHONE, SMALL_PHONE, Tabs, faults_of, overflowing
from support.playing import Play

from sandbox.thumbtack import bodies

pytestmark = pytest.mark.asyncio(loop_scope="session")

WROTE_HTML = '<img src=x onerror="alert(1)"><script>alert(2)</script>'

TYPED = "5 < 6 & <b>bold</b> &amp; <javascript:alert(5)|press> javascript:alert(6)"


async def a_lead(play: Play, **told: object) -> str:
    """A customer asks; returns when all that is to be said about it stands."""
    await play.world.thumbtack.lead(**(bodies.lead() | told))
    await play.place.at_rest()
    return str(play.world.thumbtack.last_lead_id)


async def at_the_page(play: Play, tabs: Tabs, user: str = "U0ANA", **look: object) -> Person:
    return Person(await tabs.open(f"{play.url}/?as={user}", **look))


async def test_a_reply_is_written_changed_marked_and_received_once(play: Play, tabs: Tabs):
    ana = await at_the_page(play, tabs)
    await expect(ana.page.get_by_text("Nobody asked for anything yet")).to_be_visible()
    lead_id = await a_lead(play)
    await expect(ana.card("Maya Alvarez", "Interior Painting")).to_be_visible()  # nobody reloaded anything
    await ana.open_thread("Maya Alvarez")
    await ana.reply("Tuesday at six is fine.")
    await expect(ana.mark("Tuesday", "white check mark")).to_be_visible()
    await expect(ana.card("@Ana has it")).to_be_visible()
    await ana.reply("note: bring the ladder")
    await expect(ana.mark("bring the ladder", "memo")).to_be_visible()
    await play.world.thumbtack.message(lead_id, "Wonderful, see you *then*!")
    await expect(ana.message("Wonderful, see you *then*!")).to_be_visible()
    assert play.world.thumbtack.received(lead_id) == ["Tuesday at six is fine."]


async def test_a_reply_that_waits_is_changed_and_another_taken_back(play: Play, tabs: Tabs):
    await play.place.stop()
    await play.place.start(reply_hold_seconds=600)
    lead_id = await a_lead(play)
    ana = await at_the_page(play, tabs)
    await ana.open_thread("Maya Alvarez")
    await ana.reply("It costs 10")
    await ana.act("It costs 10", "Edit message")
    box = ana.thread.get_by_role("combobox", name="Edit message")
    await expect(box).to_be_focused()
    await box.press("End")
    await box.press_sequentially("0")
    await box.press("Enter")
    await expect(ana.message("It costs 100")).to_contain_text("(edited)")
    await ana.reply("Forget that.")
    await ana.act("Forget that.", "Delete message")
    await ana.window.get_by_role("button", name="Delete").click()
    await expect(ana.message("Forget that.")).to_have_count(0)
    await play.place.advance(minutes=10)
    await expect(ana.mark("It costs 100", "white check mark")).to_be_visible()
    assert play.world.thumbtack.received(lead_id) == ["It costs 100"]


async def test_what_is_half_typed_survives_news_and_a_look_elsewhere(play: Play, tabs: Tabs):
    lead_id = await a_lead(play)
    ana = await at_the_page(play, tabs)
    await ana.open_thread("Maya Alvarez")
    box = ana.thread.get_by_role("combobox")
    await box.press_sequentially("I am just wri")
    await play.world.thumbtack.message(lead_id, "Are you there?")
    await expect(ana.message("Are you there?")).to_be_visible()
    await expect(box).to_be_focused()
    await box.press_sequentially("ting")
    await expect(box).to_have_value("I am just writing")
    await ana.slack.get_by_role("button", name=re.compile("Corkboard.* Home|^Home")).click()
    await ana.slack.get_by_role("button", name="leads").click()
    await ana.open_thread("Maya Alvarez")
    await expect(box).to_have_value("I am just writing")
    assert play.world.thumbtack.received(lead_id) == []


async def test_what_is_attached_comes_back_where_it_was_not_taken_and_stays_with_who_chose_it(play: Play, tabs: Tabs):
    await a_lead(play)
    ana = await at_the_page(play, tabs)
    await ana.open_thread("Maya Alvarez")
    await ana.page.route("**/page/do", lambda route: route.fulfill(status=400, json={"error": "Not now."}))
    tabs.watch.excused.append("Failed to load resource")
    await ana.thread.get_by_role("button", name="Attach a file").click()
    await ana.thread.get_by_role("checkbox", name="Also send to channel").check()
    await ana.thread.get_by_role("button", name="Send").click()
    await expect(ana.page.get_by_text("Not now.")).to_be_visible()
    await expect(ana.thread.get_by_role("button", name="estimate.pdf")).to_be_visible()
    await expect(ana.thread.get_by_role("checkbox")).to_be_checked()
    await ana.page.get_by_text("Ben", exact=True).first.click()
    await expect(ana.thread.get_by_role("button", name="Attach a file")).to_be_visible()
    await expect(ana.thread.get_by_role("checkbox")).not_to_be_checked()


async def test_a_window_says_what_is_wrong_in_it_and_keeps_what_was_entered(play: Play, tabs: Tabs):
    await a_lead(play)
    ana = await at_the_page(play, tabs)
    await ana.card("Maya").get_by_role("button", name="Won").click()
    amount = ana.window.get_by_role("textbox").first
    await expect(amount).to_be_focused()
    await amount.fill("a lot")
    await ana.window.get_by_role("button", name="Won").click()
    await expect(amount).to_have_attribute("aria-invalid", "true")
    await expect(amount).to_have_value("a lot")
    assert await faults_of(ana.page) == []
    await amount.fill("450")
    await ana.window.get_by_role("button", name="Won").click()
    await expect(ana.window).to_have_count(0)
    await expect(ana.card("Won", "$450")).to_be_visible()


async def test_every_window_can_be_read_and_used_on_a_phone(play: Play, tabs: Tabs):
    await a_lead(play)
    olga = await at_the_page(play, tabs, "U0OLGA", size=PHONE)

    async def is_well_made_and_closes(opened: str, *, back_to: str | None = None) -> None:
        await expect(olga.window, opened).to_be_visible()
        assert (opened, await overflowing(olga.page), await faults_of(olga.page)) == (opened, [], [])
        await olga.page.keyboard.press("Escape")
        if back_to is not None:
            await expect(olga.window.get_by_role("heading", level=2)).to_have_text(back_to)
            await olga.page.keyboard.press("Escape")
        await expect(olga.window, opened).to_have_count(0)

    await olga.card("Maya").get_by_role("button", name="I've got it").click()
    for button in ("Reply", "What is this number?", "Hand over", "Won"):
        await olga.card("Maya").get_by_role("button", name=button, exact=True).click()
        await is_well_made_and_closes(button)
    for verb in ("status", "connect"):
        await olga.type(f"/thumbtack {verb}")
    await expect(olga.channel.get_by_role("button", name="Dismiss message")).to_have_count(2)
    assert (await overflowing(olga.page), await faults_of(olga.page)) == ([], [])
    await olga.type("/thumbtack disconnect")
    await is_well_made_and_closes("disconnect")
    for section in (0, 1, 4):
        await olga.type("/thumbtack settings")
        await olga.window.get_by_role("button", name="Open").nth(section).click()
        await expect(olga.window.get_by_role("heading", level=2)).not_to_have_text("Settings")
        await is_well_made_and_closes(f"section {section}", back_to="Settings")


AT_ONCE = """() => new MutationObserver((_, seen) => {
  if (document.querySelector("#modal-title")?.textContent.trim() !== "Businesses") return;
  seen.disconnect();
  document.documentElement.dataset.pressed = "yes";
  document.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
}).observe(document.body, { subtree: true, childList: true, characterData: true })"""
"""Presses Escape in the moment in which a window is shown, before the browser has drawn it."""


async def test_escape_closes_the_window_that_is_shown_however_soon_it_is_pressed(play: Play, tabs: Tabs):
    await a_lead(play)
    olga = await at_the_page(play, tabs, "U0OLGA")
    await olga.type("/thumbtack settings")
    title = olga.window.get_by_role("heading", level=2)
    await expect(title).to_have_text("Settings")
    await olga.page.evaluate(AT_ONCE)
    await olga.window.get_by_role("button", name="Open").nth(1).click()
    await expect(olga.page.locator("html")).to_have_attribute("data-pressed", "yes")
    await expect(title).to_have_text("Settings")


async def test_commands_are_completed_answered_to_one_alone_and_put_away(play: Play, tabs: Tabs):
    olga = await at_the_page(play, tabs, "U0OLGA")
    box = olga.slack.get_by_role("combobox", name="Message #leads")
    await box.press_sequentially("/th")
    await expect(olga.page.get_by_role("option", name="/thumbtack settings")).to_be_visible()
    await box.press_sequentially("umbtack sta")
    await box.press("Tab")
    await expect(box).to_have_value("/thumbtack status ")
    await box.press("Enter")
    answer = olga.channel.get_by_role("article").filter(has_text="Only visible to you")
    await expect(answer).to_be_visible()
    ben = await at_the_page(play, tabs, "U0BEN")
    await expect(ben.slack.get_by_text("Nobody asked for anything yet")).to_be_visible()
    await answer.get_by_role("button", name="Dismiss message").click()
    await expect(answer).to_have_count(0)


async def test_everything_goes_by_keyboard_alone(play: Play, tabs: Tabs):
    lead_id = await a_lead(play)
    ana = await at_the_page(play, tabs)
    await expect(ana.card("Maya")).to_be_visible()

    async def tab_to(name: str) -> None:
        for _ in range(60):
            await ana.page.keyboard.press("Tab")
            found = await ana.page.evaluate(FOCUSED)
            assert found["shown"], f"nothing shows that {found['name']} has the focus"
            if name in found["name"]:
                return
        raise LookupError(f"the Tab key does not reach {name}")

    await tab_to("I've got it")
    await ana.page.keyboard.press("Enter")
    await expect(ana.card("Claimed · @Ana")).to_be_visible()
    await tab_to("repl")
    await ana.page.keyboard.press("Enter")
    await expect(ana.thread.get_by_role("heading", name="Thread")).to_be_focused()
    await tab_to("Reply …")
    await ana.page.keyboard.type("By keyboard.")
    await ana.page.keyboard.press("Enter")
    await expect(ana.mark("By keyboard.", "white check mark")).to_be_visible()
    await ana.page.keyboard.press("Escape")
    await expect(ana.thread).to_have_count(0)
    assert play.world.thumbtack.received(lead_id) == ["By keyboard."]


async def test_the_keyboard_begins_at_what_one_came_for_and_is_never_lost(play: Play, tabs: Tabs):
    await a_lead(play)
    ana = await at_the_page(play, tabs)
    await expect(ana.card("Maya")).to_be_visible()
    there = (
        ana.slack.get_by_role("combobox", name="Message #leads"),
        ana.customers_side.get_by_role("button").first,
        ana.trouble.get_by_role("button").first,
    )
    for stops, side in enumerate(there, start=1):
        await ana.page.reload()
        await expect(ana.card("Maya")).to_be_visible()
        for _ in range(stops):
            await ana.page.keyboard.press("Tab")
        await expect(ana.page.get_by_role("navigation", name="Go to")).to_be_in_viewport(ratio=1)
        await ana.page.keyboard.press("Enter")
        await expect(side).to_be_focused()
    await ana.open_thread("Maya")
    await ana.reply("It costs 10")
    for end in ("Cancel", "Save"):
        await ana.act("It costs 10", "Edit message")
        await ana.thread.get_by_role("button", name=end, exact=True).focus()
        await ana.page.keyboard.press("Enter")
        menu = ana.message("It costs 10").get_by_role("button", name="Message actions")
        await expect(menu).to_be_focused()
    await ana.page.keyboard.press("Escape")
    await ana.type("/thumbtack help")
    dismiss = ana.channel.get_by_role("button", name="Dismiss message")
    await dismiss.focus()
    await ana.page.keyboard.press("Enter")
    await expect(dismiss).to_have_count(0)
    await expect(ana.channel).to_be_focused()


async def test_two_people_at_two_tabs_see_each_other(play: Play, tabs: Tabs):
    lead_id = await a_lead(play)
    ana, ben = await at_the_page(play, tabs), await at_the_page(play, tabs, "U0BEN")
    await ana.open_thread("Maya")
    await ben.open_thread("Maya")
    await ana.reply("I come on Tuesday.")
    await expect(ben.message("I come on Tuesday.")).to_be_visible()
    await expect(ben.card("@Ana has it")).to_be_visible()
    await expect(ana.mark("I come on Tuesday.", "white check mark")).to_be_visible()
    await ben.reply("Or I do on Friday.")
    await expect(ana.thread.get_by_text("Not sent yet")).to_have_count(0)
    await ben.whisper("Not sent yet: @Ana has this lead").get_by_role("button", name="Send").click()
    await expect(ana.mark("Or I do on Friday.", "white check mark")).to_be_visible()
    assert play.world.thumbtack.received(lead_id) == ["I come on Tuesday.", "Or I do on Friday."]


async def test_what_customers_write_is_text(play: Play, tabs: Tabs):
    """In every place where their words stand; a script that ran, or a picture that was asked for, would be told by the fixture."""
    lead_id = await a_lead(
        play,
        customer={"customerID": "520000000000000901", "name": WROTE_HTML, "phone": WROTE_HTML},
        request={
            "category": WROTE_HTML,
            "description": WROTE_HTML,
            "schedule": "[x](javascript:alert(3)) <javascript:alert(4)|press>",
            "location": {"city": WROTE_HTML, "state": "CA"},
            "details": [{"question": WROTE_HTML, "answer": "<!channel> <@U0ANA> <https://example.com|here>"}],
        },
    )
    await play.world.thumbtack.message(lead_id, WROTE_HTML)
    await play.world.thumbtack.review(lead_id, "5", WROTE_HTML)
    await play.place.at_rest()
    ana = await at_the_page(play, tabs)
    await expect(ana.card(WROTE_HTML)).to_be_visible()
    await ana.open_thread(WROTE_HTML)
    await expect(ana.message(WROTE_HTML).last).to_be_visible()
    await ana.reply(TYPED)
    await expect(ana.phone(WROTE_HTML).get_by_text(TYPED)).to_be_visible()
    assert play.world.thumbtack.received(lead_id) == [TYPED]
    assert await ana.page.locator("script[src], img").evaluate_all("all => all.map(one => one.outerHTML)") == [
        '<script type="module" src="/page/app.js"></script>'
    ]
    assert await ana.page.locator("a[href^='javascript:'], a[href*='example.com']").count() == 0


@pytest.mark.parametrize(("size", "dark"), [(PHONE, False), (SMALL_PHONE, True)])
async def test_it_fits_a_phone_and_the_night(play: Play, tabs: Tabs, size, dark):
    lead_id = await a_lead(play)
    await play.world.thumbtack.message(lead_id, "W" * 300)
    await play.place.at_rest()
    ana = await at_the_page(play, tabs, size=size, dark=dark)
    await expect(ana.card("Maya")).to_be_visible()
    assert (await overflowing(ana.page), await faults_of(ana.page)) == ([], [])
    await ana.open_thread("Maya")
    await expect(ana.message("W" * 300)).to_be_visible()
    assert (await overflowing(ana.page), await faults_of(ana.page)) == ([], [])
    await ana.thread.get_by_role("button", name="Back to the channel").click()
    await expect(ana.card("Maya")).to_be_visible()
    await ana.slack.get_by_role("button", name=re.compile("Corkboard.* Home|^Home")).click()
    await expect(ana.slack.get_by_text("Home").last).to_be_visible()
    assert (await overflowing(ana.page), await faults_of(ana.page)) == ([], [])
