"""Who may change things: admins and keepers always, and whom they allow; everybody else is told whom to ask."""

import asyncio
from typing import Any

import pytest
from support.conversation import ANA, BEN, OLGA, said
from support.office import Office

from bot.blocks import settings_people as settings_blocks
from sandbox.faults import Fault
from sandbox.slack.delivery import Answer
from sandbox.slack.failures import down, slack_error, slow
from sandbox.slack.workspace import UserGroup
from storage import keepers
from storage.models import Audit, Manager

TEAM = "T0CORKBOARD"
CREW = "S0CREW"
VERBS = ("connect", "disconnect", "pause", "resume", "phones", "settings")
"""All that change something, or open what does."""


async def allow(place: Office, *subjects: str, by: str = OLGA) -> None:
    """An admin allows these people and groups, and takes away what was allowed before."""
    view = await opened(place, by)
    chosen: dict[str, Any] = {"people": [one for one in subjects if one[0] == "U"]}
    if "'groups'" in str(view["blocks"]):
        chosen["groups"] = [one for one in subjects if one[0] == "S"]
    answer = await place.slack.submit(by, chosen)
    assert (answer.json() or {})["response_action"] == "update"
    place.slack.workspace.views.clear()


async def opened(place: Office, user: str) -> dict[str, Any]:
    """The window in which people are allowed, as this person opens it."""
    assert (await place.slack.command(user, "/thumbtack", "settings")).body == ""
    await place.press("settings_who", user=user)
    return place.slack.views(user)[-1]


async def may(place: Office, user: str) -> bool:
    """Whether the settings open for this person; what they are told where they do not is shown to them alone."""
    answer = await place.slack.command(user, "/thumbtack", "settings")
    assert answer.status == 200
    opened = bool(place.slack.views(user))
    place.slack.workspace.views.clear()
    assert opened == (answer.body == "")
    return opened


def told(answer: Answer) -> str:
    return said(answer.json() or {})


def is_like(place: Office, user: str, **fields: Any) -> None:
    """Slack says this about a person from now on."""
    body = {"ok": True, "user": {"id": user, "team_id": TEAM, "is_admin": False, "is_owner": False} | fields}
    place.slack.faults.stand("users.info", Fault(status=200, body=body))


async def test_who_may_not_is_told_whom_to_ask_and_nothing_happens(place: Office):
    for verb in VERBS:
        answer = await place.slack.command(ANA, "/thumbtack", verb)
        assert "Only workspace admins" in told(answer), verb
        assert "Ask a workspace admin" in told(answer)
    assert place.slack.views(ANA) == []
    assert await place.rows(Audit) == []


@pytest.mark.knobs(slack_keepers=(BEN, "U0CLEO"))
async def test_the_keepers_are_named_to_who_may_not_and_may_themselves(place: Office):
    answer = await place.slack.command(ANA, "/thumbtack", "settings")
    assert f"Ask <@{BEN}> or <@U0CLEO>" in told(answer)
    place.slack.faults.stand("users.info", down())
    assert await may(place, BEN)  # Slack is not even asked


async def test_who_took_it_on_in_slack_may(place: Office):
    assert not await may(place, BEN)
    async with place.database.transaction() as tx:
        assert await keepers.add_first(tx, team_id=TEAM, user_id=BEN, now=place.clock())
    assert await may(place, BEN)
    assert not await may(place, ANA)


async def test_admins_and_owners_may(place: Office):
    assert await may(place, OLGA)
    is_like(place, ANA, is_owner=True)
    assert await may(place, ANA)
    is_like(place, BEN, is_admin=True, team_id="E0GRID", enterprise_user={"teams": ["T0OTHER", TEAM]})
    assert await may(place, BEN)


OUTSIDE: list[dict[str, Any]] = [
    {"is_stranger": True},
    {"team_id": "T0OTHER"},
    {"team_id": None},
    {"team_id": "T0OTHER", "enterprise_user": {"teams": ["T0ELSEWHERE"]}},
    {"is_restricted": True},
    {"is_ultra_restricted": True},
    {"is_bot": True},
    {"deleted": True},
]


async def test_an_admin_of_elsewhere_a_guest_and_a_bot_may_not(place: Office):
    for outside in OUTSIDE:
        is_like(place, ANA, is_admin=True, is_owner=True, **outside)
        assert not await may(place, ANA), outside
        await place.advance(minutes=2)
    is_like(place, ANA, is_admin=True)
    assert await may(place, ANA)


