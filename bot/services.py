"""The collaborators of the program in one frozen bundle, handed to whoever works."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.attention import Attention
from bot.directory import Directory
from bot.metrics import Metrics
from bot.settings import Settings
from bot.slack import Slack
from storage.database import Database
from storage.vault import Vault
from webhooks.oauth import Consents
from webhooks.thumbtack.client import ThumbtackClient
from webhooks.tokens import Tokens


@dataclass(frozen=True, kw_only=True)
class Services:
    """Everything is built once, in `bot.app`; clock and randomness come in here too."""

    settings: Settings
    database: Database
    vault: Vault
    slack: Slack
    directory: Directory
    thumbtack: ThumbtackClient
    tokens: Tokens
    consents: Consents
    metrics: Metrics
    attention: Attention
    clock: Callable[[], datetime]
    jitter: Callable[[], float]
