"""`corkboard setup` with a person: what they are told, what is tested, and what is kept; against the stand-in for Slack."""

import asyncio
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.setting_up import SECRET, TOKEN, Conversation, Line, at_a_terminal

from bot import settings
from sandbox.faults import Fault
from sandbox.slack.web_api import EVERYTHING

FILE = Path(".env")
ADDRESS = "http://127.0.0.1:9"

Talk = Callable[..., Any]


def before(text: str) -> None:
    FILE.write_text(text)


def left() -> dict[str, str]:
    """What stands in the folder."""
    return {path.name: path.read_text() for path in Path().iterdir()}


def mode(name: str) -> int:
    return stat.S_IMODE(Path(name).stat().st_mode)


@pytest.fixture
def talk(slack) -> Talk:
    """Ask somebody for some settings, who types these lines."""

    async def talked(names: str, *lines: Line, **environ: str) -> Conversation:
        known = {"SLACK_API_URL": slack.url, "SLACK_BOT_TOKEN": TOKEN} | environ
        conversation = Conversation(*lines, environ={name: value for name, value in known.items() if value})
        return await asyncio.to_thread(conversation.asking, *names.split())

    return talked


def newcomer(url: str) -> str:
    """Somebody who begins with nothing, and makes each mistake once; what they read."""
    with at_a_terminal(SLACK_API_URL=url) as terminal:
        terminal.types("http://leads.example.com", after="Left empty: no lead can come")
        terminal.types(ADDRESS, after="must begin with https://")
        terminal.types("", after="Does Slack reach that address? [Y/n]")
        terminal.types("xoxp-of-a-person", after="Bot User OAuth Token")
        terminal.types("xoxb-wrong", after="must be the app's bot token")
        terminal.types(TOKEN, after="Slack refuses it (invalid_auth)")
        terminal.types(SECRET, after="all that are needed (11)")
        terminal.types("#leads", after="Channel for leads")
        terminal.types("@Ana, @crew", after="the bot is in it and may post")
        terminal.types("olga", after="Ana (U0ANA), @crew (S0CREW)")
        terminal.types("2", after="What goes to the customer")
        terminal.types("", after="What everybody in the channel reads")
        terminal.types("", after="User name for Thumbtack's webhooks")
        terminal.types("", after="Password for Thumbtack's webhooks")
        terminal.wait_for("and is shown at the end")
        terminal.types("n", after="Did Thumbtack give you ids and secrets?")
        terminal.types("", after="Left empty: the file corkboard.db in this folder.")
        assert not FILE.exists()
        terminal.types("", after="Write it? [Y/n]")
        assert terminal.ended() == 0
        return terminal.text


async def test_a_newcomer_at_a_terminal(slack):
    read = await asyncio.to_thread(newcomer, slack.url)
    found = settings.load()
    assert (found.public_url, found.slack_leads_channel, found.reply_mode) == (ADDRESS, "C0LEADS", "quiet")
    assert (found.slack_ring, found.slack_keepers) == (("U0ANA", "S0CREW"), ("U0OLGA",))
    assert (found.thumbtack_webhook_username, found.slack_bot_token.get_secret_value()) == ("thumbtack", TOKEN)
    password = found.thumbtack_webhook_password.get_secret_value()
    assert len(password) >= 40
    told = dict(re.findall(r"^ {5}(Address|Events|Authentication|User name|Password) +(.+?)\s*$", read, re.MULTILINE))
    assert told == {
        "Address": f"{ADDRESS}/v4/webhooks",
        "Events": "Lead details, Messages, Reviews: all three",
        "Authentication": "Basic",
        "User name": "thumbtack",
        "Password": password,
    }
    assert TOKEN not in read
    assert SECRET not in read
    assert (mode(".env"), mode("corkboard.key")) == (0o600, 0o600)


