"""Pausing and resuming new leads: asked for in Slack, done at Thumbtack, told, undone, and over by itself."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import delete, update
from support.conversation import ANA, BEN, OLGA, Conversation, calling
from support.office import CHANNEL, Office

from sandbox.faults import Fault
from sandbox.thumbtack.bodies import BUSINESS_ID, BUSINESS_NAME
from storage.models import Audit, Business, Connection, Targeting

pytestmark = pytest.mark.knobs(slack_keepers=(OLGA, BEN))

OTHER_ID, OTHER_NAME = "510000000000000202", "Quick Fix Handyman"
PAINTING, PAINTING_ID = "Interior Painting", "122681972262289742"
WHOLE, PAINTS = (BUSINESS_ID, None), (BUSINESS_ID, PAINTING_ID)
DOWN = Fault(status=503)


async def connected(place: Office) -> None:
    """A business that is connected for targeting, with a lead in a category."""
    place.thumbtack.grants.add_business(BUSINESS_ID, BUSINESS_NAME)
    await place.connect(businesses=[BUSINESS_ID])
    await Conversation.opened(place)


async def two_businesses(place: Office) -> None:
    await connected(place)
    place.thumbtack.grants.add_business(OTHER_ID, OTHER_NAME)
    await place.connect(businesses=[OTHER_ID])


async def asked(place: Office, typed: str, *, user: str = OLGA) -> str:
    """What a person sees at once; then everything that follows from it is done."""
    told = await place.command(typed, user=user)
    await place.at_rest()
    return told


async def later(place: Office, **ahead: float) -> None:
    await place.advance(**ahead)
    await place.at_rest()


def set_to(place: Office, what=WHOLE) -> bool | None:
    return place.thumbtack.targeting.get(what)


def in_channel(place: Office) -> list[str]:
    """What stands in the leads' channel beside leads, oldest first."""
    return [place.read(card) for card in place.cards]


async def row(place: Office) -> Targeting:
    return (await place.rows(Targeting))[-1]


async def test_a_pause_is_done_confirmed_announced_and_written_down(place: Office):
    await connected(place)
    told = await asked(place, "pause for 2h")
    assert told == f"Pausing new leads for {BUSINESS_NAME} for 2h. I will confirm here."
    assert set_to(place) is False
    confirmed = place.whispers()[-1]
    assert f"New leads are paused for {BUSINESS_NAME}." in confirmed
    assert "By @Olga" in confirmed
    assert "they come back by themselves" in confirmed
    assert "[ Undo ]" in confirmed
    assert in_channel(place)[-1] == confirmed
    set_ = await row(place)
    assert set_.set_until == set_.asked_at + timedelta(hours=2)
    entry = (await place.rows(Audit))[-1]
    assert (entry.action, entry.actor, entry.before, entry.after["enabled"]) == ("targeting_set", OLGA, {}, False)


async def test_new_leads_come_back_by_themselves_and_everybody_hears_it(place: Office):
    await connected(place)
    await asked(place, "pause for 2h")
    await later(place, minutes=119)
    assert set_to(place) is False
    await later(place, minutes=1)
    assert set_to(place) is True
    assert f"New leads are on again for {BUSINESS_NAME}." in in_channel(place)[-1]
    assert "The pause is over." in in_channel(place)[-1]
    entry = (await place.rows(Audit))[-1]
    assert (entry.actor, entry.before["enabled"], entry.after["enabled"]) == (None, False, True)
    calls = len(place.thumbtack.targeting_calls)
    await later(place, days=3)
    assert len(place.thumbtack.targeting_calls) == calls


async def test_a_restart_between_changes_nothing(place: Office):
    await connected(place)
    await asked(place, "pause for 2h")
    await place.crash()
    place.clock.ahead += timedelta(hours=3)
    await place.start()
    await later(place)
    assert set_to(place) is True
    assert "They should have been on since" in in_channel(place)[-1]


async def test_a_crash_while_thumbtack_is_asked_loses_nothing(place: Office):
    await connected(place)
    arrived = calling(place.thumbtack.faults, "targeting")
    place.thumbtack.faults.add("targeting", Fault(delay=30))
    await place.command("pause for 2h")
    async with asyncio.timeout(60):
        await arrived.wait()
    await place.crash()
    await place.start()
    await later(place, minutes=2)
    assert set_to(place) is False
    assert "New leads are paused" in place.whispers()[-1]


