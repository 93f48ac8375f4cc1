"""Who may connect, disconnect, pause, and change phones and settings: admins, keepers, and whom they allow."""

import asyncio
from collections.abc import Sequence

from bot.blocks import settings as settings_blocks
from bot.blocks.posts import Post
from bot.blocks.settings import Keepers
from bot.services import Services
from storage import keepers, managers
from storage.database import Transaction


async def refusal(services: Services, *, team_id: str, user_id: str) -> Post | None:
    """None where this person may; else what they are told: whom to ask, or that Slack could not be asked.

    Keepers and allowed people are known here; only for others is Slack asked, and it gets two seconds.
    """
    async with services.database.reading() as tx:
        told = await keepers_of(services, tx, team_id)
        allowed = [*told.ids, *await managers.listed(tx, team_id)]
    if user_id in allowed:
        return None
    found = await asyncio.gather(
        services.directory.is_admin(user_id, team_id=team_id), _in_group(services, user_id, allowed)
    )
    if any(found):
        return None
    return settings_blocks.not_asked() if None in found else settings_blocks.may_not(told.ids)


async def keepers_of(services: Services, tx: Transaction, team_id: str) -> Keepers:
    """Who is told about trouble: those of the settings, and only without them who took it on in Slack."""
    named = services.settings.slack_keepers
    return Keepers(ids=named or tuple(await keepers.listed(tx, team_id)), from_settings=bool(named))


async def _in_group(services: Services, user_id: str, allowed: Sequence[str]) -> bool | None:
    """Whether the person is in a user group that is allowed; None where Slack did not say."""
    if not any(subject.startswith("S") for subject in allowed):
        return False
    groups = await services.directory.groups()
    if groups is None:
        return None
    return any(user_id in group.users for group in groups if group.group_id in allowed)
