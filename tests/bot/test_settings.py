"""The settings: read from the environment and `.env`, and refused in one go without saying what they hold."""

import pytest
from cryptography.fernet import Fernet

from bot import settings
from bot.settings import LogFormat, LogLevel, ReplyMode, Settings, SettingsError
from storage.models import Environment

WRONG = {
    "DATABASE_URL": "mysql://corkboard:hunter2@db/corkboard",
    "PUBLIC_URL": "http://corkboard.example",
    "ENCRYPTION_KEYS": "hunter2-is-no-key",
    "SLACK_BOT_TOKEN": "xoxp-hunter2",
    "SLACK_LEADS_CHANNEL": "#leads-hunter2",
    "SLACK_RING": "U0ANA,@hunter2",
    "SLACK_KEEPERS": "ana@hunter2.example",
    "SLACK_API_URL": "slack.com/hunter2",
    "SLACK_POSTS_PER_SECOND": "0",
    "THUMBTACK_WEBHOOK_USERNAME": "thumb:hunter2",
    "THUMBTACK_ENVIRONMENT": "hunter2",
    "THUMBTACK_LEGACY_API_URL": "ftp://hunter2.example",
    "THUMBTACK_LEGACY_USERNAME": "cork:hunter2",
    "THUMBTACK_LEAD_URL": "hunter2/{lead_id}",
    "REPLY_MODE": "hunter2",
    "REPLY_HOLD_SECONDS": "601",
    "REPLY_MAX_AGE_MINUTES": "hunter2",
    "INBOX_KEEP_DAYS": "0",
    "LOG_FORMAT": "hunter2",
    "LOG_LEVEL": "hunter2",
}

REMEDIES = {
    "DATABASE_URL": "postgresql+asyncpg://HOST/NAME",
    "PUBLIC_URL": "begins with https://",
    "ENCRYPTION_KEYS": "corkboard keys new",
    "SLACK_BOT_TOKEN": "OAuth & Permissions",
    "SLACK_LEADS_CHANNEL": "C0123456789",
    "SLACK_RING": "Copy member ID",
    "SLACK_KEEPERS": "Copy member ID",
    "THUMBTACK_WEBHOOK_USERNAME": "must not contain a colon",
    "THUMBTACK_ENVIRONMENT": "'production' or 'staging'",
    "REPLY_MODE": "'replies' or 'quiet'",
    "REPLY_HOLD_SECONDS": "less than or equal to 600",
    "REPLY_MAX_AGE_MINUTES": "valid integer",
    "INBOX_KEEP_DAYS": "greater than or equal to 1",
}

SECRETS = {
    "database_url": "postgresql+asyncpg://corkboard:hunter2@db/corkboard",
    "encryption_keys": Fernet.generate_key().decode(),
    "slack_bot_token": "xoxb-hunter2",
    "slack_signing_secret": "hunter2",
    "thumbtack_webhook_password": "hunter2",
    "thumbtack_webhook_password_previous": "hunter2",
    "thumbtack_legacy_password": "hunter2",
}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def refusal(**knobs):
    with pytest.raises(SettingsError) as caught:
        settings.load(**knobs)
    return str(caught.value)


def test_nothing_has_to_be_set():
    found = settings.load()
    assert found.database_url == "sqlite+aiosqlite:///corkboard.db"
    assert found.database_migrate
    assert found.slack_bot_token is None
    assert found.slack_ring == found.slack_keepers == found.encryption_keys == ()
    assert found.slack_api_url == "https://slack.com/api/"
    assert found.slack_posts_per_second == 1.0
    assert found.reply_mode is ReplyMode.REPLIES
    assert (found.reply_hold_seconds, found.reply_max_age_minutes, found.inbox_keep_days) == (15, 30, 30)
    assert (found.log_format, found.log_level) == (LogFormat.CONSOLE, LogLevel.INFO)


def test_all_that_is_wrong_is_said_at_once_and_no_value_is(monkeypatch):
    for name, value in WRONG.items():
        monkeypatch.setenv(name, value)
    head, *lines = refusal().splitlines()
    told = dict(line.strip().split(": ", 1) for line in lines)
    assert head == "These settings are wrong:"
    assert sorted(told) == list(told) == sorted(WRONG)
    for name, remedy in REMEDIES.items():
        assert remedy in told[name]
    assert "hunter2" not in str(told)


