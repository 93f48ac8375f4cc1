"""A Slack that answers at once and counts, in a thread of its own; the sandbox's stand-in would be measured too."""

import asyncio
import json
import re
import threading
import time
from typing import Self

THREAD = re.compile(rb'"thread_ts":\s*"([0-9.]+)"')
"""The thread that a post named: a post that came back without it would be taken back."""


class SlackStub:
    """Serves the Web API on loopback while the block runs; `posts` and `last_post` tell of chat.postMessage."""

    def __init__(self) -> None:
        """Nothing is served before the block is entered."""
        self.posts = 0
        self.last_post = 0.0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()
        self.url = ""

    def __enter__(self) -> Self:
        """Start serving."""
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/"
        self._ready.set()
        self._loop.run_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()
                return
            length = next((int(row.split(":")[1]) for row in head.split("\r\n") if row.startswith("content-length")), 0)
            called_at = time.perf_counter()
            writer.write(self._answer(head, await reader.readexactly(length), called_at))

    def _answer(self, head: str, body: bytes, called_at: float) -> bytes:
        ok: dict[str, object] = {"ok": True, "team_id": "T0", "user_id": "U0", "bot_id": "B0"}
        if "chat.postmessage" in head:
            message = {"ts": f"{time.time():.6f}"}
            if named := THREAD.search(body):
                message["thread_ts"] = named[1].decode()
            ok |= {"channel": "C0BENCH", "ts": message["ts"], "message": message}
            self.posts, self.last_post = self.posts + 1, called_at
        answer = json.dumps(ok).encode()
        return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
            len(answer),
            answer,
        )