async def test_a_second_pause_replaces_the_first(place: Office):
    await connected(place)
    await asked(place, "pause for 2h")
    await asked(place, "pause for 5h")
    await later(place, hours=2, minutes=1)
    assert set_to(place) is False
    await later(place, hours=3)
    assert set_to(place) is True


async def test_a_second_pause_that_fails_leaves_the_first_as_it_was(place: Office):
    await connected(place)
    await asked(place, "pause for 2h")
    place.thumbtack.faults.add("targeting", Fault(status=400, body={"detail": "Not now."}))
    await asked(place, "pause for 5h")
    assert f"Could not pause new leads for {BUSINESS_NAME}." in place.whispers()[-1]
    assert "Not now." in place.whispers()[-1]
    await later(place, hours=2)
    assert set_to(place) is True


async def test_a_resume_ends_a_pause_and_its_plan(place: Office):
    await connected(place)
    await asked(place, "pause for 2h")
    assert "Resuming" in await asked(place, "resume")
    assert set_to(place) is True
    assert f"New leads are on again for {BUSINESS_NAME}." in place.whispers()[-1]
    calls = len(place.thumbtack.targeting_calls)
    await later(place, hours=3)
    assert len(place.thumbtack.targeting_calls) == calls


async def test_a_pause_without_an_end_is_recalled_daily_until_somebody_resumes(place: Office):
    await connected(place)
    await asked(place, "pause")
    assert "Until somebody types" in place.whispers()[-1]
    before = len(place.cards)
    for day in (1, 2):
        await later(place, days=1)
        assert len(place.cards) == before + day
        assert "New leads are still paused" in in_channel(place)[-1]
    await place.press("targeting_resume")
    await place.at_rest()
    assert set_to(place) is True
    recalled = len(place.cards)
    await later(place, days=5)
    assert len(place.cards) == recalled


async def test_the_button_of_a_recall_works_once_and_then_says_so(place: Office):
    await connected(place)
    await asked(place, "pause")
    await later(place, days=1)
    calls = len(place.thumbtack.targeting_calls)
    await asyncio.gather(place.press("targeting_resume"), place.press("targeting_resume", user=BEN))
    await place.at_rest()
    assert len(place.thumbtack.targeting_calls) == calls + 1
    await place.press("targeting_resume", user=BEN)
    await place.at_rest()
    assert "already" in place.whispers(BEN)[-1]
    assert len(place.thumbtack.targeting_calls) == calls + 1


async def test_status_shows_what_was_set_and_that_it_was_set_here(place: Office):
    await connected(place)
    await asked(place, "pause interior for 2h")
    told = await asked(place, "status")
    assert "New leads for Interior Painting: paused until" in told
    assert "as set by Corkboard" in told
    await later(place, hours=2)
    assert "New leads for Interior Painting: on, as set by Corkboard" in await asked(place, "status")


async def test_with_the_other_environment_thumbtack_is_not_asked(place: Office):
    await connected(place)
    await asked(place, "pause for 1h")
    calls = len(place.thumbtack.targeting_calls)
    await place.stop()
    await place.start(thumbtack_environment="staging")
    await later(place, hours=1)
    assert "other environment" in place.told(BEN)[-1]
    assert len(place.thumbtack.targeting_calls) == calls


# Undo


async def test_undo_restores_what_was_before(place: Office):
    await connected(place)
    await asked(place, "pause for 5h")
    until = (await row(place)).set_until
    await asked(place, "resume")
    await place.press("targeting_undo")
    await place.at_rest()
    assert set_to(place) is False
    assert (await row(place)).set_until == until
    assert "[ Undo ]" not in place.whispers()[-1]
    await later(place, hours=5)
    assert set_to(place) is True


