"""Phone numbers when something is in the way: lost answers, refusals, outages, and what cannot be done at all."""

import asyncio

import pytest
from support.conversation import ANA, OLGA
from support.office import CHANNEL, Office
from support.phone_book import OAK, WORKS, connected, listed, registered, row_id, trail

from sandbox.faults import Fault
from sandbox.slack.failures import slack_error
from sandbox.thumbtack import bodies
from storage.models import Business, ConnectionBusiness, Outbox, Webhook, WorkState
from storage.models import Phone as PhoneRow

READ = "supply::businesses/associate-phone-numbers.read"
LOST = Fault(lose_answer=True)
CUT = Fault(cut=True)
ADD = "phones add 512 555 0142 Front desk"


def then(place: Office, *faults: Fault) -> None:
    """How the next calls about phone numbers go, in their order; a change lists, asks, and lists again."""
    for fault in faults:
        place.thumbtack.faults.add("phones", fault)


def begun(place: Office, *faults: Fault) -> asyncio.Event:
    """Set once the last of the next calls has arrived at Thumbtack; they go so."""
    then(place, *faults)
    arrived, take = asyncio.Event(), place.thumbtack.faults.take

    def tell(target: str) -> Fault | None:
        fault = take(target)
        if fault is faults[-1]:
            arrived.set()
        return fault

    place.thumbtack.faults.take = tell  # listening in
    return arrived


async def told(place: Office, typed: str) -> str:
    """What a person reads last, once everything is said."""
    await place.command(typed)
    await place.at_rest()
    return place.whispers()[-1]


# Lost answers


async def test_a_number_whose_answer_was_lost_is_told_by_the_list(place: Office):
    await connected(place)
    then(place, WORKS, LOST)
    assert "Front desk (512) 555-0142 is registered." in await told(place, ADD)
    assert len(place.thumbtack.phones(OAK)) == 1
    assert await trail(place) == [("phone_added", {}, {"number": "…0142", "name": "Front desk"})]


async def test_a_number_that_was_lost_on_the_way_is_sent_again(place: Office):
    await connected(place)
    then(place, WORKS, CUT)
    await place.command(ADD)
    await place.advance(seconds=5)
    await place.seen(lambda: "is registered" in place.whispers()[-1])
    assert len(place.thumbtack.phones(OAK)) == 1


async def test_a_lost_answer_is_remembered_over_an_outage(place: Office):
    await connected(place)
    down = Fault(status=503)
    then(place, WORKS, LOST, down, down, down)
    await place.command(ADD)
    for _ in range(4):
        await place.at_rest()
        await place.advance(seconds=10)
    await place.seen(lambda: "Front desk (512) 555-0142 is registered." in place.whispers()[-1])
    assert len(place.thumbtack.phones(OAK)) == 1
    assert len(await trail(place)) == 1


async def test_after_several_lost_answers_nothing_is_claimed(place: Office):
    await connected(place)
    then(place, *[WORKS, CUT, WORKS] * 4)
    await place.command(ADD)
    for _ in range(5):
        await place.at_rest()
        await place.advance(minutes=1)
    await place.seen(lambda: "answers were lost" in place.whispers()[-1])
    assert "It may have been done all the same" in place.whispers()[-1]
    assert await trail(place) == []
    place.thumbtack.faults.clear()
    await place.advance(hours=1)
    await place.at_rest()
    assert place.thumbtack.phones(OAK) == []


async def test_only_what_the_list_lacks_is_imported_again(place: Office):
    await connected(place)
    place.thumbtack.phone_book.dropped.add("+15125550143")
    await place.command("phones import")
    then(place, WORKS, LOST)
    await place.submit({"lines": "512-555-0142 Ana\n512-555-0143 Ben"})
    await place.at_rest()
    assert registered(place) == {"+15125550142": "Ana"}
    place.thumbtack.phone_book.dropped.clear()
    await place.advance(seconds=5)
    await place.seen(lambda: "All 2 numbers are registered" in place.whispers()[-1])
    assert place.thumbtack.phone_book.bulk_calls == [["+15125550142", "+15125550143"], ["+15125550143"]]


@pytest.mark.parametrize("fault", [Fault(delay=5), Fault(status=503, delay=5)], ids=["it arrived", "it did not"])
async def test_a_crash_while_adding_adds_it_once(place: Office, fault: Fault):
    await connected(place)
    adding = begun(place, WORKS, fault)
    await place.command(ADD)
    async with asyncio.timeout(60):
        await adding.wait()
    await place.crash()
    await place.start()
    await place.advance(minutes=2)
    await place.at_rest()
    assert registered(place) == {"+15125550142": "Front desk"}
    assert len(place.thumbtack.phones(OAK)) == 1
    assert "is registered" in place.whispers()[-1]


