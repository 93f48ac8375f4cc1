"""What everything is measured against: a bare Starlette route, and a server that does nothing but answer.

`bare` checks Basic credentials and parses the same JSON; `nothing` shows how fast the load generator can be.
"""

import asyncio
import base64
import json
import secrets
import sys

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

RIGHT = base64.b64encode(b"bench:bench").decode()


async def lead(request: Request) -> Response:
    """Check the credentials, parse the body, answer."""
    given = request.headers.get("authorization", "").removeprefix("Basic ")
    if not secrets.compare_digest(given, RIGHT):
        return Response(status_code=401)
    body = json.loads(await request.body())
    return JSONResponse({}, status_code=200 if body["leadID"] else 400)


class Nothing(asyncio.Protocol):
    """Answers each piece of input with the same bytes, unread."""

    ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n{}"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer once for each request that begins in this piece."""
        self.transport.write(self.ANSWER * max(1, data.count(b"POST ")))  # type: ignore[attr-defined]


async def nothing(port: int) -> None:
    """Serve `Nothing` until killed."""
    server = await asyncio.get_running_loop().create_server(Nothing, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1] == "nothing":
        uvloop.run(nothing(int(sys.argv[2])))
    else:
        app = Starlette(routes=[Route("/v1/lead", lead, methods=["POST"])])
        uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_config=None, access_log=False)