@pytest.mark.parametrize("at_once", [True, False])
async def test_undo_has_one_effect_however_often_it_is_pressed(place: Office, at_once):
    await connected(place)
    await asked(place, "pause for 5h")
    calls = len(place.thumbtack.targeting_calls)
    presses = [place.press("targeting_undo", user=user) for user in (OLGA, OLGA, BEN)]
    if at_once:
        await asyncio.gather(*presses)
    else:
        for press in presses:
            await press
            await place.at_rest()
    await place.at_rest()
    assert set_to(place) is True
    assert len(place.thumbtack.targeting_calls) == calls + 1
    assert any("already" in told for user in (OLGA, BEN) for told in place.whispers(user))


async def test_undo_after_something_else_was_set_does_nothing(place: Office):
    await connected(place)
    await asked(place, "pause for 1h")
    first = place.slack.ephemerals(OLGA)[-1]
    await asked(place, "pause for 5h")
    calls = len(place.thumbtack.targeting_calls)
    await place.slack.press(OLGA, CHANNEL, first["ts"], "targeting_undo")
    await place.at_rest()
    assert "already" in place.whispers()[-1]
    assert len(place.thumbtack.targeting_calls) == calls


async def test_undo_that_failed_may_be_pressed_again(place: Office):
    await connected(place)
    await asked(place, "pause for 5h")
    place.thumbtack.faults.add("targeting", Fault(status=404))
    await place.press("targeting_undo")
    await place.at_rest()
    await place.press("targeting_undo")
    await later(place, seconds=10)
    assert set_to(place) is True


async def test_undo_of_a_resume_whose_pause_would_be_over_brings_nothing_back(place: Office):
    await connected(place)
    await asked(place, "pause for 1h")
    await asked(place, "resume")
    await later(place, hours=2)
    await place.press("targeting_undo")
    await place.at_rest()
    assert "nothing to bring back" in place.whispers()[-1]
    assert set_to(place) is True


async def test_who_may_not_change_things_cannot_undo_either(place: Office):
    await connected(place)
    await asked(place, "pause for 5h")
    await place.press("targeting_undo", user=ANA)
    await place.at_rest()
    assert "Only workspace admins, keepers" in place.whispers(ANA)[-1]
    assert set_to(place) is False


# Businesses and categories


async def test_of_several_businesses_the_person_picks_one(place: Office):
    await two_businesses(place)
    assert "Which business" in await asked(place, "pause for 2h")
    chosen = [one.id for one in await place.rows(Business) if one.name == OTHER_NAME]
    await place.press("targeting_business", str(chosen[0]))
    await place.at_rest()
    assert place.thumbtack.targeting == {(OTHER_ID, None): False}
    assert f"New leads are paused for {OTHER_NAME}." in place.whispers()[-1]
    assert not any("Which business" in told for told in place.whispers())
    await later(place, hours=2)
    assert place.thumbtack.targeting == {(OTHER_ID, None): True}


async def test_a_choice_that_arrives_twice_has_one_effect(place: Office):
    await two_businesses(place)
    await asked(place, "pause")
    (chosen,) = [one.id for one in await place.rows(Business) if one.name == OTHER_NAME]
    question = place.slack.ephemerals(OLGA)[-1]
    for _ in range(2):
        answer = await place.slack.press(OLGA, CHANNEL, question["ts"], "targeting_business", str(chosen))
    await place.slack.redeliver(answer)
    await place.at_rest()
    assert len(place.thumbtack.targeting_calls) == 1


async def test_a_business_is_named_by_the_beginning_of_its_name(place: Office):
    await two_businesses(place)
    told = await asked(place, "pause quick fix for 2h")
    assert OTHER_NAME in told
    assert place.thumbtack.targeting == {(OTHER_ID, None): False}


async def test_one_category_is_paused_alone(place: Office):
    await connected(place)
    told = await asked(place, "pause interior painting until tomorrow 8am")
    assert f"{BUSINESS_NAME}, {PAINTING} until tomorrow 8am" in told
    assert place.thumbtack.targeting == {PAINTS: False}
    assert (await place.rows(Audit))[-1].after["category"] == PAINTING


async def test_a_resumed_business_names_the_categories_that_stay_paused(place: Office):
    await connected(place)
    await asked(place, "pause interior")
    await asked(place, "resume")
    assert f"Still paused: {PAINTING}" in place.whispers()[-1]


