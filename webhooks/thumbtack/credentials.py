"""Secrets that calls are made with, and where those of a connection come from."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class BasicCredentials:
    """A user name and password, or a client's id and secret, that Thumbtack issued; the latter never shown."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class SecretHeader:
    """A header with a secret, which Thumbtack can send with each webhook in place of Basic credentials."""

    header: str
    value: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class TokenPair:
    """What a token endpoint answered; the tokens are never shown. `scopes` is empty where it does not say which."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in: timedelta
    scopes: tuple[str, ...] = ()


class TokenStore(Protocol):
    """The tokens of one connection, wherever they are kept."""

    async def access_token(self) -> str:
        """A token to use now. Raises ReconnectRequired, or Unavailable while it cannot be renewed."""
        ...

    async def renewed(self, refused: str) -> str:
        """A newer token than the one that Thumbtack refused with 401; renewed once, whoever asks. Raises likewise."""
        ...
