"""Another page of a list of leads, in place of the one that was turned."""

from datetime import datetime

from bot import searches
from bot.blocks import found as blocks
from bot.dispatch.plans import Answer, At, Plan, Prepared, Settled
from bot.dispatch.verdicts import Verdict
from bot.failures import Failure, Sort
from bot.searches import Asker
from storage.database import Transaction


async def show_found(at: At) -> Prepared:
    """SHOW_FOUND {url (sealed), user, team_id, value}: what `value` turned to is found anew when it is shown."""
    payload, services = at.entry.payload, at.services
    asker = Asker(team_id=payload["team_id"], user_id=payload["user"])
    url = services.vault.open(payload["url"])

    async def perform() -> Answer:
        turned = searches.turned(services, payload["value"], asker)
        found = turned and await searches.listing(services, asker, turned.search, number=turned.number)
        post = found or blocks.cannot_turn()
        await services.slack.respond(url, {"text": post.text, "blocks": post.blocks, "replace_original": True})
        return {}

    async def failed(_tx: Transaction, failure: Failure, verdict: Verdict, _now: datetime) -> Verdict | Settled:
        return Settled(reason=failure.reason) if failure.sort in (Sort.REFUSED, Sort.UNKNOWN) else verdict

    return Plan(perform=perform, failed=failed)
