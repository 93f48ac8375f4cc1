"""The Home tab: what each person sees on it, page by page, and what its buttons do."""

from datetime import timedelta
from itertools import takewhile

import pytest
from support.conversation import ANA, BEN, OLGA
from support.office import ADMIN, CHANNEL, Office
from support.some_leads import arrive, become

from bot.blocks import home
from sandbox.faults import Fault
from sandbox.slack.block_kit import elements
from sandbox.slack.failures import down, slack_error
from sandbox.thumbtack import bodies
from storage import businesses, channels, connections, erasing, forgetting, upkeep
from storage.models import Connection, ConnectionState, LeadOutcome, Outbox, Targeting, WorkState
from storage.outbox import Kind

GUEST = "U0GUEST"
TEAM = "T0CORKBOARD"


async def opened(place: Office, user: str = ANA) -> str:
    """What a person sees who opens the tab."""
    assert (await place.slack.open_home(user)).status == 200
    await place.at_rest()
    return seen(place, user)


def seen(place: Office, user: str = ANA) -> str:
    view = place.slack.home(user)
    return "" if view is None else place.read(view)


def part(told: str, title: str) -> list[str]:
    """The lines of a list, by how its title begins, up to its buttons or the next title."""
    lines = told.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(title))
    titles = ("Your leads", "Waiting for", "Businesses", "For keepers", "───", "[")
    return list(takewhile(lambda line: not line.startswith(titles), lines[start + 1 :]))


async def turn(place: Office, value: str, *, user: str = ANA) -> None:
    """A person presses the button that carries these pages."""
    view = place.slack.home(user)
    assert view is not None
    action = next(one["action_id"] for _, one in elements(view["blocks"]) if one.get("value") == value)
    assert (await place.slack.press_in_view(user, action, value)).status == 200
    await place.at_rest()


async def test_ones_own_leads_and_those_that_wait_the_longest_wait_first(place: Office):
    maya, ben, cleo, _ = await arrive(place, "Maya Alvarez", "Ben Ortiz", "Cleo Park", "D. Quill")
    now = place.clock()
    await become(place, maya, owner=ANA, waiting_since=now - timedelta(minutes=7))
    await become(place, ben, owner=BEN, waiting_since=now - timedelta(hours=3), first_answer_at=now - timedelta(days=1))
    await become(place, cleo, owner=ANA, outcome=LeadOutcome.WON, waiting_since=None)
    told = await opened(place)
    assert "Your leads (1)" in told
    assert "Maya Alvarez" in str(part(told, "Your leads"))
    waiting = part(told, "Waiting for an answer (3)")
    assert [line.split(" · ")[0] for line in waiting[::2]] == ["Ben Ortiz", "Maya Alvarez", "D. Quill"]
    assert "Waiting for us, 3 h" in waiting[1]
    assert "@Ben" in waiting[1]
    assert "Your leads (1)" in await opened(place, BEN)
    assert "You have no open lead" in await opened(place, OLGA)


async def test_only_leads_of_channels_that_the_person_is_in(place: Office):
    await arrive(place, "Maya Alvarez")
    place.slack.add_person("U0NEW", "Nora")
    told = await opened(place, "U0NEW")
    assert "Maya" not in told
    assert "Nobody waits for an answer" in told
    await place.slack.join("U0NEW", CHANNEL)
    await place.advance(seconds=61)
    assert "Maya Alvarez" in await opened(place, "U0NEW")
    place.slack.workspace.channel(CHANNEL).members.remove("U0NEW")
    await place.advance(seconds=61)
    assert "Maya" not in await opened(place, "U0NEW")


