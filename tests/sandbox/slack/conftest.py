"""A workspace served on loopback, a bot that only listens, and a clock that moves when told."""

import json
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.servers import serving
from sandbox.slack import SlackStandIn

BOT_TOKEN = "xoxb-the-right-one"
SIGNING_SECRET = "a-signing-secret"


@dataclass
class Clock:
    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Heard:
    """One request that reached the bot."""

    body: bytes
    headers: dict[str, str]

    def json(self) -> Any:
        return json.loads(self.body)

    def event(self) -> Any:
        return self.json()["event"]

    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode(), keep_blank_values=True).items()}

    def payload(self) -> Any:
        return json.loads(self.form()["payload"])


@dataclass
class Bot:
    """Answers 200 with nothing, unless an answer is waiting in `says`."""

    heard: list[Heard] = field(default_factory=list)
    says: deque[Response] = field(default_factory=deque)
    url: str = ""

    async def listen(self, request: Request) -> Response:
        self.heard.append(Heard(body=await request.body(), headers=dict(request.headers)))
        return self.says.popleft() if self.says else Response()

    @property
    def last(self) -> Heard:
        return self.heard[-1]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    bot = Bot()
    async with serving(Starlette(routes=[Route("/slack/events", bot.listen, methods=["POST"])])) as address:
        bot.url = f"{address}/slack/events"
        yield bot


@pytest.fixture
async def slack(bot: Bot, clock: Clock) -> AsyncIterator[SlackStandIn]:
    slack = SlackStandIn(bot_token=BOT_TOKEN, signing_secret=SIGNING_SECRET, events_url=bot.url, clock=clock)
    async with slack.serve():
        yield slack


@pytest.fixture
def client(slack: SlackStandIn) -> AsyncWebClient:
    return AsyncWebClient(BOT_TOKEN, base_url=f"{slack.base_url}/slack/api/", retry_handlers=[])


@pytest.fixture
async def curl(slack: SlackStandIn) -> AsyncIterator[httpx.AsyncClient]:
    """A person with curl, or an app that answers a response_url."""
    async with httpx.AsyncClient(base_url=slack.base_url, trust_env=False) as curl:
        yield curl
