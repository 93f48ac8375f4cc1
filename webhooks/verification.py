"""Who calls: the credentials that Thumbtack was given for a webhook, compared in constant time."""

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from storage.models import Environment

SECRET_HEADER = "x-webhook-secret"  # noqa: S105 -- the header's name


class Admission(Protocol):
    """Decides whether somebody may call a webhook."""

    @property
    def configured(self) -> bool:
        """Whether there is anything to compare with; without it nobody may."""
        ...

    def allow(self, headers: Mapping[str, str], *, environment: Environment, business_id: str | None) -> bool:
        """Whether these headers are right. `business_id`: the business that the called address names."""
        ...


class Own(Protocol):
    """Credentials that single businesses have for themselves."""

    def of(self, environment: Environment, business_id: str) -> "Credentials | None":
        """Those of a business; None where it has none."""
        ...

    def __len__(self) -> int:
        """How many businesses have some."""
        ...


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """A user name and the password that Thumbtack was given; while it is replaced, the previous password too."""

    username: str
    passwords: Sequence[str] = field(repr=False)

    def allow(self, authorization: str | None) -> bool:
        """Whether this Authorization header is right (RFC 7617). Every comparison takes its full time."""
        given = _basic(authorization)
        if given is None:
            return False
        right = False
        for pair in self._pairs:
            right |= hmac.compare_digest(given, pair)
        return right

    @cached_property
    def _pairs(self) -> Sequence[bytes]:
        return [f"{self.username}:{password}".encode() for password in self.passwords]


@dataclass(frozen=True, kw_only=True)
class LegacyAdmission:
    """The Pro API's webhooks: Basic credentials."""

    credentials: Credentials | None

    @property
    def configured(self) -> bool:
        """Whether user name and password are set."""
        return self.credentials is not None

    def allow(
        self,
        headers: Mapping[str, str],
        *,
        environment: Environment,  # noqa: ARG002 -- one pair for all
        business_id: str | None,  # noqa: ARG002 -- same
    ) -> bool:
        """Whether the Basic credentials are right."""
        return self.credentials is not None and self.credentials.allow(headers.get("authorization"))


@dataclass(frozen=True, kw_only=True)
class V4Admission:
    """v4's webhooks, a partner's or a pro's own: Basic, Bearer, or a header, whichever was chosen at Thumbtack.

    Thumbtack's own screen offers none, Basic and a header; deliveries with `Authorization: Bearer` were seen. None is
    never enough: whoever guesses the address could post leads. `credentials` and `secret` are the deployment's and open
    every address; those of a business in `own` open its own address alone.
    """

    credentials: Credentials | None
    secret: str | None = field(repr=False)
    own: Own | None = None

    @property
    def configured(self) -> bool:
        """Whether there is a user name and password, a secret, or a business with credentials of its own."""
        return self.credentials is not None or self.secret is not None or bool(self.own)

    def allow(self, headers: Mapping[str, str], *, environment: Environment, business_id: str | None) -> bool:
        """Whether one of the ways is right. Every comparison takes its full time."""
        authorization = headers.get("authorization")
        own = None if self.own is None or business_id is None else self.own.of(environment, business_id)
        right = False
        for one in (self.credentials, own):
            right |= one is not None and one.allow(authorization)
        if self.secret is not None:
            for given in (_bearer(authorization), headers.get(SECRET_HEADER)):
                right |= given is not None and hmac.compare_digest(_as_sent(given), self.secret.encode())
        return right


def _bearer(authorization: str | None) -> str | None:
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _as_sent(value: str) -> bytes:
    """A header's bytes, which Starlette reads as Latin-1."""
    return value.encode("latin-1", errors="replace")


def _basic(authorization: str | None) -> bytes | None:
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
