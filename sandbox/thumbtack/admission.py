"""Who may call the stand-in's APIs: Basic credentials, or a Bearer token of the right API with the right scope."""

from starlette.requests import Request

from sandbox.thumbtack.answering import AnswerError, bearer, problem
from sandbox.thumbtack.grants import Grant, Grants
from sandbox.thumbtack.tokens import Client

AUDIENCE = "urn:partner-api"


class Admission:
    """Lets calls in, or raises AnswerError with what they are refused by."""

    def __init__(self, grants: Grants) -> None:
        self._grants = grants

    def legacy(self, request: Request, scope: str | None = None) -> Grant:
        """What the Pro API's token allows: 401 INVALID_TOKEN, 403 INSUFFICIENT_SCOPE (the page's own codes)."""
        grant = self._grants.of(bearer(request), "legacy")
        if grant is None:
            headers = {"WWW-Authenticate": "Bearer"}
            raise AnswerError(problem(401, "The access token is not valid.", headers=headers, code="INVALID_TOKEN"))
        if scope is not None and scope not in grant.scopes:
            said = "The request required higher privileges than provided by the access token."
            raise AnswerError(problem(403, said, code="INSUFFICIENT_SCOPE"))
        return grant

    def v4(self, request: Request, scope: str | None = None) -> Grant:
        """What v4's token allows: 401 without it, 502 for the wrong audience, 401 with a sentence without the scope."""
        grant = self._grants.of(bearer(request), "v4")
        if grant is None:
            headers = {"WWW-Authenticate": "Bearer"}
            raise AnswerError(problem(401, "The access token is not valid.", headers=headers))
        if grant.audience != AUDIENCE:
            raise AnswerError(problem(502, "proxy_oauth_failed"))
        if scope is not None and scope not in grant.scopes:
            raise AnswerError(problem(401, f"required scope(s) [{scope}] not found"))
        return grant

    def v4_business(self, request: Request, scope: str) -> str:
        """The business in the path, which the token must be for: 404 otherwise."""
        grant = self.v4(request, scope)
        business_id: str = request.path_params["business_id"]
        if business_id not in grant.businesses:
            raise AnswerError(problem(404, "No such business."))
        return business_id


def basic(request: Request, client: Client) -> None:
    """Let in who shows these credentials; everyone else gets a 401."""
    if not client.is_shown_by(request):
        raise AnswerError(problem(401, headers={"WWW-Authenticate": "Basic"}))
