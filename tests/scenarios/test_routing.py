"""Rules about where leads go, made in `/thumbtack settings`, and what becomes of the leads then."""

from typing import Any

import pytest
from support.conversation import ANA, BEN, OLGA
from support.office import CHANNEL, Office

from sandbox.slack.failures import down
from sandbox.thumbtack import bodies
from storage import routing, rules
from storage.models import Audit, Business, Environment
from storage.rules import By, Rule

PAINT, OAK = "C0PAINT", bodies.BUSINESS_ID


async def opened(place: Office, *, user: str = OLGA) -> None:
    """The list of rules, as people come there."""
    assert await place.command("settings", user=user) == ""
    await place.press("settings_routes", user=user)


def shown(place: Office, *, user: str = OLGA) -> str:
    """The window that a person looks at, as they read it."""
    window = place.window(user)
    assert window is not None
    return place.read(window)


async def filled(place: Office, **values: Any) -> dict[str, str]:
    """Add a rule by the form; what is wrong with it."""
    await place.press("route_add")
    return await place.submit({"channel": PAINT} | values)


async def picked(place: Office, deed: str, rule: Rule) -> None:
    """Choose something from the three dots of a rule."""
    async with place.database.reading() as tx:
        row = next(one for one in await routing.rules(tx) if rules.rule_of(one) == rule)
    await place.press("route_menu", f"{deed} {row.id}")


async def stored(place: Office) -> list[Rule]:
    async with place.database.reading() as tx:
        return [rules.rule_of(row) for row in await routing.rules(tx)]


async def sent(place: Office, **overrides: Any) -> str:
    lead = bodies.lead(**overrides)
    assert (await place.post("/v1/lead", lead)).status_code == 200
    await place.at_rest()
    return str(lead["leadID"])


async def test_rules_are_made_in_slack_and_leads_follow_them(place: Office):
    place.slack.add_channel(PAINT, "paint")
    await sent(place)
    await opened(place)
    assert "There are no rules." in shown(place)
    assert await filled(place, category="interior painting", zip_prefix="943", mention=[BEN]) == {}
    assert "1. interior painting · zip 943… →" in shown(place)  # the list below the form is brought up to date
    assert await filled(place, channel=CHANNEL, business=OAK, min_cost="25") == {}
    assert "2. Bright Oak Home Services · cost at least $25 →" in shown(place)
    first = Rule(channel=PAINT, category="interior painting", zip_prefix="943", ring=(BEN,))
    second = Rule(channel=CHANNEL, business=OAK, min_cents=2500)
    assert await stored(place) == [first, second]
    await sent(place)
    [card] = place.slack.messages(PAINT)
    assert "@Ben" in place.read(card)
    await sent(place, leadPrice="$31.50", chargeState="Pending")
    assert len(place.slack.messages(PAINT)) == 2  # the first rule that fits
    await picked(place, "up", second)
    assert await stored(place) == [second, first]
    await sent(place, leadPrice="$31.50", chargeState="Pending")
    assert len(place.slack.messages(PAINT)) == 2
    await picked(place, "edit", second)
    assert await place.submit({"min_cost": "100"}) == {}
    assert await stored(place) == [Rule(channel=CHANNEL, business=OAK, min_cents=10_000), first]
    await picked(place, "delete", first)
    assert "interior painting" not in shown(place)
    actions = [one.action for one in await place.rows(Audit)]
    assert actions == ["route_set", "route_set", "route_moved", "route_set", "route_removed"]


async def test_a_form_says_what_is_wrong_with_it_and_saves_nothing(place: Office):
    place.slack.add_channel(PAINT, "paint")
    place.slack.add_channel("C0CLOSED", "closed").archived = True
    place.slack.add_channel("C0AWAY", "away", members=(OLGA,))
    place.slack.add_channel("C0SECRET", "secret", is_private=True, members=(OLGA,))
    place.slack.add_channel("C0THEIRS", "theirs")
    await sent(place)
    async with place.database.transaction() as tx:
        tx.add(
            Business(
                environment=Environment.PRODUCTION, thumbtack_id="77", created_at=place.clock(), channel="C0THEIRS"
            )
        )
    await opened(place)
    await place.press("route_add")
    assert (await place.submit({"channel": PAINT, "zip_prefix": "CA", "min_cost": "much"})).keys() == {
        "zip_prefix",
        "min_cost",
    }
    for channel, told in {
        "C0CLOSED": "archived",
        "C0AWAY": "/invite @Corkboard",
        "C0SECRET": "does not see this channel",
        "C0THEIRS": "belongs to other businesses",
    }.items():
        assert told in (await place.submit({"channel": channel}))["channel"], channel
    place.slack.faults.stand("conversations.info", down())
    assert "nothing was saved" in (await place.submit({"channel": PAINT}))["channel"]
    place.slack.faults.clear()
    assert await stored(place) == []
    assert await place.submit({"channel": "C0THEIRS", "business": "77"}) == {}  # expressly


