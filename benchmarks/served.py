"""`corkboard serve` as every benchmark starts it: beside a Slack that answers at once, and as fast as it can."""

import sys
from pathlib import Path

ENV = {
    "ENCRYPTION_KEYS": "zH9o1mJmZUoY8D0m2rWn8q2c6a0m3S7mX0bqQ3B1u0Y=",
    "SLACK_BOT_TOKEN": "xoxb-bench",
    "SLACK_SIGNING_SECRET": "bench",
    "SLACK_LEADS_CHANNEL": "C0BENCH",
    "SLACK_POSTS_PER_SECOND": "1000",
    "THUMBTACK_WEBHOOK_USERNAME": "bench",
    "THUMBTACK_WEBHOOK_PASSWORD": "bench",
    "LOG_LEVEL": "error",
    "PYTHONDONTWRITEBYTECODE": "",  # as it is installed: what is served is compiled once, not at every start
}
"""Its settings, without those of the run: DATABASE_URL and SLACK_API_URL."""


def serving(port: int) -> list[str]:
    """The command, of the program in the environment that measures."""
    return [str(Path(sys.executable).with_name("corkboard")), "serve", "--port", str(port)]
