"""The main job over v4, from front door to front door, with the stand-in telling everything that Thumbtack tells."""

from support.office import CHANNEL

from sandbox.thumbtack.bodies import BUSINESS_ID

QUESTION, IN_THE_APP, REPLY, THANKS, PRAISE = "Are you free?", "At nine.", "Or at ten.", "Nine is fine.", "Tidy work."


async def test_a_lead_from_its_first_words_to_its_review(place):
    thumbtack = place.thumbtack
    thumbtack.v4.echoes = True
    await place.connect("v4")
    await place.seen(lambda: thumbtack.subscriptions.of(BUSINESS_ID))
    notices = len(place.cards)
    lead_id = thumbtack.v4_request()
    assert (await thumbtack.v4_message(lead_id, QUESTION)).status_code == 200
    assert (await thumbtack.v4_lead(lead_id)).status_code == 200
    await place.at_rest()
    (card,) = place.cards[notices:]
    assert "Gutter Cleaning and Maintenance" in place.read(card)
    await place.advance(minutes=10)
    assert (await thumbtack.v4_message(lead_id, IN_THE_APP, sender="Business")).status_code == 200
    await place.at_rest()
    said = await place.slack.say("U0ANA", CHANNEL, REPLY, thread_ts=card["ts"])
    await thumbtack.wait_until(lambda: thumbtack.v4.echoed)
    await thumbtack.v4_message(lead_id, THANKS)
    await thumbtack.v4_review(lead_id, 5, PRAISE)
    await place.at_rest()
    thread = [place.read(one) for one in place.thread(card)]
    order = [next(text for text in (QUESTION, IN_THE_APP, REPLY, THANKS, PRAISE) if text in one) for one in thread]
    assert order == [QUESTION, IN_THE_APP, REPLY, THANKS, PRAISE]
    assert place.mark(said.ts) == ["white_check_mark"]
    assert [(one.lead_id, one.text, one.via) for one in thumbtack.sent] == [(lead_id, REPLY, "v4")]
    assert len(place.cards) == notices + 1


async def test_a_pro_without_oauth_has_leads_messages_and_reviews(place):
    thumbtack = place.thumbtack
    for _ in range(3):
        assert (await thumbtack.v4_lead()).status_code == 200
    lead_id = thumbtack.last_lead_id
    await thumbtack.v4_message(lead_id, QUESTION)
    await thumbtack.v4_review(lead_id, 5, PRAISE)
    await place.at_rest()
    cards = [place.read(one) for one in place.cards]
    for card, name in zip(cards, ("Tessa Lindqvist", "Dario F", "Noor Haddad"), strict=True):
        assert name in card
        assert "Replies here stay inside" in card
    question, review = (place.read(one) for one in place.thread(place.cards[-1]))
    assert QUESTION in question
    assert PRAISE in review
