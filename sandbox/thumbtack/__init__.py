"""Thumbtack on loopback: it takes the bot's replies like the real one, and plays customers."""

from sandbox.thumbtack.stand_in import ThumbtackStandIn
from sandbox.thumbtack.world import Sent

__all__ = ["Sent", "ThumbtackStandIn"]
