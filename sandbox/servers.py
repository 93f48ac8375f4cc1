"""Run an ASGI app on a loopback port inside this event loop, for the demo and the tests."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

_GRACE = 2.0  # seconds for requests in flight when the server stops


@asynccontextmanager
async def serving(app: ASGIApp, *, port: int = 0, lifespan: bool = False) -> AsyncIterator[str]:
    """Serve `app` on 127.0.0.1 (port 0: any free one); yields its address, for example http://127.0.0.1:8100.

    With `lifespan`, the app is started and stopped too; RuntimeError when it does not start. Neither signals nor the
    log's configuration are touched: they belong to the program around us.
    """
    with socket.create_server(("127.0.0.1", port)) as listener:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            date_header=False,  # a stand-in says what time it is there
            lifespan="on" if lifespan else "off",
        )
        server = uvicorn.Server(config)
        logging.getLogger("uvicorn.error").addFilter(_not_a_cut_answer)  # the same filter again changes nothing
        await _start(server, listener)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            await _stop(server)


async def _start(server: uvicorn.Server, listener: socket.socket) -> None:
    """What `Server.serve` does, without its signals and its main loop, which costs 0.1 s at each end."""
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    try:
        await server.startup(sockets=[listener])
    except SystemExit:
        raise RuntimeError("the app did not start; the reason is in the log of uvicorn.error") from None


async def _stop(server: uvicorn.Server) -> None:
    state = server.server_state
    for listening in server.servers:
        listening.close()
    for connection in list(state.connections):
        connection.shutdown()
    if state.tasks:
        _, late = await asyncio.wait(state.tasks, timeout=_GRACE)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    await server.lifespan.shutdown()


def _not_a_cut_answer(record: logging.LogRecord) -> bool:
    """A stand-in that cuts a connection does so on purpose (`CutResponse`); uvicorn would call it an error."""
    return not record.getMessage().startswith("ASGI callable returned without completing response")
