"""Connecting a business: from the command in Slack through Thumbtack's consent page to the news in the channel."""

import asyncio
from datetime import timedelta

import pytest
from support.conversation import CHECK, Conversation, calling
from support.office import ADMIN, Office

from sandbox.faults import Fault
from sandbox.slack.delivery import interaction_delivery
from sandbox.thumbtack import bodies
from storage import businesses, connections, erasing
from storage.models import Audit, Business, Connection, ConnectionBusiness, ConnectionState, Consent, Outbox
from storage.outbox import Kind

OAK = bodies.BUSINESS_NAME
LIST_SCOPE = "supply::businesses.list"
SCOPES = (
    "offline_access",
    "supply::businesses/associate-phone-numbers.read",
    "supply::businesses/associate-phone-numbers.write",
    "supply::messages.write",
    "supply::negotiations.read",
)


def news(place: Office) -> list[str]:
    """What the channel read, oldest first."""
    return [place.read(card) for card in place.cards]


async def speaks_for(place: Office, connection: Connection) -> list[str]:
    names = {business.id: business.name for business in await place.rows(Business)}
    rows = await place.rows(ConnectionBusiness)
    return [str(names[row.business_id]) for row in rows if row.connection_id == connection.id]


@pytest.mark.parametrize(
    ("generation", "works"), [("legacy", "messages, targeting"), ("v4", "leads, messages, phone numbers")]
)
async def test_a_business_is_connected_and_everybody_hears_it(place: Office, generation: str, works: str):
    await place.command("connect")
    page = await place.come_back(place.link(generation))
    assert (page.status_code, f"<h1>{OAK} is connected</h1>" in page.text) == (200, True)
    await place.at_rest()
    (told,) = news(place)
    assert f"{OAK} is connected: {works}." in told
    assert f"<@{ADMIN}>" in str(place.cards[0]["blocks"])
    (connection,) = await place.rows(Connection)
    assert (connection.generation, connection.state) == (generation, ConnectionState.ACTIVE)
    assert (connection.team_id, connection.connected_by) == ("T0CORKBOARD", ADMIN)
    assert await speaks_for(place, connection) == [OAK]
    (written,) = await place.rows(Audit)
    assert (written.action, written.actor, written.subject, written.before) == ("connected", ADMIN, generation, {})
    assert written.after == {"connection": connection.id, "scopes": connection.scopes}


async def test_nothing_that_opens_thumbtack_is_stored_or_logged_as_it_is(place: Office, capsys, caplog):
    caplog.set_level(0)
    await place.command("connect")
    leaving = await place.http.get(place.link("v4"))
    back = await place.thumbtack.consent(leaving.headers["location"])
    await place.http.get(back)
    await place.at_rest()
    code = back.partition("code=")[2].partition("&")[0]
    tokens = [*place.thumbtack.grants._access, *place.thumbtack.grants._refresh]
    assert (len(tokens), len(code) > 8) == (2, True)
    stored = repr([(await place.rows(row)) for row in (Connection, Consent, Outbox, Audit)])
    logged = capsys.readouterr().out + caplog.text
    assert "connected" in logged
    assert [one for one in (*tokens, code, place.link("v4").partition("state=")[2]) if one in stored + logged] == []


async def test_both_apis_stand_side_by_side(place: Office):
    await place.connect("legacy")
    assert "Still missing" in news(place)[0]
    assert "phone numbers: /thumbtack connect, “Leads, messages, phones”" in news(place)[0]
    await place.connect("v4")
    assert "Still missing" not in news(place)[1]
    assert [row.state for row in await place.rows(Connection)] == [ConnectionState.ACTIVE] * 2
    assert len(await place.rows(Business)) == 1


@pytest.mark.knobs(thumbtack_client_id=None)
async def test_what_only_the_other_api_does_is_told_with_what_it_needs(place: Office):
    await place.connect("legacy")
    assert "phone numbers: needs a client of Thumbtack's API v4, see /thumbtack connect" in news(place)[0]


