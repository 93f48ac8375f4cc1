"""Who may connect, disconnect, pause, and change phones and settings: admins, keepers, and whom they allow."""

import asyncio
from collections.abc import Sequence

from bot.blocks import settings_people as settings_blocks
from bot.blocks.posts import Post
from bot.blocks.settings_people import Keepers
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


async def may_work(services: Services, *, team_id: str, user_id: str) -> bool | None:
    """Whether a person may work leads and answer customers; None where Slack did not say.

    Members of the workspace may. Guests and people of other companies may read, unless they are keepers or allowed.
    """
    identity = services.slack.known_identity
    ours = team_id if identity is None else identity.team_id  # of a shared channel Slack may name the other company's
    outsider = await services.directory.is_outsider(user_id, team_id=ours)
    if outsider is False:
        return True
    async with services.database.reading() as tx:
        allowed = await _allowed(services, tx, ours)
    if user_id in allowed:
        return True
    return None if outsider is None else await _in_group(services, user_id, allowed)


async def is_kept_out(services: Services, tx: Transaction, *, team_id: str, user_id: str) -> bool:
    """Whether it is known already, without asking Slack, that a person may not write to customers."""
    if not services.directory.known_outsider(user_id, team_id=team_id):
        return False
    allowed = await _allowed(services, tx, team_id)
    return user_id not in allowed and not any(subject.startswith("S") for subject in allowed)


async def _allowed(services: Services, tx: Transaction, team_id: str) -> Sequence[str]:
    """The keepers, and whom they allow: ids of people and user groups."""
    return [*(await keepers_of(services, tx, team_id)).ids, *await managers.listed(tx, team_id)]


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
