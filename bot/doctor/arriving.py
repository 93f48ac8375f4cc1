"""How leads come in, as the doctor finds it: our address, our webhooks at Thumbtack, and when something came last."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import aiohttp

from bot import features, heartbeat, silence
from bot.blocks.status import name_of
from bot.blocks.webhooks import EVENTS
from bot.doctor.consents import Looker, asked, refused
from bot.doctor.findings import Area, Finding, broken, ok, warning
from bot.doctor.times import ago, lasting
from bot.silence import Silence
from storage.checkup import Records
from storage.hearing import Habit
from storage.models import Business, Connection, Environment, Generation, Webhook
from storage.overview import Standing
from webhooks import routes
from webhooks.thumbtack.errors import CallError
from webhooks.thumbtack.records import Webhook as Listed

QUIET = timedelta(days=7)
"""A business that gets leads at all hears something within a week."""

REPAIR = "Type /thumbtack status in Slack and press Repair."

Reach = Callable[[str], Awaitable[int | None]]
"""Asks an address; the HTTP status, None where nobody answers."""

REACH_TIMEOUT = aiohttp.ClientTimeout(total=5)


async def reach(url: str) -> int | None:
    """The status with which an address answers; redirects are not followed."""
    try:
        async with aiohttp.ClientSession(timeout=REACH_TIMEOUT) as http, http.get(url, allow_redirects=False) as answer:
            return answer.status
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return None


async def of_address(public_url: str | None, *, ask: Reach) -> list[Finding]:
    """Whether a webhook would be stored that comes by the public address; it is asked from here, not from outside."""
    if public_url is None:
        return []
    status, subject = await ask(f"{public_url.rstrip('/')}/readyz"), "PUBLIC_URL"
    if status == 200:
        return [ok(Area.WEBHOOKS, subject, "`corkboard serve` answers there, and can store webhooks")]
    if status == 503:
        told = "`corkboard serve` answers there, and cannot store webhooks"
        return [broken(Area.WEBHOOKS, subject, told, "Mend the database; /readyz says why on the machine itself.")]
    told = "nobody answers there" if status is None else f"something else answers there (HTTP {status})"
    remedy = "Start `corkboard serve` and the web server before it. Some networks hide their own address from inside."
    return [warning(Area.WEBHOOKS, subject, told, remedy)]


async def of_figures(public_url: str | None, *, ask: Reach) -> list[Finding]:
    """Whether the figures are told to anybody: a web server that does not say for whom it asks looks like this machine."""
    if public_url is None or urlsplit(public_url).hostname in heartbeat.LOOPBACK:
        return []
    if await ask(f"{public_url.rstrip('/')}/metrics") != 200:
        return []
    told = "everybody can read /metrics there: the web server does not say for whom it asks"
    return [broken(Area.WEBHOOKS, "PUBLIC_URL", told, "Let it set X-Forwarded-For, or refuse /metrics there.")]


def of_last(records: Records, *, now: datetime) -> Finding:
    """When the last webhook came."""
    last, subject = records.measured.last_webhook_at, "last event"
    if last is None:
        remedy = "Give Thumbtack the address (docs/install.md, step 4), or press Test in /thumbtack status."
        return warning(Area.WEBHOOKS, subject, "nothing came from Thumbtack yet", remedy)
    told = f"something came from Thumbtack {ago(last, now)} ({last:%Y-%m-%d %H:%M} UTC)"
    if now - last > QUIET:
        remedy = "Look in Thumbtack for leads that are not here; press Test in /thumbtack status."
        return warning(Area.WEBHOOKS, subject, told, remedy)
    return ok(Area.WEBHOOKS, subject, told)


def of_silences(records: Records, *, now: datetime) -> list[Finding]:
    """The businesses for which nothing comes any more, far beyond their habit."""
    return [
        _silent(habit, found) for habit in records.habits if (found := silence.of_habit(habit, now=now)) is not None
    ]


def _silent(habit: Habit, found: Silence) -> Finding:
    told = f"nothing came since {found.since:%Y-%m-%d %H:%M} UTC; before, no pause was longer than {lasting(found.longest)}"
    remedy = "Look in Thumbtack for leads that are not here; type /thumbtack status and press Repair or Test."
    return warning(Area.WEBHOOKS, name_of(habit.business), told, remedy)


async def look(looker: Looker, records: Records) -> list[Finding]:
    """One finding for the webhook of each business that v4 is connected for."""
    return [await _of_business(looker, *one) for standing in records.standings for one in _with_v4(standing)]


def _with_v4(standing: Standing) -> list[tuple[Standing, Connection]]:
    found = [one for one in standing.connections if one.generation == Generation.V4]
    return [(standing, found[-1])] if found and not standing.erasure else []


async def _of_business(looker: Looker, standing: Standing, connection: Connection) -> Finding:
    business, row = standing.business, standing.webhook
    lacks, subject = features.lacks_webhooks(connection.scopes), name_of(business)
    if lacks:
        remedy = (
            "Type /thumbtack connect and allow it, or make a webhook in Thumbtack yourself (docs/install.md, step 4)."
        )
        return warning(Area.WEBHOOKS, subject, f"none of ours: {', '.join(lacks)} was not allowed", remedy)
    if row is None or row.thumbtack_id is None:
        why = f" ({row.reason})" if row is not None and row.reason else ""
        return broken(Area.WEBHOOKS, subject, f"Thumbtack has no webhook of ours{why}: its leads do not come", REPAIR)
    token = looker.token_of(connection)
    if token is None:
        told = "Thumbtack could not be asked about it: its connection is broken"
        return warning(Area.WEBHOOKS, subject, told, "Mend the connection.")
    try:
        listed = await asked(looker.thumbtack.list_webhooks(token, business_id=business.thumbtack_id))
    except CallError as error:
        return refused(Area.WEBHOOKS, subject, error)
    return of_webhook(business, row, listed, public_url=looker.settings.public_url, now=looker.now)


def of_webhook(
    business: Business, row: Webhook, listed: Sequence[Listed], *, public_url: str | None, now: datetime
) -> Finding:
    """How our webhook stands by Thumbtack's own list."""
    subject = name_of(business)
    ours = [one for one in listed if one.webhook_id == row.thumbtack_id]
    if not ours:
        told = "our webhook was deleted at Thumbtack: its leads do not come"
        return broken(Area.WEBHOOKS, subject, told, REPAIR)
    wrong = _wrong(ours[0], url=routes.address(public_url, Environment(business.environment), business.thumbtack_id))
    if wrong is not None:
        return broken(Area.WEBHOOKS, subject, wrong, REPAIR)
    told = f"{', '.join(EVENTS.values())} come"
    if row.last_delivery_at is None:
        return warning(Area.WEBHOOKS, subject, f"{told}; nothing came by it yet", "Press Test in /thumbtack status.")
    return ok(Area.WEBHOOKS, subject, f"{told}, the last {ago(row.last_delivery_at, now)}")


def _wrong(one: Listed, *, url: str | None) -> str | None:
    """What the list says that is not as it should be; what it does not say counts as right."""
    if one.is_enabled is False:
        return "our webhook is switched off at Thumbtack: its leads do not come"
    missing = [word for name, word in EVENTS.items() if name not in one.event_types]
    if missing:
        return f"our webhook is without {', '.join(missing)}: these do not come"
    if url is not None and one.url not in (None, url):
        return "our webhook leads to another address than PUBLIC_URL"
    if one.auth_type not in (None, "Basic"):
        return "our webhook shows no user name and password: what comes by it is refused"
    return None
