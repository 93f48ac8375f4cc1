"""Sealing secrets, rotating keys, and refusing a database whose seals do not open."""

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from storage.models import Seal
from storage.vault import Vault, VaultError, keys_beside

OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_is_opened_and_cannot_be_read(secret):
    vault = Vault([OLD])
    sealed = vault.seal(secret)
    assert vault.open(sealed) == secret
    assert len(secret) < 4 or secret not in sealed


def test_after_a_rotation_the_first_key_seals_and_all_open():
    before = Vault([OLD]).seal("token")
    rotated = Vault([NEW, OLD])
    assert rotated.open(before) == "token"
    assert Vault([NEW]).open(rotated.seal("token")) == "token"
    with pytest.raises(VaultError):
        Vault([NEW]).open(before)


@pytest.mark.parametrize(
    "keys", [["short"], [""], [OLD, "not base64 at all, but long enough to be a key!"], ["ü" * 44]]
)
def test_what_is_no_key_is_refused_with_a_sentence_that_does_not_hold_it(keys):
    with pytest.raises(VaultError, match="is not a Fernet key") as raised:
        Vault(keys)
    assert not any(key and key in str(raised.value) for key in keys)


@pytest.mark.parametrize("sealed", ["", "gAAAA", "somebody wrote this by hand", "ü"])
def test_what_was_never_sealed_does_not_open(sealed):
    with pytest.raises(VaultError):
        Vault([OLD]).open(sealed)


async def check(database, keys):
    async with database.transaction() as tx:
        await Vault(keys).check(tx)


async def test_a_database_knows_its_keys(database):
    await check(database, [OLD])
    await check(database, [NEW, OLD])
    await check(database, [OLD, NEW])
    with pytest.raises(VaultError, match="Put the right keys into ENCRYPTION_KEYS"):
        await check(database, [NEW, OTHER])
    async with database.reading() as tx:
        assert (await tx.execute(select(func.count()).select_from(Seal))).scalar_one() == 1


def test_the_key_beside_a_sqlite_file_is_made_once_and_for_its_owner_alone(tmp_path):
    keys = keys_beside(tmp_path / "leads.db")
    Vault(keys)
    file = tmp_path / "corkboard.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert keys_beside(tmp_path / "leads.db") == keys
    assert list(tmp_path.iterdir()) == [file]


def test_of_several_that_make_the_key_at_once_all_read_the_same(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        found = {tuple(keys) for keys in pool.map(lambda _: keys_beside(tmp_path / "leads.db"), range(8))}
    assert len(found) == 1
    assert [one.name for one in tmp_path.iterdir()] == ["corkboard.key"]
