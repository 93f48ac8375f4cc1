"""How each business's leads are worked, chosen in `/thumbtack settings` by who may change things."""

from typing import Any

import pytest
from support.conversation import ANA, BEN, OLGA, said
from support.office import CHANNEL, Office

from sandbox.faults import Fault
from sandbox.slack.failures import down
from sandbox.slack.workspace import Channel
from sandbox.thumbtack import bodies
from storage.models import Audit, Business, Outbox, Route
from storage.outbox import Kind

CREW = "C0CREW"
NAMES = {"1": "Acme Painting", "2": "Best Plumbing"}
FIELDS = ("business_channel", "business_privacy", "business_remind", "business_people", "business_groups",
          "business_hours", "business_zone")  # fmt: skip


async def has_businesses(place: Office, *ids: str) -> None:
    """Thumbtack told of a lead of each."""
    for thumbtack_id in ids:
        lead = bodies.lead(business={"businessID": thumbtack_id, "name": NAMES[thumbtack_id]})
        assert (await place.post("/v1/lead", lead)).status_code == 200
    await place.ingested()
    await place.at_rest()


async def opened(place: Office, *, user: str = OLGA, channel: str = CHANNEL) -> dict[str, Any]:
    """Somebody opens the part from the list of parts; their window."""
    place.slack.workspace.views.clear()
    await place.slack.command(user, "/thumbtack", "settings", channel=channel)
    assert (await place.slack.press_in_view(user, "settings_business")).status == 200
    return window(place, user)


def window(place: Office, user: str = OLGA) -> dict[str, Any]:
    found = place.window(user)
    assert found is not None
    return found


def words(place: Office, user: str = OLGA) -> str:
    return said(window(place, user))


async def chosen(place: Office, business: str) -> None:
    """Choose one of several."""
    found = next(one for one in await place.rows(Business) if one.thumbtack_id == business)
    assert (await place.slack.press_in_view(OLGA, "settings_business_chosen", str(found.id))).status == 200


async def of(place: Office, business: str) -> Business:
    return next(one for one in await place.rows(Business) if one.thumbtack_id == business)


def channel(place: Office, channel_id: str, name: str, *, bot: bool = True) -> None:
    members = [OLGA, ANA, *([place.slack.workspace.bot_user_id] if bot else [])]
    place.slack.workspace.channels[channel_id] = Channel(channel_id=channel_id, name=name, members=members)


def shown(view: dict[str, Any]) -> dict[str, Any]:
    """What stands in the fields, by action_id."""
    found = {}
    for block in view["blocks"]:
        element = block.get("element", {})
        for name, value in element.items():
            if name.startswith("initial_"):
                found[element["action_id"]] = value["value"] if name == "initial_option" else value
    return found


async def test_all_of_it_is_kept_said_and_shown_again(place: Office):
    await has_businesses(place, "1")
    channel(place, CREW, "crew")
    view = await opened(place)
    assert shown(view) == {"business_privacy": "everywhere", "business_zone": "zip"}
    errors = await place.submit(
        {
            "business_channel": CREW,
            "business_remind": "10, 30",
            "business_people": [ANA, BEN],
            "business_groups": ["S0CREW"],
            "business_hours": "Mon-Fri 8-5\nSat 9-12",
            "business_zone": "America/Denver",
        }
    )
    assert errors == {}
    told = words(place)
    for one in (
        "Saved",
        "<#C0CREW>",
        "10 and 30 minutes",
        f"<@{ANA}> <@{BEN}> <!subteam^S0CREW>",
        "Mon-Fri 8:00 AM-5:00 PM",
    ):
        assert one in told, one
    business = await of(place, "1")
    assert (business.channel, business.remind_after, business.on_duty) == (CREW, [10, 30], [ANA, BEN, "S0CREW"])
    assert (business.time_zone, business.privacy) == ("America/Denver", None)
    assert business.hours is not None
    assert (business.hours["sat"], "sun" in business.hours) == ([["09:00", "12:00"]], False)
    (entry,) = [one for one in await place.rows(Audit) if one.action == "business_set"]
    assert (entry.actor, entry.business_id, entry.before["hours"]) == (OLGA, business.id, "always")
    again = shown(await opened(place))
    assert again["business_hours"] == "Mon-Fri 8:00 AM-5:00 PM\nSat 9:00 AM-12:00 PM"
    assert (again["business_channel"], again["business_people"], again["business_remind"]) == (
        CREW,
        [ANA, BEN],
        "10, 30",
    )
    assert await place.submit() == {}
    assert "Nothing was changed" in words(place)
    assert len([one for one in await place.rows(Audit) if one.action == "business_set"]) == 1
    await opened(place)
    nothing = {"business_channel": None, "business_remind": "0", "business_people": [], "business_groups": []}
    assert await place.submit({**nothing, "business_hours": "", "business_zone": "zip"}) == {}
    assert "No reminders" in words(place)
    business = await of(place, "1")
    assert (business.channel, business.remind_after, business.on_duty, business.hours) == (None, [], None, None)
    assert "changed how leads are worked for" in "\n".join([await place.command("status")])


