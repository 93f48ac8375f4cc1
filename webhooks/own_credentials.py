"""Holds the credentials of businesses that have their own, opened, so that no webhook waits for the database to be let in."""

import asyncio
from collections.abc import Mapping

import structlog

from storage import webhooks
from storage.database import Database, StorageError
from storage.models import Environment
from storage.vault import Vault, VaultError
from storage.webhooks import Guard
from webhooks.verification import Credentials

EVERY = 5.0
"""Seconds after which the database is looked at unasked, where nobody tells us what others wrote (`Database.patience`)."""

log = structlog.get_logger()


class OwnCredentials:
    """What each business's own webhook is shown by Thumbtack, as the database had it some seconds ago at most."""

    def __init__(self, database: Database, vault: Vault) -> None:
        """Nothing is known before `load`; `run` keeps it true."""
        self._database = database
        self._vault = vault
        self._known: Mapping[tuple[Environment, str], Credentials] = {}
        self._opened: Mapping[Guard, Credentials] = {}
        self._woken = asyncio.Event()
        database.on_commit(webhooks.TOPIC, self._woken.set)

    def of(self, environment: Environment, business_id: str) -> Credentials | None:
        """The credentials of a business, by Thumbtack's id of it; None where it has none of its own."""
        return self._known.get((environment, business_id))

    def __len__(self) -> int:
        """How many businesses have some."""
        return len(self._known)

    async def run(self) -> None:
        """Follow the database, until cancelled. While it is away, what was known stays."""
        while True:
            self._woken.clear()
            try:
                await self.load()
            except (StorageError, OSError) as error:
                log.warning("webhook_credentials_not_read", error=type(error).__name__)
            try:
                async with asyncio.timeout(
                    self._database.patience(EVERY)
                ):  # wait_for of Python 3.11 may lose a cancellation
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def load(self) -> None:
        """Read them now. What no key opens lets nobody in."""
        async with self._database.reading() as tx:
            guards = await webhooks.guards(tx)
        found = {guard: self._opened.get(guard) or self._open(guard) for guard in guards}
        self._opened = {guard: one for guard, one in found.items() if one is not None}
        self._known = {(guard.environment, guard.business_thumbtack_id): one for guard, one in self._opened.items()}

    def _open(self, guard: Guard) -> Credentials | None:
        try:
            password = self._vault.open(guard.password)
        except VaultError:
            log.warning("webhook_password_not_opened", business=guard.business_thumbtack_id)
            return None
        return Credentials(username=guard.username, passwords=[password])
