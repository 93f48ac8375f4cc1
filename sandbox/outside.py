"""The world outside of the bot in one server: the stand-ins for Slack and Thumbtack, and the settings that lead to them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Protocol

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount

from sandbox import pages, shortcuts, wire
from sandbox.clock import Clock
from sandbox.pages.guard import Guard
from sandbox.servers import serving
from sandbox.slack import SlackStandIn
from sandbox.slack.workspace import Signal
from sandbox.thumbtack import ThumbtackStandIn, bodies
from sandbox.wire import Watching, Wire

CHANNEL = "C0LEADS"
BOT_TOKEN = "xoxb-sandbox"  # noqa: S105 -- opens only the stand-in
APP_TOKEN = "xapp-sandbox"  # noqa: S105 -- same
SIGNING_SECRET = "sandbox-signing-secret"  # noqa: S105 -- same
WEBHOOK_USERNAME, WEBHOOK_PASSWORD = "user", "pass"
WEBHOOK_SECRET = "sandbox-webhook-secret"  # noqa: S105 -- same
PRO_API_USERNAME, PRO_API_PASSWORD = "corkboard", "sandbox"
PRO_API_CLIENT = ("sandbox-pro-api", "sandbox-pro-api-secret")
V4_CLIENT = ("sandbox-v4", "sandbox-v4-secret")
BUSINESSES = ((bodies.BUSINESS_ID, bodies.BUSINESS_NAME), ("510000000000000102", "Bright Oak Painting"))
"""Those of the pro who consents: one brings the leads, and two make a choice."""
AT_ONCE = (0.0,)
"""Slack's first further try of an event comes nearly at once; later ones are brought when the bot is started again."""


class BotControl(Protocol):
    """The bot's process, for whoever keeps it. Each method raises ValueError with a sentence where it makes no sense."""

    @property
    def running(self) -> bool:
        """Whether it is there."""

    async def kill(self) -> None:
        """End it at once, in the middle of whatever it does."""

    async def start(self) -> None:
        """Start it again, with the database it had; it listens then."""

    def put_forward(self, by: timedelta) -> None:
        """Let its clock go forward."""


class Outside:
    """Both stand-ins, served by `app`: Slack under /slack, Thumbtack under /thumbtack, page and shortcuts at the root.

    They are in memory: what happened in them is gone when the server ends. Any lead that the bot names exists.
    `changed` fires when something happens beside them, as with the bot; `wire` remembers who called whom. `bot`: its
    process, where the same program keeps that. `tour`: what is played now, while people are to watch only.
    """

    def __init__(self) -> None:
        self.bot: BotControl | None = None
        self.tour: str | None = None
        self.ended = False
        self.changed = Signal()
        self.clock = clock = Clock()
        self.wire = Wire(clock=clock, changed=self.changed.fire)
        self._clients = {name: self.wire.client(name) for name in (wire.SLACK, wire.THUMBTACK)}
        self.slack: SlackStandIn = SlackStandIn(
            bot_token=BOT_TOKEN,
            signing_secret=SIGNING_SECRET,
            app_token=APP_TOKEN,
            client=self._clients[wire.SLACK],
            clock=lambda: clock().timestamp(),
            retries=AT_ONCE,
        )
        self.thumbtack: ThumbtackStandIn = ThumbtackStandIn(
            username=PRO_API_USERNAME,
            password=PRO_API_PASSWORD,
            webhook_username=WEBHOOK_USERNAME,
            webhook_password=WEBHOOK_PASSWORD,
            webhook_secret=WEBHOOK_SECRET,
            legacy_client=PRO_API_CLIENT,
            v4_client=V4_CLIENT,
            known_leads=None,
            client=self._clients[wire.THUMBTACK],
            clock=clock,
        )
        self.thumbtack.v4.echoes = True
        for business_id, name in BUSINESSES:
            self.thumbtack.grants.add_business(business_id, name)
        self.app = Starlette(
            routes=[
                *pages.routes(self),
                *shortcuts.routes(self.slack, self.thumbtack, CHANNEL),
                *self.slack.routes,
                Mount("/thumbtack", self.thumbtack.app),
            ],
            middleware=[Middleware(Guard, is_the_bots=wire.is_the_bots), Middleware(Watching, wire=self.wire)],
        )

    def meet(self, *, address: str, bot_url: str) -> None:
        """`address`: where `app` is served, as the bot shall see it; `bot_url`: where the bot listens."""
        bot_url = bot_url.rstrip("/")
        self.slack.base_url = address
        self.slack.events_url = f"{bot_url}/slack/events"
        self.thumbtack.webhook_url = bot_url
        self.thumbtack.grants.redirect_uris = {f"{bot_url}/thumbtack/callback"}

    def play(self, tour: str | None) -> None:
        """What is played now, while people only watch; None: it is their turn."""
        self.tour = tour
        self.changed.fire()

    def put_forward(self, by: timedelta) -> None:
        """Let it be so much later here and for the bot, which must be there."""
        if self.bot is None:
            raise ValueError("Only the demo can put the bot's clock forward.")
        self.bot.put_forward(by)
        self.clock.put_forward(by)
        self.changed.fire()

    @asynccontextmanager
    async def serve(self, *, port: int = 0) -> AsyncIterator[str]:
        """Serve all of it on loopback; yields its address. At the end, open pages are let go."""
        async with serving(self.app, port=port) as address:
            try:
                yield address
            finally:
                self.ended = True
                self.changed.fire()

    def changes(self) -> list[asyncio.Event]:
        """What the next changes will set, whatever changes."""
        return [self.changed.coming, self.slack.workspace.changed.coming, self.thumbtack.coming]

    async def aclose(self) -> None:
        """Close the connections to the bot."""
        await self.slack.aclose()
        await self.thumbtack.aclose()
        for client in self._clients.values():
            await client.aclose()


