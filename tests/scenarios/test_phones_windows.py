"""The windows and the command of phone numbers: several businesses, finding, and everything that people mistype."""

import json

import pytest
from support.conversation import OLGA
from support.office import CHANNEL, Office
from support.phone_book import OAK, connected, listed, registered, row_id

from sandbox.slack.delivery import interaction_delivery
from sandbox.thumbtack import bodies
from storage.models import Business, Outbox

ELM = "902"


async def two_businesses(place: Office) -> None:
    place.thumbtack.grants.add_business(ELM, "Elm & Sons <Roofing>")
    place.thumbtack.add_phone_number(ELM, "+15125550143", "Roof")
    place.thumbtack.add_phone_number(OAK, "+15125550142", "Front desk")
    await place.connect("v4", businesses=[OAK, ELM])


async def asked(place: Office) -> list[str]:
    """What was asked of the dispatcher about phone numbers."""
    return [one.kind for one in await place.rows(Outbox) if one.kind.endswith("phones")]


async def elm(place: Office) -> str:
    return str(next(one.id for one in await place.rows(Business) if one.thumbtack_id == ELM))


# Several businesses


async def test_of_several_businesses_the_person_picks_one(place: Office):
    await two_businesses(place)
    assert "Which business's phone numbers?" in await place.command("phones")
    await place.press("phone_business", await elm(place))
    await place.at_rest()
    assert "Phone numbers of Elm & Sons <Roofing>" in place.whispers()[-1]
    assert "Roof" in place.whispers()[-1]
    assert "Front desk" not in place.whispers()[-1]


async def test_a_business_can_be_named(place: Office):
    await two_businesses(place)
    assert "Roof" in await listed(place, "phones elm & sons <roofing>")
    assert "Roof" in await listed(place, f"phones {ELM}")
    await place.command(f"phones {ELM} add 512 555 0144 Ladder")
    await place.at_rest()
    assert [one.name for one in place.thumbtack.phones(ELM)] == ["Roof", "Ladder"]


async def test_a_number_typed_for_nobody_waits_in_the_window(place: Office):
    await two_businesses(place)
    assert await place.command("phones add 512 555 0144 Ladder") == ""
    assert "Ladder" in str(place.window())
    assert await place.submit({"business": None}) == {"business": "Pick a business."}
    assert await place.submit({"business": await elm(place)}) == {}
    await place.at_rest()
    assert [one.number for one in place.thumbtack.phones(ELM)] == ["+15125550143", "+15125550144"]
    assert registered(place) == {"+15125550142": "Front desk"}


async def test_an_import_for_one_of_several(place: Office):
    await two_businesses(place)
    await place.command("phones import")
    assert await place.submit({"business": await elm(place), "lines": "512 555 0144"}) == {}
    await place.at_rest()
    assert "(512) 555-0144 is registered." in place.whispers()[-1]


# The command


async def test_numbers_are_found_among_many(place: Office):
    await connected(place, *[(f"+1512555{n:04}", f"Crew {n}") for n in range(100, 160)])
    shown = await listed(place)
    assert "more numbers. Find one by a part of its name or number: /thumbtack phones" in shown
    assert "Crew 159" not in shown
    for typed in ("phones crew 159", "phones 555-0159", "phones remove Crew 159"):
        found = await listed(place, typed)
        assert "(512) 555-0159" in found
        assert found.count("Remove") == 1
    await place.press("phone_remove", await row_id(place, "Crew 159"))
    await place.submit()
    await place.at_rest()
    assert "Crew 159 (512) 555-0159 was removed." in place.whispers()[-1]


async def test_what_nobody_is_called_gets_the_usage_lines(place: Office):
    await connected(place, ("+15125550142", "Front desk"))
    shown = await listed(place, "phones frobnicate <!channel>")
    assert "No name or number has “frobnicate <!channel>” in it" in shown
    assert "/thumbtack phones add +1" in shown


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("phones add +44 20 7946 0958 Ben", "only numbers that begin with +1"),
        ("phones add 512 555 0142 x12 Ben", "no extensions"),
        ("phones add 1-800-FLOWERS", "letters"),
        ("phones add 555 0142", "too short"),
        ("phones add Ben", "no phone number"),
        ("phones add 012 555 0142", "no such number"),
    ],
)
async def test_a_number_that_cannot_be_is_refused_with_the_reason(place: Office, typed: str, why: str):
    await connected(place)
    said = await place.command(typed)
    assert why in said
    assert "Nothing was sent." in said
    assert "/thumbtack phones add" in said
    assert await asked(place) == []


async def test_numbers_of_countries_that_share_the_code_are_taken(place: Office):
    await connected(place)
    await place.command("phones ADD Toronto: 416-555-0123")
    await place.at_rest()
    assert registered(place) == {"+14165550123": "Toronto"}


# The windows


async def test_what_is_wrong_stays_in_the_window(place: Office):
    await connected(place, ("+15125550142", "Front desk"))
    await listed(place)
    await place.press("phone_add")
    wrong = {
        "": {"number": "Type a phone number."},
        "555 0142": {"number": "The number is too short. It needs ten digits, with the area code."},
        "(512) 555-0142": {"number": "This number is registered already, as Front desk."},
    }
    for typed, errors in wrong.items():
        assert await place.submit({"number": typed}) == errors
    assert "more than 100" in (await place.submit({"number": "512 555 0143", "name": "a" * 101}))["name"]
    assert await place.submit({"number": "512 555 0143 Ana"}) == {}
    await place.at_rest()
    assert registered(place) == {"+15125550142": "Front desk", "+15125550143": "Ana"}


