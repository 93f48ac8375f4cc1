"""Pages of `/thumbtack status`, from an office where nothing is connected to one where everything is wrong."""

from datetime import timedelta
from typing import Any

from support.samples import NOW

from bot.blocks.settings_people import Keepers
from bot.blocks.status import BusinessView, Connected, StatusView
from bot.blocks.webhooks import EVENTS, WebhookView
from storage.models import (
    Audit,
    Business,
    Connection,
    ConnectionState,
    Environment,
    Erasure,
    Generation,
    Targeting,
    Webhook,
)
from storage.overview import Backlog

ANA, OLGA = "U012AB3CD", "U045GH6IJ"
CREW = "S034EF5GH"
HERE = "https://bot.example.com/v4/webhooks/286845156044809661"


def a_business(**fields: Any) -> Business:
    given = {"id": 1, "environment": Environment.PRODUCTION, "thumbtack_id": "286845156044809661", "created_at": NOW}
    return Business(**{**given, "name": "Tim's Painting Business", **fields})


def a_connection(**fields: Any) -> Connection:
    return Connection(
        **{
            "id": 1,
            "environment": Environment.PRODUCTION,
            "generation": Generation.LEGACY,
            "team_id": "T0CORKBOARD",
            "state": ConnectionState.ACTIVE,
            "scopes": ["messages", "targeting"],
            "connected_by": OLGA,
            "connected_at": NOW,
            "granted_at": NOW,
            "renew_at": NOW + timedelta(minutes=40),
            **fields,
        }
    )


def connected(works: tuple[str, ...] = ("messages", "targeting"), **fields: Any) -> Connected:
    lacks = fields.pop("lacks", {})
    return Connected(row=a_connection(**fields), works=works, lacks=lacks, lapses_at=NOW + timedelta(days=30))


def a_targeting(**fields: Any) -> Targeting:
    return Targeting(
        **{
            "business_id": 1,
            "category_id": "",
            "enabled": False,
            "until": NOW + timedelta(hours=3),
            "asked_by": ANA,
            "asked_at": NOW,
            "set_enabled": False,
            "set_until": NOW + timedelta(hours=3),
            "set_by": ANA,
            "set_at": NOW,
            **fields,
        }
    )


def a_webhook(**fields: Any) -> WebhookView:
    """Of a business that everything comes for."""
    row = Webhook(
        **{
            "business_id": 1,
            "environment": Environment.PRODUCTION,
            "thumbtack_id": "587754774977404932",
            "url": HERE,
            "username": "corkboard",
            "password": "sealed",
            "event_types": list(EVENTS),
            "is_enabled": True,
            "made_at": NOW,
            "checked_at": NOW,
            "last_delivery_at": NOW,
            **fields.pop("row", {}),
        }
    )
    return WebhookView(**{"row": row, "url": HERE, "lacks": (), "may_press": True, **fields})


def an_entry(action: str, **fields: Any) -> Audit:
    return Audit(**{"team_id": "T0CORKBOARD", "actor": OLGA, "action": action, "at": NOW, **fields})


def a_status(**fields: Any) -> StatusView:
    """A status of an office where nothing is connected yet."""
    return StatusView(
        **{
            "environment": Environment.PRODUCTION,
            "businesses": (),
            "unclear": (),
            "others": (),
            "others_answered": False,
            "keepers": Keepers(ids=(), from_settings=False),
            "allowed": (),
            "backlog": Backlog(waiting=0, oldest=None, dead=0),
            "changes": (),
            "earlier": 0,
            "names": {},
            **fields,
        }
    )


def a_good_day() -> StatusView:
    """Two businesses, one of them paused."""
    v4 = connected(("leads", "messages", "phone numbers"), generation=Generation.V4)
    return a_status(
        businesses=[
            BusinessView(
                business=a_business(),
                connections=[connected(), v4],
                targeting=[a_targeting()],
                erasure=None,
                webhook=a_webhook(),
            ),
            BusinessView(
                business=a_business(id=2, name="Maya's Cleaning"),
                connections=[connected(("messages",), lacks={"targeting": ("targeting",)})],
                targeting=[a_targeting(set_enabled=True, set_until=None, enabled=True, until=None)],
                erasure=None,
            ),
        ],
        keepers=Keepers(ids=(OLGA,), from_settings=True),
        allowed=(ANA, CREW),
        changes=[
            an_entry("targeting_set", actor=ANA, business_id=1, before={"enabled": True}, after={"enabled": False}),
            an_entry("phone_added", business_id=1, after={"number": "+1 415-555-0101", "name": "Front desk"}),
            an_entry("managers_set", before={"managers": [ANA]}, after={"managers": [ANA, CREW]}),
            an_entry("connected", business_id=2, subject="legacy", after={"connection": 7, "scopes": ["messages"]}),
            an_entry("keeper_set", subject=OLGA),
        ],
        earlier=12,
        names={1: "Tim's Painting Business", 2: "Maya's Cleaning"},
    )


