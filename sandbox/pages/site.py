"""The page's addresses: the page itself, its files, its news, and what a person does on it."""

import json
import mimetypes
from importlib import resources
from typing import TYPE_CHECKING

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from sandbox.as_text import as_text, page
from sandbox.pages import guard, parts, stream
from sandbox.pages.deeds import Deed, Json

if TYPE_CHECKING:
    from sandbox.outside import Outside

MOST = 400_000
"""Bytes of a deed: the longest text that Slack takes (40,000 characters), also where each is an escape of six."""

_STATIC = resources.files("sandbox.pages") / "static"
_PLAYING = "The tour still plays. Watch it; in a few seconds it is your turn."


def routes(world: "Outside") -> list[Route]:
    """The page's routes at the root of the world outside."""
    site = _Site(world)
    return [
        Route("/", site.front),
        Route("/page/events", site.news),
        Route("/page/do", site.act, methods=["POST"]),
        Route("/page/{asset:path}", site.asset),
    ]


class _Site:
    def __init__(self, world: "Outside") -> None:
        self._world = world
        self._deeds = parts.deeds(world)

    async def front(self, request: Request) -> Response:
        """The page for a browser; for curl, everything there is to see as text, which looks again by itself."""
        if "text/html" not in request.headers.get("accept", ""):
            text = as_text(page(self._world.slack, self._world.thumbtack))
            return PlainTextResponse(text, headers={"Refresh": "2"})
        return _file("index.html")

    async def asset(self, request: Request) -> Response:
        """A file of the page."""
        return _file(request.path_params["asset"])

    async def news(self, request: Request) -> Response:
        """The state now and at each change, for whom `as` names."""
        as_user = request.query_params.get("as", "")
        if as_user not in self._world.slack.workspace.people:
            return _refused(f"Nobody here is {as_user or 'without a name'}.", status=404)
        return StreamingResponse(
            stream.news(self._world, as_user), media_type="text/event-stream", headers=guard.HEADERS
        )

    async def act(self, request: Request) -> Response:
        """Do what the body says; `said` is a sentence for who did it, `error` the reason why it was not done."""
        if not guard.is_ours(request, acts=True):
            return guard.not_here()
        try:
            deed, as_user, args = await self._read(request)
            if self._world.tour is not None:
                return _refused(_PLAYING, status=409)
            said = await deed(as_user, args)
        except (LookupError, ValueError, TypeError) as error:
            return _refused(str(error.args[0] if error.args else error))
        except httpx.TransportError:
            return _refused("The bot does not answer. Is it running?", status=502)
        finally:
            self._world.changed.fire()
        return JSONResponse(said if isinstance(said, dict) else {"said": said}, headers=guard.HEADERS)

    async def _read(self, request: Request) -> tuple[Deed, str, Json]:
        """Which deed, who acts, and the arguments. ValueError for a body that says no such thing."""
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST:
                raise ValueError("That is too long.")
        given = json.loads(_whole(json.loads(body)))
        if not isinstance(given, dict) or not isinstance(given.get("args", {}), dict):
            raise ValueError("The body is an object with deed, as and args.")  # noqa: TRY004 -- told like any bad value
        name, as_user = str(given.get("deed")), str(given.get("as"))
        if name not in self._deeds:
            raise ValueError(f"Nobody can {name} here.")
        self._world.slack.workspace.person(as_user)
        return self._deeds[name], as_user, given.get("args", {})


def _whole(given: object) -> str:
    """The same as JSON; half a character (a lone surrogate, of an emoji that was cut) becomes the sign for an unknown one."""
    return json.dumps(given, ensure_ascii=False).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _file(name: str) -> Response:
    """One of the files that belong to the page: what leads out of their folder is not there."""
    found = _STATIC.joinpath(*name.split("/"))
    if ".." in name.split("/") or not found.is_file():
        return PlainTextResponse("There is no such file.\n", 404, headers=guard.HEADERS)
    kind = "text/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0] or "text/plain"
    return Response(found.read_bytes(), media_type=kind, headers=guard.HEADERS)


def _refused(sentence: str, *, status: int = 400) -> Response:
    return JSONResponse({"error": sentence}, status, headers=guard.HEADERS)
