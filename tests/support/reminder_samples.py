"""Reminders and the settings of a business, as samples to look at."""

from datetime import timedelta
from typing import Any

from support.samples import NOW
from support.status_samples import ANA, CREW, OLGA

from bot.blocks import reminders as blocks
from bot.blocks import settings_business
from bot.blocks.business_choice import Everywhere
from bot.blocks.posts import Post
from bot.blocks.reminders import Reminder
from bot.settings import Privacy
from storage.models import Business, Environment

EVERYWHERE = Everywhere(privacy=Privacy.FULL, remind_after=(5, 15, 60))


FROM_HERE = {"replies": True, "url": None}


def _reminder(**others: Any) -> Post:
    values: dict[str, Any] = {"lead_id": 7, "name": "John Davis", "waited": timedelta(minutes=5), "answered": False}
    return blocks.reminder(
        Reminder(**{**values, "owner": None, "ring": (), "in_channel": False, **FROM_HERE, **others})
    )


def _business(number: int = 3, **values: Any) -> Business:
    named = {"thumbtack_id": str(number), "name": f"Tim's Painting Business {number}"}
    return Business(id=number, environment=Environment.PRODUCTION, created_at=NOW, **named, **values)


CHOSEN = _business(
    channel="C012CREW",
    privacy="private",
    remind_after=[10, 30],
    hours={"mon": [["08:00", "12:00"], ["13:00", "17:30"]], "sat": [["18:00", "02:00"]]},
    time_zone="America/Indiana/Indianapolis",
    on_duty=[ANA, CREW],
)
GROUPS = {CREW: "Crew (@crew)", "S056OFFICE": "Office (@office)"}

POSTS: dict[str, list[Post]] = {
    "reminder": [
        _reminder(),
        _reminder(waited=timedelta(minutes=15), ring=(ANA, CREW)),
        _reminder(waited=timedelta(minutes=61), ring=(ANA, CREW), owner=OLGA, in_channel=True),
        _reminder(waited=timedelta(hours=3), answered=True, owner=OLGA),
        _reminder(waited=timedelta(days=3), name=None),
    ],
    "reminder_snoozed": [blocks.snoozed(ANA, NOW), blocks.nobody_waits()],
}
WINDOWS: dict[str, dict[str, Any]] = {
    "modal_business": settings_business.business_window([CHOSEN], CHOSEN, everywhere=EVERYWHERE, groups=GROUPS),
    "modal_business_again": settings_business.business_window(
        [_business(4), CHOSEN], _business(4), everywhere=EVERYWHERE, groups=None, again=True
    ),
    "modal_business_which": settings_business.business_window(
        [_business(number) for number in range(1, 131)], None, everywhere=EVERYWHERE, groups=None
    ),
    "modal_business_none": settings_business.business_window([], None, everywhere=EVERYWHERE, groups=None),
    "modal_business_saved": settings_business.saved_window(CHOSEN, everywhere=EVERYWHERE, changed=True, cards=12),
    "modal_business_same": settings_business.saved_window(_business(4), everywhere=EVERYWHERE, changed=False, cards=0),
}
