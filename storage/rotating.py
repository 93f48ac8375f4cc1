"""Seals everything anew with the first key, so that older keys are not needed any more.

With the file beside SQLite there is always a state in which all that is sealed opens: the new key is added first, then
everything is sealed with it in one transaction, and only then the oldest keys go. A process that was killed between two
of these leaves a file that opens everything, and the next rotation tidies up.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from sqlalchemy import select
from sqlmodel import col

from storage import vault as vaults
from storage.database import Database, Transaction
from storage.models import Connection, Consent, Outbox, Row, Seal, Webhook
from storage.vault import Vault, VaultError

AT_ONCE = 500
"""How many rows are held at a time."""

SEALED: Sequence[tuple[type[Row], Sequence[str]]] = (
    (Seal, ("canary",)),
    (Connection, ("access_token", "refresh_token")),
    (Consent, ("verifier",)),
    (Webhook, ("password",)),
)
"""The columns that hold sealed text; what is sealed inside an outbox payload is found by its looks."""

FERNET = "gAAAA"
"""How everything sealed begins: Fernet's version, and a time before the year 2106 (github.com/fernet/spec)."""


@dataclass(frozen=True, kw_only=True)
class Rotated:
    """How much was sealed anew, and how much no key opens: that stays as it is."""

    resealed: int
    unopened: int


async def rotate_file(database: Database, file: Path) -> Rotated:
    """Make a new key in the file beside a SQLite database, seal everything with it, and keep the one before as second."""
    with vaults.only_one(file):
        before = vaults.read_keys(file)
        new = Fernet.generate_key().decode()
        vaults.replace_keys(file, [new, *before])
        rotated = await reseal(database, Vault([new, *before]))
        vaults.replace_keys(file, [new, before[0]])
    return rotated


async def reseal(database: Database, vault: Vault) -> Rotated:
    """Seal everything with the first key that is not, in one transaction. What no key opens is counted and left."""
    counts = Rotated(resealed=0, unopened=0)
    async with database.transaction() as tx:
        for row, columns in SEALED:
            counts = _sum(counts, await _columns(tx, vault, row, columns))
        return _sum(counts, await _payloads(tx, vault))


async def _columns(tx: Transaction, vault: Vault, row: type[Row], columns: Sequence[str]) -> Rotated:
    counts = Rotated(resealed=0, unopened=0)
    async for found in _rows(tx, row):
        for name in columns:
            sealed = getattr(found, name)
            if sealed is None:
                continue
            new, count = _sealed(vault, sealed)
            counts = _sum(counts, count)
            if new is not None:
                setattr(found, name, new)
    return counts


async def _payloads(tx: Transaction, vault: Vault) -> Rotated:
    counts = Rotated(resealed=0, unopened=0)
    async for entry in _rows(tx, Outbox):
        payload, count = _inside(vault, entry.payload)
        counts = _sum(counts, count)
        if count.resealed:
            entry.payload = payload
    return counts


async def _rows(tx: Transaction, row: type[Any]) -> AsyncIterator[Any]:
    """Every row of a kind, some at a time, held until the transaction ends."""
    last = 0
    while True:
        query = select(row).where(col(row.id) > last).order_by(col(row.id)).limit(AT_ONCE).with_for_update()
        found = (await tx.execute(query.execution_options(populate_existing=True))).scalars().all()
        for one in found:
            yield one
        await tx.flush()
        if len(found) < AT_ONCE:
            return
        last = found[-1].id
        tx.expunge_all()


def _sealed(vault: Vault, sealed: str) -> tuple[str | None, Rotated]:
    try:
        new = vault.resealed(sealed)
    except VaultError:
        return None, Rotated(resealed=0, unopened=1)
    return new, Rotated(resealed=int(new is not None), unopened=0)


def _inside(vault: Vault, value: Any) -> tuple[Any, Rotated]:
    """The same JSON with every sealed text in it sealed anew."""
    match value:
        case str() if value.startswith(FERNET):
            new, count = _sealed(vault, value)  # what does not open is somebody's text
            return (value if new is None else new), Rotated(resealed=count.resealed, unopened=0)
        case dict():
            made = {name: _inside(vault, one) for name, one in value.items()}
            return {name: one for name, (one, _) in made.items()}, _total(count for _, count in made.values())
        case list():
            items = [_inside(vault, one) for one in value]
            return [one for one, _ in items], _total(count for _, count in items)
        case _:
            return value, Rotated(resealed=0, unopened=0)


def _total(counts: Iterable[Rotated]) -> Rotated:
    total = Rotated(resealed=0, unopened=0)
    for count in counts:
        total = _sum(total, count)
    return total


def _sum(one: Rotated, other: Rotated) -> Rotated:
    return Rotated(resealed=one.resealed + other.resealed, unopened=one.unopened + other.unopened)
