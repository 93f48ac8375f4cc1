"""Seals secrets for the database, so that a copied database file opens nothing."""

import contextlib
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlmodel import select

from storage import lanes
from storage.database import Transaction
from storage.models import Seal

CANARY = "corkboard"


class VaultError(Exception):
    """The encryption keys do not open what this database holds. Put the right keys into ENCRYPTION_KEYS."""


class Vault:
    """Seals with the first key, opens with any: so keys can be rotated without downtime."""

    def __init__(self, keys: list[str]) -> None:
        """Take Fernet keys (32 url-safe base64-encoded bytes each); raises VaultError on anything else."""
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise VaultError(
                "A key in ENCRYPTION_KEYS is not a Fernet key (44 characters of url-safe base64)."
            ) from error

    def seal(self, secret: str) -> str:
        """Encrypt a secret for a column."""
        return self._fernet.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """Decrypt what `seal` made; raises VaultError where no key fits."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise VaultError(str(VaultError.__doc__)) from error

    async def check(self, tx: Transaction) -> None:
        """Refuse a database sealed with other keys; leave our seal in one that has none yet."""
        await lanes.lock(tx, "seal")  # of replicas that start at once on an empty database, one leaves it
        seal = (await tx.execute(select(Seal).limit(1))).scalar_one_or_none()
        if seal is None:
            tx.add(Seal(canary=self.seal(CANARY)))
        elif self.open(seal.canary) != CANARY:
            raise VaultError(str(VaultError.__doc__))


def key_beside(database: Path) -> str:
    """The key in `corkboard.key` beside a SQLite database, made (mode 0600) where it is missing."""
    path = database.with_name("corkboard.key")
    if not path.exists():
        _make_key(path)
    return path.read_text().strip()


def _make_key(path: Path) -> None:
    """Whole or not at all, also where two processes do it at once: then one key stands, and both read it."""
    made = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(Fernet.generate_key().decode() + "\n")
        file.flush()
        os.fsync(descriptor)
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(made)
    made.unlink()
