"""Pauses that are over, resumed until it works, and pauses without an end, recalled each day.

A resume that fails waits outside its business's lane, so that it holds up nothing that people ask for.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.blocks.targeting import Cannot
from bot.dispatch.plans import Answer, At, Plan, Prepared, Settled
from bot.dispatch.to_thumbtack.failing import detail_of
from bot.dispatch.to_thumbtack.targeting_calls import RECALL_EVERY, note, notice, switch
from bot.dispatch.verdicts import Verdict
from bot.failures import Failure, Sort
from storage import connections, outbox, targeting
from storage.database import Transaction
from storage.models import Business, Generation, Targeting
from storage.outbox import Kind, targeting_lane
from storage.resuming import RECONNECT

MOMENTARY = timedelta(minutes=2)
"""An outage that is over within this rings nobody."""

FIRST_AGAIN, LONGEST_AGAIN = timedelta(seconds=5), timedelta(minutes=15)
RING_AFTER = (timedelta(hours=1), timedelta(hours=3), timedelta(days=1))
"""How long after each time the keepers were rung about a resume they are rung again; the last one repeats."""


async def resume(at: At, row: Targeting, business: Business) -> Plan | None:
    """SET_TARGETING {targeting_id, set_version, team_id, tries, rung, ring_at}: a pause is over, unless set anew since."""
    payload = at.entry.payload
    if row.set_version != payload["set_version"] or row.set_enabled is not False:
        return None
    if at.entry.lane is not None:
        return await _plan(at, row, business)
    if row.failing_since is not None and "tries" not in payload:
        return None  # somebody resumed it by hand before, and that is tried on already
    lane = targeting_lane(row.business_id)
    await outbox.enqueue(at.tx, Kind.SET_TARGETING, now=at.now, lane=lane, payload=payload)
    return None


async def recall_pause(at: At) -> Prepared:
    """RECALL_PAUSE {targeting_id, set_version, team_id}: a pause without an end, once a day."""
    payload = at.entry.payload
    row = await targeting.get(at.tx, payload["targeting_id"])
    if row is None or row.set_version != payload["set_version"] or row.set_enabled is not False:
        return None
    await notice(at.tx, "pause_recalled", at.now, payload)
    due_at = max(at.entry.due_at + RECALL_EVERY, at.now)
    await outbox.enqueue(at.tx, Kind.RECALL_PAUSE, now=at.now, payload=payload, due_at=due_at)
    return None


async def _plan(at: At, row: Targeting, business: Business) -> Plan:
    payload, services = at.entry.payload, at.services
    connection = await connections.of_business(at.tx, row.business_id, Generation.LEGACY)
    targeting_id, category_id = payload["targeting_id"], row.category_id or None

    async def perform() -> Answer:
        await switch(services, connection, business, category_id, enabled=True)
        return {}

    async def then(tx: Transaction, _answer: Answer, now: datetime) -> None:
        changed = await targeting.to_change(tx, targeting_id)
        if changed is None or changed.set_version != payload["set_version"]:
            return
        was_rung = payload.get("rung", 0) > 0
        due_at = targeting.ends_at(changed)
        team_id = payload.get("team_id")
        await note(tx, changed, enabled=True, until=None, by=None, version=None, team_id=team_id, now=now)
        told = {"targeting_id": targeting_id, "set_version": changed.set_version}
        if was_rung:
            await notice(tx, "resume_mended", now, told)
        late = due_at.isoformat() if due_at and now - due_at > MOMENTARY else None
        await notice(tx, "targeting_resumed", now, {**told, "since": late})

    async def failed(tx: Transaction, failure: Failure, _verdict: Verdict, now: datetime) -> Verdict | Settled:
        tried = await targeting.to_change(tx, targeting_id)
        if tried is not None and tried.set_version == payload["set_version"]:
            await go_on(tx, tried, payload, failure, now)
        return Settled(reason=failure.reason)

    return Plan(perform=perform, then=then, failed=failed)


async def go_on(tx: Transaction, row: Targeting, payload: Mapping[str, Any], failure: Failure, now: datetime) -> None:
    """Once more later, as long as it takes; the keepers are rung at once unless it may pass, and then less and less."""
    targeting.cannot_resume(row, now=now)
    tries, rung = int(payload.get("tries", 0)), int(payload.get("rung", 0))
    may_pass = failure.sort is not Sort.REFUSED and now - (row.failing_since or now) < MOMENTARY
    ring_at = datetime.fromisoformat(payload["ring_at"]) if "ring_at" in payload else now
    if not may_pass and now >= ring_at:
        detail = detail_of(failure)
        told = {"targeting_id": row.id, "set_version": row.set_version, "reason": failure.reason, "detail": detail}
        await notice(tx, "resume_failing", now, told)
        ring_at, rung = now + RING_AFTER[min(rung, len(RING_AFTER) - 1)], rung + 1
    pause = max(timedelta(seconds=failure.retry_after or 0), FIRST_AGAIN * 2 ** min(tries, 10))
    again = {**payload, "tries": tries + 1, "rung": rung, "ring_at": ring_at.isoformat()}
    due_at = now + min(pause, LONGEST_AGAIN)
    entry = await outbox.enqueue(tx, Kind.SET_TARGETING, now=now, payload=again, due_at=due_at)
    waits_for_consent = failure.reason in (Cannot.RECONNECT, Cannot.NOT_CONNECTED, Cannot.SCOPE_MISSING)
    await outbox.explain(tx, entry, RECONNECT if waits_for_consent else failure.reason)
