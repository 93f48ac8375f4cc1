"""Settings: what is missing is not set, what is wrong is told all at once, and no value is told."""

import pytest
from cryptography.fernet import Fernet
from hypothesis import HealthCheck, example, given
from hypothesis import settings as how
from hypothesis import strategies as st

from bot.settings import ReplyMode, Settings, SettingsError, load
from storage.models import Environment

KEY = Fernet.generate_key().decode()
SECRET = "hunter2-hunter2"


def wrong(**values):
    """What is told about wrong settings, a line for each."""
    with pytest.raises(SettingsError) as raised:
        load(_env_file=None, **values)
    first, *lines = str(raised.value).splitlines()
    assert first == "These settings are wrong:"
    return lines


def test_with_nothing_set_everything_has_a_value_or_is_switched_off():
    found = load(_env_file=None)
    assert found.database_url == "sqlite+aiosqlite:///corkboard.db"
    assert (found.slack_bot_token, found.slack_leads_channel, found.thumbtack_webhook_password) == (None, None, None)
    assert (found.slack_ring, found.slack_keepers, found.encryption_keys) == ((), (), ())
    assert (found.slack_posts_per_second, found.reply_hold_seconds, found.reply_max_age_minutes) == (1.0, 15, 30)
    assert found.reply_mode is ReplyMode.REPLIES
    assert found.database_migrate


def test_they_are_read_from_the_environment_and_from_a_file_and_the_environment_wins(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("SLACK_LEADS_CHANNEL=C0FILE\nREPLY_HOLD_SECONDS=7\nSLACK_RING=\n", encoding="utf-8")
    monkeypatch.setenv("SLACK_LEADS_CHANNEL", "C0ENVIRONMENT")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "")
    found = load()
    assert (found.slack_leads_channel, found.reply_hold_seconds, found.slack_ring) == ("C0ENVIRONMENT", 7, ())
    assert found.slack_bot_token is None


@pytest.mark.parametrize("nothing", ["", " ", "\t\n"])
def test_what_is_empty_is_not_set(monkeypatch, nothing):
    before = load(_env_file=None)
    for name in Settings.model_fields:
        monkeypatch.setenv(name.upper(), nothing)
    assert load(_env_file=None) == before


def test_blanks_around_a_value_come_from_copying_it():
    found = load(_env_file=None, slack_bot_token=" xoxb-1-2-abc\n", slack_leads_channel="C0123 ", reply_mode=" quiet ")
    assert found.slack_bot_token.get_secret_value() == "xoxb-1-2-abc"
    assert (found.slack_leads_channel, found.reply_mode) == ("C0123", ReplyMode.QUIET)


def test_lists_are_separated_by_commas():
    found = load(_env_file=None, slack_ring="U0ANA, S0CREW ,,", slack_keepers="W0OLGA", encryption_keys=f"{KEY},{KEY}")
    assert (found.slack_ring, found.slack_keepers) == (("U0ANA", "S0CREW"), ("W0OLGA",))
    assert [one.get_secret_value() for one in found.encryption_keys] == [KEY, KEY]


