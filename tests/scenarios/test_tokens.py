"""Tokens that never lapse: renewed before they expire and when refused, once, whatever is lost or killed on the way."""

import asyncio

import pytest
from sqlalchemy import event
from support.conversation import CHECK, CROSS, HOURGLASS, WARNING, Conversation, calling
from support.office import Office

from sandbox.faults import Fault
from sandbox.thumbtack.bodies import BUSINESS_ID
from storage.models import Connection, ConnectionState

pytestmark = pytest.mark.knobs(slack_keepers="U0OLGA")

NULL = Fault(status=200, body=None)
"""What the Pro API answers now and then, although the refresh token is used up by it."""

LOST = Fault(lose_answer=True)


async def connected(place: Office) -> Conversation:
    """A lead of a business that is connected with the Pro API."""
    await place.connect(businesses=[BUSINESS_ID])
    return await Conversation.opened(place)


async def connection(place: Office) -> Connection:
    return (await place.rows(Connection))[-1]


def renewals(place: Office) -> int:
    return len(place.thumbtack.grants.renewals)


async def renewed(place: Office, count: int) -> None:
    """So many renewals, and the last is written down: the job looks every two seconds, whatever the clock shows."""
    await place.thumbtack.wait_until(lambda: renewals(place) >= count, timeout=60)
    async with asyncio.timeout(60):
        while (await connection(place)).claimed_until is not None:
            continue


async def failed(place: Office, count: int) -> None:
    """So many renewals failed, and that is written down."""
    async with asyncio.timeout(60):
        while (await connection(place)).failures < count:
            continue


async def test_a_connected_business_is_answered_with_its_token(place: Office):
    lead = await connected(place)
    ts = await lead.say("We come at 9.")
    await lead.marked(ts, CHECK)
    assert place.thumbtack.sent[-1].via == "v2"


