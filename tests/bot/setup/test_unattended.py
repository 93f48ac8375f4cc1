"""`corkboard setup --answers FILE`: the same tests without a person, and a sentence for everything that is wrong."""

import asyncio
import logging
import os
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result
from cryptography.fernet import Fernet
from dotenv import dotenv_values
from sqlalchemy import delete
from support.setting_up import SECRET, TOKEN

from bot import cli, settings
from sandbox.slack import SlackStandIn
from storage.database import Database
from storage.models import Seal
from storage.vault import Vault

Setup = Callable[..., Awaitable[Result]]

GOOD = {
    "PUBLIC_URL": "http://127.0.0.1:9",
    "SLACK_BOT_TOKEN": "${TOKEN_OF_CI}",
    "SLACK_SIGNING_SECRET": SECRET,
    "SLACK_LEADS_CHANNEL": "#leads",
    "SLACK_RING": "@ana, @crew",
    "REPLY_MODE": "quiet",
}


def run(*arguments: str, **environ: str) -> Result:
    """The command, in this process; the log goes back to what it was."""
    handlers, level = logging.root.handlers[:], logging.root.level
    try:
        return CliRunner().invoke(cli.main, ["setup", *arguments], env=environ)
    finally:
        structlog.reset_defaults()
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)


def written(answers: dict[str, str]) -> str:
    path = Path("answers")
    path.write_text("".join(f"{name}={value}\n" for name, value in answers.items()))
    return str(path)


def there(name: str = ".env") -> str | None:
    return Path(name).read_text() if Path(name).exists() else None


@pytest.fixture
def setup(slack: SlackStandIn) -> Setup:
    """Run it beside the stand-in with these answers."""

    async def answered(answers: dict[str, str], *arguments: str, **environ: str) -> Result:
        known = {"SLACK_API_URL": slack.url, "TOKEN_OF_CI": TOKEN} | environ
        return await asyncio.to_thread(run, "--answers", written(answers), *arguments, **known)

    return answered


async def test_it_writes_what_the_program_reads_and_prints_no_secret(setup):
    Path(".env").write_text("# mine\nLOG_LEVEL=debug\n")  # noqa: ASYNC240 -- a few bytes in memory
    refused = await setup(GOOD, "--manifest", "slack.yml")
    assert refused.exit_code == 2
    assert "no address that Slack can reach" in refused.stderr
    assert there() == "# mine\nLOG_LEVEL=debug\n"
    ended = await setup(GOOD)
    assert ended.exit_code == 0, ended.output
    found = settings.load()
    assert (found.slack_leads_channel, found.slack_ring, found.log_level) == ("C0LEADS", ("U0ANA", "S0CREW"), "debug")
    assert found.slack_bot_token.get_secret_value() == TOKEN
    assert found.thumbtack_webhook_username == "thumbtack"
    password = found.thumbtack_webhook_password.get_secret_value()
    assert len(password) >= 40
    assert (there() or "").startswith("# mine\nLOG_LEVEL=debug\n")
    assert not [secret for secret in (password, TOKEN, SECRET) if secret in ended.output]
    assert "http://127.0.0.1:9/v4/webhooks" in ended.output
    assert all(len(line) < 250 for line in ended.output.splitlines())
    assert "\x1b" not in ended.output
    assert "ok       SLACK_RING, answer: Ana (U0ANA), @crew (S0CREW)" in ended.output
    again = await setup(GOOD)
    assert again.exit_code == 0
    assert "Nothing: everything stands there already." in again.output


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-other"}, "SLACK_BOT_TOKEN, token: Slack refuses it (invalid_auth)"),
        ({"SLACK_LEADS_CHANNEL": "#other"}, "Type /invite @Corkboard in #other first."),
        (
            {"SLACK_LEADS_CHANNEL": "C0OTHER"},
            "C0OTHER: all leads: it was deleted, or is private and the bot is not in it",
        ),
        (
            {"PUBLIC_URL": "http://leads.example.com"},
            "Slack and Thumbtack call nothing else. Is it https://leads.example.com?",
        ),
        ({"PUBLIC_URL": "https://me:pa55@leads.example.com"}, "PUBLIC_URL: It must not hold a user name or password"),
        ({"PUBLIC_URL": "http://me:pa55@leads.example.com"}, "PUBLIC_URL: It must not hold a user name or password"),
        ({"PUBLIC_URL": "https://leads example.com"}, "PUBLIC_URL: It must not hold a blank"),
        ({"PUBLIC_URL": "leads.example.com/?a=1"}, "PUBLIC_URL: It must not hold a ? or #"),
        ({"PUBLIC_URL": "leads.example.com#a"}, "PUBLIC_URL: It must not hold a ? or #"),
        ({"PUBLIC_URL": "https://leads.example.com:port"}, "PUBLIC_URL: It must be an address like"),
        ({"PUBLIC_URL": "leads.invalid"}, "make a DNS record for leads.invalid"),
        ({"SLACK_KEEPERS": "S0CREW", "SLACK_BOT_TOKEN": ""}, "a group gets no direct messages"),
        ({"SLACK_RING": "@nobody"}, "Nobody here is called @nobody."),
        ({"REPLY_MODE": "loud"}, "REPLY_MODE: Input should be 'replies' or 'quiet'."),
        ({"DATABASE_URL": "sqlite+aiosqlite:////nowhere/corkboard.db"}, "there is no folder /nowhere"),
        ({"DATABASE_URL": "postgresql+asyncpg://me@127.0.0.1:9/none"}, "it does not do as asked"),
    ],
)
async def test_what_does_not_hold_is_told_and_nothing_is_written(setup, wrong, says):
    ended = await setup(GOOD | wrong)
    assert ended.exit_code == 1
    assert says in ended.output
    assert "pa55" not in ended.output
    assert ended.output.rstrip().endswith("Not everything holds. Nothing was written into .env.")
    assert there() is None


