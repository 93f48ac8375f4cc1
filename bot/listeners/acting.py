"""Who may act on leads, and what those are told, alone, who may not or whose press changed nothing."""

from collections.abc import Mapping
from typing import Any

from bot import access, answers
from bot.blocks import deliveries
from bot.blocks.posts import Post
from bot.blocks.settings_people import not_asked
from bot.errors import Reason
from bot.services import Services
from storage.database import Transaction


async def is_refused(
    services: Services, body: Mapping[str, Any], *, team_id: str | None, if_unknown: bool = True
) -> bool:
    """Whether who pressed something may not work leads; they are told so.

    Slack gets two seconds to say who somebody is that it was not asked about in the last minute. `if_unknown`: whether
    to refuse where it does not; what is looked at again before it goes out need not wait for that.
    """
    told = await refusal(services, body["user"]["id"], team_id=team_id, if_unknown=if_unknown)
    if told is None:
        return False
    async with services.database.transaction() as tx:
        await whisper(tx, services, body, told)
    return True


async def refusal(services: Services, user_id: str, *, team_id: str | None, if_unknown: bool = True) -> Post | None:
    """What somebody is told who may not work leads; None for who may. `if_unknown` as above."""
    match await access.may_work(services, team_id=team_id or "", user_id=user_id):
        case True:
            return None
        case False:
            return deliveries.cannot(Reason.OUTSIDER)
        case None:
            return not_asked() if if_unknown else None


async def whisper(tx: Transaction, services: Services, body: Mapping[str, Any], post: Post) -> None:
    """Say something to who pressed a button alone: beside it, or where that cannot be, as a direct message."""
    url, user, now = body.get("response_url"), body["user"]["id"], services.clock()
    if url:
        await answers.enqueue(tx, services.vault, url=url, post=post, now=now, or_tell=user)
    else:
        await answers.tell(tx, services.vault, user=user, post=post, now=now)