async def test_an_unknown_category_gets_the_closest_ones_to_choose_from(place: Office):
    await connected(place)
    told = await asked(place, "pause exterior painting for 2h")
    assert "No lead of" in told
    assert place.thumbtack.targeting_calls == []
    await place.press("targeting_category", PAINTING_ID)
    await place.at_rest()
    assert place.thumbtack.targeting == {PAINTS: False}
    assert (await row(place)).set_until is not None


async def test_a_business_without_leads_has_no_categories_to_offer(place: Office):
    await place.connect(businesses=[BUSINESS_ID])
    assert "Leave the category away" in await asked(place, "pause painting")


async def test_a_category_that_begins_as_the_business_is_not_taken_for_it(place: Office):
    place.thumbtack.grants.add_business(BUSINESS_ID, "Interior Wonders")
    await place.connect(businesses=[BUSINESS_ID])
    await Conversation.opened(place)
    await asked(place, "pause interior painting")
    assert place.thumbtack.targeting == {PAINTS: False}


# What cannot be


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("pause until 2020-01-01", "over already"),
        ("pause until yesterday", "not a time"),
        ("pause for 400 days", "more than a year"),
        ("pause until 2099-01-01", "more than a year"),
        ("pause for a while", "not a time"),
        ("pause until 25:00", "not a time"),
        ("resume for 2h", "leave the time away"),
        (f"pause {'x' * 300}", "too long"),
    ],
)
async def test_a_time_that_cannot_be_is_refused_with_what_to_type(place: Office, typed: str, says: str):
    await connected(place)
    told = await asked(place, typed)
    answer = next(one for one in (told, place.whispers()[-1]) if says in one)
    assert "for 2h" in answer or "for 90m" in answer or "resume" in typed
    assert place.thumbtack.targeting_calls == []
    assert await place.rows(Targeting) == []
    assert not any("paused" in text for text in in_channel(place))


async def test_without_a_connection_it_says_how_to_get_one(place: Office):
    assert "/thumbtack connect" in await asked(place, "pause")


async def test_without_the_scope_it_says_which_one_is_missing(place: Office):
    place.thumbtack.grants.granted_scopes["legacy"] = ("messages",)
    await connected(place)
    told = await asked(place, "pause")
    assert "lacks the permission targeting" in told
    assert place.thumbtack.targeting_calls == []


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Fault(status=400), "did not accept the request"),
        (Fault(status=401), "may not change this business"),
        (Fault(status=403, body={"error": "insufficient_scope"}), "lacks the permission targeting"),
        (Fault(status=404), "does not know this business"),
    ],
)
async def test_what_thumbtack_refuses_is_said_and_nothing_else_claimed(place: Office, fault: Fault, says: str):
    await connected(place)
    place.thumbtack.faults.stand("targeting", fault)
    before = len(place.cards)
    await asked(place, "pause for 2h")
    assert says in place.whispers()[-1]
    assert len(place.cards) == before
    assert await place.rows(Targeting) == []
    assert [one.action for one in await place.rows(Audit)].count("targeting_set") == 0


async def test_a_connection_that_thumbtack_ended_asks_for_a_new_one(place: Office):
    await connected(place)
    place.thumbtack.grants.revoke("legacy")
    await asked(place, "pause")
    assert "Connect again" in place.whispers()[-1]
    assert "Connect again" in await asked(place, "pause")
    assert (await place.rows(Connection))[-1].state == "broken"


async def test_an_outage_is_waited_out_and_the_time_counts_from_the_asking(place: Office):
    await connected(place)
    place.thumbtack.faults.stand("targeting", DOWN)
    await asked(place, "pause for 2h")
    for _ in range(4):
        await later(place, seconds=30)
    assert "Still trying" in place.whispers()[-1]
    place.thumbtack.faults.clear()
    await later(place, minutes=1)
    assert set_to(place) is False
    assert (await row(place)).set_until == (await row(place)).asked_at + timedelta(hours=2)