def test_untested_asks_nobody_and_postgresql_gets_its_key():
    answers = {
        "PUBLIC_URL": "https://leads.invalid/",
        "SLACK_BOT_TOKEN": "xoxb-some",
        "SLACK_LEADS_CHANNEL": "https://oak.slack.com/archives/C0LEADS",
        "DATABASE_URL": "postgresql+asyncpg://me@127.0.0.1:9/none",
        "THUMBTACK_LEGACY_CLIENT_ID": "id",
    }
    ended = run("--answers", written(answers), "--untested", "--manifest", "slack.yml")
    assert ended.exit_code == 0, ended.output
    found = settings.load()
    assert (found.public_url, found.slack_leads_channel) == ("https://leads.invalid", "C0LEADS")
    assert len(found.encryption_keys) == 1
    assert not Path("corkboard.key").exists()
    assert "https://leads.invalid/slack/events" in (there("slack.yml") or "")
    assert "https://leads.invalid/thumbtack/callback" in ended.output
    assert "PUT https://leads.invalid/v1/lead/update" in ended.output
    assert (
        "THUMBTACK_LEGACY_CLIENT_SECRET: not set, and without it THUMBTACK_LEGACY_CLIENT_ID is of no use"
        in ended.output
    )


def test_every_mistake_in_a_file_of_answers_is_told_without_its_value():
    Path("answers").write_text(
        "# of ours\n\nSLACK_BOT_TOKN=xoxb-secret\nSLACK_RING=U0ANA\nslack_ring=U0BEN\n"
        "PRIVACY\nSLACK_APP_TOKEN=${NOT_THERE}\nwhat is this\n"
    )
    ended = run("--answers", "answers")
    assert ended.exit_code == 2
    assert ended.stderr.splitlines() == [
        "answers cannot be used:",
        "  line 3: there is no setting SLACK_BOT_TOKN; is it SLACK_BOT_TOKEN?",
        "  line 5: SLACK_RING stands there twice",
        "  line 6: it is not like NAME=value",
        "  line 7: the environment has no NOT_THERE",
        "  line 8: it is not like NAME=value",
        "Nothing was written into .env.",
    ]


def test_without_a_terminal_and_without_answers_it_says_so():
    ended = run()
    assert ended.exit_code == 2
    assert "There is no terminal to ask on: say --answers FILE" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["NOSUCH"], "Setup does not ask for NOSUCH. It asks for PUBLIC_URL, "),
        (["PRIVACY", "--answers", "answers"], "leave the names out, or --answers"),
        (["--answers", "nowhere"], "nowhere cannot be read"),
    ],
)
def test_it_is_told_how_it_is_used(arguments, says):
    ended = run(*arguments)
    assert ended.exit_code == 2
    assert says in ended.stderr