async def test_whom_an_admin_allows_may_without_asking_slack(place: Office):
    await allow(place, ANA)
    place.slack.faults.stand("users.info", down())
    place.slack.faults.stand("usergroups.list", down())
    assert await may(place, ANA)


async def test_whom_an_admin_no_longer_allows_may_not_at_once(place: Office):
    await allow(place, ANA, BEN)
    assert await may(place, ANA)
    await allow(place, BEN)
    assert not await may(place, ANA)
    assert await may(place, BEN)


async def test_who_is_in_an_allowed_group_may(place: Office):
    await allow(place, CREW)
    assert await may(place, ANA)
    place.slack.add_person("U0CLEO", "Cleo")
    place.slack.workspace.channel("C0LEADS").members.append("U0CLEO")
    office = UserGroup(group_id="S0OFFICE", handle="office", users=("U0CLEO",))
    place.slack.workspace.groups["S0OFFICE"] = office  # a group that nobody allowed
    await place.advance(seconds=61)
    assert not await may(place, "U0CLEO")


@pytest.mark.knobs(slack_keepers=(CREW,))
async def test_the_keepers_may_be_a_group(place: Office):
    assert await may(place, ANA)
    assert "Ask <!subteam^S0CREW>" in told(await place.slack.command("U0CORKBOT", "/thumbtack", "settings"))


async def test_who_leaves_the_group_may_no_longer_a_minute_later(place: Office):
    await allow(place, CREW)
    assert await may(place, ANA)
    place.slack.workspace.groups[CREW] = UserGroup(group_id=CREW, handle="crew", users=(BEN,))
    await place.advance(seconds=61)
    assert not await may(place, ANA)
    assert await may(place, BEN)


async def test_slack_is_asked_once_a_minute(place: Office):
    for _ in range(3):
        assert not await may(place, ANA)
    assert len(place.slack.called("users.info")) == 1
    is_like(place, ANA, is_admin=True)
    await place.advance(seconds=61)
    assert await may(place, ANA)


async def test_where_slack_does_not_answer_that_is_said_and_nothing_is_remembered(place: Office):
    assert place.door.app is not None
    place.door.app.state.services.directory.within = 0.1
    for fault in (down(), slow(5), slack_error("ratelimited"), slack_error("invalid_auth")):
        place.slack.faults.stand("users.info", fault)
        answer = await place.slack.command(OLGA, "/thumbtack", "settings")
        assert "Slack did not say whether you may" in told(answer), fault
    place.slack.faults.clear()
    await place.advance(seconds=31)  # Slack asked for time
    assert await may(place, OLGA)


async def test_an_outage_of_the_groups_keeps_no_admin_out(place: Office):
    await allow(place, CREW)
    await place.advance(seconds=61)
    place.slack.faults.stand("usergroups.list", down())
    assert await may(place, OLGA)
    assert "Slack did not say" in told(await place.slack.command(ANA, "/thumbtack", "pause"))


async def test_an_outage_of_people_keeps_nobody_of_a_group_out(place: Office):
    await allow(place, CREW)
    await place.advance(seconds=61)
    place.slack.faults.stand("users.info", down())
    assert await may(place, ANA)


@pytest.mark.parametrize("error", ["missing_scope", "plan_upgrade_required"])
async def test_without_user_groups_only_people_count(place: Office, error: str):
    await allow(place, CREW)
    await place.advance(seconds=61)
    place.slack.faults.stand("usergroups.list", slack_error(error))
    answer = await place.slack.command(ANA, "/thumbtack", "settings")
    assert "Only workspace admins" in told(answer)
    await allow(place, ANA, CREW)
    assert await may(place, ANA)


async def test_somebody_slack_does_not_know_may_not(place: Office):
    place.slack.faults.stand("users.info", slack_error("user_not_found"))
    assert "Only workspace admins" in told(await place.slack.command(ANA, "/thumbtack", "settings"))


# The window


async def test_the_window_shows_keepers_and_whom_was_allowed(place: Office):
    await allow(place, ANA, CREW)
    view = await opened(place, OLGA)
    people, groups = (block["element"] for block in view["blocks"] if block["type"] == "input")
    assert people["initial_users"] == [ANA]
    assert [option["value"] for option in groups["initial_options"]] == [CREW]
    assert "none. Set SLACK_KEEPERS" in str(view)


