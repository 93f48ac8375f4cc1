"""What is told about an erasure before it begins: that it is planned, and that it was called off."""

from bot.blocks import disconnecting as blocks
from bot.blocks.posts import Post
from bot.dispatch.plans import At
from storage import erasing
from storage.models import Erasure


async def planned(at: At, *, ask_keeper: bool) -> Post | None:  # noqa: ARG001 -- the signature of `Made`
    """A business is going to be erased; nothing where that was called off, or has begun, meanwhile."""
    erasure = await _erasure(at)
    if erasure is None or erasure.cancelled_at is not None or erasure.started_at is not None:
        return None
    return blocks.erasure_planned(erasure.business_name, starts_at=erasure.starts_at, asked_by=erasure.asked_by)


async def cancelled(at: At, *, ask_keeper: bool) -> Post | None:  # noqa: ARG001 -- same
    """It is not going to be erased."""
    erasure = await _erasure(at)
    return None if erasure is None else blocks.erasure_cancelled(erasure.business_name)


async def _erasure(at: At) -> Erasure | None:
    return await erasing.get(at.tx, at.entry.payload["erasure_id"])
