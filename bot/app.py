"""The composition root: settings in, the running program out. Nothing is opened before the lifespan begins."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot import absences, logs, settings, visitors
from bot.attention import Attention
from bot.directory import Directory
from bot.dispatch.dispatcher import Dispatcher
from bot.dispatch.kinds import KINDS
from bot.front import bolt_app, hearing, slack_endpoint
from bot.health import Insiders, Measures, Ready, healthz
from bot.jobs import Scheduler
from bot.metrics import Metrics
from bot.pacing import Gate, Paces
from bot.process import tune
from bot.services import Services
from bot.settings import Settings
from bot.slack import Slack
from bot.socket_mode import SocketMode
from storage import connections, migrate, upkeep
from storage.database import Database, utcnow
from storage.inbox import InboxWriter
from storage.listening import Listening
from storage.models import Generation
from storage.shared_clock import SharedClock
from storage.vault import Vault, VaultError
from webhooks import oauth_routes, routes
from webhooks.ingest import Ingest
from webhooks.oauth import Consents
from webhooks.own_credentials import OwnCredentials
from webhooks.problems import Refused
from webhooks.thumbtack.client import ThumbtackClient
from webhooks.thumbtack.credentials import BasicCredentials
from webhooks.tokens import Tokens
from webhooks.verification import Credentials, LegacyAdmission, V4Admission

log = structlog.get_logger()

RESTART_AFTER = 1.0
"""Seconds before a task that broke is started again."""

STOP_WITHIN = 15.0
"""Seconds that a task gets to end; longer than the dispatcher waits for calls under way."""

Run = Callable[[], Coroutine[Any, Any, None]]


class NotServable(Exception):  # noqa: N818 -- it reads as the sentence it is
    """The database cannot be served as it is; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What runs beside the requests."""

    services: Services
    inbox: InboxWriter
    own: OwnCredentials
    ingest: Ingest
    dispatcher: Dispatcher
    scheduler: Scheduler
    listening: Listening
    socket: SocketMode | None


def create_app(
    settings: Settings,
    *,
    clock: Callable[[], datetime] = utcnow,
    jitter: Callable[[], float] = random.random,
) -> Starlette:
    """The whole program as an ASGI app. Clock and randomness come in as arguments; raises VaultError on bad keys."""
    database, clock = Database(settings.database_url), SharedClock(clock)
    slack = Slack(token=_secret(settings.slack_bot_token), base_url=settings.slack_api_url)
    slack.gate = Gate(database, Paces(posts_per_second=settings.slack_posts_per_second), clock=clock)
    vault, thumbtack = make_vault(settings, database), make_thumbtack(settings)
    tokens = Tokens(database, vault, thumbtack, clock=clock, shared_client=settings.thumbtack_shared_client)
    services = Services(
        settings=settings,
        database=database,
        vault=vault,
        slack=slack,
        directory=Directory(slack, clock=clock),
        thumbtack=thumbtack,
        tokens=tokens,
        consents=Consents(
            database,
            vault,
            thumbtack,
            tokens,
            clock=clock,
            callback_url=settings.callback_url,
            scopes={Generation.V4: settings.thumbtack_scopes, Generation.LEGACY: settings.thumbtack_legacy_scopes},
            environment=settings.thumbtack_environment,
        ),
        metrics=Metrics(),
        attention=Attention(clock),
        clock=clock,
        jitter=jitter,
    )
    bolt = bolt_app(services) if slack.configured else None
    parts = _parts(services, bolt, Listening(database, clock))
    webhooks = _webhook_routes(settings, parts, clock)
    app = Starlette(
        routes=[
            *webhooks,
            *oauth_routes.routes(services.consents),
            Route(visitors.SLACK, slack_endpoint(services, bolt), methods=["POST"]),
            *_operators_routes(services),
        ],
        middleware=[Middleware(routes.AtOnce, of=webhooks)],
        exception_handlers={HTTPException: visitors.on_http_exception, Exception: _on_mistake},
        lifespan=lambda _app: running(parts),
    )
    app.state.services = services
    return app


def _parts(services: Services, bolt: AsyncApp | None, listening: Listening) -> Parts:
    settings, database, token = services.settings, services.database, _secret(services.settings.slack_app_token)
    dispatcher = Dispatcher(services, KINDS)
    return Parts(
        services=services,
        inbox=InboxWriter(database),
        own=OwnCredentials(database, services.vault),
        ingest=Ingest(
            database,
            default_channel=settings.slack_leads_channel,
            reminds=bool(settings.remind_after_minutes),
            counts=services.metrics,
            clock=services.clock,
            claim=dispatcher.claim_within if database.is_sqlite else None,
        ),
        dispatcher=dispatcher,
        scheduler=Scheduler(services),
        listening=listening,
        socket=SocketMode(services, token, hearing(services, bolt)) if token and bolt else None,
    )


def from_environment() -> Starlette:
    """The program with the settings of the environment: what each worker process starts."""
    found = settings.load()
    logs.configure(found.log_format, found.log_level)
    app = create_app(found)
    tune()
    return app


@asynccontextmanager
async def running(parts: Parts) -> AsyncIterator[None]:
    """The program's life: everything is checked and started; at the end what is under way is finished.

    Raises NotServable or VaultError where the database cannot be served.
    """
    services = parts.services
    async with AsyncExitStack() as life:
        life.push_async_callback(services.database.close)
        life.push_async_callback(services.thumbtack.aclose)
        await check(services.database, services.vault)
        await parts.listening.agree()
        await _take_over(services.database)
        await parts.own.load()
        await services.slack.open()
        life.push_async_callback(services.slack.close)
        await absences.look(services, at_start=True)  # before anything goes out that was edited or deleted meanwhile
        life.push_async_callback(absences.leave, services)
        life.enter_context(logs.quiet_loop())
        _start(life, services, "listening", parts.listening.run)
        _start(life, services, "dispatch", parts.dispatcher.run, stop=parts.dispatcher.stop)
        _start(life, services, "credentials", parts.own.run)
        _start(life, services, "ingest", parts.ingest.run, stop=parts.ingest.stop)
        parts.scheduler.start()
        life.push_async_callback(parts.scheduler.stop)
        life.push_async_callback(parts.inbox.drain)
        _start(life, services, "inbox", parts.inbox.run)
        if parts.socket is not None:
            _start(life, services, "socket", parts.socket.run, stop=parts.socket.stop)
        log.info("started", version=version("corkboard"))
        yield
    log.info("stopped")


async def check(database: Database, vault: Vault) -> None:
    """Raise NotServable or VaultError where this database cannot be served with these keys."""
    shape = await migrate.shape(database)
    if not shape.is_usable:
        raise NotServable(shape.advice)
    if not shape.is_current:
        log.warning("database_newer", revision=shape.current, known=shape.head)
    async with database.transaction() as tx:
        await vault.check(tx)


async def _take_over(database: Database) -> None:
    """On SQLite there is one process: what is claimed was claimed by one that ended, and need not run out."""
    if database.is_sqlite:
        async with database.transaction() as tx:
            await upkeep.release_claims(tx)
            await connections.release_claims(tx, now=utcnow())


def _start(
    life: AsyncExitStack, services: Services, name: str, run: Run, *, stop: Callable[[], None] | None = None
) -> None:
    """Run a task until the program ends. With `stop` it is asked to end and given time; else it is cancelled."""
    task = asyncio.create_task(_kept_running(services, name, run), name=name)

    async def end() -> None:
        if stop is None:
            task.cancel()
        else:
            stop()
        _, late = await asyncio.wait([task], timeout=STOP_WITHIN)
        if late:
            task.cancel()
            await asyncio.wait([task])

    life.push_async_callback(end)


async def _kept_running(services: Services, name: str, run: Run) -> None:
    """Run a task until it ends by itself: a mistake of ours in one must not end the program's work quietly."""
    while True:
        try:
            await run()
        except Exception as error:  # noqa: BLE001 -- see above; what it worked on is in the database
            log.critical("task_broke", task=name, error=type(error).__name__)
            services.metrics.mistake("task")
            await asyncio.sleep(RESTART_AFTER)
        else:
            return