async def test_without_a_connection_the_user_name_and_password_are_used(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say("We come at 9.")
    await lead.marked(ts, CHECK)
    assert place.thumbtack.sent[-1].via == "v1"


async def test_tokens_are_renewed_well_before_they_expire(place: Office):
    lead = await connected(place)
    await place.advance(minutes=41)
    await renewed(place, 1)
    ts = await lead.say("We come at 9.")
    await lead.marked(ts, CHECK)
    assert renewals(place) == 1
    assert place.thumbtack.grants.misused == []


async def test_a_token_that_thumbtack_refuses_is_renewed_and_the_reply_goes_once(place: Office):
    lead = await connected(place)
    place.thumbtack.grants.expire_access_tokens()
    ts = await lead.say("We come at 9.")
    await lead.marked(ts, CHECK)
    assert lead.received == ["We come at 9."]
    assert renewals(place) == 1


async def test_many_replies_at_once_renew_once(place: Office):
    lead = await connected(place)
    others = [await Conversation.opened(place) for _ in range(5)]
    place.thumbtack.grants.expire_access_tokens()
    said = await asyncio.gather(*(one.say("We come at 9.") for one in (lead, *others)))
    for one, ts in zip((lead, *others), said, strict=True):
        await one.marked(ts, CHECK)
    assert renewals(place) == 1


@pytest.mark.parametrize("fault", [NULL, LOST, Fault(status=503), Fault(cut=True)], ids=["null", "lost", "503", "cut"])
async def test_an_answer_that_gives_no_tokens_costs_no_reply(place: Office, fault: Fault):
    lead = await connected(place)
    place.thumbtack.grants.expire_access_tokens()
    place.thumbtack.faults.add("token", fault)
    ts = await lead.say("We come at 9.")
    for _ in range(4):
        await place.at_rest()
        await place.advance(seconds=31)
    await lead.marked(ts, CHECK)
    assert lead.received == ["We come at 9."]
    assert place.thumbtack.grants.misused == []
    assert (await connection(place)).state == ConnectionState.ACTIVE


async def test_an_invalid_grant_asks_for_a_reconnect_and_keeps_the_replies_in_their_order(place: Office):
    lead = await connected(place)
    place.thumbtack.grants.revoke("legacy")
    place.thumbtack.grants.expire_access_tokens()
    first = await lead.say("We come at 9.")
    await lead.marked(first, HOURGLASS)
    await place.at_rest()
    second = await lead.say("Or at 10.")
    await lead.marked(second, HOURGLASS)
    await place.at_rest()
    assert (await connection(place)).state == ConnectionState.BROKEN
    assert any("connect" in str(one).lower() for one in place.told("U0OLGA"))
    tried = renewals(place)
    await place.advance(minutes=5)
    await place.at_rest()
    assert renewals(place) == tried  # it stopped trying
    assert lead.received == []
    await place.connect(businesses=[BUSINESS_ID])
    await lead.marked(first, CHECK)
    await lead.marked(second, CHECK)
    assert lead.received == ["We come at 9.", "Or at 10."]


async def test_what_became_old_while_nobody_reconnected_asks_its_writer(place: Office):
    lead = await connected(place)
    place.thumbtack.grants.revoke("legacy")
    place.thumbtack.grants.expire_access_tokens()
    ts = await lead.say("On my way, 20 minutes.")
    await lead.marked(ts, HOURGLASS)
    await place.at_rest()
    await place.advance(minutes=31)
    await lead.marked(ts, CROSS)
    await place.connect(businesses=[BUSINESS_ID])
    await place.at_rest()
    assert lead.received == []
    await lead.press("reply_send_now")
    await lead.marked(ts, CHECK)
    assert lead.received == ["On my way, 20 minutes."]


async def test_keepers_hear_a_week_ahead_that_renewing_keeps_failing_and_once(place: Office):
    await connected(place)
    place.thumbtack.faults.stand("token", Fault(status=503))
    await place.advance(days=22)
    await failed(place, 1)
    assert place.told("U0OLGA") == []
    for count in (2, 3, 4):
        await place.advance(days=1)
        await failed(place, count)
        await place.at_rest()
    await place.seen(lambda: place.told("U0OLGA"))
    await place.at_rest()
    assert len(place.told("U0OLGA")) == 1
    assert (await connection(place)).state == ConnectionState.ACTIVE


@pytest.mark.knobs(slack_keepers="U0OLGA", thumbtack_shared_client=True)
async def test_a_client_that_is_shared_is_never_renewed_and_v1_takes_over(place: Office):
    lead = await connected(place)
    await place.advance(minutes=61)
    ts = await lead.say("We come at 9.")
    await lead.marked(ts, CHECK)
    assert place.thumbtack.sent[-1].via == "v1"
    assert renewals(place) == 0


# Ends at the worst moments


async def end_when(place: Office, moment: asyncio.Event) -> None:
    await moment.wait()
    await place.crash()


@pytest.mark.parametrize("commits", range(1, 7))
async def test_an_end_after_any_commit_of_a_renewal_loses_no_reply(place: Office, commits: int):
    lead = await connected(place)
    place.thumbtack.grants.expire_access_tokens()
    ts = await lead.say("We come at 9.")
    counted, seen = asyncio.Event(), iter(range(1, 1000))
    engine = place.door.app.state.services.database.engine.sync_engine

    def on_commit(_connection):
        if next(seen) == commits:
            counted.set()

    event.listen(engine, "commit", on_commit)
    ending = asyncio.create_task(end_when(place, counted))
    await asyncio.wait([ending], timeout=1)
    counted.set()  # there were not so many commits
    await ending
    event.remove(engine, "commit", on_commit)
    await place.start()
    await place.advance(seconds=5)  # on PostgreSQL another replica takes over once the claim has run out
    await settled(place, lead, ts)


@pytest.mark.parametrize(
    "fault",
    [Fault(delay=5), Fault(status=503, delay=5)],
    ids=["the token is used up", "it is not"],
)
async def test_an_end_while_the_token_call_is_under_way_loses_no_reply(place: Office, fault: Fault):
    lead = await connected(place)
    place.thumbtack.grants.expire_access_tokens()
    asked = calling(place.thumbtack.faults, "token")
    place.thumbtack.faults.add("token", fault)
    ts = await lead.say("We come at 9.")
    async with asyncio.timeout(60):
        await asked.wait()
    await place.crash()
    await place.start()
    await place.advance(seconds=5)
    await settled(place, lead, ts)


async def settled(place: Office, lead: Conversation, ts: str) -> None:
    """The reply went out, or its writer decides; no token was used twice outside its grace."""
    await renewed(place, 0)
    await place.advance(minutes=1)  # what was being sent when it ended is looked at once its claim has run out
    await place.seen(lambda: place.mark(ts) in ([CHECK], [WARNING]))
    if place.mark(ts) == [WARNING]:  # the end came while the reply itself was being sent
        assert len(lead.received) <= 1
    else:
        assert lead.received == ["We come at 9."]
    assert place.thumbtack.grants.misused == []
    assert (await connection(place)).state == ConnectionState.ACTIVE


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_two_replicas_renew_at_once(place: Office):
    async with place.replica() as other:
        lead = await connected(place)
        tokens = [one.door.app.state.services.tokens for one in (place, other)]
        for number in range(5):
            place.thumbtack.grants.expire_access_tokens()
            (row,) = await place.rows(Connection)
            await asyncio.gather(*(one.renew(row.id) for one in tokens), return_exceptions=True)
            ts = await lead.say(f"Message {number}")
            await lead.marked(ts, CHECK)
    assert lead.received == [f"Message {number}" for number in range(5)]
    assert place.thumbtack.grants.misused == []
