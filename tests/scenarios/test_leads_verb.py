"""`/thumbtack leads`: what somebody finds, where they may look, and page by page."""

from datetime import timedelta
from typing import Any

import pytest
from support.conversation import ANA, BEN, OLGA
from support.office import CHANNEL, Office
from support.some_leads import arrive, become

from bot import searches
from sandbox.faults import Fault
from sandbox.slack.block_kit import elements
from sandbox.slack.failures import down, slack_error, slow
from sandbox.thumbtack import bodies
from storage.models import Audit, LeadOutcome, Outbox, WorkState
from storage.outbox import Kind

GUEST, STRANGER, NEWCOMER = "U0GUEST", "U0STRANGER", "U0NEW"
PEOPLE = {"Maya Alvarez", "Ben Ortiz", "Cleo Park", "D. Quill"}


async def names(place: Office, typed: str = "", *, user: str = ANA) -> list[str]:
    """The customers in the list, from its top."""
    return names_in(await place.command(f"leads {typed}", user=user))


def names_in(told: str) -> list[str]:
    return [line.split(" · ")[0] for line in told.splitlines() if line.split(" · ")[0] in PEOPLE]


async def permalink(place: Office, ts: str) -> str:
    workspace = place.slack.workspace
    return f"https://{workspace.domain}.slack.com/archives/{CHANNEL}/p{ts.replace('.', '')}"


async def test_open_ones_the_newest_first_each_with_state_owner_age_and_the_way_to_its_thread(place: Office):
    maya, ben = await arrive(place, "Maya Alvarez", "Ben Ortiz")
    await become(place, ben, owner=BEN, waiting_since=place.clock() - timedelta(minutes=12))
    await become(place, maya, owner=None, first_answer_at=place.clock(), waiting_since=None)
    told = await place.command("leads", user=ANA)
    assert names_in(told) == ["Ben Ortiz", "Maya Alvarez"]
    assert "Claimed, waits 12 min" in told
    assert "· @Ben ·" in told
    assert "Answered · less than a minute old · nobody has it" in told
    linked = [part["url"] for part in _leaves(place.slack.ephemerals(ANA)[-1]["blocks"]) if part.get("type") == "link"]
    assert [url.partition("?")[0] for url in linked] == [
        await permalink(place, card["ts"]) for card in place.cards[::-1]
    ]
    assert linked[0].endswith(f"?thread_ts={place.cards[1]['ts']}&cid={CHANNEL}")
    assert await names(place, "open") == ["Ben Ortiz", "Maya Alvarez"]


def _leaves(value: Any) -> list[dict[str, Any]]:
    """Every object, however deep."""
    if isinstance(value, list):
        return [found for one in value for found in _leaves(one)]
    if not isinstance(value, dict):
        return []
    return [value, *(found for one in value.values() for found in _leaves(one))]


async def test_mine_unanswered_and_finished_ones(place: Office):
    maya, ben, cleo = await arrive(place, "Maya Alvarez", "Ben Ortiz", "Cleo Park")
    await become(place, maya, owner=ANA)
    await become(place, ben, owner=BEN, waiting_since=None, first_answer_at=place.clock())
    await become(place, cleo, owner=ANA, outcome=LeadOutcome.LOST, waiting_since=None)
    assert await names(place, "mine") == ["Maya Alvarez"]
    assert await names(place, "MINE", user=BEN) == ["Ben Ortiz"]
    assert await names(place, "unanswered") == ["Maya Alvarez"]
    assert await names(place) == ["Ben Ortiz", "Maya Alvarez"]
    assert await names(place, "cleo") == ["Cleo Park"]
    assert "You have no open lead" in await place.command("leads mine", user=OLGA)


async def test_by_name_city_or_phone(place: Office):
    await arrive(place, "Maya Alvarez", "Ben Ortiz")
    customer = {"customerID": "9", "name": "Cleo Park", "phone": "(206) 555-0177"}
    await arrive(place, "Cleo Park", customer=customer, request={"location": {"city": "Tacoma", "state": "WA"}})
    assert await names(place, "ortiz") == ["Ben Ortiz"]
    assert await names(place, "tacoma") == ["Cleo Park"]
    assert await names(place, "+1 206 555 0177") == ["Cleo Park"]
    assert await names(place, "palo alto maya") == ["Maya Alvarez"]
    for odd in ("\x00", "\u202e\u200b", "'; DROP TABLE lead", "%_\\", "🦊" * 500, "٣٤٥"):
        assert "Leads with" in await place.command(f"leads x{odd}", user=ANA)
    told = await place.command("leads 100%_<!channel> *x*", user=ANA)
    assert "No lead in the channels that you are in has that name, city or phone number." in told
    assert "<!channel>" not in str(place.slack.ephemerals(ANA)[-1]["text"])