async def test_what_was_changed_is_in_the_audit_trail_with_before_and_after(place: Office):
    await allow(place, ANA)
    await allow(place, CREW)
    first, second = await place.rows(Audit)
    assert (first.actor, first.action, first.before, first.after) == (
        OLGA,
        "managers_set",
        {"managers": []},
        {"managers": [ANA]},
    )
    assert (second.before, second.after) == ({"managers": [ANA]}, {"managers": [CREW]})
    (row,) = await place.rows(Manager)
    assert (row.subject, row.added_by, row.team_id) == (CREW, OLGA, TEAM)


async def test_submitted_again_it_is_one_change(place: Office):
    await opened(place, OLGA)
    answer = await place.slack.submit(OLGA, {"people": [ANA], "groups": []})
    for number in (1, 2):
        again = await place.slack.redeliver(answer, number=number)
        assert "Nothing was changed" in again.body
    assert len(await place.rows(Audit)) == 1
    assert len(await place.rows(Manager)) == 1


async def test_two_windows_at_once_undo_nothing_of_each_other(place: Office):
    await allow(place, ANA)
    place.slack.add_person("U0OMAR", "Omar", is_admin=True)
    place.slack.workspace.channel("C0LEADS").members.append("U0OMAR")
    for admin in (OLGA, "U0OMAR"):
        await opened(place, admin)
    await asyncio.gather(
        place.slack.submit("U0OMAR", {"people": [], "groups": [CREW]}),  # takes Ana away
        place.slack.submit(OLGA, {"people": [ANA, BEN], "groups": []}),  # leaves her as she was
    )
    assert {row.subject for row in await place.rows(Manager)} == {BEN, CREW}


async def test_who_lost_the_right_meanwhile_changes_nothing(place: Office):
    await allow(place, ANA)
    view = await opened(place, ANA)
    async with place.database.transaction() as tx:
        for row in await place.rows(Manager):
            await tx.delete(row)
    answer = await place.slack.submit(ANA, {"people": [ANA, BEN], "groups": []}, view_id=view["id"])
    assert "Only workspace admins" in str((answer.json() or {})["errors"])
    assert await place.rows(Manager) == []


async def test_too_many_are_refused(place: Office):
    await opened(place, OLGA)
    many = [f"U{number:07d}" for number in range(settings_blocks.MOST + 1)]
    answer = await place.slack.submit(OLGA, {"people": many, "groups": []})
    assert "Allow a user group instead" in str((answer.json() or {})["errors"])
    assert await place.rows(Manager) == []


async def test_a_window_that_does_not_open_is_said(place: Office):
    place.slack.faults.stand("views.open", slack_error("expired_trigger_id"))
    answer = await place.slack.command(OLGA, "/thumbtack", "settings")
    assert "did not open in time" in told(answer)


async def test_a_part_that_does_not_open_is_said(place: Office):
    await place.slack.command(OLGA, "/thumbtack", "settings")
    place.slack.faults.stand("views.push", slack_error("expired_trigger_id"))
    await place.press("settings_who", user=OLGA)
    await place.at_rest()
    assert "did not open in time" in place.told(OLGA)[-1]


async def test_who_lost_the_right_meanwhile_opens_no_part(place: Office):
    await allow(place, ANA)
    await place.slack.command(ANA, "/thumbtack", "settings")
    async with place.database.transaction() as tx:
        for row in await place.rows(Manager):
            await tx.delete(row)
    await place.press("settings_who", user=ANA)
    assert "Only workspace admins" in str(place.slack.views(ANA)[-1])


async def test_groups_that_cannot_be_listed_stay_allowed(place: Office):
    await allow(place, CREW)
    await place.advance(seconds=61)
    place.slack.faults.stand("usergroups.list", down())
    view = await opened(place, OLGA)
    assert "Slack did not list the user groups" in str(view)
    await place.slack.submit(OLGA, {"people": [BEN]})
    assert {row.subject for row in await place.rows(Manager)} == {BEN, CREW}


async def test_a_group_that_is_gone_can_be_taken_away(place: Office):
    await allow(place, CREW)
    del place.slack.workspace.groups[CREW]
    await place.advance(seconds=61)
    await opened(place, OLGA)
    assert "disabled, or not visible" in str(place.slack.views(OLGA))
    await place.slack.submit(OLGA, {"people": [], "groups": []})
    assert await place.rows(Manager) == []


async def test_nobody_can_lock_everybody_out(place: Office):
    for subjects in ((), (ANA,), (ANA, CREW), ()):
        await allow(place, *subjects)
        assert await may(place, OLGA)
