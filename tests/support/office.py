"""The whole program between the two stand-ins, as tests see it: front door in, recorded HTTP out.

The workspace: U0ANA and U0BEN (the group S0CREW) are ordinary members, U0OLGA is an admin of the workspace; all are in
C0LEADS. Nobody is a keeper until `slack_keepers` says so.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import CoroutineType
from typing import Any, TypeVar

import httpx
from sqlalchemy import select, text
from sqlmodel import col
from starlette.applications import Starlette
from starlette.routing import Mount
from support import unsaid
from support.unsaid import EARLY_CARD, TO_BE_SAID

import bot
import storage
import webhooks
from bot import settings as bot_settings
from bot.app import create_app
from sandbox.reading import Reader
from sandbox.servers import serving
from sandbox.slack import Answer, SlackStandIn
from sandbox.slack.block_kit import elements
from sandbox.thumbtack import ThumbtackStandIn
from storage import inbox, migrate, outbox
from storage.database import Database
from storage.models import Connection, Inbox, Row

R = TypeVar("R", bound=Row)
WEBHOOK = ("thumbtack", "let-me-in")
PRO_API = ("corkboard", "send-it")
LEGACY_CLIENT = ("corkboard-pro-api", "secret-of-the-pro-api")
V4_CLIENT = ("corkboard-v4", "secret-of-v4")
PUBLIC_URL = "https://bot.example"
ADMIN = "U0OLGA"
BOT_TOKEN = "xoxb-of-the-tests"
SIGNING_SECRET = "signing-secret-of-the-tests"
CHANNEL = "C0LEADS"
PATIENCE = 60.0
"""Seconds after which something will not happen any more; many times what it takes, for it costs only where something is wrong."""

UNTOLD = 0.5
"""Seconds after which the database is looked at again: what a replica writes down wakes nobody here."""

MEANWHILE = timedelta(seconds=0.25)
"""What is enqueued between looking at the clock and looking at the database is due a moment later than that."""

OURS = tuple(str(Path(package.__file__).parent) for package in (bot, storage, webhooks))


class Clock:
    """The real time plus what a test added to it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Door:
    """What answers at the bot's address: the running app, whichever start it is of."""

    def __init__(self) -> None:
        self.app: Starlette | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert self.app is not None, "the bot does not run"
        await self.app(scope, receive, send)