def test_every_mistake_is_told_at_once_with_its_remedy_and_without_what_was_set():
    values = {
        "database_url": f"mysql://corkboard:{SECRET}@db/corkboard",
        "encryption_keys": f"{KEY},{SECRET}",
        "slack_bot_token": f"xoxp-{SECRET}",
        "slack_leads_channel": f"#leads-{SECRET}",
        "slack_ring": f"@{SECRET}",
        "slack_keepers": f"U0OLGA,@{SECRET}",
        "slack_api_url": f"http://example.com/{SECRET}",
        "slack_posts_per_second": "0",
        "thumbtack_webhook_username": f"user:{SECRET}",
        "thumbtack_legacy_api_url": f"http://[{SECRET}",
        "thumbtack_environment": SECRET,
        "reply_mode": SECRET,
        "reply_hold_seconds": SECRET,
        "reply_max_age_minutes": "-1",
        "inbox_keep_days": "99999999999",
        "public_url": SECRET,
        "database_migrate": SECRET,
        "log_level": SECRET,
    }
    lines = wrong(**values)
    assert [line.split(":")[0].strip() for line in lines] == sorted(name.upper() for name in values)
    assert SECRET not in "\n".join(lines)
    assert "  SLACK_BOT_TOKEN: must be the app's bot token, xoxb-… (in Slack: OAuth & Permissions)" in lines
    assert "  REPLY_MODE: input should be 'replies' or 'quiet'" in lines


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("slack_posts_per_second", "inf"),
        ("slack_posts_per_second", "nan"),
        ("slack_posts_per_second", "-1"),
        ("reply_hold_seconds", "601"),
        ("reply_hold_seconds", "1.5"),
        ("slack_leads_channel", "general"),
        ("slack_leads_channel", "U0ANA"),
        ("slack_ring", "C0LEADS"),
        ("slack_api_url", "ftp://slack.com/"),
        ("slack_api_url", "https://"),
        ("database_url", "sqlite+aiosqlite:///:memory:"),
        ("database_url", "postgresql+asyncpg://db:port/corkboard"),
        ("slack_bot_token", "a signing secret"),
        ("slack_app_token", "xoxb-1-2-abc"),
    ],
)
def test_what_could_not_work_is_refused(name, value):
    (line,) = wrong(**{name: value})
    assert line.startswith(f"  {name.upper()}: ")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8100/slack/api/", "http://localhost:8100/", "http://[::1]:8100/"])
def test_plain_http_is_for_this_machine_alone(url):
    assert load(_env_file=None, slack_api_url=url).slack_api_url == url


def test_thumbtacks_test_environment_switches_the_address_where_none_is_set():
    assert load(_env_file=None).legacy_api_url == "https://pro-api.thumbtack.com"
    staging = load(_env_file=None, thumbtack_environment="staging")
    assert staging.thumbtack_environment is Environment.STAGING
    assert staging.legacy_api_url == "https://staging-pro-api.thumbtack.com"
    own = {"thumbtack_environment": "staging", "thumbtack_legacy_api_url": "https://thumbtack.example.com/"}
    assert load(_env_file=None, **own).legacy_api_url == "https://thumbtack.example.com"


def test_a_file_that_is_no_text_is_told(tmp_path):
    (tmp_path / ".env").write_bytes(b"SLACK_RING=\xff\xfe")
    with pytest.raises(SettingsError, match=r"\.env cannot be read"):
        load()


def test_settings_that_are_shown_do_not_show_secrets():
    secrets = {
        "slack_bot_token": f"xoxb-{SECRET}",
        "slack_signing_secret": SECRET,
        "slack_app_token": f"xapp-{SECRET}",
        "thumbtack_webhook_password": SECRET,
        "thumbtack_webhook_password_previous": SECRET,
        "thumbtack_legacy_password": SECRET,
        "encryption_keys": KEY,
        "database_url": f"postgresql+asyncpg://corkboard:{SECRET}@db/corkboard",
    }
    shown = repr(load(_env_file=None, **secrets))
    assert SECRET not in shown
    assert KEY not in shown


def test_every_setting_says_what_it_means():
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith((".", "…", "replaced. Thumbtack does not document it.")), name


WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)


@how(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(sorted(Settings.model_fields)), WORDS, max_size=6))
@example({"slack_api_url": "http://[::1"})
@example({"database_url": "sqlite+aiosqlite:///\x01"})
@example({"encryption_keys": "ü" * 44})
def test_whatever_is_set_is_taken_or_refused_without_being_told(values):
    try:
        load(_env_file=None, **values)
    except SettingsError as error:
        told = str(error)
        for name, value in values.items():
            if f"  {name.upper()}: " in told and len(value.strip()) > 8:
                assert value.strip() not in told