def test_a_folder_that_takes_nothing_is_told_before_anything_is_asked(monkeypatch):
    answers = Path(written(GOOD)).absolute()
    monkeypatch.chdir("/proc")  # takes no file, not even root's
    ended = run("--answers", str(answers))
    assert ended.exit_code == 2
    assert "Nothing can be written into /proc" in ended.stderr


@pytest.mark.parametrize("content", [b"A=\xff\n", None])
def test_a_file_that_is_there_and_cannot_be_read_is_told(content):
    Path(".env").mkdir() if content is None else Path(".env").write_bytes(content)
    ended = run("--answers", written({}))
    assert ended.exit_code == 2
    assert ".env" in ended.stderr
    assert content is None or Path(".env").read_bytes() == content


def test_what_stood_there_before_and_is_wrong_is_told_at_the_end():
    Path(".env").write_text("LOG_LEVEL=loud\n")
    ended = run("--answers", written({"PRIVACY": "private"}))
    assert ended.exit_code == 1
    assert "LOG_LEVEL: input should be 'debug'" in ended.stderr
    assert "Mend them in .env" in ended.stderr
    assert "PRIVACY=private" in (there() or "")


@pytest.mark.parametrize(
    "address",
    ["postgresql+psycopg://a:pa55@h/x", "mysql://a:pa55@h/x", "sqlite:///x.db", "pa55", "postgres://a:pa55@h:p/x"],
)
@pytest.mark.parametrize("where", ["the environment", ".env"])
def test_a_database_that_cannot_be_used_is_told_before_anything_is_asked(address, where):
    line = f"DATABASE_URL={address}\n"
    Path(".env").write_text(line if where == ".env" else "")
    environ = {} if where == ".env" else {"DATABASE_URL": address}
    ended = run("--answers", written({"PRIVACY": "private"}), **environ)
    assert ended.exit_code == 2
    assert ended.stderr.startswith("DATABASE_URL must be sqlite+aiosqlite:/// and a file's path")
    assert f"Mend it in {where}" in ended.stderr
    assert "pa55" not in ended.output
    assert there() == (line if where == ".env" else "")


def test_an_address_as_hosts_hand_it_out_is_taken():
    answers = {"DATABASE_URL": "postgres://me:pa55@127.0.0.1:9/none?sslmode=require"}
    assert run("--answers", written(answers), "--untested").exit_code == 0
    assert "DATABASE_URL='postgres://me:pa55@127.0.0.1:9/none?sslmode=require'" in (there() or "")
    assert settings.load().encryption_keys


def test_a_password_that_is_replaced_is_taken_too_unless_the_answers_say_otherwise():
    password, previous = "THUMBTACK_WEBHOOK_PASSWORD", "THUMBTACK_WEBHOOK_PASSWORD_PREVIOUS"
    Path(".env").write_text(f"{password}=the-first-of-them\n")

    def taken(**answers: str) -> tuple[str, str | None, str]:
        ended = run("--answers", written(answers), "--untested")
        assert ended.exit_code == 0, ended.output
        found = dotenv_values(".env")
        return found[password] or "", found.get(previous), ended.stdout

    first = taken(**{password: "the-second-of-them"})
    assert first[:2] == ("the-second-of-them", "the-first-of-them")
    assert "The one before is taken too" in first[2]
    again = taken(**{password: "the-second-of-them"})
    assert (again[1], "The one before" in again[2]) == ("the-first-of-them", False)
    third = taken(**{password: "the-third-of-them"})
    assert third[:2] == ("the-third-of-them", "the-second-of-them")
    assert "The one before that is not taken any more." in third[2]
    fourth = taken(**{password: "the-fourth-of-them", previous: ""})
    assert (fourth[1], "The one before" in fourth[2]) == ("", False)
    assert taken(**{password: ""})[1] == "the-fourth-of-them"


