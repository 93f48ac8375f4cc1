"""What `corkboard serve` costs before it does anything: memory, and the time from start to ready; prints a Markdown table.

Usage: python -m benchmarks.start [--runs 5] [--database URL]
Beside it, what a process costs that only imports the libraries `serve` stands on.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence

from benchmarks.acknowledging import cpu_seconds, resident_mb, server
from benchmarks.served import ENV, serving
from benchmarks.slack_stub import SlackStub

PORT = 8304
SERVED_AT = f"http://127.0.0.1:{PORT}/readyz"
IDLE_FOR = 10
LIBRARIES = (
    "import slack_bolt.async_app, slack_bolt.adapter.starlette.async_handler, sqlmodel, sqlalchemy.ext.asyncio, "
    "aiosqlite, asyncpg, httpx, uvicorn, starlette.applications, cryptography.fernet"
)
WAITS = "; import sys; print(flush=True); sys.stdin.read()"


def libraries() -> tuple[float, float]:
    """Seconds, and MB, of a process that imports them and does nothing."""
    began = time.perf_counter()
    command = [sys.executable, "-c", LIBRARIES + WAITS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        if process.stdout is None or process.stdin is None:
            raise RuntimeError("no pipes")
        process.stdout.readline()
        took = time.perf_counter() - began
        memory = resident_mb(process.pid)
        process.stdin.close()
    return took, memory


def serve(database: str, slack_url: str, *, idle: bool) -> tuple[float, float, float]:
    """Seconds until `serve` was ready, its MB then, and, where asked for, what share of a CPU it takes doing nothing."""
    command = serving(PORT)
    env = {**ENV, "DATABASE_URL": database, "SLACK_API_URL": slack_url}
    began = time.perf_counter()
    with server(command, SERVED_AT, **env) as process:
        with urllib.request.urlopen(SERVED_AT, timeout=5):
            took = time.perf_counter() - began
        memory, busy = resident_mb(process.pid), 0.0
        if idle:
            time.sleep(1)
            before = cpu_seconds(process.pid)
            time.sleep(IDLE_FOR)
            busy = (cpu_seconds(process.pid) - before) / IDLE_FOR
    return took, memory, busy


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--database", default=None)
    options = parser.parse_args()
    alone = [libraries() for _ in range(options.runs)]
    with tempfile.TemporaryDirectory() as folder, SlackStub() as slack:
        os.chdir(folder)  # no .env of whoever measures
        database = options.database or f"sqlite+aiosqlite:///{folder}/bench.db"
        serve(database, slack.url, idle=False)  # makes the tables
        served = [serve(database, slack.url, idle=run == 0) for run in range(options.runs)]
    report(alone, served)


def report(alone: Sequence[tuple[float, float]], served: Sequence[tuple[float, float, float]]) -> None:
    """Print the table: the medians."""
    seconds, memory = (statistics.median(one[part] for one in alone) for part in (0, 1))
    ready, resident = (statistics.median(one[part] for one in served) for part in (0, 1))
    print("| | libraries alone | corkboard serve | times |")
    print("| --- | --- | --- | --- |")
    print(f"| start to ready, s | {seconds:.2f} | {ready:.2f} | {ready / seconds:.1f} |")
    print(f"| resident memory, MB | {memory:.0f} | {resident:.0f} | {resident / memory:.2f} |")
    print(f"\nCPU when idle: {served[0][2]:.2%} of one.")


if __name__ == "__main__":
    main()
