"""Refusals over HTTP, as application/problem+json (RFC 9457) with a reason that is also the log field."""

from dataclasses import dataclass

import orjson
from starlette.responses import Response


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """What a reason is in HTTP, and the sentence that says what to do."""

    status: int
    title: str


REASONS = {
    "not_configured": Meaning(status=503, title="This part of Corkboard is not configured yet; see its settings."),
    "starting": Meaning(status=503, title="Corkboard is starting; try again in a moment."),
    "credentials": Meaning(status=401, title="The user name or password is missing or wrong."),
    "guessing": Meaning(
        status=429, title="Too many wrong user names or passwords came lately. Right ones are still taken."
    ),
    "outsider": Meaning(
        status=401, title="Figures are for METRICS_TOKEN's holders and direct callers on this machine."
    ),
    "signature": Meaning(status=401, title="Slack's signature is missing, wrong, or older than five minutes."),
    "media_type": Meaning(status=415, title="Send application/json."),
    "too_large": Meaning(status=413, title="The body is larger than 1 MiB."),
    "busy": Meaning(status=503, title="More came at once than this machine takes; send it again soon."),
    "json": Meaning(status=400, title="The body is not JSON that can be read."),
    "shape": Meaning(status=400, title="The body lacks the ids that name what it is about."),
    "storage": Meaning(status=503, title="The event could not be stored just now; send it again."),
    "mistake": Meaning(status=500, title="Corkboard made a mistake; its log says which. Send it again."),
    "not_found": Meaning(status=404, title="There is nothing at this address."),
    "method": Meaning(status=405, title="This address takes another method."),
}


class Refused(Exception):  # noqa: N818 -- it reads as the sentence it is
    """A request is refused, with a reason of `REASONS`."""

    def __init__(self, reason: str, *, detail: str | None = None, retry_after: str | None = None) -> None:
        """`detail` never holds anything of the body; `retry_after` is in seconds."""
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
        self.retry_after = retry_after


def problem(refused: Refused) -> Response:
    """The response for a refusal."""
    meaning = REASONS[refused.reason]
    document = {"type": "about:blank", "title": meaning.title, "status": meaning.status, "reason": refused.reason}
    if refused.detail:
        document["detail"] = refused.detail
    headers = {}
    if refused.reason == "credentials":
        headers["WWW-Authenticate"] = 'Basic realm="corkboard"'
    if refused.reason == "outsider":
        headers["WWW-Authenticate"] = 'Bearer realm="corkboard"'
    if refused.reason == "guessing":
        headers["Connection"] = "close"  # the next one costs its sender a new connection, and the body is not read
    if refused.retry_after:
        headers["Retry-After"] = refused.retry_after
    return Response(
        orjson.dumps(document), status_code=meaning.status, headers=headers, media_type="application/problem+json"
    )