async def test_each_list_is_turned_by_itself(place: Office, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bot.dispatch.to_slack.home.PAGE", 1)
    for number, name in enumerate(("Maya Alvarez", "Ben Ortiz", "Cleo Park")):
        (lead,) = await arrive(place, name, business={"businessID": f"7{number}", "name": f"Firm {number}"})
        await become(place, lead, owner=ANA, waiting_since=place.clock() - timedelta(hours=number + 1))

    def shown() -> tuple[str, str, str]:
        told = seen(place)
        return part(told, "Your")[0][:4], part(told, "Waiting")[0][:4], part(told, "Businesses")[0]

    await opened(place)
    assert shown() == ("Cleo", "Cleo", "Firm 0")
    await turn(place, "1.0.0")
    await turn(place, "1.1.0")
    assert shown() == ("Ben ", "Ben ", "Firm 0")
    await turn(place, "1.1.1")
    await turn(place, "2.1.1")
    assert shown() == ("Maya", "Ben ", "Firm 1")
    assert "3 to 3 of 3" in seen(place)
    await turn(place, "1.1.1")
    assert shown() == ("Ben ", "Ben ", "Firm 1")
    await place.slack.press_in_view(ANA, "home_refresh")
    await place.at_rest()
    assert shown() == ("Ben ", "Ben ", "Firm 1")
    await opened(place)
    assert shown() == ("Cleo", "Cleo", "Firm 0")  # from the beginning


async def test_a_page_that_is_no_more_is_the_last_and_what_is_not_understood_the_first(place: Office):
    await arrive(place, "Maya Alvarez")
    await opened(place)
    for value in ("9.9.9", "x", "", "1.2", "1.-1.0", "999999999.0.0", "1.2.3.4"):
        view = place.slack.workspace.homes[ANA]
        (refresh,) = [one for _, one in elements(view["blocks"]) if one["action_id"] == "home_refresh"]
        refresh["value"] = value
        assert (await place.slack.press_in_view(ANA, "home_refresh")).status == 200
        await place.at_rest()
        assert "Maya Alvarez" in seen(place), value


async def test_how_each_business_stands(place: Office):
    assert "No business is known yet. Type /thumbtack connect" in await opened(place)
    connection = await place.connect("legacy")
    assert "connected (Pro API) · no event yet" in await opened(place)
    await arrive(place, "Maya Alvarez")
    await place.connect("v4")
    async with place.database.transaction() as tx:
        (business,) = await connections.business_ids_of(tx, connection.id or 0)
        common = {"business_id": business, "asked_by": ANA, "asked_at": place.clock(), "set_at": place.clock()}
        off = {"enabled": False, "set_enabled": False}
        tx.add(Targeting(**common, **off, category_id="109", category="Interior Painting"))
        tx.add(Targeting(**common, enabled=True, set_enabled=True, category_id="110"))
    told = part(await opened(place), "Businesses")[1]
    assert "connected (Pro API, v4 API) · ⏸ 1 category paused · last event" in told
    async with place.database.transaction() as tx:
        tx.add(Targeting(**common, **off, set_until=place.clock() + timedelta(hours=2)))
    assert "paused until" in part(await opened(place), "Businesses")[1]
    async with place.database.transaction() as tx:
        for row in await place.rows(Connection):
            held = await connections.to_change(tx, row.id or 0)
            assert held is not None
            held.state = ConnectionState.BROKEN
    assert "must be connected again" in part(await opened(place), "Businesses")[1]


async def test_queue_and_problems_are_for_who_may_change_things(place: Office):
    await place.connect("legacy")
    assert "No problems." in await opened(place, ADMIN)
    async with place.database.transaction() as tx:
        row = (await place.rows(Connection))[-1]
        held = await connections.to_change(tx, row.id or 0)
        assert held is not None
        held.state = ConnectionState.BROKEN
        await channels.close(tx, team_id=TEAM, channel="C0OLD", reason="archived", now=place.clock())
    told = await opened(place, ADMIN)
    assert "To be sent: " in told
    assert "Bright Oak Home Services must be connected again: type /thumbtack connect." in told
    assert "is archived: its leads go elsewhere, or wait." in told
    assert "[ Refresh ]  [ Status ]  [ Settings ]" in told
    told = await opened(place, ANA)
    assert "For keepers" not in told
    assert "[ Refresh ]  [ Status ]" in told
    assert "Settings" not in told


async def test_its_buttons_open_the_settings_and_the_status_page(place: Office):
    await opened(place, ADMIN)
    assert (await place.slack.press_in_view(ADMIN, "home_settings")).status == 200
    window = place.window()
    assert window is not None
    assert window["title"]["text"] == "Settings"
    await place.press("settings_who")
    assert len(place.slack.views(ADMIN)) == 2
    await opened(place, ANA)
    assert (await place.slack.press_in_view(ANA, "home_status")).status == 200
    shown = place.window(ANA)
    assert shown is not None
    assert "How Corkboard stands" in place.read(shown)


async def test_who_may_no_longer_change_things_is_told_so_and_a_window_that_does_not_open_directly(place: Office):
    await opened(place, ADMIN)
    place.slack.faults.stand("views.open", slack_error("expired_trigger_id"))
    for button in ("home_settings", "home_status"):
        await place.slack.press_in_view(ADMIN, button)
        await place.at_rest()
    assert [told.startswith("The window did not open in time.") for told in place.told(ADMIN)] == [True, True]
    place.slack.faults.clear()
    place.slack.add_person(ADMIN, "Olga")
    await place.advance(seconds=61)
    await place.slack.press_in_view(ADMIN, "home_settings")
    window = place.window()
    assert window is not None
    assert "Only workspace admins, keepers" in place.read(window)


async def test_guests_and_people_of_other_companies_see_a_sentence_alone(place: Office):
    await arrive(place, "Maya Alvarez")
    place.slack.add_person(GUEST, "Gus", is_restricted=True, channels=[CHANNEL])
    place.slack.add_person("U0STELLA", "Stella", team_id="T0ELSEWHERE", channels=[CHANNEL])
    for user in (GUEST, "U0STELLA"):
        told = await opened(place, user)
        assert "for members of this workspace" in told
        for secret in ("Maya", "Bright Oak", "Status", "Settings", "keepers"):
            assert secret not in told


@pytest.mark.knobs(privacy="private", slack_keepers=(ANA,))
async def test_private_leads_show_how_they_stand_alone(place: Office):
    (lead,) = await arrive(place, "Maya Alvarez")
    await become(place, lead, owner=ANA)
    told = await opened(place)
    assert told.count("Private lead") == 2
    for secret in ("Maya", "Palo", "Painting", "4155550134", "555-0134", "$260"):
        assert secret not in str(place.slack.home(ANA))


async def test_where_slack_does_not_say_who_is_where_the_rest_is_shown(place: Office):
    await arrive(place, "Maya Alvarez")
    place.slack.faults.stand("users.conversations", down())
    told = await opened(place)
    assert "Slack did not say in which channels you are" in told
    assert "Maya" not in told
    assert "Businesses" in told
    place.slack.faults.clear()
    assert "Maya Alvarez" in await opened(place)
    place.slack.faults.stand("users.info", down())
    told = await opened(place, BEN)
    assert "Slack did not say" in told
    assert "Bright Oak" not in told


async def test_it_is_published_as_soon_as_slack_can_again_and_once(place: Office):
    place.slack.faults.add("views.publish", Fault(status=503))
    assert (await place.slack.open_home(ANA)).status == 200
    await place.seen(lambda: place.slack.called("views.publish"))
    for _ in range(3):
        await place.slack.open_home(ANA)
    await place.advance(minutes=2)
    await place.at_rest()
    assert "Your leads" in seen(place)
    assert sum(call.ok for call in place.slack.called("views.publish")) <= 2


async def test_a_tab_that_slack_does_not_take_is_nobodys_trouble(place: Office):
    place.slack.faults.add("views.publish", slack_error("not_enabled"))
    await place.slack.open_home(ANA)
    await place.at_rest()
    published = [row for row in await place.rows(Outbox) if row.kind == Kind.PUBLISH_HOME]
    assert [row.state for row in published] == [WorkState.DONE]
    assert len(await place.rows(Outbox)) == 1


async def test_what_is_erased_leaves_the_tabs_too(place: Office):
    connection = await place.connect("legacy")
    (lead,) = await arrive(place, "Maya Alvarez")
    await become(place, lead, owner=ANA)
    for user in (ANA, BEN):
        assert "Maya Alvarez" in await opened(place, user)
    async with place.database.transaction() as tx:
        before = place.clock() + timedelta(days=31)  # nobody opened one since
        assert await upkeep.prune(tx, await upkeep.old(tx, before=before, after=0), before=before) > 0
    async with place.database.transaction() as tx:
        (business_id,) = await connections.business_ids_of(tx, connection.id or 0)
        business = await businesses.get(tx, business_id)
        assert business is not None
        erasure = await erasing.at_once(tx, business, now=place.clock())
        forgotten = await forgetting.business(tx, business, now=place.clock())
        await erasing.begin(tx, erasure, forgotten, now=place.clock())
    await place.advance(seconds=1)
    await place.at_rest()
    for user in (ANA, BEN):
        assert "Maya" not in seen(place, user)
        assert "Bright Oak" not in seen(place, user)


async def test_the_messages_tab_is_not_the_home_tab(place: Office):
    assert (await place.slack.open_home(ANA, tab="messages")).status == 200
    await place.at_rest()
    assert place.slack.home(ANA) is None


async def test_a_customers_words_are_words_and_nothing_else(place: Office):
    (lead,) = await arrive(place, "<!channel> *Maya* <https://evil.example|Slack>")
    await become(place, lead, owner=ANA)
    await opened(place)
    for block, kind in ((one, one["type"]) for one in (place.slack.home(ANA) or {})["blocks"]):
        if "Maya" in str(block):
            assert kind == "rich_text"
    assert str(bodies.BUSINESS_NAME) in seen(place)
    assert home.pages_of("1.2.3") == home.Pages(mine=1, unanswered=2, businesses=3)
