"""Disconnecting a business: the window, what stops at once, what Thumbtack is told, and what the person hears of it."""

import pytest
from support.conversation import ANA, BEN, CHECK, CROSS, HOURGLASS, MEMO, Conversation
from support.deliveries import all_said, unsettled
from support.office import ADMIN, CHANNEL, PUBLIC_URL, Office

from sandbox.faults import Fault
from sandbox.thumbtack import bodies
from storage.models import Audit, Connection, ConnectionBusiness, ConnectionState, Lead, Message, Outbox, ReplyState
from storage.outbox import Kind

OAK = bodies.BUSINESS_NAME
ELM_ID, ELM = "510000000000000777", "Elm & Sons <Roofing>"
BUSY = Fault(status=503)


async def stop(place: Office, how: str = "keep", *, business: str | None = None, user: str = ADMIN) -> dict[str, str]:
    """Type the command, and submit its window; its errors."""
    assert await place.command("disconnect", user=user) == ""
    return await place.submit({"how": how} | ({"business": business} if business else {}), user=user)


def last_word(place: Office, user: str = ADMIN) -> str:
    return place.whispers(user)[-1]


async def test_both_connections_of_a_business_end_and_the_person_hears_what_came_of_it(place: Office):
    await place.connect("legacy")
    await place.connect("v4")
    ours = place.thumbtack.subscriptions.add(bodies.BUSINESS_ID, f"{PUBLIC_URL}/v4/webhooks/{bodies.BUSINESS_ID}")
    theirs = place.thumbtack.subscriptions.add(bodies.BUSINESS_ID, "https://crm.example/hooks")
    assert await stop(place) == {}
    await place.at_rest()
    assert f"{OAK} is disconnected." in last_word(place)
    assert "Thumbtack has revoked our access" in last_word(place)
    assert "our webhooks are removed" in last_word(place)
    assert place.thumbtack.grants.disconnected == [bodies.BUSINESS_ID]
    left = [one.webhook_id for one in place.thumbtack.subscriptions.of(bodies.BUSINESS_ID)]
    assert (ours.webhook_id in left, left) == (False, [theirs.webhook_id])
    for connection in await place.rows(Connection):
        assert (connection.state, connection.access_token, connection.refresh_token) == (
            ConnectionState.ENDED, None, None
        )  # fmt: skip
    assert await place.rows(ConnectionBusiness) == []
    (entry,) = [one for one in await place.rows(Outbox) if one.kind == Kind.DISCONNECT]
    assert "token" not in entry.payload, "no token is left anywhere"
    written = (await place.rows(Audit))[-1]
    assert (written.action, written.actor) == ("disconnected", ADMIN)
    assert (written.before, written.after) == ({"connected": ["legacy", "v4"]}, {"erased": False})


async def test_nothing_is_sent_for_a_disconnected_business_by_any_way_until_it_is_connected_again(place: Office):
    await place.connect("legacy")
    lead = await Conversation.opened(place)
    await stop(place)
    await place.at_rest()
    assert "Replies here stay inside" in place.read(place.slack.thread(CHANNEL, lead.ts)[0])  # v1 would still take them
    kept = await lead.say("We come at 9.")
    await lead.marked(kept, MEMO)
    await place.connect("legacy")
    await place.at_rest()
    assert "Replies in this thread go to" in place.read(place.slack.thread(CHANNEL, lead.ts)[0])
    sent = await lead.say("We come at 10.")
    await lead.marked(sent, CHECK)
    assert lead.received == ["We come at 10."]


async def test_history_stays_and_goes_on_when_the_business_is_connected_again_by_the_other_api(place: Office):
    await place.connect("legacy")
    lead = await Conversation.opened(place)
    await stop(place)
    await place.at_rest()
    await place.connect("v4")
    assert [one.thumbtack_id for one in await place.rows(Lead)] == [lead.lead_id]
    await place.post("/v1/message", bodies.message(lead.lead_id, "Still there?"))
    await place.at_rest()
    assert "Still there?" in place.read(lead.lines[-1])


@pytest.mark.knobs(thumbtack_shared_client=True)
async def test_a_client_that_is_shared_is_never_disconnected(place: Office):
    await place.connect("legacy")
    await stop(place)
    await place.at_rest()
    assert "Thumbtack was not asked to revoke them" in last_word(place)
    assert place.thumbtack.grants.disconnected == []
    assert [one.access_token for one in await place.rows(Connection)] == [None]


async def test_without_the_scope_for_webhooks_the_rest_is_done_and_the_person_hears_it(place: Office):
    place.thumbtack.grants.granted_scopes["v4"] = (
        "offline_access",
        "supply::businesses.list",
        "supply::messages.write",
    )
    await place.connect("v4")
    await stop(place)
    await place.at_rest()
    assert "We may not see its webhooks" in last_word(place)


