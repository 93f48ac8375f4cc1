"""The door Slack knocks at: every request verified, and everything stored before Slack hears 200."""

import logging
from collections.abc import Awaitable, Callable, Mapping

import structlog
from slack_bolt.adapter.starlette.async_handler import to_starlette_response
from slack_bolt.async_app import AsyncApp, AsyncBoltContext, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from bot import asked, listeners
from bot.services import Services
from storage.database import StorageError
from webhooks.problems import Refused, problem
from webhooks.receiver import read_body

log = structlog.get_logger()

Endpoint = Callable[[Request], Awaitable[Response]]
Next = Callable[[], Awaitable[BoltResponse]]


def slack_endpoint(services: Services) -> Endpoint:
    """The endpoint of /slack/events; without a token and a signing secret it answers 503."""
    secret = services.settings.slack_signing_secret
    if secret is None or not services.slack.configured:
        return _not_configured
    app = bolt_app(services, secret.get_secret_value())
    verifier = SignatureVerifier(secret.get_secret_value())

    async def answered(request: Request) -> Response:
        try:
            heard = await _read(request, verifier)
        except Refused as refused:
            log.info("slack_request_refused", reason=refused.reason)
            return problem(refused)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        return to_starlette_response(await app.async_dispatch(heard))

    async def endpoint(request: Request) -> Response:
        response = await answered(request)
        services.metrics.slack_answered(response.status_code)
        return response

    return endpoint


async def _read(request: Request, verifier: SignatureVerifier) -> AsyncBoltRequest:
    """The request as Bolt wants it, verified first: Bolt would read a body, and log it, before it knows whose it is."""
    body = await read_body(request)
    if not _is_signed(verifier, body, request.headers):
        raise Refused("signature")
    return asked.read(body, request.headers)


def _is_signed(verifier: SignatureVerifier, body: bytes, headers: Mapping[str, str]) -> bool:
    """Slack's v0 signature, not older than 5 minutes (docs.slack.dev/authentication/verifying-requests-from-slack)."""
    timestamp, signature = headers.get("x-slack-request-timestamp"), headers.get("x-slack-signature")
    try:
        return verifier.is_valid(body, timestamp, signature)
    except (ValueError, TypeError):  # no number, not ASCII, not UTF-8: whatever it is, Slack did not sign it
        return False


def bolt_app(services: Services, signing_secret: str) -> AsyncApp:
    """Bolt with our listeners. It never calls Slack by itself, so it answers while Slack's API is down."""

    async def authorize() -> AuthorizeResult:
        identity = services.slack.known_identity
        return AuthorizeResult(
            enterprise_id=None,
            team_id=identity.team_id if identity else None,
            bot_token=services.slack.token,
            bot_user_id=identity.user_id if identity else None,
            bot_id=identity.bot_id if identity else None,
        )

    async def only_our_workspace(context: AsyncBoltContext, next_: Next) -> BoltResponse:
        identity = services.slack.known_identity
        if identity is not None and context.team_id not in (None, identity.team_id):
            log.info("slack_request_ignored", reason="other_workspace")
            return BoltResponse(status=200, body="")
        return await next_()

    async def on_error(error: Exception) -> BoltResponse:
        response = _answer_to(error)
        if response.status == 500:
            services.metrics.mistake("slack_request")
        return response

    app = AsyncApp(
        signing_secret=signing_secret,
        client=services.slack.client,
        authorize=authorize,
        request_verification_enabled=False,  # done in `_read`
        process_before_response=True,  # else Bolt answers 200 before the listener stored anything
        raise_error_for_unhandled_request=True,
        logger=_only_errors(),
    )
    app.use(only_our_workspace)
    app.error(on_error)
    listeners.register(app, services)
    return app


def _only_errors() -> logging.Logger:
    """Bolt's log below errors holds whole requests, and what people write is not logged."""
    logger = logging.getLogger("slack_bolt")
    logger.setLevel(logging.ERROR)
    return logger


def _answer_to(error: Exception) -> BoltResponse:
    """What nobody listens to is fine (404 would make Slack send it again); what broke is sent again by Slack."""
    if isinstance(error, BoltUnhandledRequestError):
        return BoltResponse(status=200, body="")
    if isinstance(error, StorageError | OSError):
        log.warning("slack_request_not_stored", error=type(error).__name__)
        return BoltResponse(status=503, body="")
    log.error("slack_request_broke", error=type(error).__name__)
    return BoltResponse(status=500, body="")


async def _not_configured(_request: Request) -> Response:
    return problem(Refused("not_configured"))
