"""Saved replies: kept in the settings, opened from a card, filled in for the lead, and changed before they are sent."""

import asyncio
from typing import Any

import pytest
from support.conversation import ANA, BEN, CHECK, OLGA, Conversation
from support.office import Office

from sandbox.slack.block_kit import elements
from sandbox.slack.failures import slack_error, slow
from sandbox.thumbtack.bodies import BUSINESS_NAME
from storage import forgetting, leads, managers, saved_replies
from storage.models import Audit, Lead, Message, SavedReply
from storage.saved_replies import Worded, Wrong

TEAM = "T0CORKBOARD"
HELLO = "Hi {first_name}, {my_name} from {business} here. We do {category} in {city}."
HELLO_SAID = f"Hi Maya, Ana from {BUSINESS_NAME} here. We do Interior Painting in Palo Alto."
PRICE = "We charge $80 an hour."


async def saved(place: Office, **texts: str) -> None:
    """The team has these saved replies."""
    async with place.database.transaction() as tx:
        for name, text in texts.items():
            worded = Worded(name=name, text=text)
            assert await saved_replies.add(tx, worded, team_id=TEAM, actor=OLGA, now=place.clock()) is None


async def names(place: Office) -> dict[str, str]:
    return {one.name: one.text for one in await place.rows(SavedReply)}


async def opened_list(place: Office, user: str = OLGA) -> None:
    """Somebody opens the list in the settings."""
    await place.command("settings", user=user)
    await place.press("settings_saved", user=user)


def text_in(view: dict[str, Any] | None) -> str | None:
    """What stands in the input of a reply window."""
    assert view is not None
    return str(next(element.get("initial_value") for _, element in elements(view["blocks"]) if _is_input(element)))


def _is_input(element: dict[str, Any]) -> bool:
    return element["type"] == "plain_text_input"


async def submitted(place: Office, text: str | None = None, *, user: str = ANA) -> dict[str, str]:
    """They send what stands in the window, or what they wrote instead."""
    view = place.window(user)
    assert view is not None
    action_id = next(element["action_id"] for _, element in elements(view["blocks"]) if _is_input(element))
    return await place.submit({} if text is None else {action_id: text}, user=user)


async def whispered(place: Office, words: str, *, user: str = ANA) -> None:
    await place.seen(lambda: any(words in one for one in place.whispers(user)))


# From the card


async def test_it_opens_filled_in_and_another_takes_its_place(place: Office):
    await saved(place, Hello=HELLO, Price=PRICE)
    talk = await Conversation.opened(place)
    await talk.press("lead_saved")
    assert text_in(place.window(ANA)) == HELLO_SAID
    await place.press("saved_pick", str((await place.rows(SavedReply))[1].id), user=ANA)
    view = place.window(ANA)
    assert text_in(view) == PRICE
    first_input = next(element["action_id"] for _, element in elements(view["blocks"]) if _is_input(element))
    await place.press("saved_pick", str((await place.rows(SavedReply))[0].id), user=ANA)
    view = place.window(ANA)
    assert text_in(view) == HELLO_SAID
    assert first_input not in str(view)  # else Slack would keep what stood in it
    assert await submitted(place) == {}
    line = await place.seen(lambda: [one for one in talk.lines if "replied with the button" in str(one["blocks"])])
    await talk.marked(line[0]["ts"], CHECK)
    assert talk.received == [HELLO_SAID]
    assert [(one.owner, one.first_answer_by) for one in await place.rows(Lead)] == [(ANA, ANA)]


async def test_what_goes_out_is_what_was_made_of_it(place: Office):
    await saved(place, Hello=HELLO)
    talk = await Conversation.opened(place, customer={"name": "A. Lee"}, request={"location": {"city": ""}})
    await talk.press("lead_saved", by=BEN)
    said = text_in(place.window(BEN))
    assert said == f"Hi, Ben from {BUSINESS_NAME} here. We do Interior Painting in your area."
    wrong = {"note: no": "like a note", " ": "Write something"}
    for text, told in wrong.items():
        assert told in str(await submitted(place, text, user=BEN))
    assert await submitted(place, f"{said} {{first_name}} <!channel>", user=BEN) == {}
    await place.at_rest()
    assert talk.received == [f"{said} {{first_name}} <!channel>"]


