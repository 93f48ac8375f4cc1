"""Who calls: the Basic credentials of a webhook, compared in constant time."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What Thumbtack was given to call us with: the present password and, while it is replaced, the previous one."""

    username: str
    passwords: Sequence[str] = field(repr=False)

    def allow(self, authorization: str | None) -> bool:
        """Whether this Authorization header is right (RFC 7617). Every comparison takes its full time."""
        given = _basic(authorization)
        if given is None:
            return False
        right = False
        for password in self.passwords:
            right |= hmac.compare_digest(given, f"{self.username}:{password}".encode())
        return right


def _basic(authorization: str | None) -> bytes | None:
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