async def test_several_businesses_come_with_one_consent(place: Office):
    place.thumbtack.grants.add_business("901", "Elm & Sons <Roofing>")
    connection = await place.connect("v4", [bodies.BUSINESS_ID, "901"])
    assert f"{OAK} and Elm & Sons <Roofing> are connected" in news(place)[0]
    assert await speaks_for(place, connection) == [OAK, "Elm & Sons <Roofing>"]
    assert [row.action for row in await place.rows(Audit)] == ["connected"] * 2


async def test_several_businesses_come_one_after_the_other(place: Office):
    place.thumbtack.grants.add_business("901", "Elm Roofing")
    await place.connect("legacy", [bodies.BUSINESS_ID])
    await place.connect("legacy", ["901"])
    assert [row.state for row in await place.rows(Connection)] == [ConnectionState.ACTIVE] * 2


async def test_connecting_again_ends_the_older_connection_and_forgets_its_tokens(place: Office):
    first = await place.connect("legacy")
    second = await place.connect("legacy")
    older, newer = await place.rows(Connection)
    assert (older.id, older.state, older.access_token, older.refresh_token) == (
        first.id,
        ConnectionState.ENDED,
        None,
        None,
    )
    assert (newer.id, newer.state) == (second.id, ConnectionState.ACTIVE)
    assert (await place.rows(Audit))[-1].before["connection"] == first.id


async def test_fewer_permissions_than_asked_for_are_named_and_the_rest_works(place: Office):
    place.thumbtack.grants.granted_scopes["v4"] = ("offline_access", LIST_SCOPE, "supply::messages.write")
    await place.connect("v4")
    told = news(place)[0]
    assert f"{OAK} is connected: messages." in told
    assert "leads: Thumbtack did not grant supply::negotiations.read" in told
    assert "phone numbers: Thumbtack did not grant supply::businesses/associate-phone-numbers.read, " in told


async def test_nothing_granted_is_said_too(place: Office):
    place.thumbtack.grants.granted_scopes["legacy"] = ("bookings",)
    await place.connect("legacy")
    assert f"{OAK} is connected: nothing yet." in news(place)[0]
    assert "targeting: Thumbtack did not grant targeting" in news(place)[0]


async def test_a_connection_that_cannot_be_renewed_says_when_it_ends(place: Office):
    place.thumbtack.grants.granted_scopes["v4"] = (LIST_SCOPE, "supply::messages.write")
    await place.connect("v4")
    assert "It cannot be renewed and ends" in news(place)[0]


async def test_connecting_calls_off_an_erasure(place: Office):
    await place.connect("legacy")
    async with place.database.transaction() as tx:
        (business,) = await businesses.listed(tx, "production")
        await erasing.plan(tx, business, team_id="T0CORKBOARD", asked_by=ADMIN, now=place.clock())
    await place.command("connect")
    page = await place.come_back(place.link("legacy"))
    assert f"What Corkboard knows about {OAK} is kept: this cancelled its erasure." in page.text
    async with place.database.transaction() as tx:
        assert await erasing.pending(tx, business.id) is None


async def test_what_waited_for_the_connection_goes_on(place: Office):
    broken = await place.connect("legacy")
    lead = await Conversation.opened(place)
    async with place.database.transaction() as tx:
        (await tx.get(Connection, broken.id)).state = ConnectionState.BROKEN
    ts = await lead.say("On my way.")
    await place.at_rest()
    assert lead.received == []
    await place.connect("legacy")
    await lead.marked(ts, CHECK)
    assert lead.received == ["On my way."]


async def test_where_thumbtack_does_not_say_what_it_granted_it_is_what_was_asked_for(place: Office):
    info = {"business_pk": bodies.BUSINESS_ID, "business_name": OAK, "client_id": "x"}
    place.thumbtack.faults.add("info", Fault(status=200, body=info))
    connection = await place.connect("legacy")
    assert connection.scopes == ["messages", "targeting"]