async def test_a_form_submitted_twice_is_one_rule_and_who_may_not_any_more_changes_nothing(place: Office):
    place.slack.add_channel(PAINT, "paint")
    await opened(place)
    assert await filled(place, zip_prefix="1") == {}
    await place.slack.redeliver(place.slack.answers[-1])
    assert len(await stored(place)) == 1
    place.slack.faults.stand("views.update", down())
    assert await filled(place, zip_prefix="3") == {}
    assert "Saved. Open the list again to see it." in shown(place)
    place.slack.faults.clear()
    await place.slack.close_view(OLGA)
    assert len(await stored(place)) == 2
    await place.press("route_add")
    place.slack.add_person(OLGA, "Olga")  # no admin any more
    await place.advance(seconds=61)
    await place.submit({"channel": PAINT, "zip_prefix": "2"})
    assert "Only workspace admins" in shown(place)
    assert len(await stored(place)) == 2
    assert "Only workspace admins" in await place.command("settings", user=ANA)


async def test_the_rules_are_tried_with_a_past_lead(place: Office):
    place.slack.add_channel(PAINT, "paint")
    await opened(place)
    await place.press("route_try")
    assert "There are no leads yet." in shown(place)
    await place.slack.close_view(OLGA)
    await sent(place)
    by = By(team_id=None, actor=None, now=place.clock())
    async with place.database.transaction() as tx:
        wanted = [Rule(channel=CHANNEL, zip_prefix="1"), Rule(channel=PAINT, category="Interior Painting", ring=(BEN,))]
        await rules.replace_all(tx, wanted, by=by)
    await place.press("route_try")
    assert "Maya" not in shown(place)
    assert await place.submit() == {}
    told = shown(place)
    assert "It would go to #paint. Rule 2 decides." in told
    assert "Does not fit (another zip code): 1." in told
    assert "It mentions @Ben." in told
    assert len(place.slack.messages(PAINT)) == 0
    async with place.database.transaction() as tx:
        await rules.replace_all(tx, [], by=by)
    await place.slack.close_view(OLGA)
    await place.press("route_try")
    await place.submit()
    assert "It would go to #leads. No rule fits" in shown(place)


async def test_hundreds_of_rules_come_page_by_page(place: Office):
    by = By(team_id=None, actor=None, now=place.clock())
    async with place.database.transaction() as tx:
        await rules.replace_all(tx, [Rule(channel=CHANNEL, zip_prefix=f"{n:03}") for n in range(300)], by=by)
    await opened(place)
    assert "Page 1 of 15, 300 rules in all." in shown(place)
    await place.press("route_next")
    assert "21. zip 020…" in shown(place)
    assert "20. " not in shown(place)
    await picked(place, "delete", Rule(channel=CHANNEL, zip_prefix="020"))
    assert "21. zip 021…" in shown(place)
    await place.press("route_previous")
    assert "Page 1 of 15" in shown(place)
    assert len(await stored(place)) == 299


@pytest.mark.knobs(slack_leads_channel=None)
async def test_reviews_without_a_lead_follow_the_business(place: Office):
    place.slack.add_channel(PAINT, "paint")
    await place.post("/v1/review", bodies.review(None, "5", "Very good"))
    async with place.database.transaction() as tx:
        await rules.replace_all(
            tx, [Rule(channel=PAINT, business=OAK)], by=By(team_id=None, actor=None, now=place.clock())
        )
    await place.post("/v1/review", bodies.review(None, "4", "Good"))
    await place.advance(seconds=31)
    await place.seen(lambda: len(place.slack.messages(PAINT)) == 2)
    await place.at_rest()
    assert [
        word for one in place.slack.messages(PAINT) for word in ("Very good", "Good") if word in place.read(one)
    ] == [
        "Very good",
        "Good",
    ]
    assert place.cards == []
