"""Looks at everything once, in an order in which each thing rests on those before it, and never stops at the first trouble."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime

from bot.app import make_thumbtack
from bot.command_start import cause
from bot.doctor import arriving, configuration, consents, keeping, rooms, slack_app, socket_mode, waiting
from bot.doctor.arriving import Reach
from bot.doctor.consents import Looker
from bot.doctor.findings import Area, Finding, broken, warning
from bot.doctor.keeping import Kept
from bot.settings import Settings
from bot.slack import Slack
from storage import checkup
from storage.checkup import Records
from storage.database import Database, StorageError

KEEPERS = "keepers"


async def examine(settings: Settings, *, clock: Callable[[], datetime], reach: Reach = arriving.reach) -> list[Finding]:
    """Everything that was found. Reads, and calls what changes nothing, beside a running `corkboard serve`.

    Slack, Thumbtack and the database may each be away: then that is what is found. `reach`: how the public address
    is asked.
    """
    async with AsyncExitStack() as life:
        database = Database(settings.database_url)
        life.push_async_callback(database.close)
        token = settings.slack_bot_token
        slack = Slack(token=token.get_secret_value() if token else None, base_url=settings.slack_api_url)
        await slack.open()
        life.push_async_callback(slack.close)
        return await _Examination(settings, database, slack, clock=clock, reach=reach).everything(life)


class _Examination:
    """One look at one deployment."""

    def __init__(
        self, settings: Settings, database: Database, slack: Slack, *, clock: Callable[[], datetime], reach: Reach
    ) -> None:
        self._settings = settings
        self._database = database
        self._slack = slack
        self._clock = clock
        self._reach = reach

    async def everything(self, life: AsyncExitStack) -> list[Finding]:
        found = configuration.of_settings(self._settings)
        kept = await keeping.look(self._settings, self._database)
        records, unread = await self._read(kept)
        found += [*kept.findings, *unread]
        found += await _whole(Area.SLACK, self._of_slack(records))
        found += await _whole(Area.WEBHOOKS, arriving.of_address(self._settings.public_url, ask=self._reach))
        found += await _whole(Area.WEBHOOKS, arriving.of_figures(self._settings.public_url, ask=self._reach))
        if records is None:
            return found
        if kept.vault is not None:
            thumbtack = make_thumbtack(self._settings)
            life.push_async_callback(thumbtack.aclose)
            looker = Looker(settings=self._settings, thumbtack=thumbtack, vault=kept.vault, now=self._clock())
            found += await _whole(Area.THUMBTACK, consents.look(looker, records))
            found += await _whole(Area.WEBHOOKS, arriving.look(looker, records))
        now = self._clock()
        found += [arriving.of_last(records, now=now), *arriving.of_silences(records, now=now)]
        return [*found, waiting.of_program(records, now=now), *waiting.of_queues(records, now=now)]

    async def _read(self, kept: Kept) -> tuple[Records | None, list[Finding]]:
        if not kept.readable:
            return None, []
        try:
            async with self._database.reading() as tx:
                environment = self._settings.thumbtack_environment
                return await checkup.read(tx, environment=environment, now=self._clock()), []
        except (StorageError, OSError) as error:
            told = f"its rows could not be read ({cause(error)})"
            return None, [broken(Area.DATABASE, "rows", told, keeping.GONE)]

    async def _of_slack(self, records: Records | None) -> list[Finding]:
        app = await slack_app.look(self._slack, clock=self._clock, signed=self._settings.slack_app_token is None)
        found, settings = app.findings, self._settings
        if settings.slack_app_token is not None:
            found += await socket_mode.look(self._slack, settings.slack_app_token.get_secret_value(), records)
        keepers = settings.slack_keepers or (records.keepers if records else ())
        if not keepers:
            remedy = "Set SLACK_KEEPERS, or press Set me as keeper in a notice."
            found.append(warning(Area.SLACK, KEEPERS, "nobody is told about trouble", remedy))
        uses = rooms.used(records, default=settings.slack_leads_channel)
        asked = await rooms.look(self._slack, uses) if app.answers else []
        if app.answers:
            found += await slack_app.of_people(self._slack, keepers, subject=KEEPERS)
            found += await slack_app.of_people(self._slack, settings.slack_ring, subject="SLACK_RING")
        return found + asked + (rooms.known_troubles(records, asked) if records else [])


async def _whole(area: Area, look: Awaitable[list[Finding]]) -> list[Finding]:
    """What a look found; a mistake of ours in one must not hide what the others find."""
    try:
        return await look
    except Exception as error:  # noqa: BLE001 -- see above
        told = f"looking at it broke ({type(error).__name__})"
        return [broken(area, "the check itself", told, "Report it: this is a mistake in Corkboard.")]