# Where Thumbtack does not say at once which business it is


@pytest.mark.parametrize(
    "fault", [Fault(status=503), Fault(cut=True), Fault(status=429, headers={"Retry-After": "1"})], ids=repr
)
async def test_which_business_it_is_comes_later_where_thumbtack_cannot_say_now(place: Office, fault: Fault):
    place.thumbtack.faults.add("info", fault)
    await place.command("connect")
    page = await place.come_back(place.link("legacy"))
    assert (page.status_code, "Almost done" in page.text) == (200, True)
    await place.at_rest()
    await place.advance(seconds=5)
    await place.seen(lambda: place.cards)
    assert f"{OAK} is connected: messages, targeting." in news(place)[0]


async def test_a_process_that_ends_after_the_exchange_loses_only_the_page(place: Office):
    asked = calling(place.thumbtack.faults, "info")
    place.thumbtack.faults.add("info", Fault(delay=30))
    await place.command("connect")
    leaving = await place.http.get(place.link("legacy"))
    url = await place.thumbtack.consent(leaving.headers["location"])
    page = asyncio.create_task(place.http.get(url))
    async with asyncio.timeout(60):
        await asked.wait()
    page.cancel()
    await asyncio.wait([page])
    await place.crash()
    await place.start()
    await place.advance(seconds=31)
    await place.seen(lambda: place.cards)
    await place.at_rest()
    assert len(news(place)) == 1
    assert len(await place.rows(Connection)) == 1


async def test_the_page_and_the_dispatcher_may_both_find_out_and_one_tells(place: Office):
    asked = calling(place.thumbtack.faults, "info")
    place.thumbtack.faults.add("info", Fault(status=None, delay=1))
    await place.command("connect")
    leaving = await place.http.get(place.link("legacy"))
    page = asyncio.create_task(place.http.get(await place.thumbtack.consent(leaving.headers["location"])))
    async with asyncio.timeout(60):
        await asked.wait()
    await place.advance(seconds=31)
    await place.seen(lambda: place.cards)
    assert f"{OAK} is connected" in (await page).text
    await place.at_rest()
    assert (len(news(place)), len(await place.rows(Audit))) == (1, 1)


async def test_who_connected_picks_the_business_where_thumbtack_may_not_say_it(place: Office):
    await place.post("/v1/lead", bodies.lead())
    await place.seen(lambda: place.cards)
    place.thumbtack.grants.granted_scopes["v4"] = SCOPES
    await place.command("connect")
    page = await place.come_back(place.link("v4"))
    assert "pick there which business this is" in page.text
    await place.at_rest()
    (asked,) = place.told()
    assert "Which business did you connect?" in asked
    (connection,) = await place.rows(Connection)
    (business,) = await place.rows(Business)
    for _ in range(2):
        await place.press("connect_business", f"{connection.id}-{business.id}")
    await place.at_rest()
    assert [told for told in news(place) if "is connected" in told] == [news(place)[1]]
    assert f"{business.name} is connected: leads, messages, phone numbers." in news(place)[1]
    assert await speaks_for(place, connection) == [business.name]
    assert [row.actor for row in await place.rows(Audit)] == [ADMIN]


async def test_a_business_is_not_picked_for_a_connection_that_is_over(place: Office):
    await place.post("/v1/lead", bodies.lead())
    await place.ingested()  # the choice shows who was heard of by then
    place.thumbtack.grants.granted_scopes["v4"] = SCOPES
    connection = await place.connect("v4")
    async with place.database.transaction() as tx:
        connections.end(await tx.get(Connection, connection.id), now=place.clock())
    await place.press("connect_business", f"{connection.id}-1")
    await place.at_rest()
    assert "That connection is over" in place.read(place.slack.ephemerals(ADMIN)[-1])
    assert await place.rows(ConnectionBusiness) == []


