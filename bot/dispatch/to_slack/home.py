"""A person's Home tab, made anew each time they open it or turn a page: of what they may see then, and no more."""

from collections.abc import Sequence
from datetime import datetime

from bot import access, searches
from bot.blocks import home as blocks
from bot.blocks import status
from bot.blocks.home import PAGE, Businesses, HomeView, Listed, Pages, Trouble
from bot.blocks.posts import Post
from bot.dispatch.plans import Answer, At, Plan, Prepared, Settled
from bot.dispatch.verdicts import Verdict
from bot.failures import Failure, Sort
from bot.searches import Asker
from bot.services import Services
from storage import channels, hearing, overview, searching
from storage.database import Transaction
from storage.models import ConnectionState
from storage.overview import Standing
from storage.searching import Search, Which


async def publish_home(at: At) -> Prepared:
    """PUBLISH_HOME {user, pages}: docs.slack.dev/reference/methods/views.publish. Doing it twice does no harm."""
    services, user = at.services, at.entry.payload["user"]
    asker = Asker(team_id=at.identity.team_id, user_id=user)
    pages = blocks.pages_of(at.entry.payload.get("pages"))

    async def perform() -> Answer:
        shown = await _view(services, asker, pages)
        return await services.slack.call("views.publish", {"user_id": user, "view": blocks.tab(shown)})

    async def failed(_tx: Transaction, failure: Failure, verdict: Verdict, _now: datetime) -> Verdict | Settled:
        return Settled(reason=failure.reason) if failure.sort is Sort.REFUSED else verdict

    return Plan(perform=perform, failed=failed)


async def _view(services: Services, asker: Asker, pages: Pages) -> HomeView:
    """What they may see; guests and strangers learn nothing of businesses either."""
    reach = await searches.reach(services, asker)
    may_change = await access.refusal(services, team_id=asker.team_id, user_id=asker.user_id) is None
    may_work = await access.may_work(services, team_id=asker.team_id, user_id=asker.user_id)
    seen = None if isinstance(reach, Post) else reach
    async with services.database.reading() as tx:
        standings = await overview.standings(tx, environment=services.settings.thumbtack_environment)
        return HomeView(
            mine=await _leads(services, tx, _search(Which.MINE, asker), seen, pages.mine),
            unanswered=await _leads(services, tx, _search(Which.UNANSWERED, asker), seen, pages.unanswered),
            refused=reach if isinstance(reach, Post) else None,
            businesses=await _businesses(tx, standings, pages.businesses) if may_work else None,
            trouble=await _trouble(services, tx, standings) if may_change else None,
            now=services.clock(),
        )


def _search(which: Which, asker: Asker) -> Search:
    return Search(which=which, user=asker.user_id)


async def _leads(
    services: Services, tx: Transaction, search: Search, seen: frozenset[str] | None, number: int
) -> Listed | None:
    if seen is None:
        return None
    by_age = search.which is Which.UNANSWERED
    page = await searching.find(tx, search, channels=seen, number=number, size=PAGE, longest_waiting_first=by_age)
    return Listed(page=page, found=[await searches.shown(services, tx, one) for one in page.found])


async def _businesses(tx: Transaction, standings: Sequence[Standing], number: int) -> Businesses:
    page = searching.page_of(standings, number=number, size=PAGE)
    return Businesses(page=page, heard=await hearing.last_heard(tx, [one.business.id or 0 for one in page.found]))


async def _trouble(services: Services, tx: Transaction, standings: Sequence[Standing]) -> Trouble:
    broken = [one for one in standings if any(row.state == ConnectionState.BROKEN for row in one.connections)]
    return Trouble(
        backlog=await overview.backlog(tx, environment=services.settings.thumbtack_environment, now=services.clock()),
        broken=[status.name_of(one.business) for one in broken],
        closed=[(one.channel, one.closed) for one in await channels.listed(tx) if one.closed is not None],
    )