async def test_one_wrong_line_and_nothing_is_sent(place: Office):
    await connected(place, ("+15125550142", "Front desk"))
    await listed(place)
    await place.press("phone_import")
    lines = "512 555 0143 Ana\nBen\n\n512 555 0142\n512 555 0143\n+44 20 7946 0958, Carl"
    told = (await place.submit({"lines": lines}))["lines"]
    assert "Line 2: there is no phone number in it." in told
    assert "Line 4: this number is registered already, as Front desk." in told
    assert "Line 5: the same number as in line 1." in told
    assert "Line 6: Thumbtack takes only numbers that begin with +1" in told
    assert told.endswith("Nothing was sent.")
    assert await place.submit({"lines": " \n"}) == {"lines": "Type or paste at least one number."}
    await place.at_rest()
    assert registered(place) == {"+15125550142": "Front desk"}


async def test_what_is_registered_is_seen_anew_before_an_import(place: Office):
    await connected(place, ("+15125550142", "Front desk"))
    await place.command("phones import")  # nobody looked at the list yet
    assert await place.submit({"lines": "512 555 0143 Ana\n512 555 0142 Desk"}) == {}
    await place.at_rest()
    assert "Line 2: this number is registered already. Nothing was sent." in place.whispers()[-1]
    assert registered(place) == {"+15125550142": "Front desk"}


async def test_an_old_list_does_not_keep_a_number_out(place: Office):
    await connected(place, ("+15125550142", "Front desk"))
    await listed(place)
    phone = place.thumbtack.phones(OAK)[0]
    del place.thumbtack.phone_book._books[OAK][phone.phone_id]  # removed in Thumbtack itself
    await place.advance(minutes=6)
    await place.command("phones add")
    assert await place.submit({"number": "512 555 0142", "name": "Desk"}) == {}
    await place.at_rest()
    assert registered(place) == {"+15125550142": "Desk"}


async def test_a_business_that_was_disconnected_meanwhile(place: Office):
    await connected(place, ("+15125550142", "Front desk"))
    await listed(place)
    await place.press("phone_add")
    await place.stop()
    await place.start(thumbtack_environment="staging")  # nothing is connected there
    answer = await place.slack.submit(OLGA, {"number": "512 555 0143"})
    assert "need a connection" in str(answer.json()["view"])
    for action in ("phone_add", "phone_rename"):
        place.slack.workspace.views.clear()
        await place.press(action)
        await place.at_rest()
        assert place.slack.views(OLGA) == []
    assert "not registered any more" in place.whispers()[-1]
    assert "need a connection" in place.whispers()[-2]


async def test_odd_values_are_never_an_error(place: Office):
    await connected(place, ("+15125550142", "Front desk"))
    await listed(place)
    business = str(next(one.id for one in await place.rows(Business)))
    metadata = ["", "x", "[]", "{}", "null", '{"business": "²", "phone": [], "url": 7}', None]
    metadata += [json.dumps({"business": business, "phone": "9" * 30, "url": "gAAAA", "replace": "yes"})]
    states = [None, {}, {"values": None}, {"values": {"number": {}, "lines": {"lines": {"value": None}}}}]
    for callback_id in ("phone_add", "phone_import", "phone_rename", "phone_remove"):
        for one in metadata:
            for state in states:
                view = {"type": "modal", "id": "V1", "callback_id": callback_id, "blocks": [], "state": state}
                answer = await interact(place, {"type": "view_submission", "view": view | {"private_metadata": one}})
                assert answer.status == 200, (callback_id, one, state)
                assert answer.json()["response_action"] in ("errors", "update")
    shapeless = {"values": {"number": 7, "lines": {"lines": {"value": 7}}, "name": []}}  # is refused at the door
    view = {"type": "modal", "id": "V1", "callback_id": "phone_add", "blocks": [], "state": shapeless}
    assert (await interact(place, {"type": "view_submission", "view": view})).status == 400
    before = await asked(place)
    for action_id in ("phone_add", "phone_import", "phone_rename", "phone_remove", "phone_business"):
        for value in ("", "x", "-1", "9" * 30, "0", "²", None):
            action = {"action_id": action_id, "block_id": "b", "type": "button", "value": value}
            if action_id == "phone_business":
                action |= {"type": "static_select", "selected_option": {"value": value} if value else None}
            assert (await interact(place, {"type": "block_actions", "actions": [action]})).status == 200
    await place.at_rest()
    assert await asked(place) == before
    assert place.slack.views(OLGA) == []
    assert registered(place) == {"+15125550142": "Front desk"}


async def interact(place: Office, payload: dict):
    """Something that a program other than Slack might say, were it signed."""
    team = place.slack.workspace.team_id
    source = {"user": {"id": OLGA, "team_id": team}, "team": {"id": team}, "channel": {"id": CHANNEL}}
    return await place.slack.courier.once(interaction_delivery(source | {"trigger_id": "1.1"} | payload))


async def test_names_are_shown_as_they_are(place: Office):
    hostile = "<!channel> *b* `c` :tada:"
    await connected(place, ("+15125550142", hostile))
    assert hostile in await listed(place)
    await place.press("phone_rename")
    assert hostile in str(place.window())
    assert await place.submit({"name": "<@U0ANA> & co"}) == {}
    await place.at_rest()
    assert registered(place) == {"+15125550142": "<@U0ANA> & co"}
    assert "is called <@U0ANA> & co now" in place.whispers()[-1]
    assert bodies.BUSINESS_NAME in place.whispers()[-1]
