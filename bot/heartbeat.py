"""Calls an address of the operator's each minute, so that a watch outside notices when it stops."""

from importlib.metadata import version
from urllib.parse import urlsplit

import aiohttp

TIMEOUT = aiohttp.ClientTimeout(total=10.0)

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class NotHeard(Exception):  # noqa: N818 -- it reads as the sentence it is
    """The watch did not say that it heard us; the reason is a code, for the address is a secret."""


async def beat(url: str) -> None:
    """Say once that we are alive; raises NotHeard. Redirects are not followed: the operator chose this address alone."""
    is_near = urlsplit(url).hostname in LOOPBACK  # not to be reached through the proxy that the environment may name
    headers = {"User-Agent": f"Corkboard/{version('corkboard')}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=TIMEOUT, headers=headers, trust_env=not is_near) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            status = answer.status
    except (aiohttp.ClientError, OSError, ValueError) as error:  # a time-out is an OSError
        raise NotHeard(type(error).__name__) from None
    if not 200 <= status < 300:
        raise NotHeard(f"http_{status}")
