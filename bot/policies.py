"""What holds for a channel or a business: what was chosen for it in Slack, else the deployment's setting."""

from dataclasses import dataclass
from typing import Protocol

from bot.settings import Privacy, ReplyMode, Settings
from storage import businesses, channels
from storage.database import Transaction
from storage.models import Business, ContactData


class HasPrivacy(Protocol):
    """A business, as far as it chose whether its leads are private; None: the deployment's setting holds."""

    @property
    def privacy(self) -> str | None:
        """What it chose."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What goes out from a channel. `quiet`: only what is meant to, expressly; `signature`: with the writer's first name."""

    quiet: bool
    signature: bool
    contact_data: ContactData


async def of_channel(tx: Transaction, settings: Settings, channel: str | None) -> Policy:
    """What goes out from this channel; None is one that is not known yet."""
    chosen = await channels.chosen(tx, channel)
    mode = chosen.reply_mode if chosen is not None and chosen.reply_mode is not None else settings.reply_mode
    contact_data = chosen.contact_data if chosen is not None and chosen.contact_data is not None else ContactData.ASK
    return Policy(
        quiet=mode == ReplyMode.QUIET,
        signature=bool(chosen is not None and chosen.signature),
        contact_data=ContactData(contact_data),
    )


def is_private(settings: Settings, business: HasPrivacy | None) -> bool:
    """Whether what a lead says stands behind the Open button alone."""
    chosen = None if business is None else business.privacy
    return (chosen or settings.privacy) == Privacy.PRIVATE


async def hides(tx: Transaction, settings: Settings, business: HasPrivacy | None) -> bool:
    """Likewise where Thumbtack may not have said yet whose lead it is: then it may be one of a private business."""
    return is_private(settings, business) or (business is None and await businesses.any_private(tx))


def remind_after(settings: Settings, business: Business | None) -> tuple[int, ...]:
    """After how many minutes without an answer the team is reminded; () for never."""
    chosen = None if business is None else business.remind_after
    return settings.remind_after_minutes if chosen is None else tuple(chosen)