class Office:
    """A running bot with its Slack workspace and its Thumbtack."""

    def __init__(
        self,
        database_url: str,
        *,
        slack: SlackStandIn,
        thumbtack: ThumbtackStandIn,
        door: Door,
        http: httpx.AsyncClient,
        clock: Clock,
    ) -> None:
        self.database_url = database_url
        self.door = door
        self.database = Database(database_url)
        self.slack = slack
        self.thumbtack = thumbtack
        self.http = http
        self.clock = clock
        self.knobs: dict[str, Any] = {}
        self._replicas: list[Office] = []
        self._life: AsyncExitStack | None = None

    async def start(self, **knobs: Any) -> None:
        """Start the bot (again) with these settings changed."""
        self.knobs |= knobs
        app = create_app(bot_settings.load(_env_file=None, **self.knobs), clock=self.clock, jitter=lambda: 0.0)
        self._life = AsyncExitStack()
        await self._life.enter_async_context(app.router.lifespan_context(app))
        self.door.app = app

    async def stop(self) -> None:
        """Stop the bot as SIGTERM would."""
        if self._life is not None:
            life, self._life = self._life, None
            await life.aclose()

    async def crash(self) -> None:
        """End the bot as a power cut would: what is under way is neither finished nor written down."""
        ours = [task for task in asyncio.all_tasks() if _is_of_the_bot(task)]
        for task in ours:
            task.cancel()
        await asyncio.gather(*ours, return_exceptions=True)
        await self.stop()

    @asynccontextmanager
    async def replica(self) -> AsyncIterator["Office"]:
        """A second bot on the same database, Slack, Thumbtack and clock. PostgreSQL alone: one process serves a SQLite file."""
        other = Office(
            self.database_url,
            slack=self.slack,
            thumbtack=self.thumbtack,
            door=Door(),
            http=self.http,
            clock=self.clock,
        )
        other.knobs = dict(self.knobs)
        try:
            await other.start()
            self._replicas.append(other)
            yield other
        finally:
            self._replicas.clear()
            await other.stop()
            await other.database.close()

    async def advance(self, **ahead: float) -> None:
        """Let time pass at once, in Slack too, and wake what waited for it."""
        self.clock.ahead += timedelta(**ahead)
        self._running_database().wake({outbox.TOPIC, inbox.TOPIC})

    async def at_rest(self, *, within: float = PATIENCE) -> None:
        """Wait until everything that was heard and may be said now was said; a card that waits for its lead waits no more."""
        await self.ingested(within=within)
        changed = asyncio.Event()
        for one in (self, *self._replicas):  # what one of them did with an entry it tells nobody
            for topic in (outbox.TOPIC, outbox.SETTLED):
                one._running_database().on_commit(topic, changed.set)
        async with asyncio.timeout(within):
            while True:
                changed.clear()
                now = self.clock()
                async with self.database.reading() as tx:
                    nothing = (await tx.execute(TO_BE_SAID, unsaid.at(now + MEANWHILE))).first() is None
                    card_due = (await tx.execute(EARLY_CARD, {"now": now})).scalar_one_or_none() if nothing else None
                if nothing and card_due is None:
                    return
                if card_due is not None:
                    await self.advance(seconds=(card_due - now).total_seconds())
                with suppress(TimeoutError):
                    async with asyncio.timeout(UNTOLD):
                        await changed.wait()

    async def ingested(self, *, within: float = PATIENCE) -> None:
        """Wait until every webhook that was accepted was read, or kept because it could not be."""
        unread = select(Inbox.id).where(col(Inbox.settled_at).is_(None)).limit(1)
        async with asyncio.timeout(within):
            while True:
                async with self.database.reading() as tx:
                    if (await tx.execute(unread)).first() is None:
                        return

    async def until_somebody_waits(self) -> None:
        """Until a transaction waits for another one's lock. SQLite has one writer: there nobody else has begun."""
        if self.database.is_sqlite:
            return
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        async with asyncio.timeout(PATIENCE):
            while True:
                async with self.database.reading() as tx:
                    if (await tx.execute(text(waiting))).first():
                        return

    async def rows(self, row: type[R]) -> Sequence[R]:
        """Every row of a kind, oldest first."""
        async with self.database.reading() as tx:
            return (await tx.execute(select(row).order_by(text("id")))).scalars().all()

    def _running_database(self) -> Database:
        assert self.door.app is not None
        database: Database = self.door.app.state.services.database
        return database

    async def post(self, path: str, body: Any, *, method: str = "POST", **kwargs: Any) -> httpx.Response:
        """A webhook as Thumbtack sends it."""
        kwargs.setdefault("auth", WEBHOOK)
        return await self.http.request(method, path, json=body, **kwargs)

    async def connect(
        self, generation: str = "legacy", businesses: Sequence[str] | None = None, *, user: str = ADMIN
    ) -> Connection:
        """Connect businesses (None: the first that the pro has) as people do: command, browser, consent, browser.

        Returns the newest connection once the news of it stand in the channel.
        """
        await self.slack.command(user, "/thumbtack", "connect")
        page = await self.come_back(self.link(generation, user=user), businesses=businesses)
        assert page.status_code == 200, page.text
        await self.at_rest()
        return (await self.rows(Connection))[-1]

    def link(self, generation: str, *, user: str = ADMIN) -> str:
        """The link of this API in what the person was shown last."""
        goes_for = {"v4": "Leads, messages, phones", "legacy": "Messages, targeting"}[generation]
        for block in self.slack.ephemerals(user)[-1]["blocks"]:
            if goes_for in str(block) and "accessory" in block:
                url: str = block["accessory"]["url"]
                return url
        raise LookupError(f"{user} was not offered a link for {goes_for}")

    async def come_back(
        self, link: str, *, businesses: Sequence[str] | None = None, deny: bool = False
    ) -> httpx.Response:
        """Follow our link to Thumbtack's consent page, decide there, and be sent back: the page that is shown then."""
        leaving = await self.http.get(link)
        assert leaving.status_code == 303, leaving.text
        url = await self.thumbtack.consent(leaving.headers["location"], businesses=businesses, deny=deny)
        return await self.http.get(url)

    async def seen(self, predicate: Callable[[], Any], *, within: float = PATIENCE) -> Any:
        """Wait until the workspace shows something; returns what the predicate returned."""
        return await self.slack.wait_until(predicate, timeout=within)

    async def command(self, typed: str = "", *, user: str = ADMIN) -> str:
        """A person types `/thumbtack …`; what they see at once, line by line as they read it ("" for nothing)."""
        answer = await self.slack.command(user, "/thumbtack", typed)
        assert answer.ok, f"the command was answered with {answer.status}: {answer.body or answer.failure}"
        return self.read(answer.json()) if answer.body else ""

    async def press(self, action_id: str, value: Any = None, *, user: str = ADMIN) -> Answer:
        """A person presses (or chooses from) the newest thing of that name that they can see, their window first."""
        views = self.slack.views(user)
        if views and any(element["action_id"] == action_id for _, element in elements(views[-1]["blocks"])):
            return await self.slack.press_in_view(user, action_id, value)
        for message in sorted(self._shown_to(user), key=lambda one: float(one["ts"]), reverse=True):
            if any(_is_meant(one, action_id, value) for _, one in elements(message.get("blocks", []))):
                return await self.slack.press(user, message["channel"], message["ts"], action_id, value)
        raise LookupError(f"{user} sees nothing to press called {action_id}\n{self.slack.transcript()}")

    async def submit(self, values: dict[str, Any] | None = None, *, user: str = ADMIN) -> dict[str, str]:
        """A person fills in their top window (by action_id) and submits it; the errors that it shows then, by block_id."""
        answer = await self.slack.submit(user, values or {})
        assert answer.ok, f"the window was answered with {answer.status}: {answer.body or answer.failure}"
        said = answer.json() or {}
        errors: dict[str, str] = said.get("errors", {}) if said.get("response_action") == "errors" else {}
        return errors

    def window(self, user: str = ADMIN) -> dict[str, Any] | None:
        """The modal that a person looks at."""
        return next(reversed(self.slack.views(user)), None)

    def whispers(self, user: str = ADMIN) -> list[str]:
        """What only this person sees in the channel, oldest first, as they read it."""
        return [self.read(one) for one in self.slack.ephemerals(user)]

    def told(self, user: str = ADMIN) -> list[str]:
        """The direct messages between the bot and this person, oldest first, as they read them."""
        return [self.read(one) for one in self.slack.direct_messages(user)]

    def read(self, message: dict[str, Any]) -> str:
        """A message as a person reads it: its blocks line by line, buttons in brackets."""
        return "\n".join(line.plain for line in Reader(self.slack.workspace).lines(message))

    def _shown_to(self, user: str) -> list[dict[str, Any]]:
        """Every message that a person can see, each with its `channel`."""
        seen = [
            message | {"channel": channel.channel_id}
            for channel in self.slack.workspace.channels.values()
            if user in channel.members
            for message in channel.messages.values()
        ]
        return seen + self.slack.ephemerals(user)

    @property
    def cards(self) -> list[dict[str, Any]]:
        """The parent messages in the channel, oldest first."""
        return [one for one in self.slack.messages(CHANNEL) if one.get("thread_ts", one["ts"]) == one["ts"]]

    def thread(self, card: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """A card's thread without the card."""
        ts = (card or self.cards[0])["ts"]
        return [one for one in self.slack.thread(CHANNEL, ts) if one["ts"] != ts]

    def mark(self, ts: str) -> list[str]:
        """The bot's marks on a message."""
        return [name for name, users in self.slack.reactions(CHANNEL, ts).items() if "U0CORKBOT" in users]


def _is_meant(element: dict[str, Any], action_id: str, value: Any) -> bool:
    """Whether this can be pressed so; of several buttons of one name the value says which."""
    is_other = element["type"] == "button" and value not in (None, element.get("value"))
    return element["action_id"] == action_id and not is_other


def _is_of_the_bot(task: asyncio.Task[Any]) -> bool:
    coroutine = task.get_coro()
    return isinstance(coroutine, CoroutineType) and coroutine.cr_code.co_filename.startswith(OURS)


def settings_of(database_url: str, address: str) -> dict[str, Any]:
    """The settings of a bot between stand-ins that are served at `address`."""
    return {
        "database_url": database_url,
        "encryption_keys": "zH9o1mJmZUoY8D0m2rWn8q2c6a0m3S7mX0bqQ3B1u0Y=",
        "slack_bot_token": BOT_TOKEN,
        "slack_signing_secret": SIGNING_SECRET,
        "slack_leads_channel": CHANNEL,
        "slack_api_url": f"{address}/slack/api/",
        "slack_posts_per_second": 1000,
        "thumbtack_webhook_username": WEBHOOK[0],
        "thumbtack_webhook_password": WEBHOOK[1],
        "thumbtack_legacy_api_url": f"{address}/thumbtack/legacy",
        "public_url": PUBLIC_URL,
        "thumbtack_client_id": V4_CLIENT[0],
        "thumbtack_client_secret": V4_CLIENT[1],
        "thumbtack_api_url": f"{address}/thumbtack/api",
        "thumbtack_auth_url": f"{address}/thumbtack/oauth2",
        "thumbtack_legacy_client_id": LEGACY_CLIENT[0],
        "thumbtack_legacy_client_secret": LEGACY_CLIENT[1],
        "thumbtack_legacy_connect_url": f"{address}/thumbtack/connect/",
        "thumbtack_legacy_username": PRO_API[0],
        "thumbtack_legacy_password": PRO_API[1],
        "reply_hold_seconds": 0,
        "remind_after_minutes": "0",
        "surface_after_hours": 0,
    }


@asynccontextmanager
async def office(database_url: str, **knobs: Any) -> AsyncIterator[Office]:
    """A running office; `knobs` are settings to change."""
    door, clock = Door(), Clock()
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app=door), base_url="http://bot")
    slack = SlackStandIn(
        bot_token=BOT_TOKEN,
        signing_secret=SIGNING_SECRET,
        events_url="http://bot/slack/events",
        client=http,
        clock=lambda: clock().timestamp(),
    )
    thumbtack = ThumbtackStandIn(
        username=PRO_API[0],
        password=PRO_API[1],
        webhook_url="http://bot",
        webhook_username=WEBHOOK[0],
        webhook_password=WEBHOOK[1],
        known_leads=None,
        legacy_client=LEGACY_CLIENT,
        v4_client=V4_CLIENT,
        client=http,
        clock=clock,
    )
    thumbtack.grants.redirect_uris = {f"{PUBLIC_URL}/thumbtack/callback"}
    world = Starlette(routes=[*slack.routes, Mount("/thumbtack", thumbtack.app)])
    async with serving(world) as address:
        slack.base_url = address
        place = Office(database_url, slack=slack, thumbtack=thumbtack, door=door, http=http, clock=clock)
        place.knobs = settings_of(database_url, address)
        await migrate.upgrade(place.database)
        try:
            await place.start(**knobs)
            yield place
        finally:
            await place.stop()
            await place.database.close()
            await slack.aclose()
            await thumbtack.aclose()
            await place.http.aclose()
