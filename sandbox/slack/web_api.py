"""The Web API's door: checks a call's token, lets it fail on request, does it, and remembers it."""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.faults import CutResponse, Fault, Faults, hold
from sandbox.slack import chat, lookups, modals, response_urls
from sandbox.slack.arguments import Arguments, Json, Received, RefusedError, receive
from sandbox.slack.rates import Bucket, limits_of
from sandbox.slack.socket_mode import Sockets
from sandbox.slack.workspace import Workspace

OPEN_SOCKET = "apps.connections.open"  # the one method that takes the app's own token
POST = "chat.postMessage"
RESPONSE_URL = "response_url"  # the name under which uses of response_urls are recorded, and can fail


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call the bot made, without its token; `status` is 0 when its answer was cut off on purpose."""

    method: str
    args: Json
    ok: bool
    error: str | None
    at: float
    token_ok: bool
    status: int = 200


@dataclass(frozen=True, kw_only=True)
class Method:
    """How a method is done; any one of `scopes` is enough, and only some methods read JSON bodies."""

    do: Callable[[Workspace, Arguments], Json]
    scopes: tuple[str, ...] = ()
    takes_json: bool = False


_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")
_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_OPEN = ("im:write", "channels:manage", "groups:write", "mpim:write")


def _auth_test(workspace: Workspace, args: Arguments) -> Json:  # noqa: ARG001 - every method takes the same two
    return {
        "url": f"https://{workspace.domain}.slack.com/", "team": "Corkboard sandbox", "user": "corkboard",
        "team_id": workspace.team_id, "user_id": workspace.bot_user_id, "bot_id": workspace.bot_id,
        "is_enterprise_install": False,
    }  # fmt: skip


METHODS: Mapping[str, Method] = {
    "auth.test": Method(do=_auth_test, takes_json=True),
    "chat.postMessage": Method(do=chat.post_message, scopes=("chat:write",), takes_json=True),
    "chat.update": Method(do=chat.update, scopes=("chat:write",), takes_json=True),
    "chat.delete": Method(do=chat.delete, scopes=("chat:write",), takes_json=True),
    "chat.postEphemeral": Method(do=chat.post_ephemeral, scopes=("chat:write",), takes_json=True),
    "chat.getPermalink": Method(do=chat.get_permalink),
    "reactions.add": Method(do=chat.add_reaction, scopes=("reactions:write",), takes_json=True),
    "reactions.remove": Method(do=chat.remove_reaction, scopes=("reactions:write",), takes_json=True),
    "reactions.get": Method(do=chat.get_reactions, scopes=("reactions:read",)),
    "conversations.history": Method(do=lookups.history, scopes=_HISTORY),
    "conversations.replies": Method(do=lookups.replies, scopes=_HISTORY),
    "conversations.info": Method(do=lookups.conversation_info, scopes=_READ),
    "conversations.members": Method(do=lookups.members, scopes=_READ),
    "conversations.open": Method(do=lookups.open_conversation, scopes=_OPEN, takes_json=True),
    "users.conversations": Method(do=lookups.conversations_of, scopes=_READ),
    "users.info": Method(do=lookups.user_info, scopes=("users:read",)),
    "users.list": Method(do=lookups.user_list, scopes=("users:read",)),
    "usergroups.list": Method(do=lookups.group_list, scopes=("usergroups:read",)),
    "usergroups.users.list": Method(do=lookups.group_users, scopes=("usergroups:read",)),
    "views.open": Method(do=modals.open_view, takes_json=True),
    "views.push": Method(do=modals.push_view, takes_json=True),
    "views.update": Method(do=modals.update_view, takes_json=True),
    "views.publish": Method(do=modals.publish_view, takes_json=True),
}

EVERYTHING = tuple(
    sorted(
        {scope for method in METHODS.values() for scope in method.scopes}
        | {"commands", "files:read", "files:write", "metadata.message:read"}
    )
)
"""What an app was granted that was granted everything."""


class WebApi:
    """Answers `/slack/api/{method}`; `heard` is told of every call and its answer."""

    def __init__(
        self, workspace: Workspace, *, bot_token: str, heard: Callable[[Call, Json], None], sockets: Sockets
    ) -> None:
        self.bot_token = bot_token
        self._sockets = sockets
        self.scopes: Collection[str] | None = None  # None: everything is granted
        self.limit_posts = self.limit_methods = False
        self.faults = Faults()
        self._workspace = workspace
        self._heard = heard
        self._bucket = Bucket(workspace.clock)

    async def answer(self, request: Request) -> Response:
        """`/slack/api/{method}`: one HTTP call, from its bytes to the answer, a failure on request included."""
        method = request.path_params["method"]
        return await self._answer_or_fail(method, request, lambda received: self._answer(method, received))

    async def answer_response_url(self, request: Request) -> Response:
        """`/slack/response/{url_id}`: recorded, and failing on request, as the method "response_url"."""
        url_id = request.path_params["url_id"]
        return await self._answer_or_fail(
            RESPONSE_URL, request, lambda received: response_urls.use(self._workspace, url_id, received)
        )

    async def _answer_or_fail(
        self, method: str, request: Request, work: Callable[[Received], tuple[Json, Response]]
    ) -> Response:
        received = await receive(request)
        fault = self.faults.take(method)
        if fault is not None and fault.instead:
            body, response = _failing(fault), fault.response()
        else:
            body, response = work(received)
        if fault is not None and (fault.lose_answer or fault.done):
            response = fault.response()
        self._remember(method, received, body, status=0 if isinstance(response, CutResponse) else response.status_code)
        if fault is not None and fault.delay:
            await hold(request, fault.delay)
        return response

    def _answer(self, method: str, received: Received) -> tuple[Json, Response]:
        headers = {
            "x-slack-req-id": self._workspace.next_id("r"),
            "x-oauth-scopes": ",".join(EVERYTHING if self.scopes is None else self.scopes),
            "date": format_datetime(datetime.fromtimestamp(self._workspace.clock(), UTC), usegmt=True),
        }
        if (seconds := self._too_fast(method, received)) > 0:
            body: Json = {"ok": False, "error": "ratelimited"}
            return body, JSONResponse(body, 429, headers | {"retry-after": str(math.ceil(seconds))})
        try:
            body = {"ok": True, **self._do(method, received)}
        except RefusedError as refused:
            body = refused.answer()
        if received.warning:
            body["warning"] = received.warning
            body.setdefault("response_metadata", {})["warnings"] = [received.warning]
        return body, JSONResponse(body, headers=headers)

    def _do(self, name: str, received: Received) -> Json:
        if name == "api.test":  # the one method without a token
            if "error" in received.given:
                raise RefusedError(str(received.given["error"]), args=received.given)
            return {"args": received.given}
        if name == OPEN_SOCKET:
            return self._sockets.ticket(received.token)
        method = METHODS.get(name)
        if method is None:
            raise RefusedError("unknown_method", req_method=name)
        self._check_token(method, received.token)
        if received.error:
            raise RefusedError(received.error)
        given = {} if received.is_json and not method.takes_json else received.given
        return method.do(self._workspace, Arguments(given))

    def _check_token(self, method: Method, token: str | None) -> None:
        if not token:
            raise RefusedError("not_authed")
        if token != self.bot_token:
            raise RefusedError("invalid_auth")
        if self._workspace.refusal is not None:
            raise RefusedError(self._workspace.refusal)
        if self.scopes is not None and method.scopes and not set(method.scopes) & set(self.scopes):
            raise RefusedError("missing_scope", needed=method.scopes[0], provided=",".join(self.scopes))

    def _too_fast(self, method: str, received: Received) -> float:
        """Seconds until this call is permitted; 0 where it is now, and then it is counted."""
        is_limited = self.limit_posts if method == POST else self.limit_methods
        if not is_limited or received.token != self.bot_token:
            return 0.0
        channel = str(received.given.get("channel")) if method == POST else None
        return self._bucket.wait(limits_of(method, channel))

    def _remember(self, method: str, received: Received, body: Json, *, status: int) -> None:
        wanted = self._sockets.app_token if method == OPEN_SOCKET else self.bot_token
        call = Call(
            method=method,
            args=received.given,
            ok=bool(body["ok"]),
            error=body.get("error"),
            at=self._workspace.clock(),
            token_ok=method == RESPONSE_URL or received.token == wanted,
            status=status,
        )
        self._heard(call, body)


def _failing(fault: Fault) -> Json:
    """What a failed call is remembered by."""
    if isinstance(fault.body, dict) and "error" in fault.body:
        return {"ok": bool(fault.body.get("ok")), "error": fault.body["error"]}
    return {"ok": False, "error": "cut" if fault.cut else f"http_{fault.status}"}
