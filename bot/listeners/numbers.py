"""The button beside a customer's phone number: it opens what is known about Thumbtack Numbers, for anybody who asks."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.blocks import numbers, revealed
from bot.listeners import acting, windows
from bot.services import Services


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the button."""

    async def on_press(ack: AsyncAck, body: dict[str, Any]) -> None:
        await explained(services, body)
        await ack()

    app.action("lead_number")(on_press)


async def explained(services: Services, body: dict[str, Any]) -> None:
    """Show the explanation; on top of a window, where the number stands in one."""
    show = windows.pushed if "view" in body else windows.opened
    if not await show(services, body.get("trigger_id"), numbers.explanation()):
        async with services.database.transaction() as tx:
            await acting.whisper(tx, services, body, revealed.did_not_open())