async def test_a_new_address_alone_brings_the_manifest_along_where_that_is_wished(slack):
    before(f"PUBLIC_URL={ADDRESS}\nSLACK_BOT_TOKEN={TOKEN}\n")

    def moves() -> int:
        with at_a_terminal("PUBLIC_URL", "--manifest", "slack.yml", "--untested", SLACK_API_URL=slack.url) as terminal:
            terminal.types("https://new.example.com", after="Address")
            terminal.types("", after="Write it? [Y/n]")
            return terminal.ended()

    assert await asyncio.to_thread(moves) == 0
    assert "https://new.example.com/slack/events" in left()["slack.yml"]


@pytest.mark.parametrize("there", [{".env": "# mine\nSLACK_RING=U0ANA\n"}, {}])
async def test_ended_in_the_middle_nothing_is_written(slack, there):
    for text in there.values():
        before(text)

    def ends() -> tuple[int, str]:
        with at_a_terminal(SLACK_API_URL=slack.url) as terminal:
            terminal.types(ADDRESS, after="Address")
            terminal.types("n", after="Does Slack reach that address?")
            terminal.types("", after="Show it here, to copy it?")
            terminal.wait_for("Bot token")
            terminal.wait_for("> ")
            terminal.interrupt()
            return terminal.ended(), terminal.text

    code, text = await asyncio.to_thread(ends)
    assert code == 1
    assert text.rstrip().endswith("Ended. Nothing was written into .env.")
    assert left() == there


async def test_the_bot_is_invited_while_setup_waits(slack, talk):
    members = slack.workspace.channels["C0LEADS"].members
    members.remove("U0CORKBOT")

    def invites() -> str:
        members.append("U0CORKBOT")
        return ""

    told = await talk("SLACK_LEADS_CHANNEL", "leads", "C0LEADS", invites)
    assert "Corkboard is in no channel #leads. Type /invite @Corkboard in #leads first." in told.text
    assert "the bot is not in it" in told.text
    assert told.draft.changes() == {"SLACK_LEADS_CHANNEL": "C0LEADS"}


async def test_what_does_not_hold_is_kept_only_where_somebody_says_so(slack, talk):
    slack.faults.stand("auth.test", Fault(status=503))
    told = await talk("SLACK_BOT_TOKEN", "xoxb-other", "", "keep", SLACK_BOT_TOKEN="")
    assert told.text.count("Slack does not answer (slack_unavailable)") == 2
    assert told.draft.changes() == {"SLACK_BOT_TOKEN": "xoxb-other"}


async def test_what_did_not_hold_can_be_emptied(talk):
    told = await talk("SLACK_BOT_TOKEN", "xoxb-other", "-", SLACK_BOT_TOKEN="")
    assert told.draft.changes() == {}
    before("SLACK_BOT_TOKEN=xoxb-other\n")
    told = await talk("SLACK_BOT_TOKEN", "", "-", SLACK_BOT_TOKEN="")
    assert told.draft.changes() == {"SLACK_BOT_TOKEN": None}


@pytest.mark.parametrize(
    ("lacks", "says"),
    [("chat:write", "broken   scope chat:write"), ("usergroups:read", "warning  scope usergroups:read")],
)
async def test_a_scope_that_is_missing_is_told(slack, talk, lacks, says):
    slack.api.scopes = set(EVERYTHING) - {lacks}
    told = await talk("SLACK_BOT_TOKEN", TOKEN, *(["keep"] if "broken" in says else []), SLACK_BOT_TOKEN="")
    assert says in told.text


async def test_a_clock_that_is_wrong_is_told(slack, talk):
    right = slack.workspace.clock
    slack.workspace.clock = lambda: right() + 900
    told = await talk("SLACK_BOT_TOKEN", TOKEN, "keep", SLACK_BOT_TOKEN="")
    assert re.search(
        r"broken +clock: (899|900|901) s behind Slack's: everything that comes from Slack is refused", told.text
    )


