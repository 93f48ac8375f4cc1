"""The key that opens what is sealed in the database: made where nothing is sealed yet, and never where something is."""

import asyncio

from cryptography.fernet import Fernet

from bot.doctor.keeping import PATIENCE
from bot.setup import env_file
from bot.setup.draft import Draft
from bot.setup.person import Person
from storage import migrate
from storage.database import Database, StorageError
from storage.vault import Vault, VaultError, key_file, keys_beside

SEALED_BEFORE = (
    "This database was sealed before, with another key: put its ENCRYPTION_KEYS into .env, from where you keep it."
)

ELSEWHERE = "Keep a copy of it elsewhere."


def make_setting(draft: Draft, *, asking: bool) -> bool:
    """Answer ENCRYPTION_KEYS, which PostgreSQL wants. False: what is there was sealed with another key, and none is made.

    Without `asking`, and where the database does not answer, nothing is known of it.
    """
    address, keys = draft.setting("DATABASE_URL"), draft.get("ENCRYPTION_KEYS")
    if Database(address).file is not None:
        return True
    if asking and asyncio.run(_fits(address, keys)) is False:
        return False
    if not keys:
        draft.set("ENCRYPTION_KEYS", Fernet.generate_key().decode())
    return True


async def _fits(address: str, keys: str | None) -> bool | None:
    """Whether these open it; None where nothing is sealed there, or it does not answer."""
    database = Database(address)
    try:
        vault = Vault([key.strip() for key in (keys or Fernet.generate_key().decode()).split(",")])
        async with asyncio.timeout(PATIENCE):
            if (await migrate.shape(database)).current is None:
                return None
            async with database.reading() as tx:
                return await vault.fits(tx)
    except (VaultError, StorageError, OSError):
        return None
    finally:
        await database.close()


def make_file(draft: Draft, person: Person) -> None:
    """The key of a SQLite database that is not there yet; of one that is, the key is there too, or lost."""
    file = Database(draft.setting("DATABASE_URL")).file
    if draft.changes().get("ENCRYPTION_KEYS"):
        person.say(f"ENCRYPTION_KEYS in {env_file.NAME} opens what is sealed in the database. {ELSEWHERE}")
    if file is None or draft.get("ENCRYPTION_KEYS"):
        return
    if draft.is_fixed("DATABASE_URL"):  # of an image, whose volume need not be here, or be open to us
        person.say(f"`corkboard serve` makes {key_file(file)} where it is not there yet. {ELSEWHERE}")
        return
    if file.exists() or key_file(file).exists():
        return
    try:
        keys_beside(file)
        env_file.give_to_owner(key_file(file), file.absolute().parent)
    except OSError:
        person.say(f"{key_file(file)} cannot be made from here: `corkboard serve` makes it. {ELSEWHERE}")
    else:
        person.say(f"{key_file(file)} is made: it opens what is sealed in the database. {ELSEWHERE}")