def settings(address: str, *, bot_url: str | None = None, socket: bool = False) -> dict[str, str]:
    """The settings with which a bot lives in the world that is served at `address`, by their names.

    `bot_url`: where the bot will be reached; without it no business can be connected. `socket`: Slack is heard over Socket
    Mode, which needs `slack.sockets` started.
    """
    reached = {} if bot_url is None else {"PUBLIC_URL": bot_url.rstrip("/")}
    heard = {"SLACK_APP_TOKEN": APP_TOKEN} if socket else {"SLACK_SIGNING_SECRET": SIGNING_SECRET}
    return (
        reached
        | heard
        | {
            "SLACK_API_URL": f"{address}/slack/api/",
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_LEADS_CHANNEL": CHANNEL,
            "SLACK_RING": "S0CREW",
            "SLACK_KEEPERS": "U0OLGA",
            "SLACK_POSTS_PER_SECOND": "50",
            "THUMBTACK_LEGACY_API_URL": f"{address}/thumbtack/legacy",
            "THUMBTACK_LEGACY_USERNAME": PRO_API_USERNAME,
            "THUMBTACK_LEGACY_PASSWORD": PRO_API_PASSWORD,
            "THUMBTACK_LEGACY_CONNECT_URL": f"{address}/thumbtack/connect/",
            "THUMBTACK_LEGACY_CLIENT_ID": PRO_API_CLIENT[0],
            "THUMBTACK_LEGACY_CLIENT_SECRET": PRO_API_CLIENT[1],
            "THUMBTACK_API_URL": f"{address}/thumbtack/api",
            "THUMBTACK_AUTH_URL": f"{address}/thumbtack/oauth2",
            "THUMBTACK_CLIENT_ID": V4_CLIENT[0],
            "THUMBTACK_CLIENT_SECRET": V4_CLIENT[1],
            "THUMBTACK_WEBHOOK_USERNAME": WEBHOOK_USERNAME,
            "THUMBTACK_WEBHOOK_PASSWORD": WEBHOOK_PASSWORD,
            "THUMBTACK_WEBHOOK_SECRET": WEBHOOK_SECRET,
        }
    )
