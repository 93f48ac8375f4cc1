"""`/thumbtack status`: what is connected, what is set, what waits, and who changed what last."""

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col
from support.conversation import ANA, BEN, OLGA, Conversation
from support.office import Office

from bot import settings as bot_settings
from bot.doctor.examination import examine
from bot.doctor.findings import Area, State
from sandbox.faults import Fault
from sandbox.slack.failures import down, slack_error
from sandbox.thumbtack import bodies
from storage import audit, businesses, connections, erasing, outbox
from storage.models import Audit, Connection, ConnectionState, Environment, Inbox, Outbox, Targeting
from storage.outbox import Kind

TEAM = "T0CORKBOARD"


async def status(place: Office, *, user: str = ANA) -> str:
    return await place.command("status", user=user)


async def test_everybody_may_read_it_also_while_slack_and_thumbtack_are_down(place: Office):
    place.slack.faults.stand("*", down())
    told = await status(place)
    assert "No business is connected" in told
    assert "Keepers: none; set SLACK_KEEPERS" in told
    assert "nothing waits" in told
    assert "none yet" in told


async def test_a_connected_business_with_who_connected_it_and_what_works(place: Office):
    await place.connect("legacy")
    told = await status(place)
    assert "Pro API: messages, targeting. Connected by @Olga" in told
    assert "No business is connected" not in told
    assert "@Olga connected Bright Oak Home Services: Pro API, messages, targeting." in told
    await place.connect("v4")
    assert "v4 API: leads, messages, phone numbers. Connected by @Olga" in await status(place)


async def test_what_was_not_allowed_is_named(place: Office):
    place.thumbtack.grants.granted_scopes["legacy"] = ("messages",)
    await place.connect("legacy")
    told = await status(place)
    assert "Pro API: messages. Connected" in told
    assert "No targeting: it was not allowed (targeting)" in told


async def test_tokens_that_are_no_longer_renewed_ask_to_connect(place: Office):
    await place.connect("legacy")
    await _change_connections(place, state=ConnectionState.BROKEN)
    assert "Thumbtack no longer renews these tokens. Type /thumbtack connect" in await status(place)


async def test_tokens_that_fail_say_since_when_and_until_when(place: Office):
    await place.connect("legacy")
    await _change_connections(place, failing_since=place.clock())
    told = await status(place)
    assert "These tokens could not be renewed since" in told
    assert "it is tried again by itself, until" in told


@pytest.mark.knobs(thumbtack_shared_client=True)
async def test_tokens_that_another_system_renews_say_when_they_end(place: Office):
    await place.connect("legacy")
    assert "These tokens are not renewed here. Type /thumbtack connect before" in await status(place)


async def _change_connections(place: Office, **fields: object) -> None:
    async with place.database.transaction() as tx:
        for row in await place.rows(Connection):
            held = await connections.to_change(tx, row.id or 0)
            for name, value in fields.items():
                setattr(held, name, value)


async def test_targeting_is_as_set_by_corkboard(place: Office):
    connection = await place.connect("legacy")
    async with place.database.transaction() as tx:
        (business,) = await businesses_of(tx, connection)
        common = {"business_id": business, "asked_by": ANA, "asked_at": place.clock(), "set_by": ANA}
        until = place.clock() + timedelta(hours=2)
        tx.add(
            Targeting(**common, enabled=False, until=until, set_enabled=False, set_until=until, set_at=place.clock())
        )
        tx.add(Targeting(**common, enabled=True, category_id="109", category="Interior Painting"))
    told = await status(place)
    assert "New leads: paused until" in told
    assert "as set by Corkboard at" in told
    assert "by order of @Ana" in told
    assert "New leads for Interior Painting: not set yet; being set to on" in told


async def businesses_of(tx, connection: Connection) -> list[int]:
    return list(await connections.business_ids_of(tx, connection.id or 0))


async def test_an_erasure_is_announced_until_it_is_called_off(place: Office):
    connection = await place.connect("legacy")
    async with place.database.transaction() as tx:
        (business_id,) = await businesses_of(tx, connection)
        business = await businesses.get(tx, business_id)
        assert business is not None
        await erasing.plan(tx, business, team_id=TEAM, asked_by=OLGA, now=place.clock())
    assert "It will be erased" in await status(place)
    async with place.database.transaction() as tx:
        await erasing.cancel(tx, business_id=business_id, now=place.clock())
    assert "It will be erased" not in await status(place)


async def test_a_business_that_only_sends_leads_is_named(place: Office):
    await Conversation.opened(place)
    told = await status(place)
    assert "Not connected: " in told
    assert "Replies go out all the same" in told  # by the v1 credentials of this office


async def test_businesses_of_the_other_environment_are_not_named(place: Office):
    async with place.database.transaction() as tx:
        for environment in Environment:
            await businesses.ensure(
                tx, environment=environment, thumbtack_id="9", name=f"Of {environment}", now=place.clock()
            )
    told = await status(place)
    assert "Of production" in told
    assert "Of staging" not in told


