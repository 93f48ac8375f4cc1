"""The settings as the doctor reads them: how each is set, what is off without it, and which do not fit each other."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot import features
from bot.doctor.findings import Area, Finding, broken, ok, warning
from bot.features import SCOPES
from bot.settings import LogLevel, ReplyMode, Settings
from storage.database import Database
from storage.models import Environment, Generation

SLACKS_API = "https://slack.com/api"

SHORTEST_PASSWORD = 16
"""Letters. Whoever guesses the webhook's password posts leads."""

Rule = Callable[[Settings], Finding | None]


def of_settings(settings: Settings) -> list[Finding]:
    """One finding for each setting, by its name in the environment; no secret is in any of them."""
    return [_of(settings, name) for name in type(settings).model_fields]


def _of(settings: Settings, name: str) -> Finding:
    rule = RULES.get(name)
    return (rule(settings) if rule else None) or _as_set(settings, name)


def _as_set(settings: Settings, name: str) -> Finding:
    value, default = getattr(settings, name), type(settings).model_fields[name].default
    if value == default:
        return ok(Area.SETTINGS, name.upper(), f"by default: {shown(value)}", plain=True)
    return ok(Area.SETTINGS, name.upper(), shown(value))


def shown(value: Any) -> str:
    """A value for people: secrets are only said to be there, addresses lose what may hold one."""
    if value is None or value == ():
        return "not set"
    if isinstance(value, tuple):
        return "set" if isinstance(value[0], SecretStr) else ", ".join(map(str, value))
    match value:
        case SecretStr():
            return "set"
        case bool():
            return str(value).lower()
        case str() if "://" in value:
            return _host_of(value)
        case _:
            return str(value)


def _host_of(url: str) -> str:
    parts = urlsplit(url)
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:  # `corkboard setup` shows what the program would refuse
        port = ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}"


# What is off


def _bot_token(settings: Settings) -> Finding | None:
    if settings.slack_bot_token is not None:
        return None
    remedy = "Install the app in Slack and set its bot token (OAuth & Permissions)."
    return _broken("slack_bot_token", "not set: nothing is posted, and what comes in waits", remedy)


def _signing_secret(settings: Settings) -> Finding | None:
    if settings.slack_signing_secret is not None or settings.slack_app_token is not None:
        return None  # over Socket Mode nothing is signed
    remedy = "Set the app's signing secret (Basic Information), or SLACK_APP_TOKEN for Socket Mode."
    return _broken("slack_signing_secret", "not set: no reply, button or command is heard", remedy)


def _leads_channel(settings: Settings) -> Finding | None:
    if settings.slack_leads_channel is not None:
        return None
    remedy = "Set the id of the channel for all leads that no rule and no business sends elsewhere."
    return _warning("slack_leads_channel", "not set: leads without a rule or a channel of their business wait", remedy)


def _ring(settings: Settings) -> Finding | None:
    if settings.slack_ring:
        return None
    remedy = "Set the ids of who is to be mentioned, or name people on duty in /thumbtack settings."
    return _warning("slack_ring", "not set: a new lead rings nobody's phone by itself", remedy)


def _slack_api(settings: Settings) -> Finding | None:
    if settings.slack_api_url.rstrip("/") == SLACKS_API:
        return None
    remedy = "Take it out, unless a stand-in is meant."
    return _warning("slack_api_url", f"{_host_of(settings.slack_api_url)} is not Slack", remedy)


def _pace(settings: Settings) -> Finding | None:
    is_slack = settings.slack_api_url.rstrip("/") == SLACKS_API
    if settings.slack_posts_per_second <= 1 or not is_slack:
        return None
    told = f"{settings.slack_posts_per_second:g}: Slack permits one post a second and channel"
    return _warning("slack_posts_per_second", told, "Take it out.")


def _database_url(settings: Settings) -> Finding:
    database = Database(settings.database_url)
    where = f"SQLite, {database.file}" if database.file else f"PostgreSQL, {database.url.host}/{database.url.database}"
    return ok(Area.SETTINGS, "DATABASE_URL", where)


def _encryption_keys(settings: Settings) -> Finding | None:
    keys = len(settings.encryption_keys)
    if not keys and Database(settings.database_url).file is None:
        remedy = "Make one with `corkboard keys new` and set it."
        return _broken("encryption_keys", "not set: PostgreSQL wants one", remedy)
    if keys > 1:
        remedy = "After `corkboard keys rotate` leave the first alone."
        return _warning("encryption_keys", f"{keys} keys: a change of keys is under way", remedy)
    return None


def _public_url(settings: Settings) -> Finding | None:
    if settings.public_url is None:
        remedy = "Set the address under which the world reaches this service, https://…"
        return _warning("public_url", "not set: no business can be connected", remedy)
    if not settings.public_url.startswith("https://"):
        remedy = "Set the address that Thumbtack and Slack reach, https://…"
        return _warning("public_url", f"{_host_of(settings.public_url)} is on this machine alone", remedy)
    return None


