"""How fast webhooks are acknowledged, against a bare Starlette route in the same run; prints a Markdown table.

Usage: python -m benchmarks.acknowledging [--seconds 8] [--database sqlite|postgresql|URL] [--path /v4/webhooks]
Needs wrk (Debian: apt-get install wrk). Everything runs on loopback and stops by itself.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.databases import database_at
from benchmarks.served import ENV, LEAD, serving
from benchmarks.slack_stub import SlackStub

HERE = Path(__file__).parent
CONNECTIONS = (1, 16, 64)
TICKS = os.sysconf("SC_CLK_TCK")
IDLE_LEADS = 40


@dataclass(frozen=True)
class Load:
    """What one run of wrk found."""

    rate: float
    p50_ms: float
    p99_ms: float
    requests: int
    errors: int


def wrk(url: str, connections: int, seconds: int, run: int, path: str = "/v1/lead") -> Load:
    """Post leads to a path over so many connections."""
    command = [
        "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(HERE / "lead.lua"), url, "--", str(run), path,
    ]  # fmt: skip
    out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
    line = next(line for line in out.splitlines() if line.startswith("RESULT"))
    requests, duration, p50, p99, errors = (int(part) for part in line.split()[1:])
    return Load(requests / (duration / 1e6), p50 / 1000, p99 / 1000, requests, errors)


@contextlib.contextmanager
def server(command: list[str], url: str, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server process that answers at `url`; ended by its own id."""
    process = subprocess.Popen(command, env={**os.environ, **env})
    try:
        for _ in range(600):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(url, timeout=1)  # noqa: S310 -- loopback
                break
            time.sleep(0.05)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mb(pid: int) -> float:
    """Resident memory of a process."""
    line = next(row for row in Path(f"/proc/{pid}/status").read_text().splitlines() if row.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def generator_rate(seconds: int) -> float:
    """How fast wrk is against a server that does nothing."""
    command = [sys.executable, str(HERE / "bare.py"), "nothing", "8301"]
    with server(command, "http://127.0.0.1:8301/"):
        return wrk("http://127.0.0.1:8301", 16, seconds, 9).rate


def bare_loads(seconds: int) -> dict[int, Load]:
    """The bare route."""
    command = [sys.executable, str(HERE / "bare.py"), "bare", "8302"]
    with server(command, "http://127.0.0.1:8302/"):
        wrk("http://127.0.0.1:8302", 16, 1, 1)
        return {count: wrk("http://127.0.0.1:8302", count, seconds, 2) for count in CONNECTIONS}


@dataclass(frozen=True)
class Measured:
    """What was measured of Corkboard."""

    loads: dict[int, Load]
    cpu_ms: dict[int, float]
    rss_start: float
    rss_end: float
    idle_ms: list[float]


def corkboard_loads(seconds: int, database: str, folder: str, path: str) -> Measured:
    """`corkboard serve`, with a Slack that answers at once."""
    with SlackStub() as slack:
        env = {**ENV, "DATABASE_URL": database, "SLACK_API_URL": slack.url}
        command = serving(8303)
        with server(command, "http://127.0.0.1:8303/readyz", **env, HOME=folder) as process:
            idle = asyncio.run(idle_latency(slack))
            start = resident_mb(process.pid)
            loads, cpu = {}, {}
            for run, count in enumerate(CONNECTIONS, start=3):
                before = cpu_seconds(process.pid)
                loads[count] = wrk("http://127.0.0.1:8303", count, seconds, run, path)
                cpu[count] = (cpu_seconds(process.pid) - before) / loads[count].requests * 1000
            return Measured(loads, cpu, start, resident_mb(process.pid), idle)


async def idle_latency(slack: SlackStub) -> list[float]:
    """Milliseconds from posting a webhook until Slack was called, with nothing else to do."""
    took = []
    async with httpx.AsyncClient(auth=("bench", "bench"), trust_env=False) as client:
        for number in range(IDLE_LEADS):
            lead_id = f"8{number:06d}"
            before = slack.posts
            started = time.perf_counter()
            await client.post(
                "http://127.0.0.1:8303/v1/lead",
                content=LEAD % (lead_id, lead_id, lead_id),
                headers={"Content-Type": "application/json"},
            )
            while slack.posts == before:  # noqa: ASYNC110 -- the stub runs in a thread of its own, without our events
                await asyncio.sleep(0.0005)
            took.append((slack.last_post - started) * 1000)
            await asyncio.sleep(0.1)
    return took[5:]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--database", default="sqlite", help="sqlite, postgresql, or an empty one's address")
    parser.add_argument("--path", default="/v1/lead", choices=["/v1/lead", "/v4/webhooks"], help="which API's leads")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, database_at(options.database, folder) as database:
        generator = generator_rate(min(4, options.seconds))
        bare = bare_loads(options.seconds)
        ours = corkboard_loads(options.seconds, database, folder, options.path)
    report(generator, bare, ours)


def report(generator: float, bare: dict[int, Load], ours: Measured) -> None:
    """Print the table."""
    best = max(load.rate for load in bare.values())
    print(f"wrk against a server that does nothing: {generator:,.0f}/s, {generator / best:.1f} times the bare route.\n")
    print("| connections | bare /s | Corkboard /s | share | p50 ms (bare) | p99 ms (bare) | CPU ms per lead | errors |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for count in CONNECTIONS:
        a, b = bare[count], ours.loads[count]
        print(
            f"| {count} | {a.rate:,.0f} | {b.rate:,.0f} | {b.rate / a.rate:.2f} | {b.p50_ms:.1f} ({a.p50_ms:.1f}) "
            f"| {b.p99_ms:.1f} ({a.p99_ms:.1f}) | {ours.cpu_ms[count]:.2f} | {b.errors} |"
        )
    print(f"\nResident memory: {ours.rss_start:.0f} MB after {IDLE_LEADS} leads, {ours.rss_end:.0f} MB after the load.")
    print(
        f"Webhook to Slack call, idle: {statistics.median(ours.idle_ms):.1f} ms at the median of {len(ours.idle_ms)}."
    )


if __name__ == "__main__":
    main()
