"""Every knob of the program, once, with what it means; read from the environment or `.env`, and refused in one go."""

import re
from enum import StrEnum
from typing import Annotated, Any

from cryptography.fernet import Fernet
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot import addresses, times
from bot.features import SCOPES
from storage.database import is_usable
from storage.models import Environment

BOT_TOKEN = re.compile(r"^(xoxe\.)?xoxb-\S+$")
APP_TOKEN = re.compile(r"^xapp-\S+$")
SLACK_MEMBER = re.compile(r"^[UWS][A-Z0-9]{2,}$")
SLACK_CHANNEL = re.compile(r"^[CG][A-Z0-9]{2,}$")

LONGEST_LADDER = 3
"""Steps of the reminders: the thread, the people on duty, the channel."""

Ids = Annotated[tuple[str, ...], NoDecode]
Minutes = Annotated[tuple[int, ...], NoDecode]
Words = Annotated[tuple[str, ...], NoDecode]


class ReplyMode(StrEnum):
    """What goes out by itself: every reply in a lead's thread, or nothing."""

    REPLIES = "replies"
    QUIET = "quiet"


class Privacy(StrEnum):
    """What of a lead everybody in its channel reads."""

    FULL = "full"
    PRIVATE = "private"


class LogFormat(StrEnum):
    """For people, or for machines."""

    CONSOLE = "console"
    JSON = "json"


