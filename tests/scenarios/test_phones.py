"""The phone numbers that may call customers: listed and changed from Slack, through the front door."""

from support.office import Office
from support.phone_book import OAK, connected, listed, registered, row_id, trail

from sandbox.thumbtack import bodies


async def test_the_list_names_the_numbers_and_when_they_were_used(place: Office):
    place.thumbtack.add_phone_number(OAK, "+15125550142", "Front desk", last_activity_at=place.clock())
    place.thumbtack.add_phone_number(OAK, "+15125550143", "Ana")
    place.thumbtack.add_phone_number(OAK, "+15125550144")
    await place.connect("v4")
    shown = await listed(place)
    assert f"Phone numbers of {bodies.BUSINESS_NAME}" in shown
    assert shown.index("Ana") < shown.index("Front desk") < shown.index("No name")
    assert "(512) 555-0142 · last used" in shown
    assert "(512) 555-0144" in shown
    assert shown.count("Rename") == shown.count("Remove") == 3
    assert "Add a number" in shown


async def test_deleted_numbers_are_hidden(place: Office):
    await connected(place, ("+15125550142", "Front desk"), ("+15125550143", "Ana"))
    await listed(place)
    await place.press("phone_remove", await row_id(place, "Ana"))
    await place.submit()
    await place.at_rest()
    shown = await listed(place)
    assert "Ana" not in shown
    assert "Front desk" in shown


async def test_a_number_is_added_from_the_command(place: Office):
    await connected(place)
    said = await place.command("phones add +1 512 555 0142 Front desk")
    assert "I will confirm here" in said
    await place.at_rest()
    assert registered(place) == {"+15125550142": "Front desk"}
    assert "Front desk (512) 555-0142 is registered." in place.whispers()[-1]
    assert await trail(place) == [("phone_added", {}, {"number": "…0142", "name": "Front desk"})]


async def test_a_number_is_added_in_the_window_and_the_list_changes(place: Office):
    await connected(place, ("+15125550142", "Front desk"))
    await listed(place)
    before = len(place.whispers())
    await place.press("phone_add")
    assert await place.submit({"number": "512.555.0143", "name": "Ana"}) == {}
    assert place.window() is None
    await place.at_rest()
    assert registered(place) == {"+15125550142": "Front desk", "+15125550143": "Ana"}
    assert len(place.whispers()) == before  # the old list is replaced
    assert "Ana (512) 555-0143 is registered." in place.whispers()[-1]
    assert "Front desk" in place.whispers()[-1]


async def test_a_number_is_renamed(place: Office):
    await connected(place, ("+15125550142", "Front desk"))
    await listed(place)
    await place.press("phone_rename")
    assert await place.submit({"name": " "}) == {"name": "Type a name."}
    assert await place.submit({"name": "Reception"}) == {}
    await place.at_rest()
    assert registered(place) == {"+15125550142": "Reception"}
    assert "(512) 555-0142 is called Reception now." in place.whispers()[-1]
    assert await trail(place) == [("phone_renamed", {"name": "Front desk"}, {"name": "Reception", "number": "…0142"})]


async def test_a_number_is_removed_once_it_was_confirmed(place: Office):
    await connected(place, ("+15125550142", "Front desk"))
    await listed(place)
    await place.press("phone_remove")
    assert "Front desk" in str(place.window())
    assert registered(place) == {"+15125550142": "Front desk"}
    await place.submit()
    await place.at_rest()
    assert registered(place) == {}
    assert "Front desk (512) 555-0142 was removed." in place.whispers()[-1]
    assert "None is registered" in place.whispers()[-1]
    assert await trail(place) == [("phone_removed", {"number": "…0142", "name": "Front desk"}, {})]


async def test_many_numbers_are_imported(place: Office):
    await connected(place)
    await place.command("phones import")
    lines = 'Name,Phone\n"Lopez, Ana",512-555-0142\nBen,(512) 555-0143\n'
    assert await place.submit({"lines": lines}) == {}
    await place.at_rest()
    assert registered(place) == {"+15125550142": "Lopez, Ana", "+15125550143": "Ben"}
    assert "All 2 numbers are registered." in place.whispers()[-1]
    assert await trail(place) == [("phones_imported", {}, {"numbers": ["…0142 Lopez, Ana", "…0143 Ben"]})]
