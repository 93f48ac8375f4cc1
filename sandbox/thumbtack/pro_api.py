"""The endpoints of the Pro API (v1 and v2) that the bot calls, refusing what the real one refuses.

Source: the Pro API's page, "Thumbtack Endpoints", "Create Test Data on Thumbtack" and "Errors". What an error's body
looks like there is not published; here it is the problem of Thumbtack's newer API, with a trace id.
"""

from typing import Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.faults import Faults
from sandbox.thumbtack import bodies
from sandbox.thumbtack.admission import Admission, basic
from sandbox.thumbtack.answering import AnswerError, Door, json_body, problem
from sandbox.thumbtack.grants import Grants
from sandbox.thumbtack.tokens import Client
from sandbox.thumbtack.world import LONGEST_TEXT, World

MESSAGE = "/business/{business_id}/lead/{lead_id}/message"


class ProApi:
    """v1 and v2; `faults` are taken by the names "message", "create-lead", "info" and "disconnect"."""

    def __init__(self, *, partner: Client, client: Client, world: World, grants: Grants, faults: Faults) -> None:
        """`partner`: the Basic credentials of v1. `client`: the OAuth client."""
        self._partner = partner
        self._client = client
        self._world = world
        self._grants = grants
        self._admission = Admission(grants)
        door = Door(faults)
        self.routes = [
            door.route(f"/v1{MESSAGE}", "message", self._message_v1),
            door.route(f"/v2{MESSAGE}", "message", self._message_v2),
            door.route("/v1/test/create-lead", "create-lead", self._create_lead),
            door.route("/v2/get-thumbtack-info", "info", self._info, methods=("GET",)),
            door.route("/v2/disconnect-partner", "disconnect", self._disconnect),
        ]

    async def _message_v1(self, request: Request) -> Response:
        basic(request, self._partner)
        return await self._message(request, via="v1")

    async def _message_v2(self, request: Request) -> Response:
        grant = self._admission.legacy(request, "messages")
        if request.path_params["business_id"] not in grant.businesses:
            raise AnswerError(problem(404, "No such business."))
        return await self._message(request, via="v2")

    async def _message(self, request: Request, *, via: Literal["v1", "v2"]) -> Response:
        text = text_of(await json_body(request))
        business_id, lead_id = request.path_params["business_id"], request.path_params["lead_id"]
        if not self._world.knows(business_id, lead_id):
            return problem(404, "No such lead.")
        await self._world.receive(business_id=business_id, lead_id=lead_id, text=text, via=via)
        return JSONResponse({"status": "success"})

    async def _create_lead(self, request: Request) -> Response:
        basic(request, self._partner)
        body = await json_body(request)
        made = bodies.lead(business={"businessID": str(body.get("businessID", bodies.new_id()))})
        self._world.remember(made)
        return JSONResponse(made)

    async def _info(self, request: Request) -> Response:
        grant = self._admission.legacy(request)
        business_id = grant.businesses[0]
        told = {"business_pk": business_id, "client_id": self._client.client_id, "scope": list(grant.scopes)}
        return JSONResponse(told | {"business_name": self._grants.name_of(business_id)})

    async def _disconnect(self, request: Request) -> Response:
        basic(request, self._client)
        business_id = request.query_params.get("business_pk")
        if not business_id:
            return problem(400, "business_pk is missing.", code="INVALID_REQUEST")
        self._grants.disconnect(business_id)
        return JSONResponse({"business_pk": business_id, "client_id": self._client.client_id})


def text_of(body: dict[str, object]) -> str:
    """A message's text; a 400 where there is none, or too much of it."""
    text = body.get("text")
    if not isinstance(text, str) or not 1 <= len(text) <= LONGEST_TEXT:
        raise AnswerError(problem(400, f"text must be 1 to {LONGEST_TEXT} characters."))
    return text
