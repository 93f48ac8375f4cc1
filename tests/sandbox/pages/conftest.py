"""The page of a world outside, as its own browser asks for it, and a bot that takes everything."""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.outside import Outside
from sandbox.servers import serving

ADDRESS = "http://127.0.0.1:8100"


@dataclass
class Bot:
    """Answers 200 with nothing, unless an answer is waiting in `says`."""

    heard: list[bytes] = field(default_factory=list)
    says: deque[Response] = field(default_factory=deque)

    async def take(self, request: Request) -> Response:
        self.heard.append(await request.body())
        return self.says.popleft() if self.says else Response()


@pytest.fixture
async def world() -> AsyncIterator[Outside]:
    world = Outside()
    yield world
    await world.aclose()


@pytest.fixture
async def bot(world: Outside) -> AsyncIterator[Bot]:
    bot = Bot()
    routes = [Route("/{path:path}", bot.take, methods=["POST", "PUT"])]
    async with serving(Starlette(routes=routes)) as address:
        world.meet(address=ADDRESS, bot_url=address)
        yield bot


@pytest.fixture
async def browser(world: Outside) -> AsyncIterator[httpx.AsyncClient]:
    """Asks for pages, and says of which page it does something."""
    headers = {"accept": "text/html,*/*", "origin": ADDRESS}
    transport = httpx.ASGITransport(app=world.app)
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS, headers=headers) as browser:
        yield browser


@pytest.fixture
def do(browser: httpx.AsyncClient) -> Callable[..., Awaitable[Any]]:
    """Somebody does something on the page; gives the answer's status and body."""

    async def do(deed: str, *, by: str = "U0ANA", **args: Any) -> tuple[int, Any]:
        answer = await browser.post("/page/do", json={"deed": deed, "as": by, "args": args})
        return answer.status_code, answer.json()

    return do