async def test_only_leads_of_channels_that_the_person_is_in(place: Office):
    await arrive(place, "Maya Alvarez")
    place.slack.add_person(NEWCOMER, "Nora")
    place.slack.add_channel("C0ELSE", "else", members=(NEWCOMER, "U0CORKBOT"))
    hers = {"channel": "C0ELSE"}
    told = await place.slack.command(NEWCOMER, "/thumbtack", "leads", **hers)
    assert "No lead is open" in str(told.body)
    place.slack.workspace.channel(CHANNEL).members.append(NEWCOMER)
    await place.advance(seconds=61)
    assert "Maya Alvarez" in str((await place.slack.command(NEWCOMER, "/thumbtack", "leads", **hers)).body)
    place.slack.workspace.channel(CHANNEL).members.remove(NEWCOMER)
    await place.advance(seconds=61)
    assert "Maya" not in str((await place.slack.command(NEWCOMER, "/thumbtack", "leads maya", **hers)).body)


async def test_whoever_is_in_many_channels_finds_them_all(place: Office):
    for number in range(1200):
        place.slack.add_channel(f"C{number:04d}", f"room-{number}", members=(ANA,))
    place.slack.workspace.channels[CHANNEL] = place.slack.workspace.channels.pop(CHANNEL)  # on the second page
    await arrive(place, "Maya Alvarez")
    assert await names(place) == ["Maya Alvarez"]
    assert len(place.slack.called("users.conversations")) == 2
    await names(place)
    assert len(place.slack.called("users.conversations")) == 2  # asked once a minute


async def test_guests_and_people_of_other_companies_are_told_why_not_unless_they_are_allowed(place: Office):
    await arrive(place, "Maya Alvarez")
    place.slack.add_person(GUEST, "Gus", is_ultra_restricted=True, channels=[CHANNEL])
    place.slack.add_person(STRANGER, "Stella", team_id="T0ELSEWHERE", channels=[CHANNEL])
    for user in (GUEST, STRANGER):
        told = await place.command("leads maya", user=user)
        assert "for members of this workspace" in told
        assert "Maya" not in told.replace("maya", "")
    await place.stop()
    await place.start(slack_keepers=(GUEST,))
    assert await names(place, user=GUEST) == ["Maya Alvarez"]


async def test_where_slack_does_not_say_who_is_where_nothing_is_shown(place: Office):
    await arrive(place, "Maya Alvarez")
    assert place.door.app is not None
    place.door.app.state.services.directory.within = 0.1
    for fault in (down(), slow(5), slack_error("ratelimited"), slack_error("invalid_auth")):
        place.slack.faults.stand("users.conversations", fault)
        assert "Slack did not say in which channels you are" in await place.command("leads", user=ANA)
    await place.advance(seconds=31)  # Slack asked for time
    place.slack.faults.stand("users.conversations", slack_error("user_not_found"))
    assert "No lead is open" in await place.command("leads", user=ANA)
    place.slack.faults.clear()
    place.slack.faults.stand("users.info", down())
    assert "Slack did not say" in await place.command("leads", user=BEN)


@pytest.mark.knobs(privacy="private")
async def test_private_leads_show_how_they_stand_alone_and_who_finds_one_is_on_the_record(place: Office):
    await arrive(place, "Maya Alvarez")
    for typed in ("leads", "leads unanswered", "leads maya", "leads palo", "leads 0134"):
        told = await place.command(typed, user=ANA)
        assert "Private lead" in told
        assert "New" in told
        shown = str(place.slack.ephemerals(ANA)[-1]).casefold().replace(typed.partition(" ")[2], "")
        for word in ("maya", "alvarez", "palo", "painting", "0134", "$260"):
            assert word not in shown, typed
    trail = [one for one in await place.rows(Audit) if one.action == "lead_found"]
    assert [(one.actor, one.subject) for one in trail] == [(ANA, "1")] * 3  # not for lists of all