def test_what_is_wrong_is_not_kept_behind_the_error_either():
    with pytest.raises(SettingsError) as caught:
        settings.load(slack_bot_token="hunter2")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__  # a traceback would show pydantic's own error, with the value


@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_is_shown(name):
    found = settings.load(**{name: SECRETS[name]})
    assert getattr(found, name) != Settings.model_fields[name].default
    for shown in (repr(found), str(found)):
        assert "hunter2" not in shown
        assert SECRETS[name] not in shown


@pytest.mark.parametrize("name", ["public_url", "slack_api_url", "thumbtack_legacy_api_url", "thumbtack_lead_url"])
@pytest.mark.parametrize(
    "value",
    [
        "http://corkboard.example",
        "http://10.0.0.7:8000",
        "http://127.0.0.1.corkboard.example",
        "http://localhost@corkboard.example",
        "https://",
        "https:corkboard.example",
        "//corkboard.example",
        "corkboard.example",
        "ftp://127.0.0.1",
        "https://[hunter2",
        "https://corkboard.example:hunter2",
        "https://corkboard.example:0",
        "https://hunter2@corkboard\u2100.example",
    ],
)
def test_an_address_must_be_https(name, value):
    told = refusal(**{name: value})
    assert told == f"These settings are wrong:\n  {name.upper()}: must be an address that begins with https://"


@pytest.mark.parametrize(
    "value",
    [
        "https://corkboard.example",
        "https://corkboard.example/path",
        "http://127.0.0.1:8100",
        "http://localhost",
        "http://[::1]:8100",
    ],
)
def test_http_is_for_this_machine_alone(value):
    assert settings.load(public_url=value).public_url == value


@pytest.mark.parametrize(
    ("environment", "given", "expected"),
    [
        (None, None, "https://pro-api.thumbtack.com"),
        ("production", None, "https://pro-api.thumbtack.com"),
        ("staging", None, "https://staging-pro-api.thumbtack.com"),
        ("staging", "http://127.0.0.1:8100/thumbtack/legacy/", "http://127.0.0.1:8100/thumbtack/legacy"),
        ("production", "https://pro.example", "https://pro.example"),
        ("staging", "", "https://staging-pro-api.thumbtack.com"),
    ],
)
def test_staging_switches_the_pro_api_where_its_address_is_not_set(monkeypatch, environment, given, expected):
    if environment is not None:
        monkeypatch.setenv("THUMBTACK_ENVIRONMENT", environment)
    if given is not None:
        monkeypatch.setenv("THUMBTACK_LEGACY_API_URL", given)
    found = settings.load()
    assert found.thumbtack_environment is Environment(environment or "production")
    assert found.legacy_api_url == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("U0ANA", ("U0ANA",)),
        ("U0ANA,S0CREW", ("U0ANA", "S0CREW")),
        (" U0ANA ,\tW0BEN , ", ("U0ANA", "W0BEN")),
        (",,", ()),
        ("", ()),
        ("  ", ()),
    ],
)
@pytest.mark.parametrize("name", ["SLACK_RING", "SLACK_KEEPERS"])
def test_a_list_is_comma_separated(monkeypatch, name, value, expected):
    monkeypatch.setenv(name, value)
    assert getattr(settings.load(), name.lower()) == expected


def test_several_keys_are_comma_separated_in_their_order(monkeypatch):
    keys = [Fernet.generate_key().decode() for _ in range(3)]
    monkeypatch.setenv("ENCRYPTION_KEYS", " , ".join(keys))
    assert [key.get_secret_value() for key in settings.load().encryption_keys] == keys


@pytest.mark.parametrize("value", ["short", "ключ", "A" * 44 + "=", Fernet.generate_key().decode()[:-4]])
def test_one_wrong_key_among_right_ones_is_refused(value):
    told = refusal(encryption_keys=f"{Fernet.generate_key().decode()},{value}")
    assert "corkboard keys new" in told
    assert value not in told


@pytest.mark.parametrize("name", ["U0ANA", "C0", "#leads", "c0leads", "D0DIRECT", "C0LEADS "])
def test_a_channel_is_named_by_its_id(name):
    if name == "C0LEADS ":  # blanks around it come from copying
        assert settings.load(slack_leads_channel=name).slack_leads_channel == "C0LEADS"
    else:
        assert "SLACK_LEADS_CHANNEL" in refusal(slack_leads_channel=name)


