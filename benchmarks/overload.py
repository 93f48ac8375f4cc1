"""What happens when far more webhooks come than one machine takes: refusals, waiting, memory, and whether any is lost.

Usage: python -m benchmarks.overload [--connections 2000] [--seconds 8] [--size 0]
Each connection posts one lead after the other and never slows down, whatever it is told; `--size`: letters more for each.
Needs as many open files (`ulimit -n 20000`). Everything runs on loopback, on SQLite, and stops by itself.
"""

import argparse
import asyncio
import json
import sqlite3
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field

from benchmarks.acknowledging import resident_mb, server
from benchmarks.served import ENV, serving
from benchmarks.slack_stub import SlackStub

PORT = 8306
HEAD = (
    b"POST /v1/lead HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
    b"Authorization: Basic YmVuY2g6YmVuY2g=\r\nContent-Length: %d\r\n\r\n"
)


@dataclass
class Found:
    """What all connections were told: statuses (and what broke), seconds until the answer, and the leads that were taken."""

    told: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    unasked: int = 0


async def caller(number: int, until: float, size: int, found: Found) -> None:
    """One connection after the other, for as long as there is time."""
    sent = 0
    while time.monotonic() < until:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        except OSError as error:
            found.told[type(error).__name__] += 1
            await asyncio.sleep(0.1)
            continue
        try:
            while time.monotonic() < until:
                sent += 1
                await post(reader, writer, f"{number:05d}{sent:06d}", size, found)
        except (OSError, asyncio.IncompleteReadError) as error:
            found.told[type(error).__name__] += 1
        finally:
            writer.close()


async def post(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lead: str, size: int, found: Found) -> None:
    """Post a lead and read the answer."""
    request = {"requestID": lead, "category": "Cleaning", "title": "x", "description": "d" * size}
    body = json.dumps({"leadID": lead, "request": request, "customer": {"customerID": lead, "name": "A"}}).encode()
    began = time.monotonic()
    writer.write(HEAD % len(body) + body)
    await writer.drain()
    lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
    await reader.readexactly(int(next(line for line in lines if line.startswith(b"content-length")).split(b":")[1]))
    status = lines[0].split()[1].decode()
    found.seconds.append(time.monotonic() - began)
    found.told[status] += 1
    if status == "200":
        found.taken.add(lead)
    elif not any(line.startswith(b"retry-after") for line in lines):
        found.unasked += 1


async def measure(pid: int, connections: int, seconds: float, size: int) -> tuple[Found, float]:
    """What was found, and the most memory that was held."""
    found, until, most = Found(), time.monotonic() + seconds, resident_mb(pid)
    callers = [asyncio.create_task(caller(number, until, size, found)) for number in range(connections)]
    while time.monotonic() < until + 1:
        most = max(most, resident_mb(pid))
        await asyncio.sleep(0.2)
    await asyncio.wait(callers, timeout=30)
    return found, most


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--size", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, SlackStub() as slack:
        url = f"sqlite+aiosqlite:///{folder}/bench.db"
        env = {**ENV, "DATABASE_URL": url, "SLACK_API_URL": slack.url, "SLACK_POSTS_PER_SECOND": "1"}
        command = serving(PORT)
        with server(command, f"http://127.0.0.1:{PORT}/readyz", **env, HOME=folder) as process:
            before = resident_mb(process.pid)
            found, most = asyncio.run(measure(process.pid, options.connections, options.seconds, options.size))
        stored = {
            row[0] for row in sqlite3.connect(f"{folder}/bench.db").execute("SELECT lead_thumbtack_id FROM inbox")
        }
    report(options, found, lost=len(found.taken - stored), before=before, most=most)


def report(options: argparse.Namespace, found: Found, *, lost: int, before: float, most: float) -> None:
    """Print the table."""
    waited = sorted(found.seconds)
    middle, slow = waited[len(waited) // 2], waited[int(len(waited) * 0.99)]
    print(
        "| connections | letters | answers /s | taken /s | told | without Retry-After | p50, p99 s | MB before, most | lost |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    told = ", ".join(f"{status}: {count:,}" for status, count in sorted(found.told.items()))
    print(
        f"| {options.connections:,} | {options.size:,} | {len(waited) / options.seconds:,.0f} "
        f"| {len(found.taken) / options.seconds:,.0f} | {told} | {found.unasked} | {middle:.2f}, {slow:.2f} "
        f"| {before:.0f}, {most:.0f} | {lost} |"
    )


if __name__ == "__main__":
    main()
