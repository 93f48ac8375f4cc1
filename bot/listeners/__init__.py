"""What people do in Slack: each module registers its listeners; all of them store and enqueue, none of them speaks."""

from slack_bolt.async_app import AsyncApp

from bot.listeners import (
    actions,
    commands,
    connecting,
    disconnecting,
    home,
    leads,
    lifecycle,
    numbers,
    offers,
    phones,
    reminders,
    revealing,
    saved,
    settings,
    status,
    targeting,
    threads,
    views,
    working,
)
from bot.services import Services


def register(app: AsyncApp, services: Services) -> None:
    """Register every listener."""
    for module in (
        threads,
        actions,
        views,
        working,
        commands,
        connecting,
        disconnecting,
        targeting,
        phones,
        home,
        leads,
        lifecycle,
        numbers,
        offers,
        reminders,
        revealing,
        saved,
        settings,
        status,
    ):
        module.register(app, services)
