"""Speaks Slack's Web API: one client without retries of its own, errors as failures, and who we are there.

slack_sdk's default retry handler sends again after a cut connection, which posts twice: it is switched off everywhere.
The outbox decides what is repeated.
"""

import asyncio
import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.failures import RATE_LIMITED, Failure, Sort, of_slack
from bot.pacing import Gate

TIMEOUT = aiohttp.ClientTimeout(total=5)
"""A hung call holds its lane; Slack answers in well under a second."""

LONGEST_RETRY_AFTER = 3600.0
"""Seconds. More is not believed; Slack asks for half a minute."""

FORM = frozenset(
    {
        "chat.getPermalink", "conversations.replies", "conversations.history", "conversations.info", "users.info",
        "usergroups.list", "users.conversations", "users.list", "apps.connections.open",
    }
)  # fmt: skip
"""Reads take query or form arguments, no JSON."""

ANY_WORKSPACE = "https://slack.com/"
"""Leads on to the workspace that a browser is signed in to."""

HEARTBEAT = 15.0
"""Seconds between two pings of a websocket; one that is not answered in half of that is closed."""

SLACKS_HOST = ("https", "hooks.slack.com")
"""Where response_urls lead."""

NOT_SENT = (aiohttp.ClientConnectorError,)
ELSEWHERE = frozenset({301, 302, 303, 307, 308})
CUT = (aiohttp.ClientError, asyncio.TimeoutError, SlackClientError, OSError)

AS_IT_IS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
"""What is no JSON stays a mistake, as for Python's own."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who the bot token is: our workspace and our own user there. `url`: the workspace's own, with a slash at its end."""

    team_id: str
    user_id: str
    bot_id: str | None
    url: str = ANY_WORKSPACE


@dataclass(frozen=True, kw_only=True)
class Answered:
    """An answer of Slack's that is ok. `headers` by their names in any case."""

    data: dict[str, Any]
    headers: Mapping[str, str]