@pytest.mark.parametrize("fault", [LOST, CUT, Fault(status=502, done=True), Fault(status=503)])
async def test_a_removal_is_repeated_until_the_list_shows_it(place: Office, fault: Fault):
    await connected(place, ("+15125550142", "Front desk"))
    await listed(place)
    await place.press("phone_remove")
    then(place, WORKS, fault)
    await place.submit()
    await place.at_rest()
    await place.advance(seconds=5)
    await place.seen(lambda: "was removed" in place.whispers()[-1])
    assert registered(place) == {}
    assert await trail(place) == [("phone_removed", {"number": "…0142", "name": "Front desk"}, {})]


async def test_a_name_whose_answer_was_lost_is_told_by_the_list(place: Office):
    await connected(place, ("+15125550142", "Front desk"))
    await listed(place)
    await place.press("phone_rename")
    then(place, WORKS, LOST)
    await place.submit({"name": "Reception"})
    await place.at_rest()
    assert "is called Reception now" in place.whispers()[-1]


# What Thumbtack does not do


async def test_numbers_that_thumbtack_left_out_are_named(place: Office):
    await connected(place)
    place.thumbtack.phone_book.dropped.add("+15125550143")
    await place.command("phones import")
    await place.submit({"lines": "512-555-0142 Ana\n512-555-0143 Ben"})
    await place.at_rest()
    shown = place.whispers()[-1]
    assert "its list has 1 of the 2 numbers" in shown
    assert "(512) 555-0143 Ben" in shown
    assert await trail(place) == [("phones_imported", {}, {"numbers": ["…0142 Ana"], "seen_in_list": False})]


async def test_a_refusal_is_told_in_thumbtacks_own_words(place: Office):
    await connected(place)
    then(place, WORKS, Fault(status=400, body={"title": "Your request is not valid.", "detail": "Five is the limit."}))
    shown = await told(place, ADD)
    assert "Thumbtack refused it. (512) 555-0142 is not registered." in shown
    assert "Thumbtack says: Five is the limit." in shown
    assert await trail(place) == []


async def test_what_was_taken_but_is_not_in_the_list_is_not_claimed(place: Office):
    await connected(place)
    then(place, WORKS, Fault(status=201, body={"phoneNumberID": "1", "phoneNumber": "+15125550142"}))
    assert "Thumbtack took it, but in its list (512) 555-0142 is not registered." in await told(place, ADD)
    assert await trail(place) == [("phone_added", {}, {"number": "…0142", "name": "Front desk", "seen_in_list": False})]


async def test_an_outage_is_told_and_waited_for(place: Office):
    await connected(place)
    place.thumbtack.faults.stand("phones", Fault(status=503))
    await place.command(ADD)
    await place.at_rest()
    for _ in range(3):
        await place.advance(seconds=20)
        await place.at_rest()
    assert [one for one in place.whispers() if "I keep trying for 10 minutes" in one] == place.whispers()[-1:]
    place.thumbtack.faults.clear()
    await place.advance(minutes=1)
    await place.seen(lambda: "is registered" in place.whispers()[-1])


async def test_what_thumbtack_had_no_time_for_is_asked_again(place: Office):
    await connected(place)
    then(place, WORKS, Fault(status=429, headers={"Retry-After": "2"}))
    await place.command(ADD)
    await place.at_rest()
    await place.advance(seconds=3)
    await place.seen(lambda: "Front desk (512) 555-0142 is registered." in place.whispers()[-1])
    assert len(await trail(place)) == 1


@pytest.mark.parametrize(("typed", "ending"), [(ADD, "Nothing was changed."), ("phones", "Try again later.")])
async def test_an_outage_that_does_not_end_is_told_in_the_end(place: Office, typed: str, ending: str):
    await connected(place)
    place.thumbtack.faults.stand("phones", Fault(status=503))
    await place.command(typed)
    for _ in range(14):
        await place.at_rest()
        await place.advance(minutes=1)
    shown = await place.seen(lambda: place.whispers()[-1])
    assert "could not be reached for a while" in shown
    assert ending in shown
    assert not [one for one in await place.rows(Outbox) if one.settled_at is None]


async def test_a_long_pause_that_thumbtack_asks_for_is_told_at_once(place: Office):
    await connected(place)
    then(place, Fault(status=429, headers={"Retry-After": "60"}))
    assert "asks us to slow down" in await told(place, "phones")
    await place.advance(minutes=1)
    await place.seen(lambda: "None is registered" in place.whispers()[-1])


