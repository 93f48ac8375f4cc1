"""Whether the world reaches the public address, as far as this machine can tell: its name, its certificate, who answers."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

import aiohttp

from bot.doctor.arriving import REACH_TIMEOUT
from bot.doctor.findings import Area, Finding, broken, ok, warning
from bot.heartbeat import LOOPBACK

SUBJECT = "address"

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""The network addresses of a host; raises OSError where the name is not known."""

CERTIFICATE = (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError)


class BadCertificateError(Exception):
    """Somebody answers, and cannot show a certificate for this name that is valid."""


async def resolve(host: str) -> Sequence[str]:
    """What the DNS says."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None)
    return sorted({str(one[4][0]) for one in found})


async def status_of(url: str) -> int | None:
    """The HTTP status there; None where nobody answers. Raises BadCertificateError."""
    try:
        async with aiohttp.ClientSession(timeout=REACH_TIMEOUT) as http, http.get(url, allow_redirects=False) as answer:
            return answer.status
    except CERTIFICATE:
        raise BadCertificateError from None
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return None


async def look(url: str, *, resolve: Resolve = resolve) -> list[Finding]:
    """What stands in the way of Slack and Thumbtack, each thing after what it rests on."""
    host = urlsplit(url).hostname or ""
    if host in LOOPBACK:
        told, remedy = f"{host} is this machine alone", "Good for trying; Slack and Thumbtack need https://…"
        return [warning(Area.WEBHOOKS, SUBJECT, told, remedy), await _of_answer(url)]
    try:
        addresses = await resolve(host)
    except (OSError, UnicodeError):
        remedy = (
            f"Mend the spelling, or make a DNS record for {host} that leads to this server. A new one takes minutes."
        )
        return [broken(Area.WEBHOOKS, SUBJECT, f"the name {host} is not known to the DNS", remedy)]
    return [_of_name(host, addresses), await _of_answer(url)]


def _of_name(host: str, addresses: Sequence[str]) -> Finding:
    if any(ipaddress.ip_address(one.partition("%")[0]).is_global for one in addresses):
        return ok(Area.WEBHOOKS, SUBJECT, f"{host} leads to {', '.join(addresses)}")
    told = f"{host} leads to {', '.join(addresses)}, which is inside a network"
    return warning(Area.WEBHOOKS, SUBJECT, told, "Make sure that the world outside finds another address.")


async def _of_answer(url: str) -> Finding:
    try:
        status = await status_of(f"{url}/readyz")
    except BadCertificateError:
        remedy = "Let the web server in front get one for this name (Caddy does by itself), then test again."
        return broken(Area.WEBHOOKS, SUBJECT, "the certificate there is not valid for it", remedy)
    match status:
        case 200:
            return ok(Area.WEBHOOKS, SUBJECT, "`corkboard serve` answers there")
        case None:
            told = "not tested further: nobody answers there yet"
            remedy = "Once `corkboard serve` runs behind it, `corkboard check` tests it. Some networks hide their own address."
            return warning(Area.WEBHOOKS, SUBJECT, told, remedy)
        case 502 | 503 | 504:
            told = f"a web server answers there, and nobody behind it yet (HTTP {status})"
            return warning(Area.WEBHOOKS, SUBJECT, told, "Start `corkboard serve`; then `corkboard check` tests it.")
        case _:
            told = f"something else answers there (HTTP {status})"
            remedy = "Let the web server there pass everything on to `corkboard serve`; then run `corkboard check`."
            return warning(Area.WEBHOOKS, SUBJECT, told, remedy)