async def test_of_several_one_is_chosen_first_and_its_own_answers_are_saved(place: Office):
    await has_businesses(place, "1", "2")
    view = await opened(place)
    assert set(shown(view)) == set()
    first = str((await of(place, "1")).id)
    assert await place.submit({"settings_business_chosen": first}) == {}  # where choosing alone did not show the fields
    assert shown(window(place))["settings_business_chosen"] == first
    assert "Look at them" not in str(window(place)["blocks"])
    await opened(place)
    await chosen(place, "1")
    assert await place.submit({"business_remind": "7"}) == {}
    await opened(place)
    await chosen(place, "2")
    assert "business_remind" not in shown(window(place))
    assert await place.submit({"business_privacy": "private"}) == {}
    first, second = await of(place, "1"), await of(place, "2")
    assert ([first.remind_after, first.privacy], [second.remind_after, second.privacy]) == (
        [[7], None],
        [None, "private"],
    )
    await opened(place)
    await chosen(place, "1")
    other = str(second.id)
    assert (
        await place.submit({"business_remind": "9", "settings_business_chosen": other}) == {}
    )  # faster than the window
    assert "Look at them, then save" in str(window(place)["blocks"])
    assert (await of(place, "1")).remind_after == [7]
    assert (await of(place, "2")).remind_after is None


async def test_from_a_business_s_own_channel_its_own_window_opens(place: Office):
    await has_businesses(place, "1", "2")
    channel(place, CREW, "crew")
    await opened(place)
    await chosen(place, "2")
    assert await place.submit({"business_channel": CREW}) == {}
    assert shown(await opened(place, channel=CREW))["settings_business_chosen"] == str((await of(place, "2")).id)


@pytest.mark.knobs(remind_after_minutes="5,15,60")
async def test_what_cannot_be_is_said_beside_its_field(place: Office):
    await has_businesses(place, "1")
    channel(place, CREW, "crew", bot=False)
    channel(place, "C0GONE", "gone")
    place.slack.workspace.channels["C0GONE"].archived = True
    business_id = (await of(place, "1")).id
    await opened(place)
    wrong = {
        "business_remind": ["60,15", "1,2,3,4", "-5", "5.5", "10081", "soon", "0,5", "5,5"],
        "business_hours": ["Mon-Fri", "8-5", "Mon 8-25", "Mon closed"],
        "business_channel": [CREW, "C0GONE", CHANNEL],
    }
    unsaid = await place.submit({"business_hours": "Mon 8-5"})  # in which time zone?
    assert [*unsaid] == [f"business_zone:{business_id}"]
    for field, values in wrong.items():
        for value in values:
            assert [*await place.submit({field: value})] == [f"{field}:{business_id}"], value
    async with place.database.transaction() as tx:
        tx.add(Route(position=1, channel="C0RULE"))
    channel(place, "C0RULE", "rules")
    assert "Rules send" in (await place.submit({"business_channel": "C0RULE"}))[f"business_channel:{business_id}"]
    place.slack.faults.stand("conversations.info", down())
    channel(place, "C0NEW", "new")
    assert "Slack did not say" in (await place.submit({"business_channel": "C0NEW"}))[f"business_channel:{business_id}"]
    assert [one for one in await place.rows(Audit) if one.action == "business_set"] == []
    place.slack.faults.clear()
    place.slack.workspace.channels["C0NEW"].members.append(BEN)
    assert await place.submit({"business_channel": "C0NEW", "business_remind": "5 and 10 min"}) == {}
    assert (await of(place, "1")).remind_after == [5, 10]