class Slack:
    """The Web API for the rest of the program. `session` lives from `open` to `close`."""

    def __init__(self, *, token: str | None, base_url: str) -> None:
        """Without a token nothing can be called, and `configured` is False. `gate` is set by who paces its calls."""
        self.configured = token is not None
        self.token = token or ""
        self._own_host = _host(base_url)
        self._socket_host = "wss" if self._own_host[0] == "https" else "ws", urlsplit(base_url).hostname or ""
        self.client = AsyncWebClient(
            token=token,
            base_url=base_url.rstrip("/") + "/",
            retry_handlers=[],
            timeout=int(TIMEOUT.total or 5),
            logger=_silent(),
        )
        self.gate: Gate | None = None
        self._identity: Identity | None = None
        self._names: dict[str, str] = {}
        self._first_names: dict[str, str] = {}

    async def open(self) -> None:
        """Open the one connection pool (a session for each call costs twice the CPU and a new TLS handshake).

        Slack's cookies are for browsers: reading what an answer sets takes a fifth of the time of the call.
        """
        self.client.session = aiohttp.ClientSession(
            timeout=TIMEOUT,
            middlewares=[_never_elsewhere],
            cookie_jar=aiohttp.DummyCookieJar(),
            json_serialize=_as_json,
        )

    async def close(self) -> None:
        """Close the connections."""
        if self.client.session is not None:
            await self.client.session.close()

    async def call(self, method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """One call; raises Failure, which says whether it may have been made."""
        return (await self.ask(method, arguments)).data

    async def ask(self, method: str, arguments: Mapping[str, Any]) -> Answered:
        """The same with the headers of the answer."""
        if self.gate is not None:
            await self.gate.enter(method)
        try:
            return await self._asked(method, arguments)
        except Failure as failure:
            failure.method = method
            if self.gate is not None and failure.reason == RATE_LIMITED:
                await self.gate.refused(failure)
            raise

    async def _asked(self, method: str, arguments: Mapping[str, Any]) -> Answered:
        kwargs: dict[str, Any] = {"params": dict(arguments)} if method in FORM else {"json": dict(arguments)}
        try:
            response = await self.client.api_call(method, **kwargs)
        except SlackApiError as error:
            raise _failure(error) from error
        except NOT_SENT as error:
            raise Failure(Sort.LATER, "slack_unreachable") from error
        except CUT as error:
            raise Failure(Sort.UNKNOWN, "slack_no_answer") from error
        except AttributeError as error:  # slack_sdk's, on an answer of plain text, which is not Slack's own
            raise Failure(Sort.UNKNOWN, "slack_unavailable") from error
        data: dict[str, Any] = response.data  # type: ignore[assignment]  # bytes only for file downloads
        return Answered(data=data, headers=response.headers)

    async def respond(self, url: str, body: Mapping[str, Any]) -> None:
        """Answer by a response_url (30 minutes, 5 uses). Only Slack's own hosts are ever called."""
        if self.client.session is None or not self._is_ours(url):
            raise Failure(Sort.REFUSED, "response_url")
        try:
            async with self.client.session.post(url, json=dict(body), allow_redirects=False, middlewares=()) as answer:
                status = answer.status
        except NOT_SENT as error:
            raise Failure(Sort.LATER, "slack_unreachable") from error
        except CUT as error:
            raise Failure(Sort.UNKNOWN, "slack_no_answer") from error
        if status != 200:
            raise of_slack("response_url", status=status, retry_after=None)

    def _is_ours(self, url: str) -> bool:
        return _host(url) in (SLACKS_HOST, self._own_host)

    async def socket_address(self, app_token: str) -> str:
        """Where a websocket of Socket Mode opens, once, asked with the app's own token; raises Failure."""
        address = (await self.call("apps.connections.open", {"token": app_token})).get("url")
        if not isinstance(address, str) or not self._is_slacks_socket(address):
            raise Failure(Sort.REFUSED, "socket_address")
        return address

    async def socket(self, app_token: str) -> aiohttp.ClientWebSocketResponse:
        """A websocket of Socket Mode, just opened; raises Failure. It notices by itself when nobody is there any more."""
        address, session = await self.socket_address(app_token), self.client.session
        if session is None:
            raise Failure(Sort.LATER, "stopped")
        closing = aiohttp.ClientWSTimeout(ws_close=1.0)  # Slack does not always close its side
        try:
            return await session.ws_connect(address, heartbeat=HEARTBEAT, timeout=closing, proxy=self.client.proxy)
        except CUT as error:
            raise Failure(Sort.LATER, "slack_unreachable") from error

    def _is_slacks_socket(self, address: str) -> bool:
        """On the API's own host or one below it; without TLS only where the API is a stand-in that has none."""
        scheme, own = self._socket_host
        parts = urlsplit(address)
        host = parts.hostname or ""
        return parts.scheme == scheme and (host == own or (scheme == "wss" and host.endswith(f".{own}")))

    async def identity(self) -> Identity:
        """Who we are, asked once; raises Failure."""
        if self._identity is None:
            answer = await self.call("auth.test", {})
            self._identity = Identity(
                team_id=answer["team_id"],
                user_id=answer["user_id"],
                bot_id=answer.get("bot_id"),
                url=_workspace(answer.get("url")),
            )
        return self._identity

    @property
    def known_identity(self) -> Identity | None:
        """Who we are, where that was asked already."""
        return self._identity

    def permalink(self, channel: str, ts: str) -> str:
        """Where the thread below a post opens, written as Slack writes it (docs.slack.dev/reference/methods/chat.getPermalink)."""
        workspace = self._identity.url if self._identity else ANY_WORKSPACE
        return f"{workspace}archives/{channel}/p{ts.replace('.', '')}?thread_ts={ts}&cid={channel}"

    async def names(self, ids: Iterable[str]) -> dict[str, str]:
        """What people and channels are called, for a customer's eyes; one that cannot be found is left out.

        A name is asked for once. Raises Failure where Slack cannot be asked just now.
        """
        wanted = set(ids)
        await asyncio.gather(*(self._learn(slack_id) for slack_id in wanted - self._names.keys()))
        return {slack_id: self._names[slack_id] for slack_id in wanted & self._names.keys()}

    async def first_name(self, user_id: str) -> str | None:
        """A person's first name, for a customer's eyes; None for nobody we may see. Otherwise as `names`."""
        if user_id not in self._first_names:
            await self._learn(user_id)
        return self._first_names.get(user_id)

    async def _learn(self, slack_id: str) -> None:
        try:
            name = await self._name(slack_id)
        except Failure as failure:
            if failure.sort in (Sort.REFUSED, Sort.HELD):  # nobody there, or nobody we may see
                return
            raise
        if name:
            self._names[slack_id] = name

    async def _name(self, slack_id: str) -> str | None:
        if not slack_id.startswith(("U", "W")):
            name: str | None = (await self.call("conversations.info", {"channel": slack_id}))["channel"].get("name")
            return name
        user = (await self.call("users.info", {"user": slack_id}))["user"]
        profile = user.get("profile") or {}
        called: str | None = profile.get("display_name") or user.get("real_name") or user.get("name")
        words = (profile.get("first_name") or user.get("real_name") or called or "").split()
        if words:
            self._first_names[slack_id] = words[0]
        return called


async def _never_elsewhere(request: aiohttp.ClientRequest, ask: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Slack's API sends nobody elsewhere, and slack_sdk would follow: with a customer's words, to any address."""
    answer = await ask(request)
    if answer.status in ELSEWHERE:
        answer.close()
        raise aiohttp.ClientError("redirected")
    return answer


def _as_json(body: object) -> str:
    """By orjson, in a tenth of the time; by Python's own where that refuses (half a character, which Slack itself may bring)."""
    try:
        return orjson.dumps(body, option=AS_IT_IS).decode()
    except orjson.JSONEncodeError:
        return json.dumps(body)


def _silent() -> logging.Logger:
    """What slack_sdk speaks to: it puts all that is said and answered into words, unless its logger's own level forbids."""
    logger = logging.getLogger("slack_sdk.calls")
    logger.setLevel(logging.WARNING)
    return logger


def _workspace(url: object) -> str:
    """The workspace's address, as auth.test tells it."""
    return url if isinstance(url, str) and url.startswith("https://") and url.endswith("/") else ANY_WORKSPACE


def _host(url: str) -> tuple[str, str]:
    """The scheme and host of an address; of one that cannot be read, nobody's."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", url
    return parts.scheme, parts.netloc


def _failure(error: SlackApiError) -> Failure:
    response = error.response
    status: int = getattr(response, "status_code", None) or getattr(response, "status", None) or 0
    headers = getattr(response, "headers", None) or {}
    data = getattr(response, "data", None)
    if not isinstance(data, dict) or not data.get("error"):  # not Slack's own answer: it may have been made
        status = 429 if status == 429 else 503
        return of_slack("", status=status, retry_after=_seconds(headers))
    return of_slack(str(data["error"]), status=status, retry_after=_seconds(headers))


def _seconds(headers: Mapping[str, str]) -> float | None:
    for name, value in headers.items():
        if name.lower() == "retry-after":
            try:
                return min(max(0.0, float(value)), LONGEST_RETRY_AFTER)
            except ValueError:
                return None
    return None
