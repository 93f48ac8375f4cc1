"""A connected business's phone numbers, as people in Slack and as Thumbtack see them."""

from support.office import Office

from sandbox.faults import Fault
from sandbox.thumbtack import bodies
from storage.models import Audit
from storage.models import Phone as PhoneRow

OAK = bodies.BUSINESS_ID
WORKS = Fault(delay=0)
"""A call that goes as it should, before one that does not."""


async def connected(place: Office, *numbers: tuple[str, str | None]) -> None:
    """A business with phone numbers, connected over v4."""
    for number, name in numbers:
        place.thumbtack.add_phone_number(OAK, number, name)
    await place.connect("v4")


async def listed(place: Office, typed: str = "phones", **kwargs: str) -> str:
    """The list as the person sees it."""
    assert "Asking Thumbtack" in await place.command(typed, **kwargs)
    await place.at_rest()
    return place.whispers(**kwargs)[-1]


def registered(place: Office) -> dict[str, str | None]:
    """What Thumbtack has."""
    return {one.number: one.name for one in place.thumbtack.phones(OAK) if not one.is_deleted}


async def row_id(place: Office, name: str) -> str:
    """What the buttons beside a number carry."""
    return str(next(one.id for one in await place.rows(PhoneRow) if one.name == name))


async def trail(place: Office) -> list[tuple[str, dict, dict]]:
    """What the audit trail says about phone numbers."""
    return [(one.action, one.before, one.after) for one in await place.rows(Audit) if one.action.startswith("phone")]