def _environment(settings: Settings) -> Finding | None:
    if settings.thumbtack_environment is Environment.PRODUCTION:
        return None
    remedy = "Set it to production when the test is over."
    return _warning("thumbtack_environment", "staging: replies go to Thumbtack's test environment alone", remedy)


def _previous_password(settings: Settings) -> Finding | None:
    if settings.thumbtack_webhook_password_previous is None:
        return None
    remedy = "Take it out once Thumbtack uses the new one."
    return _warning("thumbtack_webhook_password_previous", "set: the password before is accepted too", remedy)


def _webhook_password(settings: Settings) -> Finding | None:
    password = settings.thumbtack_webhook_password
    if _half(settings, "thumbtack_webhook_username", "thumbtack_webhook_password"):
        return _pair("thumbtack_webhook_password", "thumbtack_webhook_username")
    if password is None and settings.thumbtack_webhook_secret is None:
        remedy = "Choose a user name and a password, and give them to Thumbtack."
        told = "not set: Thumbtack's webhooks are refused, but those of connected businesses"
        return _warning("thumbtack_webhook_password", told, remedy)
    if password is not None and len(password.get_secret_value()) < SHORTEST_PASSWORD:
        told = f"shorter than {SHORTEST_PASSWORD} letters: it can be guessed"
        return _warning("thumbtack_webhook_password", told, "Change it (docs/operating.md says how).")
    return None


def _is_long(name: str, told: str) -> Rule:
    """A secret that opens something to whoever guesses it."""

    def rule(settings: Settings) -> Finding | None:
        secret = getattr(settings, name)
        if secret is None or len(secret.get_secret_value()) >= SHORTEST_PASSWORD:
            return None
        told_so = f"shorter than {SHORTEST_PASSWORD} letters: who guesses it {told}"
        return _warning(name, told_so, "Make a longer one.")

    return rule


def _reply_mode(settings: Settings) -> Finding | None:
    if settings.reply_mode is ReplyMode.REPLIES:
        return None
    return ok(Area.SETTINGS, "REPLY_MODE", "quiet: only the Reply button and messages that start with send: go out")


def _scopes(settings: Settings) -> Finding | None:
    missing = [scope for scope in SCOPES if scope not in settings.thumbtack_scopes]
    if not missing:
        return None
    remedy = "Take the setting out, so that a consent asks for everything."
    return _warning("thumbtack_scopes", f"a consent does not ask for {', '.join(missing)}", remedy)


def _legacy_scopes(settings: Settings) -> Finding | None:
    lacks = features.lacks(Generation.LEGACY, settings.thumbtack_legacy_scopes)
    if not lacks:
        return None
    remedy = "Take the setting out, so that a consent asks for everything."
    return _warning("thumbtack_legacy_scopes", f"without {', '.join(lacks)}", remedy)


def _log_level(settings: Settings) -> Finding | None:
    if settings.log_level in (LogLevel.DEBUG, LogLevel.INFO):
        return None
    told = f"{settings.log_level.value}: what was delivered is not in the log"
    return _warning("log_level", told, "Set it to info.")


def _both(name: str, other: str) -> Rule:
    """Two settings that are good for nothing alone."""

    def rule(settings: Settings) -> Finding | None:
        return _pair(name, other) if _half(settings, name, other) else None

    return rule


def _half(settings: Settings, name: str, other: str) -> bool:
    return (getattr(settings, name) is None) is not (getattr(settings, other) is None)


def _pair(name: str, other: str) -> Finding:
    told = f"of {name.upper()} and {other.upper()} only one is set: neither is used"
    return _broken(name, told, "Set both, or take both out.")


def _broken(name: str, told: str, remedy: str) -> Finding:
    return broken(Area.SETTINGS, name.upper(), told, remedy)


def _warning(name: str, told: str, remedy: str) -> Finding:
    return warning(Area.SETTINGS, name.upper(), told, remedy)


RULES: Mapping[str, Rule] = {
    "database_url": _database_url,
    "public_url": _public_url,
    "encryption_keys": _encryption_keys,
    "slack_bot_token": _bot_token,
    "slack_signing_secret": _signing_secret,
    "slack_leads_channel": _leads_channel,
    "slack_ring": _ring,
    "slack_api_url": _slack_api,
    "slack_posts_per_second": _pace,
    "thumbtack_webhook_password": _webhook_password,
    "thumbtack_webhook_password_previous": _previous_password,
    "thumbtack_webhook_secret": _is_long("thumbtack_webhook_secret", "posts leads"),
    "metrics_token": _is_long("metrics_token", "reads the figures"),
    "thumbtack_environment": _environment,
    "thumbtack_client_secret": _both("thumbtack_client_secret", "thumbtack_client_id"),
    "thumbtack_legacy_client_secret": _both("thumbtack_legacy_client_secret", "thumbtack_legacy_client_id"),
    "thumbtack_legacy_password": _both("thumbtack_legacy_password", "thumbtack_legacy_username"),
    "thumbtack_scopes": _scopes,
    "thumbtack_legacy_scopes": _legacy_scopes,
    "reply_mode": _reply_mode,
    "log_level": _log_level,
}
"""What is to be said of a setting beyond its value; a rule that has nothing to say gives None."""
