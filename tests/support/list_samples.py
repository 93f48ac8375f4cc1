"""Lists of leads and Home tabs, from an office where nothing is going on to one where everything is."""

from datetime import timedelta
from typing import Any

from support.samples import NOW, a_lead
from support.status_samples import ANA, OLGA, a_business, a_connection, a_targeting

from bot.blocks import found as blocks
from bot.blocks import home as home_blocks
from bot.blocks.found import Carried, FoundLead
from bot.blocks.home import Businesses, HomeView, Listed, Trouble
from storage.models import Connection, ConnectionState, Erasure, Generation, LeadOutcome, Targeting
from storage.overview import Backlog, Standing
from storage.searching import Page, Search, Which, page_of

URL = "https://corkboard.slack.com/archives/C012AB3CD/p1788287400000100?thread_ts=1788287400.000100&cid=C012AB3CD"


def a_found(name: str | None = "Maya Alvarez", **fields: Any) -> FoundLead:
    """A lead in a list; `private`, `business` and columns of the lead."""
    given = {"business": "Tim's Painting", "private": False, "url": URL}
    given |= {key: fields.pop(key) for key in tuple(given) if key in fields}
    return FoundLead(name=name, lead=a_lead(**fields), **given)


EVERY_STATE = [
    a_found(waiting_since=NOW - timedelta(minutes=12), received_at=NOW - timedelta(minutes=12)),
    a_found("Ben Ortiz", owner=ANA, waiting_since=NOW - timedelta(hours=3), received_at=NOW - timedelta(hours=3)),
    a_found("D. Quill", owner=OLGA, first_answer_at=NOW, received_at=NOW - timedelta(days=1)),
    a_found(
        "Cleo Park",
        owner=OLGA,
        first_answer_at=NOW,
        waiting_since=NOW - timedelta(minutes=40),
        received_at=NOW - timedelta(days=9),
    ),
    a_found("Ed Stone", owner=ANA, outcome=LeadOutcome.WON, received_at=NOW - timedelta(days=30)),
    a_found("Fay Wu", outcome=LeadOutcome.LOST, received_at=NOW - timedelta(days=31)),
    a_found("Gil Roe", status="Canceled", received_at=NOW - timedelta(days=32)),
    a_found(None, private=True, business="Quiet Law", waiting_since=NOW - timedelta(hours=1)),
]
LONG = [
    a_found("x" * 3000, category="<!channel> *y* " * 90, city="ü" * 900, business="B" * 900, owner=ANA)
    for _ in range(8)
]


def a_page(found: list[Any], *, total: int | None = None, number: int = 0) -> Page[Any]:
    """A page with these; `total`: of more than one."""
    first = number * len(found)
    return Page(found=found, number=number, first=first, total=len(found) if total is None else total)


def a_list(found: list[FoundLead], which: Which = Which.OPEN, text: str = "", **page: Any) -> Any:
    """The post of a list."""
    shown = a_page(found, **page)
    carried = Carried(back=f"{which}:{max(0, shown.number - 1)}:", forth=f"{which}:{shown.number + 1}:")
    return blocks.listing(Search(which=which, user=ANA, text=text), shown, found, carried=carried, now=NOW)


POSTS = {
    "leads_found": [a_list(EVERY_STATE), a_list(EVERY_STATE, Which.UNANSWERED, total=30, number=2)],
    "leads_found_none": [a_list([], which, text="Maya") for which in Which],
    "leads_found_not": [blocks.for_members(), blocks.not_asked(), blocks.cannot_turn()],
}


def a_standing(**fields: Any) -> Standing:
    given: dict[str, Any] = {
        "business": a_business(),
        "connections": (),
        "targeting": (),
        "erasure": None,
        "webhook": None,
    }
    return Standing(**{**given, **fields})


def _v4(**fields: Any) -> Connection:
    return a_connection(generation=Generation.V4, **fields)


def _category(number: int) -> Targeting:
    return a_targeting(category_id=str(number), category=f"Category {number}")


STANDINGS = [
    a_standing(connections=[a_connection(), _v4()]),
    a_standing(business=a_business(id=2, name="Quiet Law"), connections=[_v4()], targeting=[a_targeting()]),
    a_standing(business=a_business(id=3, name="B" * 300), connections=[_v4(state=ConnectionState.BROKEN)]),
    a_standing(business=a_business(id=4, name=None), targeting=[_category(1), _category(2)]),
    a_standing(
        business=a_business(id=5, name="Gone Soon"),
        erasure=Erasure(asked_at=NOW, starts_at=NOW + timedelta(days=2)),
        connections=[a_connection()],
    ),
]


def a_home(**fields: Any) -> HomeView:
    """A tab on which there is nothing to do yet."""
    nothing = Listed(page=page_of((), number=0, size=5), found=())
    given: dict[str, Any] = {
        "mine": nothing,
        "unanswered": nothing,
        "refused": None,
        "businesses": Businesses(page=page_of((), number=0, size=5), heard={}),
        "trouble": None,
        "now": NOW,
    }
    return HomeView(**{**given, **fields})


def _listed(found: list[FoundLead], **page: Any) -> Listed:
    return Listed(page=a_page(list(found), **page), found=found)


def a_crowded_home() -> HomeView:
    """As much as there can be of everything, in the middle of every list."""
    found = Listed(page=a_page(LONG[:5], total=40, number=3), found=LONG[:5])  # type: ignore[arg-type]
    return a_home(
        mine=found,
        unanswered=found,
        businesses=Businesses(page=a_page([STANDINGS[2]] * 5, total=90, number=5), heard={3: NOW}),
        trouble=Trouble(
            backlog=Backlog(waiting=9999, oldest=NOW, dead=99),
            broken=["B" * 300] * 40,
            closed=[(f"C{number:08d}", "archived") for number in range(40)],
        ),
    )


HOMES = {
    "home_first": a_home(),
    "home_busy": a_home(
        mine=_listed([EVERY_STATE[1], EVERY_STATE[3]], total=7),
        unanswered=_listed([EVERY_STATE[1], EVERY_STATE[7], EVERY_STATE[3], EVERY_STATE[0]]),
        businesses=Businesses(page=a_page(STANDINGS), heard={1: NOW, 2: NOW - timedelta(days=3), 3: NOW}),
    ),
    "home_keeper": a_home(
        trouble=Trouble(
            backlog=Backlog(waiting=3, oldest=NOW - timedelta(hours=1), dead=1),
            broken=["Tim's Painting Business"],
            closed=[("C012AB3CD", "archived")],
        ),
    ),
    "home_guest": a_home(mine=None, unanswered=None, businesses=None, refused=blocks.for_members()),
    "home_not_asked": a_home(mine=None, unanswered=None, refused=blocks.not_asked()),
    "home_crowded": a_crowded_home(),
}


def tabs() -> dict[str, dict[str, Any]]:
    """Each as Slack gets it."""
    return {name: home_blocks.tab(view) for name, view in HOMES.items()}