async def test_people_are_found_by_name_id_and_address_and_nobody_is_guessed(slack, talk):
    slack.add_person("U0ANA2", "Ana Ruiz")
    slack.add_person("U0GONE", "Gil", deleted=True)
    told = await talk(
        "SLACK_RING", "@ana", "gil", "U0GONE", "U0NOBODY", "ana@oak.example", "everybody", "U0ANA2, Ben, S0CREW, @ben"
    )
    for says in (
        "Several are called @ana: Ana (U0ANA), Ana Ruiz (U0ANA2). Give the id",
        "Nobody here is called gil.",
        "Gil (U0GONE) was deactivated",
        "U0NOBODY is nobody in this workspace.",
        "Slack shows e-mail addresses to no app that did not ask",
        "Nobody here is called everybody.",
    ):
        assert says in told.text
    assert told.draft.changes() == {"SLACK_RING": "U0ANA2,U0BEN,S0CREW"}


async def test_without_names_from_slack_ids_are_taken_and_names_are_not(slack, talk):
    slack.faults.stand("users.list", Fault(status=503))
    slack.faults.stand("users.info", Fault(status=503))
    told = await talk("SLACK_KEEPERS", "olga", "U0OLGA")
    assert told.text.count("Slack could not be asked (slack_unavailable)") == 2
    assert told.draft.changes() == {"SLACK_KEEPERS": "U0OLGA"}
    assert "Slack could not be asked (slack_unavailable). Go on with it as it is" in told.text
    untested = await talk("SLACK_LEADS_CHANNEL SLACK_KEEPERS", "leads", "C0LEADS", "U0BEN", SLACK_BOT_TOKEN="")
    assert "must be a channel's id" in untested.text
    assert untested.text.count("not tested: there is no bot token".capitalize()) == 2


async def test_an_arrow_key_is_told_and_not_shown_again(talk):
    told = await talk("SLACK_RING SLACK_LEADS_CHANNEL", "\x1b[D@ana", "@ana", "#le\x1b[Cads", "#leads")
    assert told.text.count("holds a letter that cannot be seen") == 2
    assert "\x1b" not in told.text
    assert told.draft.changes() == {"SLACK_RING": "U0ANA", "SLACK_LEADS_CHANNEL": "C0LEADS"}


async def test_a_group_is_no_keeper(talk):
    assert "a group gets no direct messages" in (await talk("SLACK_KEEPERS", "@crew", "@olga")).text


async def test_run_again_it_shows_no_secret_and_enter_keeps_everything(talk):
    before(f"SLACK_SIGNING_SECRET={SECRET}\nTHUMBTACK_WEBHOOK_PASSWORD=short\nSLACK_RING=U0ANA\nPRIVACY=private\n")
    told = await talk("SLACK_SIGNING_SECRET THUMBTACK_WEBHOOK_PASSWORD SLACK_RING PRIVACY", "", "", "", "")
    assert "Now: set, ends in cdef." in told.text
    assert "Now: set. Enter keeps it" in told.text
    assert "short " not in told.text
    assert "Shorter than 20 letters" in told.text
    assert told.draft.changes() == {}


async def test_a_new_password_leaves_the_one_before_open(talk):
    before("THUMBTACK_WEBHOOK_PASSWORD=the-one-before-this\n")
    told = await talk("THUMBTACK_WEBHOOK_PASSWORD", "new")
    assert "and stands in .env once that is written" in told.text  # nobody is told an address to paste it for
    changes = told.draft.changes()
    assert changes.pop("THUMBTACK_WEBHOOK_PASSWORD_PREVIOUS") == "the-one-before-this"
    assert len(changes.pop("THUMBTACK_WEBHOOK_PASSWORD") or "") >= 40
    assert changes == {}


async def test_a_choice_is_a_number_or_a_word_and_a_wrong_one_in_the_file_is_replaced(talk):
    before("REPLY_MODE=loud\n")
    told = await talk("REPLY_MODE PRIVACY", "3", "", "private")
    assert "Type a number from 1 to 2" in told.text
    assert told.draft.changes() == {"REPLY_MODE": "replies", "PRIVACY": "private"}


async def test_what_the_environment_says_is_tested_and_not_asked(talk):
    told = await talk("SLACK_BOT_TOKEN SLACK_RING", SLACK_RING="everybody")
    assert "The environment says set, ends in dbox, which wins over .env: not asked." in told.text
    assert "it is corkboard's, in the workspace Corkboard sandbox" in told.text
    assert "Nobody here is called everybody." in told.text
    assert told.draft.changes() == {}


