"""Logs: past-tense facts with fields, to stderr; never a token, a phone number, an address or a message's text."""

import asyncio
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from bot.settings import LogFormat, LogLevel

OWN_WORDS = ("uvicorn", "apscheduler", "alembic")
"""Libraries whose messages hold nothing that came from outside; of the others only who spoke and where is kept."""

log = structlog.get_logger()


def configure(log_format: LogFormat, level: LogLevel) -> None:
    """Send everything to stderr in one form; other libraries speak from warnings upwards."""
    minimum = getattr(logging, level.upper())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if log_format is LogFormat.JSON:
        rendered: structlog.typing.Processor = structlog.processors.JSONRenderer()
    else:
        rendered = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    written = structlog.WriteLogger(sys.stderr)  # one write a line: workers share it
    structlog.configure(
        processors=[*shared, rendered],
        wrapper_class=structlog.make_filtering_bound_logger(minimum),
        logger_factory=lambda *_: written,
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_Libraries()], force=True)


class _Libraries(logging.Handler):
    """What other libraries say, as facts of ours: a message or an exception's text could hold a customer's words."""

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, Any] = {"logger": record.name, "at": f"{record.filename}:{record.lineno}"}
        if record.name.partition(".")[0] in OWN_WORDS:
            fields["message"] = record.getMessage().strip()
        if record.exc_info and record.exc_info[1] is not None:
            fields |= _without_words(record.exc_info[1])
        level = logging.ERROR if record.levelno >= logging.ERROR else logging.WARNING
        log.log(level, "library_spoke", **fields)


def _without_words(error: BaseException) -> dict[str, Any]:
    """What an exception was and where it came from, without what it says."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    return {
        "error": type(error).__name__,
        "raised_in": " < ".join(f"{frame.name} ({frame.filename}:{frame.lineno})" for frame in reversed(frames)),
    }


@contextmanager
def quiet_loop() -> Iterator[None]:
    """Meanwhile, what nobody caught in this event loop is logged without its words."""
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(_nobody_caught)
    try:
        yield
    finally:
        loop.set_exception_handler(before)


def _nobody_caught(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    message, _, _ = str(context.get("message")).partition("(")  # in the brackets are a callback's arguments
    log.error("nobody_caught", message=message.strip(), **({} if error is None else _without_words(error)))
