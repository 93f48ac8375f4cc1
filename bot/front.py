"""The door Slack knocks at: every request verified, and everything stored before Slack hears 200.

What Socket Mode brings goes the same way, by `hearing`: nothing is signed there, for we opened the connection.
"""

import json
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
from bot.attention import EARLIER
from bot.reply_rules import written_at
from bot.services import Services
from bot.socket_mode import Acknowledgement, Envelope, Hear
from storage.database import StorageError
from webhooks.problems import Refused, problem
from webhooks.receiver import read_body

log = structlog.get_logger()

Endpoint = Callable[[Request], Awaitable[Response]]
Next = Callable[[], Awaitable[BoltResponse]]


def slack_endpoint(services: Services, app: AsyncApp | None) -> Endpoint:
    """The endpoint of /slack/events; without a token and a signing secret it answers 503.

    Over Socket Mode nothing needs to come here; with the secret it is open all the same, so that one can change over.
    """
    secret = services.settings.slack_signing_secret
    if secret is None or app is None:
        return _not_configured
    verifier = SignatureVerifier(secret.get_secret_value())

    async def answered(request: Request) -> Response:
        try:
            heard = await _read(request, verifier)
        except Refused as refused:
            log.info("slack_request_refused", reason=refused.reason)
            return problem(refused)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        _look_for_dropped(services, heard)
        return to_starlette_response(await app.async_dispatch(heard))

    async def endpoint(request: Request) -> Response:
        response = await answered(request)
        services.metrics.slack_answered(response.status_code)
        services.attention.answered(response.status_code, request.headers)
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


def hearing(services: Services, app: AsyncApp) -> Hear:
    """Handles the envelopes of Socket Mode as requests are handled, and answers within their acknowledgement."""

    async def hear(envelope: Envelope) -> Acknowledgement | None:
        try:
            heard = _unwrapped(envelope)
        except Refused as refused:
            log.info("slack_request_refused", reason=refused.reason)
            services.metrics.slack_answered(400)
            return None
        _look_for_dropped(services, heard)
        response = await app.async_dispatch(heard)
        services.metrics.slack_answered(response.status)
        services.attention.answered(response.status, _repeats(envelope))
        return _acknowledgement(envelope, response)

    return hear


def _look_for_dropped(services: Services, heard: AsyncBoltRequest) -> None:
    """Slack drops events where there are too many, and says since which minute (docs.slack.dev/reference/events/app_rate_limited)."""
    if heard.body.get("type") == "app_rate_limited":
        since = written_at(str(heard.body.get("minute_rate_limited")))
        services.attention.miss(since=since or services.clock() - EARLIER)


def _unwrapped(envelope: Envelope) -> AsyncBoltRequest:
    """The request within; a repeated event says so as it does by HTTP. Raises Refused."""
    payload = envelope.get("payload")
    return asked.asked(asked.cleaned(payload) if isinstance(payload, dict) else {}, _repeats(envelope))


def _repeats(envelope: Envelope) -> dict[str, str]:
    """What HTTP has headers for: which try this is, and why."""
    told = {"x-slack-retry-num": envelope.get("retry_attempt"), "x-slack-retry-reason": envelope.get("retry_reason")}
    return {name: str(value) for name, value in told.items() if value}


def _acknowledgement(envelope: Envelope, response: BoltResponse) -> Acknowledgement | None:
    """None where it was not stored: Slack brings an event again, and tells a person that their press did nothing."""
    if response.status != 200:
        return None
    acknowledged: Acknowledgement = {"envelope_id": envelope["envelope_id"]}
    if not response.body or not envelope.get("accepts_response_payload"):
        return acknowledged
    is_json = str(response.headers.get("content-type", [""])[0]).startswith("application/json")
    return acknowledged | {"payload": json.loads(response.body) if is_json else {"text": response.body}}


def bolt_app(services: Services) -> AsyncApp:
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
        name="corkboard",  # else Bolt reads the sources of the whole stack to find one
        signing_secret="",  # not used: see below
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
