"""The slash command, and the button with which an admin becomes the keeper."""

import asyncio

import pytest
from support.conversation import ANA, BEN, OLGA, buttons, said
from support.office import CHANNEL, Office

from sandbox.faults import Fault
from sandbox.slack.failures import down
from storage import keepers, outbox
from storage.models import Audit, Keeper, Outbox
from storage.outbox import Kind


@pytest.mark.parametrize("typed", ["", "help", "HELP", "  help me ", "\u200b"])
async def test_help_is_the_answer_to_nothing(place: Office, typed: str):
    answer = await place.slack.command(ANA, "/thumbtack", typed)
    assert answer.status == 200
    assert answer.json()["response_type"] == "ephemeral"
    (page,) = place.slack.ephemerals(ANA)
    assert "What you write in the thread goes to the customer" in said(page)
    assert "/thumbtack help" in said(page)
    assert await place.rows(Outbox) == []


CLOSEST = {
    "paus for 2h": "/thumbtack pause",
    "Konnect": "/thumbtack connect",
    "phone add 6505550101": "/thumbtack phones",
    "frobnicate": "/thumbtack help",
    "<@U0BEN>": "/thumbtack help",
    "*" * 300: "/thumbtack help",
    "🎉": "/thumbtack help",
}


@pytest.mark.parametrize("typed", CLOSEST)
async def test_a_verb_that_does_not_exist_gets_the_closest_one_and_how_it_is_written(place: Office, typed: str):
    told = await place.command(typed, user=ANA)
    assert "There is no" in told
    assert CLOSEST[typed] in told
    assert "<@U0BEN>" not in str(place.slack.ephemerals(ANA)[-1]["blocks"])
    assert await place.rows(Outbox) == []


@pytest.mark.knobs(reply_mode="quiet")
async def test_help_says_what_holds_in_quiet_mode(place: Office):
    await place.slack.command(ANA, "/thumbtack")
    assert "Only the Reply button" in said(place.slack.ephemerals(ANA)[0])


async def test_help_needs_no_slack(place: Office):
    place.slack.faults.stand("*", down())
    assert (await place.slack.command(ANA, "/thumbtack", "help")).ok


async def _trouble(place: Office) -> None:
    """Something happens that a person must be told."""
    dead = {"notice": "dead", "outbox_id": 1, "kind": "post_lead", "reason": "odd_error"}
    async with place.database.transaction() as tx:
        await outbox.enqueue(tx, Kind.POST_NOTICE, now=place.clock(), payload=dead)
    await place.advance(seconds=0)


async def _offered(place: Office) -> str:
    """The notice in the channel that offers to become the keeper."""
    await _trouble(place)
    (card,) = await place.seen(lambda: place.cards)
    assert "keeper_me" in buttons(card)
    return card["ts"]


async def test_the_first_admin_who_asks_becomes_the_keeper(place: Office):
    notice = await _offered(place)
    for person, answer in ((ANA, "Only a workspace admin"), (OLGA, "You are the keeper now")):
        assert (await place.slack.press(person, CHANNEL, notice, "keeper_me")).status == 200
        await place.seen(lambda person=person, answer=answer: answer in said(place.slack.ephemerals(person)[-1]))
    (keeper,) = await place.rows(Keeper)
    assert (keeper.user_id, keeper.team_id) == (OLGA, "T0CORKBOARD")
    assert [row.action for row in await place.rows(Audit)] == ["keeper_set"]


async def test_who_asks_twice_is_the_keeper_once_and_others_come_too_late(place: Office):
    place.slack.add_person("U0OMAR", "Omar", is_admin=True)
    place.slack.workspace.channel(CHANNEL).members.append("U0OMAR")
    notice = await _offered(place)
    for _ in range(2):
        await place.slack.press(OLGA, CHANNEL, notice, "keeper_me")
    await place.at_rest()
    assert all("You are the keeper now" in said(told) for told in place.slack.ephemerals(OLGA))
    await place.slack.press("U0OMAR", CHANNEL, notice, "keeper_me")
    await place.seen(lambda: "There is a keeper already" in said(place.slack.ephemerals("U0OMAR")[-1]))
    assert [row.user_id for row in await place.rows(Keeper)] == [OLGA]


async def test_two_admins_at_once_make_one_keeper(place: Office):
    place.slack.add_person("U0OMAR", "Omar", is_admin=True)
    place.slack.workspace.channel(CHANNEL).members.append("U0OMAR")
    notice = await _offered(place)
    await asyncio.gather(*(place.slack.press(one, CHANNEL, notice, "keeper_me") for one in (OLGA, "U0OMAR")))
    await place.at_rest()
    assert len(await place.rows(Keeper)) == 1


async def test_the_settings_decide_where_they_name_keepers(place: Office):
    notice = await _offered(place)
    await place.stop()
    await place.start(slack_keepers=(BEN,))
    for person, answer in ((OLGA, "There is a keeper already"), (BEN, "You are the keeper now")):
        await place.slack.press(person, CHANNEL, notice, "keeper_me")
        await place.seen(lambda person=person, answer=answer: answer in said(place.slack.ephemerals(person)[-1]))
    assert await place.rows(Keeper) == []


async def test_the_keeper_is_told_about_trouble_from_then_on(place: Office):
    notice = await _offered(place)
    await place.slack.press(OLGA, CHANNEL, notice, "keeper_me")
    await place.at_rest()
    await _trouble(place)
    (told,) = await place.seen(lambda: place.slack.direct_messages(OLGA))
    assert "keeper_me" not in str(told)


async def test_of_two_who_ask_in_the_same_moment_the_second_sees_the_first(place: Office):
    async def ask() -> bool:
        async with place.database.transaction() as tx:
            return await keepers.add_first(tx, team_id="T0CORKBOARD", user_id="U0OMAR", now=place.clock())

    async with place.database.transaction() as tx:
        assert await keepers.add_first(tx, team_id="T0CORKBOARD", user_id=OLGA, now=place.clock())
        second = asyncio.create_task(ask())
        await place.until_somebody_waits()
    assert await second is False


@pytest.mark.knobs(slack_keepers=("U0GONE", "U0BEN"))
async def test_a_keeper_who_is_gone_does_not_keep_it_from_the_others(place: Office):
    place.slack.add_person("U0GONE", "Gone", deleted=True)
    await _trouble(place)
    await place.seen(lambda: place.slack.direct_messages(BEN))
    await place.at_rest()
    assert len(place.slack.direct_messages(BEN)) == 1


async def test_somebody_of_another_company_does_not_become_the_keeper(place: Office):
    notice = await _offered(place)
    stranger = {"id": OLGA, "is_admin": True, "is_stranger": True}
    place.slack.faults.add("users.info", Fault(status=200, body={"ok": True, "user": stranger}))
    await place.slack.press(OLGA, CHANNEL, notice, "keeper_me")
    await place.seen(lambda: "Only a workspace admin" in said(place.slack.ephemerals(OLGA)[-1]))
    assert await place.rows(Keeper) == []


async def test_an_answer_that_comes_too_late_for_its_address_is_told_directly(place: Office):
    notice = await _offered(place)
    place.slack.faults.add("users.info", Fault(status=429, headers={"Retry-After": "1900"}, body={"ok": False}))
    await place.slack.press(OLGA, CHANNEL, notice, "keeper_me")
    await place.at_rest()
    await place.advance(minutes=32)
    (told,) = await place.seen(lambda: place.slack.direct_messages(OLGA))
    assert "You are the keeper now" in said(told)
    assert place.slack.ephemerals(OLGA) == []
