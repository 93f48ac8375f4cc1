"""The log as it is in operation, for a test that reads it."""

import logging
from contextlib import contextmanager

import structlog

from bot import logs
from bot.settings import LogLevel


@contextmanager
def logging_as(log_format, level=LogLevel.DEBUG):
    """The log as it is in operation; back to the tests' own afterwards."""
    handlers, before = logging.root.handlers[:], logging.root.level
    logs.configure(log_format, level)
    try:
        yield
    finally:
        structlog.reset_defaults()
        logging.root.handlers[:] = handlers
        logging.root.setLevel(before)