async def test_what_others_changed_meanwhile_stays(place: Office):
    await has_businesses(place, "1")
    async with place.database.transaction() as tx:
        row = await tx.get_one(Business, (await of(place, "1")).id)
        row.remind_after, row.on_duty = [7], [ANA]
    await opened(place)
    await place.slack.command(OLGA, "/thumbtack", "settings")
    async with place.database.transaction() as tx:
        row = await tx.get_one(Business, (await of(place, "1")).id)
        row.remind_after, row.on_duty = [3], [BEN]
    first = next(
        key for key, (_, view) in place.slack.workspace.views.items() if view["callback_id"] == "settings_business"
    )
    hours = {"business_hours": "daily 8-8", "business_zone": "America/Denver"}
    answer = await place.slack.submit(OLGA, hours, view_id=first)
    assert (answer.json() or {})["response_action"] == "update"
    business = await of(place, "1")
    assert (business.remind_after, business.on_duty) == ([3], [BEN])
    assert business.hours is not None


async def test_who_may_not_any_more_changes_nothing(place: Office):
    await has_businesses(place, "1")
    await opened(place)
    user = {"id": OLGA, "team_id": "T0CORKBOARD", "is_admin": False, "is_owner": False}
    place.slack.faults.stand("users.info", Fault(status=200, body={"ok": True, "user": user}))
    await place.advance(minutes=2)
    assert await place.submit({"business_remind": "7"}) == {}
    assert "Only workspace admins" in words(place)
    assert (await of(place, "1")).remind_after is None


async def test_cards_that_must_not_be_seen_any_more_are_changed_at_once(place: Office):
    await has_businesses(place, "1")
    await has_businesses(place, "2")
    before = [card["text"] for card in place.cards]
    await opened(place)
    await chosen(place, "1")
    assert await place.submit({"business_privacy": "private"}) == {}
    assert "1 lead's card is brought up to date" in words(place)
    await place.at_rest()
    updated = [one for one in await place.rows(Outbox) if one.kind == Kind.UPDATE_CARD]
    assert len(updated) == 1
    assert place.cards[0]["text"] != before[0]
    assert "Maya" not in str(place.cards[0])
    assert place.cards[1]["text"] == before[1]


@pytest.mark.knobs(time_zone="America/Boise")
async def test_hours_need_no_time_zone_where_one_holds_everywhere(place: Office):
    await has_businesses(place, "1")
    assert shown(await opened(place))["business_zone"] == "everywhere"
    assert await place.submit({"business_hours": "Mon 8-5"}) == {}
    business = await of(place, "1")
    assert (business.time_zone, business.hours) == (None, {"mon": [["08:00", "17:00"]]})


async def test_without_a_business_there_is_nothing_to_set(place: Office):
    await opened(place)
    assert "has not heard of any business yet" in words(place)
    assert window(place)["submit"] is None


async def test_a_business_that_was_forgotten_meanwhile_is_not_made_anew(place: Office):
    async with place.database.transaction() as tx:
        tx.add(Business(environment="production", thumbtack_id="1", name=NAMES["1"], created_at=place.clock()))
    await opened(place)
    async with place.database.transaction() as tx:
        await tx.delete(await tx.get_one(Business, (await of(place, "1")).id))
    assert await place.submit({"business_remind": "7"}) == {}
    assert "does not know this business any more" in words(place)
    assert await place.rows(Business) == []


async def test_hundreds_of_businesses_stand_in_groups(place: Office):
    async with place.database.transaction() as tx:
        for number in range(250):
            tx.add(
                Business(
                    environment="production",
                    thumbtack_id=f"9{number}",
                    name=f"Pro {number:03}",
                    created_at=place.clock(),
                )
            )
    view = await opened(place)
    groups = view["blocks"][0]["element"]["option_groups"]
    assert [len(group["options"]) for group in groups] == [100, 100, 50]
    assert groups[0]["label"]["text"] == "Pro 000 to Pro 099"
    await chosen(place, "9249")
    assert await place.submit({"business_remind": "7"}) == {}
    assert (await of(place, "9249")).remind_after == [7]
