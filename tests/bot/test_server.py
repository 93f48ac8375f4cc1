"""`corkboard serve` ends when it is told to, at whatever moment that is."""

import os
import subprocess
import sys

import uvicorn
from support.commands import with_database

from bot import server
from storage import migrate

TOLD_WHILE_IT_STARTS = """
import os, signal
from bot import server
from bot.settings import load

class Dropped:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(100):  # the signal is taken in here, where nothing that is raised gets any further
            pass

whole = server.create_app
server.create_app = lambda settings: (Dropped(), whole(settings))[1]
server.run(load(_env_file=None), host="127.0.0.1", port=0, workers=1)
print("ended")
"""


def test_sigterm_while_it_starts_is_not_forgotten(sqlite_url):
    with_database(sqlite_url, migrate.upgrade)
    environment = os.environ | {"DATABASE_URL": sqlite_url}
    command = [sys.executable, "-c", TOLD_WHILE_IT_STARTS]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 -- ours
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "ended"), done.stderr[-2_000:]


def test_idle_connections_outlive_those_of_a_web_server_in_front():
    caddys_idle = 120  # seconds, where `keepalive` is not set
    assert uvicorn.Config("bot.app:from_environment", **server.OPTIONS).timeout_keep_alive > caddys_idle
