"""The number on a card: what a Thumbtack Number is, dated, for anybody who asks."""

import pytest
from support.conversation import ANA, Conversation
from support.office import CHANNEL, Office

from bot.blocks import numbers
from sandbox.slack.failures import down
from sandbox.thumbtack.bodies import MISSING

NUMBER = "lead_number"


async def test_the_button_beside_the_number_opens_one_dated_explanation(place: Office):
    await Conversation.opened(place)
    await place.press(NUMBER, user=ANA)
    window = place.window(ANA)
    assert window is not None
    told = place.read({"blocks": window["blocks"]})
    assert f"As of {numbers.AS_OF}" in told
    for honest in ("masked", "third party", "may have changed", "cannot say"):
        assert honest in told
    for promise in ("always", "never", "guarantee", "private", "secure"):
        assert promise not in told.lower()


async def test_a_lead_without_a_number_that_can_be_called_has_no_such_button(place: Office):
    for customer in ({"phone": MISSING}, {"phone": "ask me"}):
        await Conversation.opened(place, customer=customer)
    with pytest.raises(LookupError):
        await place.press(NUMBER, user=ANA)


async def test_who_sees_no_window_is_told_to_press_again(place: Office):
    await Conversation.opened(place)
    place.slack.faults.stand("views.open", down())
    await place.press(NUMBER, user=ANA)
    await place.at_rest()
    assert "Press the button again" in place.whispers(ANA)[-1]


async def test_a_customer_who_came_back_is_known_by_their_id_and_not_by_their_phone(place: Office):
    first = await Conversation.opened(place)
    again = await Conversation.opened(place, customer={"phone": "8395550177"})
    stranger = await Conversation.opened(place, customer={"customerID": "520000000000000777", "phone": "4155550134"})
    cards = {card["ts"]: place.read(card) for card in place.cards}
    assert "Contacted you before on" in cards[again.ts]
    assert "Contacted you before" not in cards[first.ts]
    assert "Contacted you before" not in cards[stranger.ts]


async def test_the_same_customer_of_another_business_is_new_to_that_one(place: Office):
    await Conversation.opened(place)
    other = await Conversation.opened(place, business={"businessID": "510000000000000909", "name": "Elm Street Paints"})
    assert "Contacted you before" not in place.read(place.slack.message(CHANNEL, other.ts))