async def test_a_long_outage_is_given_up_and_said(place: Office):
    await connected(place)
    place.thumbtack.faults.stand("targeting", DOWN)
    await asked(place, "pause for 2h")
    for _ in range(12):
        await later(place, minutes=1)
    assert "not known whether it was done" in place.whispers()[-1]
    place.thumbtack.faults.clear()
    await later(place, hours=4)
    assert place.thumbtack.targeting_calls == []


async def test_a_pause_whose_time_is_over_before_it_could_be_set_is_not_set(place: Office):
    await connected(place)
    place.thumbtack.faults.stand("targeting", DOWN)
    await asked(place, "pause for 1m")
    await later(place, seconds=30)
    place.thumbtack.faults.clear()
    await later(place, minutes=2)
    assert "time was over" in place.whispers()[-1]
    assert place.thumbtack.targeting_calls == []


async def test_who_asks_anew_while_thumbtack_is_away_gets_the_newer_at_once(place: Office):
    await connected(place)
    place.thumbtack.faults.add("targeting", Fault(status=429, headers={"Retry-After": "300"}))
    await asked(place, "pause for 2h")
    await asked(place, "pause for 4h", user=BEN)
    assert "something newer" in place.whispers()[-1]
    assert "New leads are paused" in place.whispers(BEN)[-1]
    assert (await row(place)).set_until == (await row(place)).asked_at + timedelta(hours=4)
    assert len(place.thumbtack.targeting_calls) == 1


async def test_a_time_of_day_is_the_persons_own(place: Office):
    place.slack.add_person("U0NYC", "Nia", tz="America/New_York", is_admin=True)
    place.slack.workspace.channel(CHANNEL).members.append("U0NYC")
    await connected(place)
    until = set()
    for user in (OLGA, "U0NYC"):
        await asked(place, "pause until tomorrow noon", user=user)
        until.add((await row(place)).set_until.hour)
    assert until in ({20, 17}, {19, 16})  # noon in Los Angeles and in New York, in winter or in summer


@pytest.mark.parametrize("tz", [None, "", "Mars/Olympus", "../etc"])
async def test_who_has_no_time_zone_is_asked_for_a_length(place: Office, tz: str | None):
    await connected(place)
    olga = {"id": OLGA, "is_admin": True, "tz": tz}
    place.slack.faults.stand("users.info", Fault(status=200, body={"ok": True, "user": olga}))
    await asked(place, "pause until 7am")
    assert "for 3h" in place.whispers()[-1]
    assert place.thumbtack.targeting_calls == []
    await asked(place, "pause for 3h")
    assert set_to(place) is False


async def test_a_person_whom_slack_does_not_know_is_asked_for_a_length(place: Office):
    await connected(place)
    place.slack.faults.stand("users.info", Fault(status=200, body={"ok": False, "error": "user_not_found"}))
    await asked(place, "pause until 7am")
    assert "for 3h" in place.whispers()[-1]


async def test_slack_that_cannot_be_asked_for_the_time_zone_is_asked_again(place: Office):
    await connected(place)
    place.slack.faults.add("users.info", Fault(status=503), times=2)
    await asked(place, "pause until tomorrow")
    for _ in range(2):
        await later(place, minutes=1)
    assert set_to(place) is False


# What is gone meanwhile


@pytest.mark.parametrize("typed", ["pause for 1h", "pause"])
async def test_a_business_that_was_forgotten_is_left_alone(place: Office, typed: str):
    await connected(place)
    await asked(place, typed)
    await later(place, minutes=1)
    calls = len(place.thumbtack.targeting_calls)
    async with place.database.transaction() as tx:
        await tx.execute(delete(Targeting))
    await later(place, days=1, minutes=1)
    await place.press("targeting_undo")
    await place.at_rest()
    assert "already" in place.whispers()[-1]
    assert len(place.thumbtack.targeting_calls) == calls
    assert not any("still paused" in told or "on again" in told for told in in_channel(place))


async def test_what_is_asked_of_a_business_that_is_forgotten_at_once_is_not_done(place: Office):
    await connected(place)
    place.thumbtack.faults.add("targeting", Fault(status=429, headers={"Retry-After": "60"}))
    await asked(place, "pause")
    async with place.database.transaction() as tx:
        await tx.execute(delete(Targeting))
    await later(place, minutes=2)
    assert place.thumbtack.targeting_calls == []


