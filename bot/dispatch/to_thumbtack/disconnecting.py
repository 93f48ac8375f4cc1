"""Tells Thumbtack that a business is disconnected, tries again while it is away, and says honestly what came of it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot import answers
from bot.blocks import disconnecting as blocks
from bot.blocks.posts import Post
from bot.dispatch.plans import Answer, At, Instead, More, Plan, Prepared, Settled
from bot.dispatch.to_thumbtack.failing import of_repeatable
from bot.dispatch.verdicts import Again, Verdict
from bot.failures import Failure, Sort
from bot.services import Services
from storage import businesses, connections, erasing
from storage.database import Transaction
from storage.models import Generation
from storage.vault import VaultError
from webhooks.thumbtack import errors

PATIENCE = timedelta(days=3)
"""How long Thumbtack is asked to revoke our access."""

TOLD_AT = 4
"""The attempt at which the person is told that Thumbtack is away: after some seconds, so that a mishap is not told."""

LONGEST_PAUSE = timedelta(minutes=15)

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The access token that a connection had when it ended: a TokenStore that renews nothing."""

    token: str = field(repr=False)

    async def access_token(self) -> str:
        """The token as it was."""
        return self.token

    async def renewed(self, refused: str) -> str:  # noqa: ARG002 -- the signature of TokenStore
        """There is none."""
        raise errors.ReconnectRequired


async def disconnect(at: At) -> Prepared:
    """DISCONNECT {business_id, thumbtack_id, steps, came, token, token_until, user, url, erasure_id, webhook_id, paused}.

    One API at a time. `steps`: those that are still to be told; `came`: what came of it at the others; `told`: the person knows that it
    takes long.
    """
    payload, steps, came = at.entry.payload, list(at.entry.payload["steps"]), dict(at.entry.payload["came"])
    while steps and (known := await _without_call(at, Generation(steps[0]))) is not None:
        came[steps.pop(0)] = known
    rest = {**payload, "steps": steps, "came": came}
    if not steps:
        await _tell_outcome(at, rest)
        return None
    generation = Generation(steps[0])
    until = at.entry.created_at + PATIENCE if generation is Generation.LEGACY else _token_until(at)
    step = Step(services=at.services, generation=generation, payload=rest, attempt=at.attempt, gives_up_at=until)
    return Plan(perform=step.perform, then=step.then, failed=step.failed)


async def _without_call(at: At, generation: Generation) -> str | None:
    """What is known without asking Thumbtack; None where it must be asked."""
    if await connections.of_business(at.tx, at.entry.payload["business_id"], generation) is not None:
        return "again"
    if at.services.tokens.is_shared(generation):
        return "shared"
    if generation is Generation.V4 and _token_until(at) <= at.now:
        return "scope"
    return None


def _token_until(at: At) -> datetime:
    until = at.entry.payload.get("token_until")
    return at.entry.created_at if until is None else datetime.fromisoformat(until)


@dataclass(frozen=True, kw_only=True)
class Step:
    """Telling one of the APIs. `payload`: the entry's, as far as it has come; `attempt` counts from 1."""

    services: Services
    generation: Generation
    payload: Mapping[str, Any]
    attempt: int
    gives_up_at: datetime

    def after(self, code: str) -> dict[str, Any]:
        """The payload once it is known what came of this step."""
        came = {**self.payload["came"], str(self.generation): code}
        kept = {name: value for name, value in self.payload.items() if name not in self.uses_up}
        return {**kept, "steps": self.payload["steps"][1:], "came": came}

    @property
    def uses_up(self) -> tuple[str, ...]:
        """What is forgotten with this step."""
        return ("token", "token_until") if self.generation is Generation.V4 else ()

    async def perform(self) -> Answer:
        """Make the call; all of these may be made as often as we like."""
        try:
            return {"came": await PERFORM[self.generation](self.services, self.payload)}
        except errors.CallError as error:
            raise of_repeatable(error) from error

    async def then(self, _tx: Transaction, answer: Answer, _now: datetime) -> More:
        """On with the next API."""
        return More(payload=self.after(answer["came"]))

    async def failed(
        self, tx: Transaction, failure: Failure, verdict: Verdict, now: datetime
    ) -> Verdict | Instead | Settled:
        """Thumbtack refused, or is away: then it is asked again, and the person is told once that it takes long."""
        if failure.sort is Sort.REFUSED or not isinstance(verdict, Again):
            return Instead(payload=self.after("refused"))
        if now >= self.gives_up_at:
            return Instead(payload=self.after("unreached"))
        if self.attempt >= TOLD_AT and not self.payload.get("told"):
            post = blocks.waiting(await _name(tx, self.payload))
            await _tell(self.services, tx, self.payload, post, now=now)
            return Instead(payload={**self.payload, "told": True})
        pause = min(LONGEST_PAUSE, timedelta(seconds=2 ** min(self.attempt, 10)))
        return Again(at=min(max(verdict.at, now + pause), self.gives_up_at), reason=failure.reason)


