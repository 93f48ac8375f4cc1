"""The two token endpoints: the Pro API's, which reads its query, and v4's, which reads a form; both want Basic."""

import secrets
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.faults import Faults
from sandbox.thumbtack.answering import AnswerError, Door, basic, form, is_media_type
from sandbox.thumbtack.grants import Generation, Grants, Pair, RefusedGrantError

Fields = Mapping[str, str]

_TOKEN_TYPES = {"authorization_code": "AUTH_CODE", "refresh_token": "REFRESH"}
_NO_CLIENT = (
    "Client authentication failed (e.g., unknown client, no client authentication included, or unsupported "
    "authentication method)."
)


class Client:
    """What Thumbtack issued to the program around a bot: an id and a secret for one API."""

    def __init__(self, client_id: str, client_secret: str) -> None:
        self.client_id = client_id
        self._expected = f"{client_id}:{client_secret}".encode()

    def is_shown_by(self, request: Request) -> bool:
        """Whether the request shows it as Basic credentials."""
        return secrets.compare_digest(basic(request), self._expected)


class LegacyTokens:
    """`POST /v2/tokens/access`; `faults` are taken by the name "token".

    The page names the error codes and no body; here it is RFC 6749's, with the codes in capitals, as the page writes
    them.
    """

    def __init__(self, *, client: Client, grants: Grants, faults: Faults) -> None:
        self._client = client
        self._grants = grants
        self.routes = [Door(faults).route("/v2/tokens/access", "token", self._access)]

    async def _access(self, request: Request) -> Response:
        given = dict(request.query_params)
        if not self._client.is_shown_by(request):
            raise AnswerError(_refusal("INVALID_CLIENT", _NO_CLIENT, status=400))
        if "redirect_uri" not in given and given.get("grant_type") == "authorization_code":
            raise AnswerError(_refusal("INVALID_REQUEST", "redirect_uri is missing.", status=400))
        wanted = _TOKEN_TYPES.get(given.get("grant_type", ""))
        if wanted is not None and given.get("token_type") != wanted:
            raise AnswerError(_refusal("INVALID_REQUEST", f"token_type must be {wanted}.", status=400))
        try:
            pair = _granted(self._grants, "legacy", given)
        except RefusedGrantError as refused:
            return _refusal(refused.code.upper(), refused.sentence, status=400)
        return JSONResponse(_told(pair))


class V4Tokens:
    """`POST /oauth2/token`; `faults` are taken by the name "v4-token"."""

    def __init__(self, *, client: Client, grants: Grants, faults: Faults) -> None:
        self._client = client
        self._grants = grants
        self.routes = [Door(faults).route("/token", "v4-token", self._token)]

    async def _token(self, request: Request) -> Response:
        if not is_media_type(request, "application/x-www-form-urlencoded"):
            raise AnswerError(_refusal("invalid_request", "The body must be a form.", status=400))
        if not self._client.is_shown_by(request):
            raise AnswerError(_refusal("invalid_client", _NO_CLIENT, status=401))
        try:
            pair = _granted(self._grants, "v4", await form(request))
        except RefusedGrantError as refused:
            return _refusal(refused.code, refused.sentence, status=400)
        return JSONResponse(_told(pair) | {"scope": " ".join(pair.scopes)}, headers={"Cache-Control": "no-store"})


def _granted(grants: Grants, generation: Generation, given: Fields) -> Pair:
    """The pair that a call asks for. Raises RefusedGrantError."""
    match given.get("grant_type"):
        case "authorization_code":
            return grants.exchange(
                generation,
                code=_required(given, "code"),
                redirect_uri=_required(given, "redirect_uri"),
                verifier=given.get("code_verifier"),
            )
        case "refresh_token":
            return grants.renew(generation, _required(given, "refresh_token"))
        case "client_credentials":
            raise RefusedGrantError("unauthorized_client", "A client of the pro side needs a pro's consent.")
        case None:
            raise RefusedGrantError("invalid_request", "grant_type is missing.")
        case _:
            raise RefusedGrantError("unsupported_grant_type", "The grant_type is not supported.")


def _required(given: Fields, name: str) -> str:
    if not given.get(name):
        raise RefusedGrantError("invalid_request", f"{name} is missing.")
    return given[name]


def _told(pair: Pair) -> dict[str, object]:
    told: dict[str, object] = {
        "access_token": pair.access_token,
        "token_type": "bearer",
        "expires_in": int(pair.expires_in.total_seconds()),
    }
    return told if pair.refresh_token is None else told | {"refresh_token": pair.refresh_token}


def _refusal(code: str, sentence: str, *, status: int) -> Response:
    headers = {"Cache-Control": "no-store"} | ({"WWW-Authenticate": "Basic"} if status == 401 else {})
    return JSONResponse({"error": code, "error_description": sentence}, status, headers)