async def test_where_no_business_was_seen_yet_the_command_asks_again_after_the_first_lead(place: Office):
    place.thumbtack.grants.granted_scopes["v4"] = SCOPES
    await place.connect("v4")
    assert "No lead has come yet" in place.told()[0]
    await place.post("/v1/lead", bodies.lead())
    await place.seen(lambda: place.cards)
    await place.at_rest()
    assert "Which business did you connect?" in await place.command("connect")
    (connection,) = await place.rows(Connection)
    await place.press("connect_business", f"{connection.id}-1")
    await place.at_rest()
    assert "is connected: leads, messages, phone numbers." in news(place)[-1]
    assert "Which business" not in await place.command("connect")


async def test_a_consent_without_any_business_asks_too(place: Office):
    place.thumbtack.faults.add("businesses", Fault(status=200, body={"data": []}), times=2)
    await place.connect("v4")
    assert "does not say for which business" in place.told()[0]


async def test_a_choice_that_is_not_ours_changes_nothing(place: Office):
    place.thumbtack.grants.granted_scopes["v4"] = SCOPES
    await place.post("/v1/lead", bodies.lead())
    connection = await place.connect("v4")
    source = {"user": {"id": ADMIN}, "team": {"id": "T0CORKBOARD"}, "trigger_id": "1.1"}
    action = {"type": "static_select", "action_id": "connect_business", "block_id": "b"}
    values = ["x", "1", "1-", "0-0", "7-1", f"{connection.id}-99", "-1-1", "²-1", "9" * 40]
    chosen = [None, {}, *({"value": value} for value in values)]
    for one in chosen:
        payload = {"type": "block_actions", "actions": [action | {"selected_option": one}], **source}
        assert (await place.slack.courier.once(interaction_delivery(payload))).status == 200, one
    assert await place.rows(ConnectionBusiness) == []


async def test_tokens_that_are_refused_at_once_end_the_connection(place: Office):
    place.thumbtack.faults.stand("info", Fault(status=401, body={"error": "INVALID_TOKEN"}))
    await place.command("connect")
    page = await place.come_back(place.link("legacy"))
    assert "Thumbtack takes back what it gave" in page.text
    (connection,) = await place.rows(Connection)
    assert (connection.state, connection.access_token) == (ConnectionState.ENDED, None)
    await place.advance(minutes=1)
    await place.at_rest()
    assert news(place) == []


async def test_tokens_that_are_refused_later_are_told_to_who_connected(place: Office):
    place.thumbtack.faults.add("info", Fault(status=503))
    await place.command("connect")
    leaving = await place.http.get(place.link("legacy"))
    await place.http.get(await place.thumbtack.consent(leaving.headers["location"]))
    place.thumbtack.faults.stand("info", Fault(status=401, body={"error": "INVALID_TOKEN"}))
    await place.advance(seconds=5)
    await place.seen(place.told)
    assert "Thumbtack takes back what it gave" in place.told()[0]
    assert [row.state for row in await place.rows(Connection)] == [ConnectionState.ENDED]


async def test_nothing_is_asked_for_a_connection_that_was_ended_meanwhile(place: Office):
    place.thumbtack.faults.stand("info", Fault(status=503))
    connection = await place.connect("legacy")
    async with place.database.transaction() as tx:
        connections.end(await tx.get(Connection, connection.id), now=place.clock())
    place.thumbtack.faults.clear()
    await place.advance(minutes=2)
    await place.at_rest()
    assert (place.told(), news(place)) == ([], [])


async def test_consents_of_long_ago_are_forgotten(place: Office):
    await place.command("connect")
    await place.advance(days=2)
    await place.command("connect")
    assert len(await place.rows(Consent)) == 2
    for consent in await place.rows(Consent):
        assert consent.expires_at > place.clock() + timedelta(minutes=9)


async def test_the_news_of_one_connection_come_once(place: Office):
    await place.connect("legacy")
    await place.advance(minutes=1)
    await place.at_rest()
    kinds = [row.kind for row in await place.rows(Outbox)]
    assert (len(news(place)), kinds.count(Kind.POST_NOTICE)) == (1, 1)
