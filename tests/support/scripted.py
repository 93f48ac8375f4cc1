"""A Thumbtack on loopback that remembers what it heard and answers what it was told to; and who we are to it."""

import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from sandbox.servers import serving
from webhooks.thumbtack.credentials import BasicCredentials
from webhooks.thumbtack.errors import ReconnectRequired

V1 = BasicCredentials(username="v1 name", password="v1 password")
LEGACY_CLIENT = BasicCredentials(username="THUMBTACK INTERNAL", password="lo=+/s3cret")
V4_CLIENT = BasicCredentials(username="corkboard+id", password="v4: s3cret/+ü")


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One request; `query` and `form` with the last value of each name."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return _last(self.body)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Scripted:
    """Answers in the order they were given; what was not expected gets a 418, which no test takes for success."""

    address: str = ""
    heard: list[Heard] = field(default_factory=list)
    answers: deque[Response] = field(default_factory=deque)

    def answer(self, body: Any = None, status: int = 200, headers: dict[str, str] | None = None) -> Self:
        """Let the next call that has no answer yet get this; bytes go as they are, anything else as JSON."""
        as_bytes = isinstance(body, bytes)
        self.answers.append(Response(body, status, headers) if as_bytes else JSONResponse(body, status, headers))
        return self

    @property
    def last(self) -> Heard:
        return self.heard[-1]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path, query = scope["raw_path"].decode(), _last(scope["query_string"])
        self.heard.append(
            Heard(
                method=request.method,
                path=path,
                query=query,
                headers=dict(request.headers),
                body=await request.body(),
            )
        )
        response = self.answers.popleft() if self.answers else Response(status_code=418)
        await response(scope, receive, send)


class Store:
    """Tokens that are renewed as often as asked, each time by the next of a list."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens or ("access-1", "access-2"))
        self.refused: list[str] = []

    async def access_token(self) -> str:
        return self.tokens[0]

    async def renewed(self, refused: str) -> str:
        self.refused.append(refused)
        self.tokens.pop(0)
        if not self.tokens:
            raise ReconnectRequired
        return self.tokens[0]


@asynccontextmanager
async def scripted() -> AsyncIterator[Scripted]:
    """Serve one."""
    server = Scripted()
    async with serving(server) as address:
        server.address = address
        yield server


def _last(encoded: bytes) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(encoded.decode(), keep_blank_values=True).items()}
