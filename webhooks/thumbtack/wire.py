"""Calls over the shared HTTP client, with every way of failing turned into an error that says whether to repeat it."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import httpx

from webhooks.thumbtack.answers import judge_answer, judge_send
from webhooks.thumbtack.auth import BearerAuth
from webhooks.thumbtack.errors import OutcomeUnknown, Unavailable

Judge = Callable[[httpx.Response], Any]

# In these nothing of the request left for Thumbtack; in every other failure it may have.
_NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


def without_queries(record: logging.LogRecord) -> bool:
    """Takes the query out of the addresses that httpx logs: at the Pro API it holds tokens."""
    if isinstance(record.args, tuple):
        record.args = tuple(arg.copy_with(query=None) if isinstance(arg, httpx.URL) else arg for arg in record.args)
    return True


class Wire:
    """One request, one answer; never a second try of its own (but for a token that was refused)."""

    def __init__(self, http: httpx.AsyncClient, *, deadline: float) -> None:
        """`deadline`: seconds for a whole call, beside the client's time-outs (which a slow trickle never trips)."""
        self._http = http
        self._deadline = deadline

    async def send(self, request: httpx.Request, *, auth: httpx.Auth, judge: Judge = judge_send) -> Any:
        """Make a call that must not be made twice; what `judge` makes of the answer that says that it was done.

        Raises Unavailable where it surely was not done, OutcomeUnknown where it may have been, and what `judge` reads
        in an answer.
        """
        return judge(await self._exchange(request, auth))

    async def ask(self, request: httpx.Request, *, auth: httpx.Auth, judge: Judge = judge_answer) -> Any:
        """Make a call that may be repeated; what `judge` makes of the answer. Raises what `judge` does."""
        try:
            response = await self._exchange(request, auth)
        except OutcomeUnknown as lost:
            raise Unavailable from lost
        return judge(response)

    async def _exchange(self, request: httpx.Request, auth: httpx.Auth) -> httpx.Response:
        try:
            async with asyncio.timeout(self._deadline):
                return await self._http.send(request, auth=auth)
        except _NOTHING_SENT as error:
            raise Unavailable from error
        except (httpx.HTTPError, TimeoutError) as error:
            if isinstance(auth, BearerAuth) and auth.is_waiting:
                raise Unavailable from error
            raise OutcomeUnknown from error