async def test_an_answer_that_nobody_foresaw_ends_with_a_sentence(place: Office):
    await connected(place)
    place.thumbtack.faults.stand("phones", Fault(status=200, body=["what?"]))
    assert "in a way we do not know" in await told(place, "phones")


# What cannot be done at all


async def test_without_permission_to_change_the_list_has_no_buttons(place: Office):
    place.thumbtack.grants.granted_scopes["v4"] = (READ, "supply::businesses.list", "offline_access")
    await connected(place, ("+15125550142", "Front desk"))
    shown = await listed(place)
    assert "Front desk" in shown
    assert "Rename" not in shown
    assert "lets us see these numbers, not change them" in shown
    said = await told(place, "phones add 512 555 0143")
    assert "does not let us see or change phone numbers" in said
    assert "associate-phone-numbers.write" in said
    assert "Nothing was changed." in said


async def test_without_permission_to_see_them_that_is_said(place: Office):
    place.thumbtack.grants.granted_scopes["v4"] = ("supply::businesses.list", "offline_access")
    await connected(place)
    said = await told(place, "phones")
    assert "/thumbtack connect" in said
    assert READ in said


async def test_a_connection_that_ended_at_thumbtack_is_to_be_made_again(place: Office):
    await connected(place)
    place.thumbtack.grants.revoke("v4")
    place.thumbtack.grants.expire_access_tokens()
    for _ in range(2):
        said = await told(place, ADD)
        assert "no longer lets us in. Type /thumbtack connect" in said
        assert "Nothing was changed." in said


async def test_without_a_connection_there_is_a_sentence(place: Office):
    assert "need a connection" in await place.command("phones")
    await place.connect("legacy")
    said = await place.command("phones")
    assert "/thumbtack connect" in said
    assert "Leads, messages, phones" in said
    assert [one for one in await place.rows(Outbox) if "phones" in one.kind] == []


@pytest.mark.knobs(thumbtack_client_id=None)
async def test_without_the_client_there_is_a_sentence(place: Office):
    assert "THUMBTACK_CLIENT_ID" in await place.command("phones")


# Twice, at once, too late


async def test_a_number_that_is_registered_is_not_added_again(place: Office):
    await connected(place, ("+15125550142", "Ana"))
    assert "(512) 555-0142 is registered already, as Ana." in await told(place, ADD)
    assert registered(place) == {"+15125550142": "Ana"}
    assert await trail(place) == []


async def test_two_people_who_remove_a_number_have_one_effect(place: Office):
    await place.stop()
    await place.start(slack_keepers=(ANA,))
    await connected(place, ("+15125550142", "Front desk"))
    for person in (OLGA, ANA):
        await listed(place, user=person)
        await place.press("phone_remove", user=person)
    then(place, Fault(delay=0.3))  # the first has seen the list, and is slow
    await asyncio.gather(place.submit(user=OLGA), place.submit(user=ANA))
    await place.at_rest()
    ends = [place.whispers(person)[-1] for person in (OLGA, ANA)]
    assert sorted("was removed" in one for one in ends) == [False, True]
    assert sorted("is not registered any more. Nothing was changed." in one for one in ends) == [False, True]
    assert len(await trail(place)) == 1


async def test_a_window_sent_twice_has_one_effect(place: Office):
    await connected(place)
    await place.command("phones add")
    answer = await place.slack.submit(OLGA, {"number": "512 555 0142", "name": "Ana"})
    await place.slack.redeliver(answer)
    await place.at_rest()
    assert len(place.thumbtack.phones(OAK)) == 1
    assert len(await trail(place)) == 1


async def test_a_button_and_a_window_about_a_number_that_is_gone(place: Office):
    await connected(place, ("+15125550142", "Front desk"), ("+15125550143", "Ana"))
    await listed(place)
    value = await row_id(place, "Ana")
    await place.press("phone_rename", value)
    window = place.window()["id"]
    await listed(place)  # a second list, while the first stays as it is
    await place.press("phone_remove", value)
    await place.submit()
    await place.at_rest()
    answer = await place.slack.submit(OLGA, {"name": "Anna"}, view_id=window)
    assert "is not registered any more" in str(answer.json()["view"])
    for action in ("phone_rename", "phone_remove"):
        await place.slack.press(OLGA, CHANNEL, still_there(place, value), action, value)
        await place.at_rest()
        assert "is not registered any more" in place.whispers()[-1]
    assert registered(place) == {"+15125550142": "Front desk"}


def still_there(place: Office, value: str) -> str:
    """A list that still has the number."""
    return next(one["ts"] for one in place.slack.ephemerals(OLGA) if f"'value': '{value}'" in str(one["blocks"]))