async def test_a_database_that_cannot_be_used_is_asked_for_until_it_can(talk):
    before("DATABASE_URL=postgres://me:secret@host:port/name\n")
    told = await talk("DATABASE_URL", "", "sqlite+aiosqlite:///corkboard.db")
    assert told.text.count("Must be sqlite+aiosqlite:///") + told.text.count("It must be sqlite+aiosqlite:///") == 1
    assert "secret" not in told.text
    assert told.draft.changes() == {"DATABASE_URL": "sqlite+aiosqlite:///corkboard.db"}


async def test_an_arrow_key_moves_in_the_line(slack):
    def moves() -> str:
        with at_a_terminal("THUMBTACK_WEBHOOK_USERNAME", SLACK_API_URL=slack.url) as terminal:
            terminal.types("humbtac\x1b[Dta\x1b[3~", after="You choose both.")  # "humbta" + "ta", the c deleted
            terminal.types("n", after="Write it? [Y/n]")
            terminal.ended()
            return terminal.text

    assert re.search("THUMBTACK_WEBHOOK_USERNAME +humbtata", await asyncio.to_thread(moves))


def test_what_somebody_else_wrote_meanwhile_is_kept_and_so_is_what_was_typed():
    before("REPLY_MODE=quiet\n")
    with at_a_terminal("PRIVACY") as terminal:
        terminal.types("2", after="What everybody in the channel reads")
        terminal.wait_for("Write it?")
        before("REPLY_MODE=replies\n# theirs\n")
        terminal.types("y", after="[Y/n]")
        assert terminal.ended() == 0
        assert "Somebody else changed it meanwhile" in terminal.text
    assert FILE.read_text().startswith("REPLY_MODE=replies\n# theirs\n")
    assert "\nPRIVACY=private\n" in FILE.read_text()


def test_who_changes_one_thing_is_told_before_that_the_database_cannot_be_used():
    with at_a_terminal("PRIVACY", DATABASE_URL="mysql://h/x") as terminal:
        assert terminal.ended() == 2
        assert terminal.text.startswith("DATABASE_URL must be")
        assert ">" not in terminal.text


async def test_without_an_address_slack_is_heard_over_socket_mode(slack):
    await slack.sockets.start()
    lines = [
        "",
        "y",
        TOKEN,
        "xapp-wrong",
        "xapp-sandbox",
        *(["", "", ""]),
        "",
        "",
        "me",
        "a-password-of-my-own",
        "n",
        "",
    ]
    conversation = Conversation(*lines, environ={"SLACK_API_URL": slack.url})
    await asyncio.to_thread(conversation.interview.hold)
    assert "socket_mode_enabled: true" in conversation.text
    assert "app token: Slack refuses it (invalid_auth)" in conversation.text
    changes = conversation.draft.changes()
    assert changes["SLACK_APP_TOKEN"] == "xapp-sandbox"
    assert "SLACK_SIGNING_SECRET" not in changes


async def test_with_an_api_both_halves_are_asked_for(slack):
    before("PUBLIC_URL=https://nowhere.invalid\nSLACK_APP_TOKEN=xapp-before\n")
    lines = ["", "keep", "y", "n", "", "", "", "", "", "", "", "", "", "y", "id-1", "secret-1", "-", "-", "2", "-"]
    conversation = Conversation(*lines, environ={"SLACK_API_URL": slack.url})
    await asyncio.to_thread(conversation.interview.hold)
    assert "the name nowhere.invalid is not known" in conversation.text.lower()
    changes = conversation.draft.changes()
    assert (changes["THUMBTACK_LEGACY_CLIENT_ID"], changes["THUMBTACK_LEGACY_CLIENT_SECRET"]) == ("id-1", "secret-1")
    assert (changes["SLACK_APP_TOKEN"], changes["THUMBTACK_ENVIRONMENT"]) == (None, "staging")
