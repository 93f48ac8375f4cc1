"""Runs the program under uvicorn, in one process or in several, until it is told to stop."""

import os
import signal
import socket
import sys
import tempfile
from contextlib import suppress
from types import FrameType
from typing import Any

import structlog
import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from bot.app import create_app
from bot.metrics import FOLDER
from bot.process import tune
from bot.settings import Settings

GRACE = 10
"""Seconds that requests under way get at shutdown."""

KEPT = 130
"""Seconds that an idle connection is kept. A web server in front keeps its own for the next request (nginx for one minute, Caddy
for two) and must be the one that closes them: a request on a connection that we just close is answered with 502."""

NOT_STARTED = 1
"""What the process ends with when the program did not start; the log says why."""

log = structlog.get_logger()


class CannotListen(Exception):  # noqa: N818 -- it reads as the sentence it is
    """The address cannot be listened at; the message says why and what to do."""

    def __init__(self, host: str, port: int, error: OSError) -> None:
        """`error` is what the system said."""
        why = (error.strerror or type(error).__name__).lower()
        super().__init__(f"Cannot listen at {host}, port {port}: {why}. Choose another with --host and --port.")


def run(settings: Settings, *, host: str, port: int, workers: int) -> None:
    """Serve until SIGTERM or SIGINT, let what is under way finish, and return.

    Port 0 takes any free one; the log says which, in `listening`. Several workers read the settings from the
    environment, each for itself. Raises CannotListen, before anything of the program was started.
    """
    end = _End()
    with _listener(host, port) as listener:
        signal.signal(signal.SIGTERM, end)
        log.info("listening", address=_address(listener), workers=workers)
        with suppress(KeyboardInterrupt):
            if workers > 1:
                _serve_by_several(listener, workers, end)
            else:
                _serve(settings, listener, end)


def _listener(host: str, port: int) -> socket.socket:
    """Bound here and not by uvicorn, which would start the program first and only then find the port taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise CannotListen(host, port, error) from None


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _End:
    """What SIGTERM does before uvicorn listens to it, and once uvicorn is done, which then raises it again.

    It is written down. An exception would be lost where the signal finds a destructor at work: the program would start, and
    hear no second SIGTERM. By default the signal would kill us though everything is stopped.
    """

    def __init__(self) -> None:
        self.is_told = False
        self._server: uvicorn.Server | None = None

    def __call__(self, _signal: int, _frame: FrameType | None) -> None:
        self.is_told = True
        if self._server is not None:
            self._server.should_exit = True

    def ends(self, server: uvicorn.Server) -> None:
        """Let it be the end of this server, also where it was told before."""
        self._server = server
        server.should_exit = self.is_told


def _serve(settings: Settings, listener: socket.socket, end: _End) -> None:
    server = uvicorn.Server(uvicorn.Config(create_app(settings), **OPTIONS))
    end.ends(server)
    tune()
    try:
        server.run(sockets=[listener])
    except SystemExit as ended:
        if ended.code == STARTUP_FAILURE:
            sys.exit(NOT_STARTED)
        raise


def _serve_by_several(listener: socket.socket, workers: int, end: _End) -> None:
    """Several processes accept from one socket; it ends where one of them cannot start."""
    config = uvicorn.Config("bot.app:from_environment", factory=True, workers=workers, **OPTIONS)
    supervisor = Multiprocess(config, sockets=[listener])  # listens to signals from here on
    if end.is_told:
        return
    with tempfile.TemporaryDirectory(prefix="corkboard-metrics-") as folder:
        os.environ[FOLDER] = folder  # the workers inherit it: each answers for all (see `bot.metrics`)
        supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        sys.exit(NOT_STARTED)


OPTIONS: dict[str, Any] = {
    "log_config": None,
    "access_log": False,
    "server_header": False,
    "lifespan": "on",
    "timeout_graceful_shutdown": GRACE,
    "timeout_keep_alive": KEPT,
}
