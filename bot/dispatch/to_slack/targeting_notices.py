"""What everybody and the keepers are told about pauses: set, over, still on, and not to be ended."""

from datetime import datetime

from bot.blocks import targeting as blocks
from bot.blocks.posts import Post
from bot.blocks.targeting import Subject
from bot.dispatch.plans import At
from storage import audit, businesses, targeting
from storage.models import Targeting


async def changed(at: At, *, ask_keeper: bool) -> Post | None:  # noqa: ARG001 -- the signature of `Made`
    """{audit_id, targeting_id, set_version, undo}: somebody paused or resumed; an Undo only while that stands."""
    payload = at.entry.payload
    change, found = await audit.get(at.tx, payload["audit_id"]), await _found(at)
    if change is None or found is None:
        return None
    row, subject = found
    until = change.after["until"]
    return blocks.confirmed(
        subject,
        enabled=change.after["enabled"],
        until=datetime.fromisoformat(until) if until else None,
        by=change.actor,
        undo_id=change.id if payload["undo"] and row.set_version == payload["set_version"] else None,
    )


async def over(at: At, *, ask_keeper: bool) -> Post | None:  # noqa: ARG001 -- the signature of `Made`
    """{targeting_id, set_version, since}: a pause ended by itself."""
    found, since = await _found(at), at.entry.payload["since"]
    return found and blocks.resumed_by_itself(found[1], since=datetime.fromisoformat(since) if since else None)


async def recalled(at: At, *, ask_keeper: bool) -> Post | None:  # noqa: ARG001 -- the signature of `Made`
    """{targeting_id, set_version}: a pause without an end still stands."""
    found = await _found(at)
    if found is None:
        return None
    row, subject = found
    if row.set_version != at.entry.payload["set_version"] or row.set_at is None:
        return None
    return blocks.recalled(subject, row.id or 0, by=row.set_by, since=row.set_at)


async def resume_failing(at: At, *, ask_keeper: bool) -> Post | None:
    """{targeting_id, set_version, reason, detail}: new leads should be on again, and are not."""
    payload, found = at.entry.payload, await _found(at)
    if found is None or found[0].set_version != payload["set_version"]:
        return None
    row, subject = found
    since = targeting.ends_at(row) or at.now
    return blocks.resume_failing(
        subject,
        payload["reason"],
        since=since,
        row_id=row.id or 0,
        detail=payload["detail"],
        ask_keeper=ask_keeper,
    )


async def resume_mended(at: At, *, ask_keeper: bool) -> Post | None:  # noqa: ARG001 -- the signature of `Made`
    """{targeting_id}: what the keepers were rung about is over."""
    found = await _found(at)
    return found and blocks.resume_mended(found[1])


async def _found(at: At) -> tuple[Targeting, Subject] | None:
    row = await targeting.get(at.tx, at.entry.payload["targeting_id"])
    business = None if row is None else await businesses.get(at.tx, row.business_id)
    if row is None or business is None:
        return None
    return row, Subject(business=blocks.named(business.name, business.thumbtack_id), category=row.category)
