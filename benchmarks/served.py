"""`corkboard serve` as every benchmark starts it: beside a Slack that answers at once, and as fast as it can."""

import sys
from pathlib import Path

import httpx

LEAD = (Path(__file__).parent / "lead.lua").read_text().split("[[")[1].split("]]")[0]
"""A webhook of a lead with room for its id, three times: the one that wrk sends."""

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


def sender(port: int) -> httpx.AsyncClient:
    """A client that sends it webhooks as Thumbtack does."""
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}",
        auth=("bench", "bench"),
        headers={"Content-Type": "application/json"},
        trust_env=False,
        timeout=60,
    )


def serving(port: int) -> list[str]:
    """The command, of the program in the environment that measures."""
    return [str(Path(sys.executable).with_name("corkboard")), "serve", "--port", str(port)]