async def test_a_number_that_was_removed_in_thumbtack_meanwhile(place: Office):
    await connected(place, ("+15125550142", "Front desk"))
    await listed(place)
    await place.press("phone_rename")
    phone = place.thumbtack.phones(OAK)[0]
    del place.thumbtack.phone_book._books[OAK][phone.phone_id]
    await place.submit({"name": "Reception"})
    await place.at_rest()
    assert "(512) 555-0142 is not registered any more. Nothing was changed." in place.whispers()[-1]
    assert "None is registered" in place.whispers()[-1]


async def test_a_confirmation_that_comes_too_late_for_its_address_is_told_directly(place: Office):
    await connected(place)
    gone = Fault(status=404, body={"ok": False, "error": "used_url"})
    place.slack.faults.stand("response_url", gone)
    await place.command(ADD)
    place.slack.workspace.response_urls.clear()
    await place.seen(place.told)
    assert "is registered" in place.told()[-1]


# Who, and odd things


async def test_who_may_not_is_told_whom_to_ask_wherever_they_press(place: Office):
    await place.stop()
    await place.start(slack_keepers=(ANA,))
    await connected(place, ("+15125550142", "Front desk"))
    await listed(place, user=ANA)
    await place.press("phone_remove", user=ANA)
    await place.stop()
    await place.start(slack_keepers=(OLGA,))
    answer = await place.slack.submit(ANA, {})
    assert "Only workspace admins" in str(answer.json()["view"])
    place.slack.workspace.views.clear()
    for action in ("phone_add", "phone_import", "phone_rename", "phone_remove"):
        await place.press(action, user=ANA)
        await place.at_rest()
        assert place.slack.views(ANA) == []
        assert "Only workspace admins" in place.whispers(ANA)[-1]
    assert "Only workspace admins" in await place.command(ADD, user=ANA)
    assert registered(place) == {"+15125550142": "Front desk"}


async def test_a_window_that_slack_does_not_open_is_said(place: Office):
    await connected(place)
    place.slack.faults.add("views.open", slack_error("expired_trigger_id"), times=2)
    assert "did not open in time" in await place.command("phones add")
    await listed(place)
    await place.press("phone_import")
    await place.at_rest()
    assert "did not open in time" in place.whispers()[-1]


async def test_no_number_reaches_a_log(place: Office, capsys, caplog):
    caplog.set_level("INFO")  # below it the drivers tell every statement
    await connected(place, ("+15125550142", "Front desk"))
    await listed(place)
    then(place, WORKS, Fault(status=400, body={"detail": "+15125550143 is not yours"}))
    await told(place, "phones add 512 555 0143 Ana")
    place.thumbtack.faults.stand("phones", Fault(status=200, body={"phoneNumbers": [{"phoneNumber": "+15125550144"}]}))
    await told(place, "phones")
    place.thumbtack.faults.clear()
    await place.command("phones import")
    await place.submit({"lines": "512-555-0145 Ben"})
    await place.at_rest()
    logged = "".join(capsys.readouterr()) + caplog.text
    assert "phones_change_stored" in logged
    for end in ("0142", "0143", "0144", "0145"):
        assert f"555{end}" not in logged
        assert f"555-{end}" not in logged
    assert f"{bodies.BUSINESS_NAME}" not in logged


async def test_what_was_erased_meanwhile_is_left_alone(place: Office):
    await connected(place)
    entry = (await place.rows(Outbox))[-1]
    async with place.database.transaction() as tx:
        payload = {"business_id": 999, "url": "", "user": OLGA, "team_id": "T", "replace": False, "find": ""}
        fields = {"lane": None, "delivery_id": "x", "created_at": place.clock(), "due_at": place.clock()}
        tx.add(Outbox(kind="list_phones", payload=payload, state=WorkState.PENDING, priority=entry.priority, **fields))
    await place.advance(seconds=0)
    await place.at_rest()
    assert [one.state for one in await place.rows(Outbox) if one.kind == "list_phones"] == [WorkState.DONE]


@pytest.mark.parametrize("typed", ["phones", ADD])
async def test_what_is_erased_while_thumbtack_is_asked_does_not_come_back(place: Office, typed: str):
    await connected(place, ("+15125550143", "Ana"))
    asking = begun(place, Fault(delay=0.3))
    await place.command(typed)
    async with asyncio.timeout(60):
        await asking.wait()
    async with place.database.transaction() as tx:
        for row in (ConnectionBusiness, Webhook, Business):
            for one in await place.rows(row):
                await tx.delete(await tx.get(row, one.id))
    await place.at_rest()
    assert await place.rows(PhoneRow) == []
    assert await trail(place) == []
    assert [one.state for one in await place.rows(Outbox) if one.kind.endswith("phones")] == [WorkState.DONE]