def a_bad_day() -> StatusView:
    """Everything that may be wrong is."""
    broken = connected(state=ConnectionState.BROKEN, renew_at=None)
    failing = connected(failing_since=NOW - timedelta(days=2), failures=40)
    alone = connected(("messages",), renew_at=None, generation=Generation.V4)
    stuck = a_targeting(set_at=None, set_by=None, set_enabled=None, set_until=None, failing_since=NOW)
    painting = a_targeting(category_id="109", category="Interior Painting", enabled=True, until=None)
    times = {"asked_at": NOW, "starts_at": NOW + timedelta(days=1)}
    return a_status(
        environment=Environment.STAGING,
        businesses=[
            BusinessView(business=a_business(), connections=[broken, alone], targeting=[stuck, painting], erasure=None),
            BusinessView(
                business=a_business(id=2, name=None), connections=[failing], targeting=[], erasure=Erasure(**times)
            ),
            BusinessView(
                business=a_business(id=3), connections=[], targeting=[], erasure=Erasure(**times, started_at=NOW)
            ),
        ],
        unclear=[a_connection(generation=Generation.V4)],
        others=[a_business(id=4, name="Ben's Moving")],
        backlog=Backlog(
            waiting=3, oldest=NOW, dead=1, unread=12, not_understood=2, held=["C012AB3CD", "C045EF6GH"], heard_at=NOW
        ),
        changes=[
            an_entry("erased", actor=None, business_id=9, after={"leads": 12, "messages": 80}),
            an_entry("frobnicated", business_id=1, before={"a": [1, {"b": 2}]}, after={"a": None}),
            an_entry("targeting_set", business_id=1, before={"until": None}, after={"until": NOW.isoformat()}),
            an_entry("disconnected", business_id=1, before={"connected": ["legacy", "v4"]}, after={"erased": True}),
        ],
        names={1: "Tim's Painting Business"},
    )


def a_crowded_office() -> StatusView:
    """More of everything than a page holds."""
    business = BusinessView(
        business=a_business(name="B" * 300),
        connections=[connected(lacks={"targeting": ("targeting",)}), connected(generation=Generation.V4)],
        targeting=[a_targeting(category_id=str(n), category="Interior Painting " * 9) for n in range(40)],
        erasure=Erasure(asked_at=NOW, starts_at=NOW),
        webhook=a_webhook(row={"event_types": [f"{n}" * 99 for n in range(99)]}),
    )
    people = [f"U0{number:08d}" for number in range(100)]
    long = {f"field {n}": "x" * 500 for n in range(30)}
    return a_status(
        businesses=[business] * 40,
        others=[a_business(name=f"Business number {n}") for n in range(50)],
        keepers=Keepers(ids=people, from_settings=True),
        allowed=people,
        backlog=Backlog(waiting=10_000, oldest=NOW, dead=99, not_understood=99, held=[f"C0{n:08d}" for n in range(99)]),
        changes=[
            an_entry("managers_set", before={"managers": []}, after={"managers": people}),
            *[an_entry("a_new_action", before=long, after=dict.fromkeys(long, people))] * 4,
        ],
        earlier=10_000,
    )


def a_day_of_webhooks() -> StatusView:
    """Each way in which a webhook may stand."""
    v4 = connected(("leads", "messages", "phone numbers"), generation=Generation.V4)
    waiting = {"thumbtack_id": None, "last_delivery_at": None}
    views = {
        "Everything comes": a_webhook(),
        "Nothing came yet": a_webhook(row={"last_delivery_at": None}, may_press=False),
        "Leads only": a_webhook(row={"event_types": ["NegotiationCreatedV4"]}),
        "Elsewhere": a_webhook(url="https://new.example.com/v4/webhooks/1"),
        "None": a_webhook(row=waiting | {"reason": "unavailable"}),
        "Not allowed": a_webhook(row=waiting, lacks=("supply::webhooks.read", "supply::webhooks.write")),
        "No address": a_webhook(row=waiting, url=None),
        "Paused": a_webhook(row={"is_enabled": False}),
    }
    return a_status(
        businesses=[
            BusinessView(business=a_business(name=name), connections=[v4], targeting=(), erasure=None, webhook=view)
            for name, view in views.items()
        ]
    )


PAGES = {
    "status_webhooks": a_day_of_webhooks(),
    "status_nothing": a_status(),
    "status_good_day": a_good_day(),
    "status_bad_day": a_bad_day(),
    "status_crowded": a_crowded_office(),
}
