"""Several leads of several customers, and what the team did with them, for what lists them."""

from typing import Any

from support.office import Office

from sandbox.thumbtack import bodies
from storage import leads
from storage.models import Environment, Lead


async def arrive(place: Office, *names: str, **overrides: Any) -> list[str]:
    """A lead of each of these customers, one after the other, whose cards stand; their ids."""
    given = []
    for name in names:
        customer = {"customerID": f"52{abs(hash(name)) % 10**16:016d}", "name": name}
        lead = bodies.lead(**{"customer": customer, **overrides})
        assert (await place.post("/v1/lead", lead)).status_code == 200
        given.append(str(lead["leadID"]))
        await place.ingested()
    await place.at_rest()
    return given


async def become(place: Office, thumbtack_id: str, **columns: Any) -> Lead:
    """A lead is as the team's work leaves it."""
    async with place.database.transaction() as tx:
        lead = await leads.find(tx, Environment.PRODUCTION, thumbtack_id)
        assert lead is not None
        for name, value in columns.items():
            setattr(lead, name, value)
        return lead
