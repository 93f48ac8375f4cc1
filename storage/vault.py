"""Seals secrets for the database, so that a copied database file opens nothing."""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlmodel import select

from storage import lanes
from storage.database import Transaction
from storage.models import Seal
from storage.on_disk import sync

CANARY = "corkboard"

_Version = tuple[int, int, int]


class VaultError(Exception):
    """The encryption keys do not open what this database holds. Put the right keys into ENCRYPTION_KEYS."""


class Vault:
    """Seals with the first key, opens with any: so keys can be rotated without downtime."""

    def __init__(self, keys: Sequence[str], *, file: Path | None = None) -> None:
        """Take Fernet keys (32 url-safe base64-encoded bytes each); raises VaultError on anything else.

        `file`: where they are from; it is read again when it changes, so that a running program follows a rotation.
        """
        self._file = file
        self._read: _Version | None = None
        self._use(keys)

    @classmethod
    def beside(cls, database: Path) -> Self:
        """The vault with the keys in `corkboard.key` beside a SQLite database; a key is made where there is none."""
        return cls(keys_beside(database), file=key_file(database))

    def _use(self, keys: Sequence[str]) -> None:
        try:
            fernets = [Fernet(key) for key in keys]
            self._first, self._all = fernets[0], MultiFernet(fernets)
        except (ValueError, IndexError) as error:
            raise VaultError(
                "A key in ENCRYPTION_KEYS or corkboard.key is not a Fernet key (44 characters of url-safe base64)."
            ) from error

    def _follow(self) -> bool:
        """Take the keys of a file that was changed; True where they are other ones than before."""
        version = _version(self._file)
        if self._file is None or version is None or version == self._read:
            return False
        with contextlib.suppress(OSError, VaultError):  # half of a hand's edit: the keys that we have still open
            self._use(read_keys(self._file))
            self._read = version
            return True
        return False

    def seal(self, secret: str) -> str:
        """Encrypt a secret for a column."""
        self._follow()  # what is sealed with a key that is two rotations old would not open any more
        return self._first.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """Decrypt what `seal` made; raises VaultError where no key fits."""
        try:
            return self._all.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            if self._follow():
                return self.open(sealed)
            raise VaultError(str(VaultError.__doc__)) from error

    def resealed(self, sealed: str) -> str | None:
        """The same sealed with the first key; None where it is so already. Raises VaultError where no key fits."""
        with contextlib.suppress(InvalidToken):
            self._first.decrypt(sealed.encode())
            return None
        return self.seal(self.open(sealed))

    async def fits(self, tx: Transaction) -> bool | None:
        """Whether these keys open what the database holds; None where it has no seal yet. Nothing is changed."""
        seal = (await tx.execute(select(Seal).limit(1))).scalar_one_or_none()
        if seal is None:
            return None
        try:
            return self.open(seal.canary) == CANARY
        except VaultError:
            return False

    async def check(self, tx: Transaction) -> None:
        """Refuse a database sealed with other keys; leave our seal in one that has none yet."""
        await lanes.lock(tx, "seal")  # of replicas that start at once on an empty database, one leaves it
        seal = (await tx.execute(select(Seal).limit(1))).scalar_one_or_none()
        if seal is None:
            tx.add(Seal(canary=self.seal(CANARY)))
        elif self.open(seal.canary) != CANARY:
            raise VaultError(str(VaultError.__doc__))


def key_file(database: Path) -> Path:
    """Where the keys of a SQLite database are kept: one a line, the first seals, all open."""
    return database.with_name("corkboard.key")


def keys_beside(database: Path) -> list[str]:
    """The keys in `corkboard.key` beside a SQLite database; one is made (mode 0600) where it is missing."""
    path = key_file(database)
    if not path.exists():
        _write_key(path)
    return read_keys(path)


def read_keys(path: Path) -> list[str]:
    """The keys in a file, the one that seals first."""
    return path.read_text().split()


def replace_keys(path: Path, keys: Sequence[str]) -> None:
    """Put other keys into the file: whole or not at all, and on the disk when this returns."""
    made = _written(path, keys)
    made.replace(path)
    sync(path.parent)


@contextlib.contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Hold the key file for changing it; waits for whoever does so just now."""
    descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write_key(path: Path) -> None:
    """Whole or not at all, also where two processes do it at once: then one key stands, and both read it."""
    made = _written(path, [Fernet.generate_key().decode()])
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(made)
    made.unlink()


def _written(path: Path, keys: Sequence[str]) -> Path:
    """A new file beside `path` with these keys, on the disk and for its owner alone."""
    made = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("".join(f"{key}\n" for key in keys))
        file.flush()
        os.fsync(descriptor)
    return made


def _version(path: Path | None) -> _Version | None:
    """What tells one state of a file from another; None where there is none."""
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
