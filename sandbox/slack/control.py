"""The control desk: with curl or from another process, a person acts as a member of the workspace and reads it.

`GET /slack/control` shows what there is, with the arguments.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sandbox.faults import Fault
from sandbox.slack.arguments import RefusedError
from sandbox.slack.delivery import Answer
from sandbox.slack.transcript import readable

if TYPE_CHECKING:
    from sandbox.slack.standin import SlackStandIn

Deed = Callable[..., Awaitable[Answer]]
_FAULT_FIELDS = {field.name for field in fields(Fault)}


def control_routes(slack: SlackStandIn) -> list[Route]:
    """The routes below /slack/control, for this workspace."""
    desk = _Desk(slack)
    return [
        Route("/slack/control", desk.overview),
        Route("/slack/control/channels/{channel}", desk.channel),
        Route("/slack/control/people/{user}", desk.person),
        Route("/slack/control/calls", desk.calls),
        Route("/slack/control/faults", desk.faults, methods=["POST", "DELETE"]),
        Route("/slack/control/{deed}", desk.act, methods=["POST"]),
    ]


class _Desk:
    def __init__(self, slack: SlackStandIn) -> None:
        self._slack = slack
        people, admin = slack.people, slack.housekeeping
        self._deeds: Mapping[str, Deed] = {
            "say": people.say, "edit": people.edit, "delete": people.delete, "press": people.press,
            "press_in_view": people.press_in_view, "submit": people.submit, "close_view": people.close_view,
            "command": people.command,
            "join": people.join, "unfurl": people.unfurl, "bot_says": people.bot_says, "open_home": people.open_home,
            "event": people.event, "verify_url": people.verify_url,
            "archive": admin.archive, "unarchive": admin.unarchive, "delete_channel": admin.delete_channel,
            "rename_channel": admin.rename_channel, "invite_bot": admin.invite_bot, "remove_bot": admin.remove_bot,
            "leave": admin.leave, "change_person": admin.change_person, "deactivate": admin.deactivate,
            "uninstall": admin.uninstall, "revoke": admin.revoke, "reinstall": admin.reinstall,
        }  # fmt: skip

    async def overview(self, request: Request) -> Response:  # noqa: ARG002 - an endpoint's signature
        lines = ["GET  /slack/control/channels/{channel}, /slack/control/people/{user}, /slack/control/calls"]
        lines += [f"POST /slack/control/{name} {{{', '.join(_arguments(deed))}}}" for name, deed in self._deeds.items()]
        lines.append(f"POST /slack/control/faults {{target, times, standing, {', '.join(sorted(_FAULT_FIELDS))}}}")
        lines.append("DELETE /slack/control/faults")
        return PlainTextResponse("\n".join([*lines, "", self._slack.transcript(), ""]))

    async def channel(self, request: Request) -> Response:
        workspace = self._slack.workspace
        try:
            return JSONResponse(readable(workspace, workspace.channel(request.path_params["channel"])))
        except LookupError as error:
            return _complaint(error, status=404)

    async def person(self, request: Request) -> Response:
        user = request.path_params["user"]
        seen = {
            "ephemerals": self._slack.ephemerals(user), "views": self._slack.views(user), "home": self._slack.home(user),
        }  # fmt: skip
        return JSONResponse(seen)

    async def calls(self, request: Request) -> Response:  # noqa: ARG002 - an endpoint's signature
        return JSONResponse([asdict(call) for call in self._slack.calls])

    async def act(self, request: Request) -> Response:
        name = request.path_params["deed"]
        if name not in self._deeds:
            return _complaint(LookupError(f"nobody can {name} here; there are {', '.join(self._deeds)}"), status=404)
        try:
            bound = inspect.signature(self._deeds[name]).bind(**await _body(request))
            answer = await self._deeds[name](*bound.args, **bound.kwargs)
        except (LookupError, TypeError, ValueError, RefusedError) as error:
            return _complaint(error)
        return JSONResponse({"status": answer.status, "body": answer.body, "ts": answer.ts, "failure": answer.failure})

    async def faults(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._slack.faults.clear()
            return JSONResponse({})
        try:
            given = await _body(request)
            target, times, standing = given.pop("target", "*"), given.pop("times", 1), given.pop("standing", False)
            fault = Fault(**given)
        except (TypeError, ValueError) as error:
            return _complaint(error)
        if standing:
            self._slack.faults.stand(target, fault)
        else:
            self._slack.faults.add(target, fault, times=times)
        return JSONResponse({})


async def _body(request: Request) -> dict[str, Any]:
    given = json.loads(await request.body() or b"{}")
    if not isinstance(given, dict):
        raise TypeError("the body must be a JSON object")
    return given


def _arguments(deed: Deed) -> list[str]:
    return list(inspect.signature(deed).parameters)


def _complaint(error: Exception, *, status: int = 400) -> Response:
    return JSONResponse({"error": str(error)}, status)