async def _leave_pro_api(services: Services, payload: Mapping[str, Any]) -> str:
    await services.thumbtack.disconnect(business_id=payload["thumbtack_id"])
    return "done"


async def _leave_v4(services: Services, payload: Mapping[str, Any]) -> str:
    """Remove our webhooks of this business. A way to revoke the tokens themselves is not documented."""
    public_url, business_id, known = services.settings.public_url, payload["thumbtack_id"], payload.get("webhook_id")
    if public_url is None and known is None:
        return "none"
    here = None if public_url is None else f"{public_url.rstrip('/')}/"
    try:
        tokens = Kept(token=services.vault.open(payload["token"]))
        found = await services.thumbtack.list_webhooks(tokens, business_id=business_id)
        ours = [one for one in found if one.webhook_id == known or (here and (one.url or "").startswith(here))]
        for webhook in ours:
            await _remove(services, tokens, business_id, webhook.webhook_id)
    except (errors.ScopeMissing, errors.ReconnectRequired, VaultError):
        return "scope"
    return "done" if ours else "none"


async def _remove(services: Services, tokens: Kept, business_id: str, webhook_id: str) -> None:
    try:
        await services.thumbtack.delete_webhook(tokens, business_id=business_id, webhook_id=webhook_id)
    except errors.RequestRejected as error:
        if error.status != 404:
            raise


PERFORM: Mapping[Generation, Callable[[Services, Mapping[str, Any]], Awaitable[str]]] = {
    Generation.LEGACY: _leave_pro_api,
    Generation.V4: _leave_v4,
}


async def _tell_outcome(at: At, payload: Mapping[str, Any]) -> None:
    erasure_id = payload.get("erasure_id")
    erasure = None if erasure_id is None else await erasing.get(at.tx, erasure_id)
    erased_at = None if erasure is None or erasure.cancelled_at is not None else erasure.starts_at
    came = payload["came"]
    log.info("disconnect_told", business_id=payload["business_id"], **came)
    post = blocks.stopped(
        await _name(at.tx, payload),
        came,
        erased_at=erased_at,
        was_connected=bool(came),
        is_paused=bool(payload.get("paused")),
    )
    await _tell(at.services, at.tx, payload, post, now=at.now)


async def _name(tx: Transaction, payload: Mapping[str, Any]) -> str | None:
    business = await businesses.get(tx, payload["business_id"])
    return None if business is None else business.name


async def _tell(services: Services, tx: Transaction, payload: Mapping[str, Any], post: Post, *, now: datetime) -> None:
    """By the response_url of the command, else by direct message; nobody where `corkboard purge` did it."""
    user, sealed = payload.get("user"), payload.get("url")
    if user is None:
        return
    try:
        url = services.vault.open(sealed or "")
    except VaultError:
        await answers.tell(tx, services.vault, user=user, post=post, now=now)
    else:
        await answers.enqueue(tx, services.vault, url=url, post=post, now=now, or_tell=user)