class LogLevel(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class SettingsError(Exception):
    """Some settings are wrong; the message lists each with its remedy."""


class Settings(BaseSettings):
    """The settings of one deployment. What is missing switches its part off; what is wrong is refused."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True)

    database_url: str = Field(
        "sqlite+aiosqlite:///corkboard.db",
        repr=False,  # it may hold a password
        description="Where everything is kept; postgresql://… for several replicas.",
    )
    database_migrate: bool = Field(True, description="Bring the database to the newest shape at the start.")
    public_url: str | None = Field(None, description="Where the world reaches this service, https://…")
    encryption_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (),
        description="Fernet keys, comma separated; the first seals, all open. "
        "Without it corkboard.key is made beside the SQLite database.",
    )
    slack_bot_token: SecretStr | None = Field(None, description="Bot token of the Slack app, xoxb-…")
    slack_signing_secret: SecretStr | None = Field(None, description="Signing secret of the Slack app.")
    slack_app_token: SecretStr | None = Field(
        None,
        description="App-level token, xapp-…; with it Slack is heard over Socket Mode, and needs no address of ours.",
    )
    slack_leads_channel: str | None = Field(None, description="Id of the channel where leads go, C…")
    slack_ring: Ids = Field((), description="User or group ids mentioned on every new lead, comma separated.")
    slack_keepers: Ids = Field((), description="User ids told about trouble, comma separated.")
    slack_api_url: str = Field("https://slack.com/api/", description="Address of Slack's Web API.")
    slack_posts_per_second: float = Field(
        1.0, gt=0, allow_inf_nan=False, description="Pace of posts per channel; raised only against stand-ins."
    )
    thumbtack_webhook_username: str | None = Field(None, description="User name Thumbtack calls us with.")
    thumbtack_webhook_password: SecretStr | None = Field(None, description="Password Thumbtack calls us with.")
    thumbtack_webhook_password_previous: SecretStr | None = Field(
        None, description="The password before, accepted too while it is being replaced."
    )
    thumbtack_webhook_secret: SecretStr | None = Field(
        None, description="Secret that v4 webhooks show as Authorization: Bearer … or in the header X-Webhook-Secret."
    )
    thumbtack_environment: Environment = Field(
        Environment.PRODUCTION, description="production, or staging for Thumbtack's test environment."
    )
    thumbtack_client_id: str | None = Field(None, description="Id of the v4 OAuth client, from Thumbtack.")
    thumbtack_client_secret: SecretStr | None = Field(None, description="Secret of the v4 OAuth client.")
    thumbtack_api_url: str | None = Field(
        None, description="Address of the v4 API; by default that of the environment."
    )
    thumbtack_auth_url: str | None = Field(
        None, description="Address of v4's OAuth server; by default that of the environment."
    )
    thumbtack_scopes: Words = Field(SCOPES, description="What the v4 consent asks for, separated by blanks.")
    thumbtack_legacy_client_id: str | None = Field(None, description="Id of the Pro API's OAuth client.")
    thumbtack_legacy_client_secret: SecretStr | None = Field(None, description="Secret of the Pro API's OAuth client.")
    thumbtack_legacy_connect_url: str = Field(
        "https://thumbtack.com/services/partner-connect/", description="Consent page of the Pro API."
    )
    thumbtack_legacy_scopes: Words = Field(
        ("messages", "targeting"), description="What the Pro API's consent asks for, separated by blanks."
    )
    thumbtack_shared_client: bool = Field(
        False,
        description="The Pro API's client is shared with another system, a CRM: its tokens are never renewed or revoked.",
    )
    thumbtack_legacy_api_url: str | None = Field(
        None, description="Address of the Pro API; by default that of the environment."
    )
    thumbtack_legacy_username: str | None = Field(None, description="User name for Thumbtack's v1 message endpoint.")
    thumbtack_legacy_password: SecretStr | None = Field(None, description="Password for the v1 message endpoint.")
    thumbtack_lead_url: str = Field(
        "https://www.thumbtack.com/pro-inbox/messages/{lead_id}",
        description="Where a lead is opened in Thumbtack; {lead_id} is replaced. Thumbtack does not document it.",
    )
    thumbtack_reviews_url: str = Field(
        "https://www.thumbtack.com/profile/services/{business_id}/reviews",
        description="Where a review is answered; {business_id} is replaced. Thumbtack does not document it.",
    )
    time_zone: str | None = Field(
        None,
        description="Time zone in which v4's appointments are shown, as America/Chicago; by default that of the lead's "
        "zip code.",
    )
    reply_mode: ReplyMode = Field(
        ReplyMode.REPLIES,
        description="replies: what is written in a lead's thread goes to the customer; "
        "quiet: only the Reply button and messages starting with send: do.",
    )
    privacy: Privacy = Field(
        Privacy.FULL,
        description="full: cards show what the customer wrote; private: only behind the Open button. Businesses may differ.",
    )
    remind_after_minutes: Minutes = Field(
        (5, 15, 60),
        description="Minutes without an answer after which the thread, the people on duty and the channel are reminded, "
        "comma separated; 0 for never. Businesses may differ.",
    )
    surface_after_hours: int = Field(
        24,
        ge=0,
        le=8_760,
        description="A customer's message in a thread that was silent for so long is shown in the channel too; 0 for never.",
    )
    reply_hold_seconds: int = Field(
        15, ge=0, le=600, description="How long a reply can still be edited or deleted before it goes out."
    )
    reply_max_age_minutes: int = Field(
        30,
        ge=1,
        le=10_080,
        description="A reply that could not go out for so long asks its writer instead of being sent.",
    )
    leads_keep_days: int | None = Field(
        None,
        ge=1,
        le=36_500,
        description="How long leads are kept, with their posts in Slack, after the last thing that was heard of them; "
        "without it for ever.",
    )
    inbox_keep_days: int = Field(30, ge=1, le=3_650, description="How long the bodies of webhooks are kept once read.")
    metrics_token: SecretStr | None = Field(
        None,
        description="Bearer token for /metrics and the reasons of /readyz; without it only direct callers on this machine "
        "get them.",
    )
    heartbeat_url: str | None = Field(
        None,
        repr=False,  # whoever knows it can say that all is well
        description="An address that is called each minute while all is well, for a watch outside that misses it.",
    )
    log_format: LogFormat = Field(LogFormat.CONSOLE, description="console for people, json for machines.")
    log_level: LogLevel = Field(LogLevel.INFO, description="debug, info, warning or error.")

    @model_validator(mode="before")
    @classmethod
    def _trimmed(cls, values: Any) -> Any:
        """Blanks around a value come from copying it; what holds nothing else is not set."""
        trimmed = {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}
        return {name: value for name, value in trimmed.items() if value != ""}

    @field_validator("encryption_keys", "slack_ring", "slack_keepers", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("thumbtack_scopes", "thumbtack_legacy_scopes", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("remind_after_minutes", mode="before")
    @classmethod
    def _minutes(cls, value: Any) -> Any:
        parts = value.split(",") if isinstance(value, str) else value
        try:
            steps = tuple(int(part) for part in parts)
        except (TypeError, ValueError):
            raise ValueError("must be minutes like 5,15,60, or 0 for never") from None
        if steps == (0,):
            return ()
        if len(steps) > LONGEST_LADDER or any(not 1 <= step <= 10_080 for step in steps):
            raise ValueError(f"must be at most {LONGEST_LADDER} numbers from 1 to 10080, or 0 for never")
        if list(steps) != sorted(set(steps)):
            raise ValueError("must grow from one to the next, like 5,15,60")
        return steps

    @field_validator("encryption_keys")
    @classmethod
    def _keys(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for key in value:
            try:
                Fernet(key.get_secret_value())
            except ValueError:
                raise ValueError("holds something that is no Fernet key; make one with `corkboard keys new`") from None
        return value

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        if not is_usable(value):
            raise ValueError(
                "must be sqlite+aiosqlite:/// and a file's path, or postgresql://HOST/NAME (after a ? only sslmode)"
            )
        return value

    @field_validator("slack_bot_token")
    @classmethod
    def _bot_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not BOT_TOKEN.match(value.get_secret_value()):
            raise ValueError("must be the app's bot token, xoxb-… (in Slack: OAuth & Permissions)")
        return value

    @field_validator("slack_app_token")
    @classmethod
    def _app_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not APP_TOKEN.match(value.get_secret_value()):
            raise ValueError("must be an app-level token, xapp-… (in Slack: Basic Information, App-Level Tokens)")
        return value

    @field_validator(
        "thumbtack_webhook_username", "thumbtack_legacy_username", "thumbtack_client_id", "thumbtack_legacy_client_id"
    )
    @classmethod
    def _username(cls, value: str | None) -> str | None:
        if value is not None and ":" in value:
            raise ValueError("must not contain a colon: Basic credentials end the user name with one")
        return value

    @field_validator(
        "public_url",
        "slack_api_url",
        "thumbtack_api_url",
        "thumbtack_auth_url",
        "thumbtack_legacy_api_url",
        "thumbtack_legacy_connect_url",
        "thumbtack_lead_url",
        "thumbtack_reviews_url",
        "heartbeat_url",
    )
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        if value is not None and not addresses.is_trusted(value):
            raise ValueError("must be an address that begins with https://")
        return value

    @field_validator("time_zone")
    @classmethod
    def _time_zone(cls, value: str | None) -> str | None:
        if value is not None and times.zone_named(value) is None:
            raise ValueError("must be a time zone's name like America/Chicago")
        return value

    @field_validator("slack_leads_channel")
    @classmethod
    def _channel(cls, value: str | None) -> str | None:
        if value is not None and not SLACK_CHANNEL.match(value):
            raise ValueError("must be a channel's id like C0123456789 (in Slack: channel name, About, at the bottom)")
        return value

    @field_validator("slack_ring", "slack_keepers")
    @classmethod
    def _members(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for member in value:
            if not SLACK_MEMBER.match(member):
                raise ValueError(
                    "must hold ids like U0123456789, comma separated (in Slack: profile, three dots, Copy member ID)"
                )
        return value

    @property
    def legacy_api_url(self) -> str:
        """Where the Pro API is, for this environment where nothing else is set."""
        return (self.thumbtack_legacy_api_url or addresses.LEGACY_API_URLS[self.thumbtack_environment]).rstrip("/")

    @property
    def api_url(self) -> str:
        """Where the v4 API is, for this environment where nothing else is set."""
        return (self.thumbtack_api_url or addresses.API_URLS[self.thumbtack_environment]).rstrip("/")

    @property
    def auth_url(self) -> str:
        """Where v4's OAuth server is, for this environment where nothing else is set."""
        return (self.thumbtack_auth_url or addresses.AUTH_URLS[self.thumbtack_environment]).rstrip("/")

    @property
    def callback_url(self) -> str | None:
        """The redirect URI of both OAuth clients, to be registered with Thumbtack exactly so; None without PUBLIC_URL."""
        return None if self.public_url is None else f"{self.public_url.rstrip('/')}/thumbtack/callback"


def load(**overrides: Any) -> Settings:
    """Read the settings; raises SettingsError with one line for each that is wrong, none of which holds a value."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        lines = [f"  {_name(problem['loc'])}: {_remedy(problem)}" for problem in error.errors(include_input=False)]
        raise SettingsError("These settings are wrong:\n" + "\n".join(sorted(lines))) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The file .env cannot be read ({type(error).__name__}): save it as UTF-8 text.") from None


def _name(location: tuple[int | str, ...]) -> str:
    return str(location[0]).upper() if location else "the settings"


def _remedy(problem: Any) -> str:
    sentence: str = problem["msg"].removeprefix("Value error, ")
    return sentence[:1].lower() + sentence[1:]