@pytest.fixture
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two leads to a page."""
    monkeypatch.setattr(searches, "PAGE", 2)


@pytest.mark.usefixtures("_short_pages")
async def test_pages_are_turned_and_what_was_typed_is_sealed(place: Office):
    ids = await arrive(place, "Maya Alvarez", "Ben Ortiz", "Maya Alvarez", "Maya Alvarez")
    assert "1 to 2 of 3" in await place.command("leads alvarez", user=ANA)
    await place.press("found_page", user=ANA)
    await place.seen(lambda: "3 to 3 of 3" in place.whispers(ANA)[-1])
    await place.press("found_page_back", user=ANA)
    await place.seen(lambda: "1 to 2 of 3" in place.whispers(ANA)[-1])
    assert len(place.slack.ephemerals(ANA)) == 1  # in place of the page before
    await become(place, ids[0], outcome=LeadOutcome.WON)
    await become(place, ids[1], outcome=LeadOutcome.WON)
    await place.command("leads", user=BEN)
    assert "More" not in place.whispers(BEN)[-1]
    turned = [row for row in await place.rows(Outbox) if row.kind == Kind.SHOW_FOUND]
    assert len(turned) == 2
    assert "alvarez" not in str([row.payload for row in turned]).casefold()


@pytest.mark.usefixtures("_short_pages")
async def test_what_was_found_may_be_less_when_the_page_is_turned(place: Office):
    ids = await arrive(place, *["Maya Alvarez"] * 3)
    await place.command("leads", user=ANA)
    await become(place, ids[0], outcome=LeadOutcome.WON)
    await place.press("found_page", user=ANA)
    await place.seen(lambda: "More" not in place.whispers(ANA)[-1])
    assert names_in(place.whispers(ANA)[-1]) == ["Maya Alvarez"] * 2


@pytest.mark.usefixtures("_short_pages")
async def test_a_button_that_is_not_understood_any_more_says_so_and_a_dead_address_is_nobodys_trouble(place: Office):
    await arrive(place, *["Maya Alvarez"] * 3)
    await place.command("leads", user=ANA)
    (whisper,) = place.slack.workspace.ephemerals[ANA]
    (more,) = [one for _, one in elements(whisper["blocks"]) if one["action_id"] == "found_page"]
    understood = more["value"]
    for told, value in enumerate(("", "x", "open:-1:", "text:1:not-sealed", "open:9999999:", "nothing:1:"), start=1):
        more["value"] = value
        assert (await place.slack.press(ANA, CHANNEL, whisper["ts"], "found_page")).status == 200
        await place.at_rest()
        assert sum("too old to turn" in one for one in place.whispers(ANA)) == told, value
    more["value"] = understood
    place.slack.faults.stand("response_url", Fault(status=404, body={"ok": False, "error": "expired_url"}))
    assert (await place.slack.press(ANA, CHANNEL, whisper["ts"], "found_page")).status == 200
    await place.at_rest()
    assert [row.state for row in await place.rows(Outbox) if row.kind == Kind.SHOW_FOUND] == [WorkState.DONE]
    assert [row for row in await place.rows(Outbox) if row.state == WorkState.DEAD] == []


async def test_a_test_lead_says_so_and_several_businesses_are_told_apart(place: Office):
    await arrive(place, "Maya Alvarez")
    assert "Bright Oak" not in await place.command("leads", user=ANA)
    await arrive(place, "Ben Ortiz", business={"businessID": "77", "name": "Quick Plumbing"})
    assert (await place.post("/staging/v1/lead", bodies.lead())).status_code == 200
    await place.at_rest()
    told = await place.command("leads", user=ANA)
    assert "TEST · Maya Alvarez" in told
    assert "Ben Ortiz · Interior Painting · Palo Alto, CA · Quick Plumbing" in told
    assert "Maya Alvarez · Interior Painting · Palo Alto, CA · Bright Oak Home Services" in told
    assert await names(place, "unanswered") == ["Ben Ortiz", "Maya Alvarez"]  # not the test


async def test_a_lead_whose_card_is_not_posted_yet_is_nowhere(place: Office):
    place.slack.faults.stand("chat.postMessage", down())
    await place.post("/v1/lead", bodies.lead())
    await place.ingested()
    assert "No lead is open" in await place.command("leads", user=ANA)


async def test_the_help_names_it(place: Office):
    told = await place.command("help", user=ANA)
    assert "/thumbtack leads finds leads" in told