@pytest.mark.parametrize("name", [".env", "./.env", "answers", "notes.txt"])
def test_the_manifest_takes_the_place_of_nothing_else(name):
    Path(".env").write_text("LOG_LEVEL=debug\n")
    Path("notes.txt").write_text("of ours\n")
    answers = written({"PRIVACY": "private"})
    before = Path(name).read_text()
    ended = run("--answers", answers, "--untested", "--manifest", name)
    assert (ended.exit_code, Path(name).read_text()) == (2, before)
    assert "name another file" in ended.stderr
    assert there() == "LOG_LEVEL=debug\n"


def test_a_manifest_that_is_there_is_written_anew_once_everything_else_is():
    answers = written({"PRIVACY": "private", "SLACK_APP_TOKEN": "xapp-1"})
    Path("slack.yml").write_text("_metadata: of before\n")
    Path(".env").write_text("PRIVACY=full\n")
    Path(".env").chmod(0o600)
    assert run("--answers", answers, "--untested", "--manifest", "slack.yml").exit_code == 0
    assert "socket_mode_enabled: true" in (there("slack.yml") or "")
    ended = run("--answers", answers, "--untested", "--manifest", "nowhere/slack.yml")
    assert ended.exit_code == 2
    assert "nowhere/slack.yml" in ended.stderr
    assert "PRIVACY=private" in (there() or "")


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_a_database_that_was_sealed_before_gets_no_other_key(setup, database_url):
    answers = GOOD | {"DATABASE_URL": database_url}
    key, database = Fernet.generate_key().decode(), Database(database_url)
    async with database.transaction() as tx:
        tx.add(Seal(canary=Vault([key]).seal("corkboard")))
    for wrong in ({}, {"ENCRYPTION_KEYS": Fernet.generate_key().decode()}):
        refused = await setup(answers | wrong)
        assert refused.exit_code == 1
        assert "This database was sealed before" in refused.stderr
        assert there() is None
    assert (await setup(answers | {"ENCRYPTION_KEYS": key})).exit_code == 0
    async with database.transaction() as tx:
        await tx.execute(delete(Seal))
    await database.close()
    ended = await setup(answers | {"ENCRYPTION_KEYS": ""})
    assert "ENCRYPTION_KEYS in .env opens what is sealed in the database. Keep a copy" in ended.stdout
    assert settings.load().encryption_keys[0].get_secret_value() != key


def test_a_key_is_made_only_for_a_database_that_is_not_there_yet():
    Path("corkboard.db").touch()
    assert run("--answers", written({"PRIVACY": "private"})).exit_code == 0
    assert not Path("corkboard.key").exists()
    Path("corkboard.db").unlink()
    assert "Keep a copy of it elsewhere" in run("--answers", written({"PRIVACY": "full"})).stdout
    key = Path("corkboard.key")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    made = key.read_text()
    assert run("--answers", written({"PRIVACY": "private"})).exit_code == 0
    assert key.read_text() == made
    key.unlink()
    elsewhere = run("--answers", written({"PRIVACY": "full"}), DATABASE_URL="sqlite+aiosqlite:////data/corkboard.db")
    assert "`corkboard serve` makes /data/corkboard.key" in elsewhere.output
    assert not key.exists()


async def test_a_database_that_setup_may_not_look_at_is_left_to_serve(setup):
    """As the volume of an image is; what nobody can open at all stands for it, for the tests may run as root."""
    closed = f"sqlite+aiosqlite:////{'a' * 300}/corkboard.db"
    answers = GOOD | {"DATABASE_URL": closed}
    ended = await setup(answers, DATABASE_URL=closed)
    assert ended.exit_code == 0, ended.output
    assert "not tested" in ended.stdout
    assert f"`corkboard serve` makes /{'a' * 300}/corkboard.key" in ended.stdout


def test_an_empty_answer_empties_and_the_environment_wins():
    Path(".env").write_text("SLACK_RING=U0ANA\nTIME_ZONE=America/Chicago # ours\n")
    ended = run("--answers", written({"SLACK_RING": "", "TIME_ZONE": "", "PRIVACY": "full"}), PRIVACY="private")
    assert ended.exit_code == 0, ended.output
    assert (there() or "").startswith("SLACK_RING=\nTIME_ZONE= # ours\n")
    assert "PRIVACY, environment: it is set there too, and wins over .env" in ended.output
    assert os.environ.get("PRIVACY") is None
