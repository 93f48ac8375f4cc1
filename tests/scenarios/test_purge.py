"""`corkboard purge` beside a running program: gone at once, the posts soon after, and said who was told."""

import asyncio

import pytest
from scenarios.test_serve import Ended, command
from support.conversation import Conversation
from support.deliveries import all_said, posted
from support.office import ADMIN, CHANNEL, Office

from bot import purging
from bot import settings as bot_settings
from sandbox.faults import Fault
from sandbox.thumbtack import bodies
from storage import outbox
from storage.models import Audit, Business, Connection, Customer, Erasure, Inbox, Lead, Message, Thread, WorkState

OAK = bodies.BUSINESS_NAME


async def purge(place: Office, *arguments: str, folder) -> Ended:
    names = ("database_url", "encryption_keys", "slack_leads_channel", "thumbtack_environment")
    settings = {name.upper(): str(place.knobs[name]) for name in names if name in place.knobs}
    return await command("purge", *arguments, settings=settings, folder=folder)


async def test_everything_is_gone_at_once_and_the_running_program_deletes_the_posts(place: Office, tmp_path):
    await place.connect("legacy")
    lead = await Conversation.opened(place)
    await place.post("/v1/message", bodies.message(lead.lead_id, "Bring a ladder"))
    await place.at_rest()
    refused = await purge(place, bodies.BUSINESS_ID, folder=tmp_path)
    assert (refused.code, "Say --yes" in refused.err) == (2, True)
    ended = await purge(place, bodies.BUSINESS_ID, "--yes", folder=tmp_path)
    assert ended.code == 0, ended.err
    assert ["leads", "1"] in [line.split() for line in ended.out.splitlines()]
    for row in (Business, Customer, Inbox, Lead, Message, Thread):
        assert await place.rows(row) == [], row
    assert [one.access_token for one in await place.rows(Connection)] == [None]
    place._running_database().wake({outbox.TOPIC})
    await all_said(place, minutes=1)
    assert place.slack.thread(CHANNEL, lead.ts) == []
    assert "ladder" not in str(posted(place))
    assert place.thumbtack.grants.disconnected == [bodies.BUSINESS_ID]
    assert [one.action for one in await place.rows(Audit)][-2:] == ["purged", "erased"]
    again = await purge(place, bodies.BUSINESS_ID, "--yes", folder=tmp_path)
    assert (again.code, f"Nothing is known of a business {bodies.BUSINESS_ID}" in again.err) == (1, True)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
async def test_the_copies_that_hold_it_still_are_named(place: Office, tmp_path):
    await Conversation.opened(place)
    copied = place.database.file.with_name(f"{place.database.file.name}.before-0009-20260801T090000")
    copied.touch()
    ended = await purge(place, bodies.BUSINESS_ID, "--yes", folder=tmp_path)
    assert (ended.code, f"{copied} holds it still" in ended.out, "So do backups" in ended.out) == (0, True, True)


async def test_an_erasure_that_is_planned_begins_earlier_and_once(place: Office):
    await place.connect("legacy")
    await Conversation.opened(place)
    await place.command("disconnect")
    assert await place.submit({"how": "erase"}) == {}
    await place.at_rest()
    await purged(place)
    await place.advance(hours=30)
    await all_said(place, minutes=1)
    (erasure,) = await place.rows(Erasure)
    assert erasure.counts["leads"] == 1
    assert [told for told in place.told(ADMIN) if "is erased" in told] == place.told(ADMIN)[-1:]


async def purged(place: Office, **changes) -> dict[str, int]:
    settings = bot_settings.load(_env_file=None, **place.knobs)
    return await purging.purge(place.database, settings, bodies.BUSINESS_ID, clock=place.clock, **changes)


async def test_what_is_being_said_just_now_is_waited_for(place: Office):
    place.slack.faults.add("chat.postMessage", Fault(delay=1.0))
    await place.post("/v1/lead", bodies.lead())
    await place.seen(lambda: "chat.postMessage" in [call.method for call in place.slack.calls])
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await place.at_rest()

    counts = await purged(place, sleep=sleep)
    assert waits
    assert counts["leads"] == 1
    place._running_database().wake({outbox.TOPIC})
    await all_said(place, minutes=1)
    assert place.cards == [one for one in place.cards if "Interior Painting" not in str(one)]


async def test_what_was_never_understood_goes_too(place: Office, monkeypatch):
    async def broken(*_):
        raise ValueError

    monkeypatch.setattr("webhooks.ingest.write", broken)
    lead = bodies.lead()
    await place.post("/v1/lead", lead)
    await place.post("/v1/lead/update", bodies.price(lead["leadID"], "$20.00"), method="PUT")
    await place.post("/v1/lead", bodies.lead(business={"businessID": "510000000000000777"}))
    await place.at_rest()
    assert len(await place.rows(Inbox)) == 3
    assert (await purged(place))["webhooks"] == 2
    assert [one.business_thumbtack_id for one in await place.rows(Inbox)] == ["510000000000000777"]


async def test_what_arrives_meanwhile_is_either_gone_or_whole(place: Office):
    leads = [await Conversation.opened(place) for _ in range(3)]
    before = {lead.ts for lead in leads}

    async def arrive(number: int) -> None:
        lead_id = leads[number % 3].lead_id
        assert (await place.post("/v1/message", bodies.message(lead_id, f"Message {number}"))).status_code == 200
        heard = await leads[number % 3].said(f"Reply {number}")
        if not heard.ok:  # its lead went while it was being stored: Slack tells it again
            heard = await place.slack.redeliver(heard)
        assert heard.ok

    done = await asyncio.gather(purged(place), *(arrive(number) for number in range(12)))
    assert done[0]["leads"] == 3
    place._running_database().wake({outbox.TOPIC})
    await all_said(place, minutes=1)
    assert {one.state for one in await place.rows(Inbox)} <= {WorkState.DONE}
    known = {thread.ts for thread in await place.rows(Thread)}
    ours = {one["ts"]: one.get("thread_ts", one["ts"]) for one in posted(place) if "Message" in place.read(one)}
    assert {thread for thread in ours.values() if thread in before} == set()
    assert set(ours.values()) <= known
    assert {lead.thumbtack_id for lead in await place.rows(Lead)} <= {lead.lead_id for lead in leads}
