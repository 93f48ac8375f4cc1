"""Runs `corkboard` with a sampler of CPU time, and at its end writes down in whose code, and in which task, it went.

Usage: python benchmarks/sampled.py FILE serve --port 8307
A sample is taken each so many milliseconds of CPU of the whole process (4 on most kernels); what another thread takes
counts for what the main one does at that time.
"""

import asyncio
import contextlib
import json
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

EVERY = 0.001
PACKAGES = "site-packages"
OURS = Path(__file__).parent.parent
START_OVER = signal.SIGUSR1
"""Forget what was sampled until now: the start, and what came before the measured part."""

TASKS = {"ingest": "reading", "dispatch": "claiming", "inbox": "storing"}
"""What the tasks of `bot.app` do, by their names."""

COROUTINES = {"RequestResponseCycle.run_asgi": "requests", "settle": "calling, writing down"}
"""What all others do, by the coroutine that each runs."""

samples: Counter[str] = Counter()


def sample(_signal: int, frame: FrameType | None) -> None:
    """Count the part that is running now."""
    samples[f"{_task()}|{_code(frame)}"] += 1


def _task() -> str:
    with contextlib.suppress(RuntimeError):
        task = asyncio.current_task()
        if task is not None:
            named = COROUTINES.get(getattr(task.get_coro(), "__qualname__", ""), "the rest")
            return TASKS.get(task.get_name(), named)
    return "event loop"


def _code(frame: FrameType | None) -> str:
    if frame is None:
        return "nothing"
    file = Path(frame.f_code.co_filename)
    if PACKAGES in file.parts:
        return file.parts[file.parts.index(PACKAGES) + 1]
    return file.relative_to(OURS).parts[0] if file.is_relative_to(OURS) else "Python's own library"


if __name__ == "__main__":
    from bot.cli import main  # started with -P, or the benchmark of the same name stood for our package `webhooks`

    written_to = Path(sys.argv.pop(1))
    signal.signal(signal.SIGPROF, sample)
    signal.signal(START_OVER, lambda *_: samples.clear())
    signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
    try:
        main()
    finally:
        written_to.write_text(json.dumps(samples))