async def test_it_passes_the_checks_of_every_reply(place: Office):
    await saved(place, Call="Call 415-555-0134, please.")
    talk = await Conversation.opened(place)
    await talk.press("lead_claim", by=BEN)
    await place.at_rest()
    await talk.press("lead_saved")
    assert f"<@{BEN}> has this lead" in str(place.window(ANA))
    await submitted(place)
    assert talk.received == []
    assert "Send anyway" in str(place.window(ANA))  # it carries a phone number
    assert text_in(place.window(ANA)) == "Call 415-555-0134, please."
    assert await submitted(place) == {}
    await place.at_rest()
    assert talk.received == ["Call 415-555-0134, please."]
    assert [one.owner for one in await place.rows(Lead)] == [BEN]


async def test_a_guest_does_not_answer(place: Office):
    await saved(place, Hello=HELLO)
    place.slack.add_person("U0GUS", "Gus", is_restricted=True)
    talk = await Conversation.opened(place)
    await talk.press("lead_saved", by="U0GUS")
    await whispered(place, "Guests and people of other companies", user="U0GUS")
    assert place.window("U0GUS") is None


async def test_without_any_the_window_says_where_they_come_from_and_sends_all_the_same(place: Office):
    talk = await Conversation.opened(place)
    await talk.press("lead_saved")
    assert "no saved replies yet" in str(place.window(ANA))
    assert await submitted(place, "I can come at 9.") == {}
    await place.at_rest()
    assert talk.received == ["I can come at 9."]


async def test_one_that_was_deleted_meanwhile_gives_way_to_another(place: Office):
    await saved(place, Hello="Hello.", Price=PRICE)
    talk = await Conversation.opened(place)
    await talk.press("lead_saved")
    price = (await place.rows(SavedReply))[1].id or 0
    async with place.database.transaction() as tx:
        await saved_replies.remove(tx, price, team_id=TEAM, actor=OLGA, now=place.clock())
    await place.press("saved_pick", str(price), user=ANA)
    assert text_in(place.window(ANA)) == "Hello."


async def test_old_buttons_and_a_slow_slack_end_in_a_sentence_or_a_window(place: Office):
    await saved(place, Hello="{my_name} here, thanks!")
    talk = await Conversation.opened(place)
    place.slack.faults.add("views.open", slack_error("expired_trigger_id"))
    await talk.press("lead_saved", by=BEN)
    await whispered(place, "did not open in time", user=BEN)
    place.slack.faults.stand("users.info", slow(1.5))
    await talk.press("lead_saved")
    assert text_in(place.window(ANA)) == "Here, thanks!"
    place.slack.faults.clear()
    await place.stop()
    await place.start(thumbtack_legacy_password=None)
    await talk.press("lead_saved", by=BEN)
    view = str(place.window(BEN))
    assert "no Thumbtack credentials" in view
    assert "saved_pick" not in view
    (lead,) = await place.rows(Lead)
    async with place.database.transaction() as tx:
        assert await forgetting.leads(tx, [leads.known(lead.id)], now=place.clock()) is not None
    await talk.press("lead_saved", by=BEN)
    await whispered(place, "not known here", user=BEN)
    await place.press("saved_pick", user=ANA)  # in a window about a lead that is gone
    assert "lead is not known" in str(await submitted(place, "Hi"))
    assert await place.rows(Message) == []


@pytest.mark.knobs(privacy="private")
async def test_of_a_private_lead_the_window_tells_nothing(place: Office):
    await saved(place, Hello=HELLO)
    talk = await Conversation.opened(place)
    await talk.press("lead_saved")
    view = str(place.window(ANA))
    assert not [word for word in ("Maya", "Alvarez", "Painting", "Palo Alto") if word in view]
    assert text_in(place.window(ANA)) == f"Hi, Ana from {BUSINESS_NAME} here. We do your request in your area."


# In the settings


async def test_one_is_added_changed_and_deleted(place: Office):
    await opened_list(place)
    await place.press("saved_add")
    await place.submit({"saved_name": "  Hello  there ", "saved_text": HELLO})
    assert await names(place) == {"Hello there": HELLO}
    assert "Hello there" in str(place.window())  # the list below knows it
    await place.press("saved_edit")
    await place.submit({"saved_text": PRICE})
    assert await names(place) == {"Hello there": PRICE}
    assert PRICE in str(place.window())
    await place.press("saved_edit")
    await place.press("saved_delete")
    assert "Deleted: Hello there" in str(place.window())
    await place.slack.close_view(OLGA)
    assert "Hello there" not in str(place.window())
    assert await names(place) == {}
    done = [(one.action, one.actor, one.subject) for one in await place.rows(Audit)]
    assert done == [(f"saved_reply_{what}", OLGA, "Hello there") for what in ("added", "changed", "deleted")]