async def _on_mistake(request: Request, error: Exception) -> Response:
    log.error("request_broke", error=type(error).__name__)
    services: Services = request.app.state.services
    services.metrics.mistake("request")
    return visitors.refusal(request, Refused("mistake"))


def make_vault(settings: Settings, database: Database) -> Vault:
    """The vault with the keys of the settings, or with the key beside a SQLite file; raises VaultError."""
    keys = [key.get_secret_value() for key in settings.encryption_keys]
    if not keys:
        if database.file is None:
            raise VaultError("ENCRYPTION_KEYS is required on PostgreSQL; make a key with `corkboard keys new`.")
        return Vault.beside(database.file)
    return Vault(keys)


def make_thumbtack(settings: Settings) -> ThumbtackClient:
    """A client of both of Thumbtack's generations, with what the settings say of either."""
    return ThumbtackClient(
        version=version("corkboard"),
        legacy_url=settings.legacy_api_url,
        legacy_connect_url=settings.thumbtack_legacy_connect_url,
        legacy_credentials=_legacy_credentials(settings),
        legacy_client=_client(settings.thumbtack_legacy_client_id, settings.thumbtack_legacy_client_secret),
        v4_url=settings.api_url,
        v4_auth_url=settings.auth_url,
        v4_client=_client(settings.thumbtack_client_id, settings.thumbtack_client_secret),
    )


def _client(client_id: str | None, secret: Any) -> BasicCredentials | None:
    found = _secret(secret)
    return None if client_id is None or found is None else BasicCredentials(username=client_id, password=found)


def _webhook_routes(settings: Settings, parts: Parts, clock: Callable[[], datetime]) -> list[BaseRoute]:
    credentials, secret = _webhook_credentials(settings), _secret(settings.thumbtack_webhook_secret)
    return routes.routes(
        legacy=LegacyAdmission(credentials=credentials),
        v4=V4Admission(credentials=credentials, secret=secret, own=parts.own),
        inbox=parts.inbox,
        counts=parts.services.metrics,
        clock=clock,
    )


def _operators_routes(services: Services) -> list[BaseRoute]:
    insiders, database = Insiders(services.settings.metrics_token), services.database
    measures = Measures(
        database,
        services.metrics,
        insiders,
        environment=services.settings.thumbtack_environment,
        clock=services.clock,
    )
    return [
        Route("/", visitors.front_page),
        Route("/healthz", healthz),
        Route("/readyz", Ready(database, insiders).__call__),
        Route("/metrics", measures.__call__),
    ]


def _webhook_credentials(settings: Settings) -> Credentials | None:
    username, password = settings.thumbtack_webhook_username, _secret(settings.thumbtack_webhook_password)
    if username is None or password is None:
        return None
    previous = _secret(settings.thumbtack_webhook_password_previous)
    return Credentials(username=username, passwords=[password] if previous is None else [password, previous])


def _legacy_credentials(settings: Settings) -> BasicCredentials | None:
    username, password = settings.thumbtack_legacy_username, _secret(settings.thumbtack_legacy_password)
    if username is None or password is None:
        return None
    return BasicCredentials(username=username, password=password)


def _secret(value: Any) -> str | None:
    return None if value is None else value.get_secret_value()