@pytest.mark.parametrize("token", ["xoxb-1-a", "xoxe.xoxb-1-a"])
def test_a_bot_token_may_be_one_that_rotates(token):
    found = settings.load(slack_bot_token=token).slack_bot_token
    assert found is not None
    assert found.get_secret_value() == token


@pytest.mark.parametrize("token", ["xoxp-1-a", "xapp-1-a", "xoxb-", "xoxb-1 a", "xoxb-1\nxoxb-2"])
def test_another_token_is_refused(token):
    assert refusal(slack_bot_token=token) == (
        "These settings are wrong:\n"
        "  SLACK_BOT_TOKEN: must be the app's bot token, xoxb-… (in Slack: OAuth & Permissions)"
    )


@pytest.mark.parametrize(
    "value", ["sqlite:///corkboard.db", "sqlite+aiosqlite://", "postgresql://db/x", "corkboard.db"]
)
def test_a_database_that_cannot_be_used_is_refused(value):
    assert "DATABASE_URL: must be sqlite+aiosqlite:///" in refusal(database_url=value)


@pytest.mark.parametrize("value", ["0", "-1", "inf", "nan"])
def test_the_pace_is_a_number_above_0(value):
    assert "SLACK_POSTS_PER_SECOND" in refusal(slack_posts_per_second=value)


def test_what_holds_nothing_is_not_set(monkeypatch):
    for number, name in enumerate(Settings.model_fields):
        monkeypatch.setenv(name.upper(), " " * (number % 3))
    assert settings.load() == Settings(_env_file=None)
    assert settings.load().model_dump() == {name: field.default for name, field in Settings.model_fields.items()}


def test_blanks_around_a_value_are_no_part_of_it(monkeypatch):
    monkeypatch.setenv("SLACK_BOT_TOKEN", " xoxb-1\n")
    monkeypatch.setenv("REPLY_HOLD_SECONDS", " 0 ")
    found = settings.load()
    assert found.slack_bot_token is not None
    assert found.slack_bot_token.get_secret_value() == "xoxb-1"
    assert found.reply_hold_seconds == 0


def test_the_environment_goes_before_the_file(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("SLACK_LEADS_CHANNEL=C0FILE\nREPLY_MODE=quiet\n# a remark\nINBOX_KEEP_DAYS='7'\n")
    monkeypatch.setenv("SLACK_LEADS_CHANNEL", "C0ENVIRONMENT")
    monkeypatch.setenv("REPLY_MODE", "")  # set to nothing in the environment: the file's stands
    found = settings.load()
    assert (found.slack_leads_channel, found.reply_mode, found.inbox_keep_days) == (
        "C0ENVIRONMENT",
        ReplyMode.QUIET,
        7,
    )
    assert settings.load(slack_leads_channel="C0GIVEN").slack_leads_channel == "C0GIVEN"


def test_what_is_wrong_in_the_file_is_refused_too(tmp_path):
    (tmp_path / ".env").write_text("SLACK_BOT_TOKEN=hunter2\nREPLY_HOLD_SECONDS=soon\n")
    told = refusal()
    assert "SLACK_BOT_TOKEN" in told
    assert "REPLY_HOLD_SECONDS" in told
    assert "hunter2" not in told


def test_a_file_that_is_no_text_is_refused_with_a_sentence(tmp_path):
    (tmp_path / ".env").write_bytes("SLACK_SIGNING_SECRET=hunter2é\n".encode("latin-1"))
    told = refusal()
    assert told == "The file .env cannot be read (UnicodeDecodeError): save it as UTF-8 text."


def test_names_we_do_not_know_are_others_business(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("SLACK_APP_NAME=Corkboard\nPATIENCE=7\n")
    monkeypatch.setenv("THUMBTACK_SOMETHING", "else")
    assert settings.load() == Settings(_env_file=None)


def test_case_does_not_matter(monkeypatch):
    monkeypatch.setenv("slack_leads_channel", "C0LEADS")
    assert settings.load().slack_leads_channel == "C0LEADS"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_says_what_it_means(name):
    description = Settings.model_fields[name].description
    assert description
    assert description.endswith(("…", "."))