async def test_what_would_not_work_is_not_saved(place: Office):
    await saved(place, Hello=HELLO)
    await opened_list(place)
    await place.press("saved_add")
    wrong: list[tuple[str, str, str]] = [
        ("", "Hi", "Give it a name"),
        ("🙂", "Hi", "Give it a name"),
        ("A", "", "Write the text"),
        ("A", "note: for us", "like a note"),
        ("A", "Hi {name}!", "Nothing stands for {name}. There are {first_name}"),
        ("A", "Hi {first_name", "Nothing stands for {."),
        ("HELLO", "Hi", "There is one with this name"),
    ]
    for name, text, told in wrong:
        assert told in str(await place.submit({"saved_name": name, "saved_text": text})), (name, text)
    assert await names(place) == {"Hello": HELLO}
    await place.submit({"saved_name": "B", "saved_text": PRICE})
    await place.press("saved_edit", str((await place.rows(SavedReply))[1].id))
    assert "There is one with this name" in str(await place.submit({"saved_name": "hello"}))
    async with place.database.transaction() as tx:
        gone = (await place.rows(SavedReply))[1].id or 0
        await saved_replies.remove(tx, gone, team_id=TEAM, actor=BEN, now=place.clock())
    assert "deleted it meanwhile" in str(await place.submit({"saved_name": "C"}))


async def test_submitted_twice_it_is_saved_once(place: Office):
    await opened_list(place)
    await place.press("saved_add")
    answer = await place.slack.submit(OLGA, {"saved_name": "Hello", "saved_text": "Hi"})
    again = await place.slack.redeliver(answer)
    assert (again.status, again.body, await names(place)) == (200, "", {"Hello": "Hi"})


async def test_a_slow_slack_delays_no_answer(place: Office):
    await opened_list(place)
    await place.press("saved_add")
    place.slack.faults.add("views.update", slow(3))
    async with asyncio.timeout(2):
        assert await place.submit({"saved_name": "Hello", "saved_text": "Hi"}) == {}
    assert await names(place) == {"Hello": "Hi"}


async def test_who_may_no_longer_change_things_changes_nothing(place: Office):
    await saved(place, Hello=HELLO)
    async with place.database.transaction() as tx:
        await managers.change(tx, team_id=TEAM, add=[BEN], remove=[], actor=OLGA, now=place.clock())
    await opened_list(place, BEN)
    await place.press("saved_edit", user=BEN)
    async with place.database.transaction() as tx:
        await managers.change(tx, team_id=TEAM, add=[], remove=[BEN], actor=OLGA, now=place.clock())
    assert "Only workspace admins" in str(await place.submit({"saved_text": PRICE}, user=BEN))
    await place.press("saved_delete", user=BEN)
    assert "Only workspace admins" in str(place.window(BEN))
    await place.slack.close_view(BEN)
    for button in ("saved_add", "first_open"):
        await place.press(button, user=BEN)
        assert "Only workspace admins" in str(place.window(BEN))
        await place.slack.close_view(BEN)
    assert await names(place) == {"Hello": HELLO}


async def test_there_are_so_many_and_no_more_and_the_list_shows_them_all(place: Office):
    await saved(
        place, **{f"Reply {number:02}": f"*Text* {number} & <!channel>" for number in range(saved_replies.MOST)}
    )
    await opened_list(place)
    view = str(place.window())
    assert [number for number in range(saved_replies.MOST) if f"Reply {number:02}" not in view] == []
    assert "saved_add" not in view
    talk = await Conversation.opened(place)
    await talk.press("lead_saved")
    assert text_in(place.window(ANA)) == "*Text* 0 & <!channel>"

    async def add(name: str) -> Wrong | None:
        async with place.database.transaction() as tx:
            worded = Worded(name=name, text="Hi")
            return await saved_replies.add(tx, worded, team_id=TEAM, actor=OLGA, now=place.clock())

    assert await add("One more") is Wrong.TOO_MANY
    async with place.database.transaction() as tx:
        await saved_replies.remove(tx, 1, team_id=TEAM, actor=OLGA, now=place.clock())
        assert not await saved_replies.remove(tx, 1, team_id=TEAM, actor=OLGA, now=place.clock())
    assert sorted(map(str, await asyncio.gather(add("X"), add("Y")))) == ["None", "too_many"]
    async with place.database.reading() as tx:
        assert await saved_replies.get(tx, 2, team_id="T0OTHER") is None
