"""What a new connection is for: the code that a person typed becomes tokens, and Thumbtack is asked which businesses."""

from datetime import datetime, timedelta

from bot.dispatch.plans import Answer, At, More, Plan, Prepared, Settled
from bot.dispatch.to_thumbtack.failing import ThumbtackFailure, of_repeatable
from bot.dispatch.verdicts import Verdict
from bot.failures import Failure, Sort
from storage import connections, outbox
from storage.connections import LIVE
from storage.database import Transaction
from storage.models import Generation
from storage.outbox import Kind
from webhooks import linking
from webhooks.not_connected import NotConnected, Trouble
from webhooks.thumbtack import errors

CODE_LIVES = timedelta(minutes=4)
"""How long a typed code is tried: it lives 5 minutes, and some went by before it was typed."""


async def finish_connect(at: At) -> Prepared:
    """FINISH_CONNECT {connection_id, wanted}: whose connection it is.

    Where a person typed a code, it is first {code and verifier (sealed), generation, team_id, user, wanted}: tokens for it.
    """
    return await (_by_code(at) if "code" in at.entry.payload else _whose(at))


async def _by_code(at: At) -> Prepared:
    """A code is good once: whether an attempt that was cut off used it up cannot be seen, so it is not made again."""
    payload, services = at.entry.payload, at.services
    generation, team_id, user = Generation(payload["generation"]), payload["team_id"], payload["user"]
    if at.maybe_done:
        await _tell_failed(at.tx, Trouble.LOST, generation=generation, user=user, now=at.now)
        return None
    code, verifier = services.vault.open(payload["code"]), services.vault.open(payload["verifier"])
    tried_until = at.entry.created_at + CODE_LIVES

    async def perform() -> Answer:
        try:
            return {"pair": await services.consents.exchanged(generation, code=code, verifier=verifier)}
        except NotConnected as error:
            sort = Sort.LATER if error.trouble is Trouble.UNAVAILABLE else Sort.REFUSED
            raise Failure(sort, error.trouble) from error

    async def then(tx: Transaction, answer: Answer, _now: datetime) -> More:
        connection = await services.consents.stored(
            tx, answer["pair"], generation=generation, team_id=team_id, user_id=user
        )
        return More(payload={"connection_id": connection.id, "wanted": payload.get("wanted")})

    async def failed(tx: Transaction, failure: Failure, verdict: Verdict, now: datetime) -> Verdict | Settled:
        if failure.sort is not Sort.REFUSED and now < tried_until:
            return verdict
        trouble = next((one for one in Trouble if one == failure.reason), Trouble.LOST)
        await _tell_failed(tx, trouble, generation=generation, user=user, now=now)
        return Settled(reason=failure.reason)

    return Plan(perform=perform, then=then, failed=failed)


async def _whose(at: At) -> Prepared:
    connection_id, wanted, services = at.entry.payload["connection_id"], at.entry.payload.get("wanted"), at.services
    connection = await connections.get(at.tx, connection_id)
    if connection is None or connection.state not in LIVE or await connections.business_ids_of(at.tx, connection_id):
        return None
    generation, user = Generation(connection.generation), connection.connected_by

    async def perform() -> Answer:
        try:
            return {"grant": await services.thumbtack.oauth(generation).whose(services.tokens.of(connection_id))}
        except errors.CallError as error:
            raise of_repeatable(error, odd=Sort.REFUSED) from error

    async def then(tx: Transaction, answer: Answer, now: datetime) -> None:
        linked = await linking.link(tx, connection_id, answer["grant"], wanted=wanted, now=now)
        if linked is not None and linked.picks:
            await _ask_person(tx, connection_id, user=user, now=now)

    async def failed(tx: Transaction, failure: Failure, verdict: Verdict, now: datetime) -> Verdict | Settled:
        error = failure.error if isinstance(failure, ThumbtackFailure) else None
        if failure.sort is not Sort.REFUSED or error is None:
            return verdict
        if linking.must_be_picked(error):
            await _ask_person(tx, connection_id, user=user, now=now)
        else:
            await linking.give_up(tx, connection_id, now=now)
            await _tell_failed(tx, Trouble.TOKENS_REFUSED, generation=generation, user=user, now=now)
        return Settled(reason=failure.reason)

    return Plan(perform=perform, then=then, failed=failed)


async def _ask_person(tx: Transaction, connection_id: int, *, user: str, now: datetime) -> None:
    payload = {"notice": "which_business", "connection_id": connection_id, "user": user}
    await outbox.enqueue(tx, Kind.POST_NOTICE, now=now, priority=outbox.FIRST, payload=payload)


async def _tell_failed(tx: Transaction, trouble: Trouble, *, generation: Generation, user: str, now: datetime) -> None:
    payload = {"notice": "connect_failed", "trouble": trouble, "generation": generation, "user": user}
    await outbox.enqueue(tx, Kind.POST_NOTICE, now=now, priority=outbox.FIRST, payload=payload)
