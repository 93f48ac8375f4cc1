"""Runs a `corkboard` command that ends by SIGKILL before its step number LAST_STEP (0: it lives on), and says which it was.

With a name behind the number ("20 answer to chat.postMessage") it ends the first time that it comes to such a step, if that is earlier.
"""

import json
import os
import runpy
import signal
from typing import Any

import aiohttp
from starlette.applications import Starlette
from support.steps import Step, stepping


def until(last: int, or_at: str) -> Step:
    """Counts, and ends this process as an end of its machine would."""
    taken = 0

    async def step(name: str) -> None:
        nonlocal taken
        taken += 1
        if last and (taken == last or name == or_at):
            os.write(2, json.dumps({"event": "died", "level": "info", "step": name}).encode() + b"\n")
            os.kill(os.getpid(), signal.SIGKILL)

    return step


def answering(step: Step, original: Any) -> Any:
    """To answer who called us is a step."""

    async def called(app: Starlette, scope: Any, receive: Any, send: Any) -> None:
        async def answer(message: Any) -> None:
            if message["type"] == "http.response.start":
                await step(f"answering {scope['path']}")
            await send(message)

        await original(app, scope, receive, answer)

    return called


def acknowledging(step: Step, original: Any) -> Any:
    """So is to acknowledge what came over Socket Mode."""

    async def send(socket: Any, told: str, *more: Any) -> None:
        await step("acknowledging")
        await original(socket, told, *more)

    return send


if __name__ == "__main__":
    last, _, or_at = os.environ["LAST_STEP"].partition(" ")
    step = until(int(last), or_at)
    stepping(setattr, step)
    setattr(Starlette, "__call__", answering(step, Starlette.__call__))  # noqa: B010 -- a method, which mypy protects
    socket = aiohttp.ClientWebSocketResponse
    setattr(socket, "send_str", acknowledging(step, socket.send_str))  # noqa: B010 -- likewise
    runpy.run_module("sandbox.demo.leash", run_name="__main__")
