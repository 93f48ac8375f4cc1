"""The public address as setup looks at it: its name, its certificate, and who answers."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from bot.doctor.findings import State
from bot.setup import reaching
from sandbox.servers import serving


@pytest.fixture
async def own_certificate(tmp_path: Path) -> AsyncIterator[int]:
    """The port of a server whose certificate nobody signed but itself."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
    )
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    held = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (tmp_path / "both.pem").write_bytes(held + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "both.pem")
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def outside(_: str) -> Sequence[str]:
    return ["93.184.215.14"]


async def inside(_: str) -> Sequence[str]:
    return ["10.0.0.5", "fe80::1%eth0"]


async def unknown(_: str) -> Sequence[str]:
    raise OSError


async def test_a_certificate_that_is_not_valid_is_broken(own_certificate):
    *_, found = await reaching.look(f"https://127.0.0.1:{own_certificate}")
    assert (found.state, found.told) == (State.BROKEN, "the certificate there is not valid for it")


@pytest.mark.parametrize(
    ("status", "state", "says"),
    [
        (200, State.OK, "`corkboard serve` answers there"),
        (502, State.WARNING, "nobody behind it yet (HTTP 502)"),
        (404, State.WARNING, "something else answers there (HTTP 404)"),
        (None, State.WARNING, "not tested further: nobody answers there yet"),
    ],
)
async def test_who_answers(status, state, says):
    asked = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope["path"])
        await PlainTextResponse("", status)(scope, receive, send)

    async with serving(app) as address:
        pass_on = address if status else "http://127.0.0.1:9"
        here, found = await reaching.look(pass_on)
    assert (here.state, here.told) == (State.WARNING, "127.0.0.1 is this machine alone")
    assert found.state is state
    assert says in found.told
    assert asked == (["/readyz"] if status else [])


@pytest.mark.parametrize(
    ("resolve", "state", "says"),
    [
        (outside, State.OK, "leads.invalid leads to 93.184.215.14"),
        (inside, State.WARNING, "inside a network"),
        (unknown, State.BROKEN, "the name leads.invalid is not known to the DNS"),
    ],
)
async def test_where_a_name_leads(resolve, state, says):
    first, *rest = await reaching.look("https://leads.invalid", resolve=resolve)
    assert first.state is state
    assert says in first.told
    assert len(rest) == (state is not State.BROKEN)
