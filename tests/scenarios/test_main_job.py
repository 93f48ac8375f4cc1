"""The main job: a lead becomes a thread, and a reply in it reaches the customer."""

from sandbox.thumbtack import bodies


async def test_a_lead_becomes_a_thread_and_a_reply_reaches_the_customer(place):
    lead = bodies.lead()
    assert (await place.post("/v1/lead", lead)).status_code == 200
    await place.seen(lambda: place.cards)
    message = bodies.message(lead["leadID"], "Do you bring your own ladder?")
    assert (await place.post("/v1/message", message)).status_code == 200
    await place.seen(lambda: any("ladder" in str(one) for one in place.thread()))
    said = await place.slack.say("U0ANA", "C0LEADS", "Yes, we do :wave:", thread_ts=place.cards[0]["ts"])
    assert said.status == 200
    await place.seen(lambda: place.mark(said.ts) == ["white_check_mark"])
    assert place.thumbtack.received(lead["leadID"]) == ["Yes, we do 👋"]
