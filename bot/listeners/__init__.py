"""What people do in Slack: each module registers its listeners; all of them store and enqueue, none of them speaks."""

from slack_bolt.async_app import AsyncApp

from bot.listeners import (
    actions,
    commands,
    connecting,
    disconnecting,
    phones,
    settings,
    status,
    targeting,
    threads,
    views,
)
from bot.services import Services


def register(app: AsyncApp, services: Services) -> None:
    """Register every listener."""
    for module in (threads, actions, views, commands, connecting, disconnecting, targeting, phones, settings, status):
        module.register(app, services)
