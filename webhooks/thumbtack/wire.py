"""Calls over the shared HTTP client, with every way of failing turned into an error that says whether to repeat it."""

import asyncio
from typing import Any

import httpx

from webhooks.thumbtack.answers import judge_answer, judge_send
from webhooks.thumbtack.errors import OutcomeUnknown, Unavailable

# In these nothing of the request left for Thumbtack; in every other failure it may have.
_NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


class Wire:
    """One request, one answer; never a second try of its own."""

    def __init__(self, http: httpx.AsyncClient, *, deadline: float) -> None:
        """`deadline`: seconds for a whole call, beside the client's time-outs (which a slow trickle never trips)."""
        self._http = http
        self._deadline = deadline

    async def send(self, request: httpx.Request, *, auth: httpx.Auth) -> None:
        """Make a call that must not be made twice; returns once Thumbtack said that it was done.

        Raises Unavailable where it surely was not done, OutcomeUnknown where it may have been, and what
        `answers.judge_send` reads in an answer.
        """
        judge_send(await self._exchange(request, auth))

    async def ask(self, request: httpx.Request, *, auth: httpx.Auth) -> Any:
        """Make a call that may be repeated; its JSON answer. Raises what `answers.judge_answer` does."""
        try:
            response = await self._exchange(request, auth)
        except OutcomeUnknown as lost:
            raise Unavailable from lost
        return judge_answer(response)

    async def _exchange(self, request: httpx.Request, auth: httpx.Auth) -> httpx.Response:
        try:
            async with asyncio.timeout(self._deadline):
                return await self._http.send(request, auth=auth)
        except _NOTHING_SENT as error:
            raise Unavailable from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise OutcomeUnknown from error