async def test_while_thumbtack_is_away_nothing_is_sent_any_more_and_the_person_hears_both(place: Office):
    await place.connect("legacy")
    place.thumbtack.faults.stand("disconnect", BUSY)
    await stop(place)
    for _ in range(8):
        await place.at_rest()
        await place.advance(seconds=20)
    assert "Thumbtack cannot be reached to be told so" in last_word(place)
    assert [one.access_token for one in await place.rows(Connection)] == [None]
    place.thumbtack.faults.clear("disconnect")
    await all_said(place)
    assert "Thumbtack has revoked our access" in last_word(place)
    assert place.thumbtack.grants.disconnected == [bodies.BUSINESS_ID]


async def test_what_thumbtack_does_not_do_for_three_days_is_said(place: Office):
    await place.connect("legacy")
    place.thumbtack.faults.stand("disconnect", BUSY)
    await stop(place)
    await all_said(place, hours=6)
    assert "could not be reached for three days" in place.told(ADMIN)[-1]


async def test_what_thumbtack_refuses_is_said(place: Office):
    await place.connect("legacy")
    place.thumbtack.faults.stand("disconnect", Fault(status=400, body={"error": "INVALID_REQUEST"}))
    await stop(place)
    await place.at_rest()
    assert "Thumbtack did not revoke our access" in last_word(place)


async def test_a_business_that_is_connected_again_meanwhile_is_not_disconnected_late(place: Office):
    await place.connect("legacy")
    place.thumbtack.faults.stand("disconnect", BUSY)
    await stop(place)
    await place.at_rest()
    await place.connect("legacy")
    place.thumbtack.faults.clear("disconnect")
    await all_said(place)
    assert place.thumbtack.grants.disconnected == []
    assert (await place.rows(Connection))[-1].state == ConnectionState.ACTIVE


@pytest.mark.knobs(reply_hold_seconds=600)
async def test_replies_that_wait_are_given_back_to_their_writers(place: Office):
    await place.connect("legacy")
    lead = await Conversation.opened(place)
    ts = await lead.say("On my way.")
    await lead.marked(ts, HOURGLASS)
    await stop(place)
    await lead.marked(ts, CROSS)
    await place.at_rest()
    assert "The business was disconnected before this went out" in place.read(lead.lines[-1])
    await all_said(place)
    assert lead.received == []
    (message,) = [one for one in await place.rows(Message) if one.author == ANA]
    assert (message.state, message.reason) == (ReplyState.REFUSED, "disconnected")


async def test_of_several_the_person_chooses_and_the_others_go_on(place: Office):
    place.thumbtack.grants.add_business(ELM_ID, ELM)
    await place.connect("v4", businesses=[bodies.BUSINESS_ID, ELM_ID])
    await place.command("disconnect elm")
    view = place.window()
    assert view is not None
    chosen = view["blocks"][0]["element"]["initial_option"]
    assert chosen["text"]["text"] == ELM
    assert await place.submit({"how": "keep", "business": chosen["value"]}) == {}
    await place.at_rest()
    assert f"{ELM} is disconnected." in last_word(place)
    (connection,) = await place.rows(Connection)
    assert (connection.state, connection.access_token is None) == (ConnectionState.ACTIVE, False)
    assert len(await place.rows(ConnectionBusiness)) == 1


async def test_who_disconnects_while_new_leads_are_paused_hears_that_they_stay_so(place: Office):
    await place.connect("legacy")
    await place.command("pause")
    await place.at_rest()
    assert place.thumbtack.targeting == {(bodies.BUSINESS_ID, None): False}
    await stop(place)
    await place.at_rest()
    assert "New leads are paused, and Corkboard cannot end that any more" in last_word(place)


async def test_twice_is_once(place: Office):
    await place.connect("legacy")
    assert await place.command("disconnect") == ""
    assert await place.command("disconnect") == ""
    assert await place.submit({"how": "keep"}) == {}
    assert await place.submit({"how": "keep"}) == {
        "how": "It is not connected, so there is nothing to stop. Its history can still be erased."
    }
    await place.at_rest()
    assert place.thumbtack.grants.disconnected == [bodies.BUSINESS_ID]
    assert [one.action for one in await place.rows(Audit)].count("disconnected") == 1


async def test_where_nothing_is_known_there_is_nothing_to_stop(place: Office):
    assert "No business is connected" in await place.command("disconnect")


async def test_a_window_that_slack_does_not_open_is_said(place: Office):
    await place.connect("legacy")
    place.slack.faults.add("views.open", Fault(status=503))
    assert "did not open in time" in await place.command("disconnect")


async def test_who_may_not_is_told_whom_to_ask(place: Office):
    await place.connect("legacy")
    assert "Only workspace admins" in await place.command("disconnect", user=BEN)
    assert place.window(BEN) is None


async def test_who_may_no_longer_changes_nothing(place: Office):
    await place.connect("legacy")
    await place.command("disconnect")
    place.slack.add_person(ADMIN, "Olga", is_admin=False)
    await place.advance(hours=1)  # whether somebody is an admin is remembered for a while
    errors = await place.submit({"how": "erase"})
    assert "Only workspace admins" in errors["how"]
    assert (await place.rows(Connection))[-1].state == ConnectionState.ACTIVE
    assert await unsettled(place) == []