@pytest.mark.parametrize("question", ["pause", "pause decks"])
async def test_a_choice_after_the_connection_broke_says_so(place: Office, question: str):
    await connected(place)
    if question == "pause":
        place.thumbtack.grants.add_business(OTHER_ID, OTHER_NAME)
        await place.connect(businesses=[OTHER_ID])
    await asked(place, question)
    async with place.database.transaction() as tx:
        await tx.execute(update(Connection).values(state="broken"))
    (chosen,) = [one.id for one in await place.rows(Business) if one.thumbtack_id == BUSINESS_ID]
    if question == "pause":
        await place.press("targeting_business", str(chosen))
    else:
        await place.press("targeting_category", PAINTING_ID)
    await place.at_rest()
    assert "Connect again" in place.whispers()[-1]
    assert place.thumbtack.targeting_calls == []


async def test_a_button_after_the_connection_broke_says_so(place: Office):
    await connected(place)
    await asked(place, "pause")
    async with place.database.transaction() as tx:
        await tx.execute(update(Connection).values(state="broken"))
    await place.press("targeting_undo")
    await place.at_rest()
    assert "Connect again" in place.whispers()[-1]


# A resume that fails


async def test_a_resume_that_fails_rings_the_keepers_and_goes_on_until_it_works(place: Office):
    await connected(place)
    await asked(place, "pause for 1h")
    place.thumbtack.faults.stand("targeting", Fault(status=404))
    await later(place, hours=1)
    for user in (OLGA, BEN):
        assert "could not be resumed" in place.told(user)[-1]
    for _ in range(6):
        await later(place, minutes=5)
    assert len(place.told(BEN)) == 1
    for _ in range(3):
        await later(place, minutes=20)
    assert len(place.told(BEN)) == 2
    place.thumbtack.faults.clear()
    await later(place, minutes=20)
    assert set_to(place) is True
    assert "on again" in place.told(BEN)[-1]
    assert "They should have been on since" in in_channel(place)[-1]
    assert (await row(place)).failing_since is None


async def test_an_outage_that_passes_rings_nobody(place: Office):
    await connected(place)
    await asked(place, "pause for 1h")
    place.thumbtack.faults.stand("targeting", DOWN)
    await later(place, hours=1)
    await later(place, seconds=20)
    place.thumbtack.faults.clear()
    await later(place, minutes=1)
    assert set_to(place) is True
    assert place.told(BEN) == []


async def test_a_resume_by_hand_that_fails_goes_on_too(place: Office):
    await connected(place)
    await asked(place, "pause for 9h")
    place.thumbtack.faults.add("targeting", Fault(status=404))
    await asked(place, "resume")
    assert "goes on trying" in place.whispers()[-1]
    assert "could not be resumed" in place.told(BEN)[-1]
    await later(place, minutes=1)
    assert set_to(place) is True
    calls = len(place.thumbtack.targeting_calls)
    await later(place, hours=9)
    assert len(place.thumbtack.targeting_calls) == calls


async def test_a_resume_that_fails_holds_up_no_other_category(place: Office):
    await connected(place)
    place.thumbtack.know_categories(PAINTING_ID)
    await asked(place, f"pause {PAINTING} for 1h")
    place.thumbtack.know_categories("1")
    await later(place, hours=1)
    await asked(place, "pause")
    assert set_to(place) is False


async def test_a_resume_waits_for_a_new_connection_and_goes_at_once_then(place: Office):
    await connected(place)
    await asked(place, "pause for 1h")
    place.thumbtack.grants.revoke("legacy")
    await later(place, hours=1)
    assert any("Connect again" in told for told in place.told(BEN))
    await later(place, minutes=40)
    await place.connect(businesses=[BUSINESS_ID])
    await place.at_rest()
    assert set_to(place) is True


async def test_a_pause_ends_a_resume_that_fails(place: Office):
    await connected(place)
    await asked(place, "pause for 1h")
    place.thumbtack.faults.add("targeting", Fault(status=404))
    await later(place, hours=1)
    await asked(place, "pause")
    await later(place, hours=3)
    assert set_to(place) is False
    assert place.told(BEN)[-1].count("could not be resumed") == 1