async def test_what_waits_and_what_was_given_up_is_counted_but_not_what_is_planned(place: Office):
    place.slack.faults.stand("chat.postMessage", down())
    async with place.database.transaction() as tx:
        payload = {"notice": "dead", "outbox_id": 1, "kind": "post_lead", "reason": "odd_error"}
        for ahead in (timedelta(0), timedelta(hours=5)):
            due_at = place.clock() + ahead
            await outbox.enqueue(tx, Kind.POST_NOTICE, now=place.clock(), payload=payload, due_at=due_at)
        died = await outbox.enqueue(tx, Kind.POST_NOTICE, now=place.clock(), payload=payload)
        row = await tx.get_one(Outbox, died.id)
        row.state, row.settled_at = "dead", place.clock()
    told = await status(place)
    assert "1 waiting, the first since" in told
    assert "1 given up" in told


async def test_it_and_the_command_check_say_the_same_of_what_is_wrong(place: Office):
    await place.connect("legacy")
    await place.post("/v1/lead", bodies.lead())
    await place.at_rest()
    place.slack.faults.stand("chat.postMessage", slack_error("is_archived"))
    await place.post("/v1/lead", bodies.lead())
    await place.seen(lambda: [one for one in place.slack.called("chat.postMessage") if one.error])
    await place.at_rest()  # until what came of it is written down
    async with place.database.transaction() as tx:
        payload = {"notice": "dead", "outbox_id": 1, "kind": "post_lead", "reason": "odd_error"}
        died = await outbox.enqueue(tx, Kind.POST_NOTICE, now=place.clock(), payload=payload)
        row = await tx.get_one(Outbox, died.id)
        row.state, row.settled_at = "dead", place.clock()
        await tx.execute(update(Connection).values(state=ConnectionState.BROKEN, reason="invalid_grant"))
        await tx.execute(update(Inbox).where(col(Inbox.id) == 1).values(state="dead", reason="KeyError"))
    told = await status(place)
    settings = bot_settings.load(_env_file=None, **place.knobs)
    found = [one for one in await examine(settings, clock=place.clock, reach=_nobody) if one.state is not State.OK]
    for page, area, line in SAME:
        assert page in told, told
        assert any(one.area is area and line in f"{one.subject}: {one.told}" for one in found), (line, found)


SAME = [
    ("no longer renews these tokens", Area.THUMBTACK, "renews its tokens no longer"),
    ("#leads: Slack refuses posts there", Area.CHANNELS, "Slack refused a post there"),
    ("; 1 given up", Area.QUEUES, "outbox: 1 given up"),
    ("; 1 not understood", Area.QUEUES, "inbox: 1 given up"),
]


async def _nobody(_url: str) -> int | None:
    return None


async def test_the_last_changes_are_shown_newest_first_and_the_others_counted(place: Office):
    async with place.database.transaction() as tx:
        for number in range(7):
            audit.record(
                tx,
                team_id=TEAM,
                actor=BEN if number else None,
                action="phone_added",
                now=place.clock(),
                business_id=77,
                after={"name": f"Desk {number}"},
            )
    told = await status(place)
    shown = [line for line in told.splitlines() if "Desk" in line]
    assert [line[-2] for line in shown] == ["6", "5", "4", "3", "2"]
    assert "@Ben added a phone number to a business that is no longer here: name Desk 6." in shown[0]
    assert "And 2 earlier." in told


async def test_changes_of_another_workspace_are_not_shown(place: Office):
    async with place.database.transaction() as tx:
        audit.record(tx, team_id="T0OTHER", actor="U0X", action="keeper_set", now=place.clock())
        audit.record(tx, team_id=None, actor=None, action="keys_rotated", now=place.clock())
    told = await status(place)
    assert "Corkboard rotated the encryption keys" in told
    assert "became the keeper" not in told


async def test_what_people_do_is_there_in_words(place: Office):
    await place.command("settings", user=OLGA)
    await place.press("settings_who", user=OLGA)
    await place.submit({"people": [ANA], "groups": ["S0CREW"]}, user=OLGA)
    told = await status(place, user=BEN)
    assert "May change things besides them and the admins: @Ana, @crew" in told
    assert "@Olga changed who may change things: none → @Ana, @crew." in told
    assert len(await place.rows(Audit)) == 1


@pytest.mark.knobs(slack_keepers=(OLGA, BEN))
async def test_keepers_are_named(place: Office):
    assert "Keepers: @Olga, @Ben" in await status(place)


@pytest.mark.knobs(thumbtack_environment="staging")
async def test_the_test_environment_is_named(place: Office):
    assert "Thumbtack's test environment (staging)" in await status(place)


async def test_no_customer_is_in_it(place: Office):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.add("message", Fault(status=400, body={"title": "No."}))
    await lead.say("On my way to Maya")
    await place.at_rest()
    told = await status(place)
    for secret in ("Maya", "Alvarez", "On my way", "4155550134", "555-0134"):
        assert secret not in told
