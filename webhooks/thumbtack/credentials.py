"""Secrets that calls are made with."""

from dataclasses import dataclass, field


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
