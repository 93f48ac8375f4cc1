"""Keys are rotated beside a running program, which goes on sending with the tokens that were sealed anew."""

from collections.abc import AsyncIterator

import pytest
from scenarios.test_serve import command
from support.conversation import CHECK, Conversation
from support.office import Office, office

from storage import rotating
from storage.database import Database
from storage.models import Connection
from storage.vault import Vault, key_file, read_keys

OLD, NEW = "zH9o1mJmZUoY8D0m2rWn8q2c6a0m3S7mX0bqQ3B1u0Y=", "Qm1vcmUgc2VjcmV0IHRoYW4gdGhlIG9uZSBiZWZvcmU="


@pytest.fixture
async def beside(sqlite_url: str) -> AsyncIterator[Office]:
    """An office whose key is in the file beside its database."""
    async with office(sqlite_url, encryption_keys="") as running:
        yield running


async def test_a_running_program_goes_on_through_two_rotations_and_a_restart(beside: Office):
    place, database = beside, Database(beside.database_url)
    assert database.file is not None
    file = key_file(database.file)
    await place.connect("legacy")
    lead = await Conversation.opened(place)
    for number in range(2):
        await rotating.rotate_file(database, file)
        await place.advance(hours=1)  # the access token is over: it is renewed with the refresh token
        await lead.marked(await lead.say(f"Message {number}"), CHECK)
    (connection,) = await place.rows(Connection)
    await rotating.rotate_file(database, file)
    (resealed,) = await place.rows(Connection)
    assert resealed.refresh_token != connection.refresh_token
    await place.stop()
    await place.start()
    await lead.marked(await lead.say("Message 2"), CHECK)
    assert lead.received == ["Message 0", "Message 1", "Message 2"]
    assert place.thumbtack.grants.misused == []
    await database.close()


async def test_a_renewal_under_way_is_stored_though_the_seal_is_another_one_by_then(place: Office, monkeypatch):
    await place.stop()
    await place.start(encryption_keys=f"{NEW},{OLD}")
    await place.connect("legacy")
    await place.stop()
    await place.start(encryption_keys=f"{OLD},{NEW}")
    assert place.door.app is not None
    services = place.door.app.state.services
    oauth = services.thumbtack.oauth("legacy")

    async def renew_and_rotate(**asked):
        pair = await type(oauth).renew(oauth, **asked)
        assert (await rotating.reseal(place.database, Vault([OLD, NEW]))).resealed > 0
        return pair

    (before,) = await place.rows(Connection)
    with monkeypatch.context() as once:
        once.setattr(oauth, "renew", renew_and_rotate)
        await services.tokens.renewed(before.id, services.vault.open(before.access_token or ""))
    (after,) = await place.rows(Connection)
    stored = [services.vault.open(one.refresh_token or "") for one in (before, after)]
    assert stored[0] != stored[1]
    await services.tokens.renewed(after.id, services.vault.open(after.access_token or ""))
    assert place.thumbtack.grants.misused == []


async def test_the_command_says_what_it_did_and_what_is_next(place: Office, tmp_path):
    await place.connect("legacy")
    settings = {"DATABASE_URL": place.database_url, "ENCRYPTION_KEYS": f"{NEW},{place.knobs['encryption_keys']}"}
    ended = await command("keys", "rotate", settings=settings, folder=tmp_path)
    assert ended.code == 0, ended.err
    assert "secrets were sealed anew" in ended.out
    assert "take the other keys out of ENCRYPTION_KEYS" in ended.out
    (connection,) = await place.rows(Connection)
    Vault([NEW]).open(connection.refresh_token or "")
    again = await command("keys", "rotate", settings=settings | {"ENCRYPTION_KEYS": NEW}, folder=tmp_path)
    assert (again.code, "0 secrets were sealed anew" in again.out) == (0, True)
    assert "put one from `corkboard keys new` last" in again.out


async def test_the_command_with_the_key_beside_the_database(beside: Office, tmp_path):
    await beside.connect("legacy")
    file = tmp_path / "corkboard.key"
    before = read_keys(file)
    ended = await command("keys", "rotate", settings={"DATABASE_URL": beside.database_url}, folder=tmp_path)
    assert ended.code == 0, ended.err
    assert "corkboard.key holds the new key" in ended.out
    assert read_keys(file)[1:] == before
    file.rename(tmp_path / "elsewhere")
    lost = await command("keys", "rotate", settings={"DATABASE_URL": beside.database_url}, folder=tmp_path)
    assert (lost.code, "Put it back from your backup" in lost.err) == (1, True)
    (tmp_path / "elsewhere").rename(file)


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_replicas_change_their_key_one_after_the_other_and_nothing_stops(place: Office):
    """As docs/operating.md says: first every replica opens with the new key, then every one seals with it."""
    await place.connect("legacy")
    lead = await Conversation.opened(place)
    for number, keys in enumerate([f"{OLD},{NEW}", f"{NEW},{OLD}", NEW]):
        if keys == NEW:
            assert (await rotating.reseal(place.database, Vault([NEW, OLD]))).unopened == 0
        async with place.replica() as other:  # which still has the keys of before
            await place.stop()
            await place.start(encryption_keys=keys)
            await place.advance(hours=1)  # tokens are renewed, by either of them: they are sealed with its first key
            for one in (place, other):
                assert one.door.app is not None
                await one.door.app.state.services.tokens.renew_due()
            await lead.marked(await lead.say(f"Message {number}"), CHECK)
            (connection,) = await place.rows(Connection)
            for one in (place, other):
                assert one.door.app is not None
                assert one.door.app.state.services.vault.open(connection.refresh_token or "")
    assert lead.received == ["Message 0", "Message 1", "Message 2"]
    assert place.thumbtack.grants.misused == []
