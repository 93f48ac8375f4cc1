"""Everything that can go wrong between Thumbtack and us, as a tree whose leaves say what the caller must do.

    ThumbtackError
    ├── BodyError                   what Thumbtack sent us cannot be taken
    │   ├── JsonError               "json"                 it is not JSON
    │   └── ShapeError              "shape"                the ids are missing
    └── CallError                   what we asked of Thumbtack did not succeed
        ├── RequestRejected         "rejected"             tell the person; the same call again fails again
        ├── ReconnectRequired       "reconnect"            tell a keeper; no call works until it is mended
        ├── ScopeMissing            "scope_missing"        connect again and grant that scope
        ├── TryLater                                       repeat it after `retry_after`, or when you see fit
        │   ├── RateLimited         "rate_limited"
        │   └── Unavailable         "unavailable"
        ├── OutcomeUnknown          "outcome_unknown"      never repeat it unasked: it may have been done
        └── UnexpectedResponse      "unexpected_response"  tell a keeper; only raised where repeating does no harm

The first docstring line of a class is its default sentence. `str()` of an error never holds what Thumbtack or a
customer wrote, so an error may be logged.
"""

# ruff: noqa: N818 -- the leaves are named by what happened, as the caller's `except` reads it

from typing import ClassVar


class ThumbtackError(Exception):
    """Something went wrong between Thumbtack and us."""

    reason: ClassVar[str] = "thumbtack"
    """A stable code: the `reason` of a problem+json, a log field, a metric label."""

    safe_to_repeat: ClassVar[bool] = True
    """Whether doing it again cannot do it twice. Says nothing about whether it will help."""

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(sentence or (type(self).__doc__ or "").partition("\n")[0])


class BodyError(ThumbtackError):
    """A body from Thumbtack cannot be taken."""

    reason = "body"


class JsonError(BodyError):
    """The body is not JSON, or is nested too deeply."""

    reason = "json"


class ShapeError(BodyError):
    """The body lacks the ids that say what it is about."""

    reason = "shape"


class CallError(ThumbtackError):
    """A call to Thumbtack did not succeed.

    `status` is the HTTP status of the answer, None where there was none; `trace_id` is what to quote to Thumbtack's
    support, None where the answer names none.
    """

    reason = "call"

    def __init__(self, sentence: str | None = None, *, status: int | None = None, trace_id: str | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.trace_id = trace_id

    def __str__(self) -> str:
        return super().__str__() if self.status is None else f"{super().__str__()} (HTTP {self.status})"


class RequestRejected(CallError):
    """Thumbtack refused the request.

    `detail` is Thumbtack's own sentence, for people; it is text from outside and is not part of `str()`. `code` is one
    of those in `webhooks.thumbtack.answers`, None where the answer has none; it may be logged and stored.
    """

    reason = "rejected"

    def __init__(
        self,
        sentence: str | None = None,
        *,
        code: str | None = None,
        detail: str | None = None,
        status: int | None = None,
        trace_id: str | None = None,
    ) -> None:
        super().__init__(sentence, status=status, trace_id=trace_id)
        self.code = code
        self.detail = detail


class ReconnectRequired(CallError):
    """Thumbtack does not accept our credentials.

    `status` is 401 where Thumbtack refused a token that was just renewed: for targeting that is how it says, too, that
    the business is not one of this token's (the Pro API's page, "Targeting Endpoints"). It is None where no call was
    made: the connection's tokens cannot be renewed, or there are no credentials.
    """

    reason = "reconnect"


class ScopeMissing(CallError):
    """The connection to Thumbtack lacks a permission.

    `scope` is its name, None where Thumbtack did not say it.
    """

    reason = "scope_missing"

    def __init__(
        self,
        sentence: str | None = None,
        *,
        scope: str | None = None,
        status: int | None = None,
        trace_id: str | None = None,
    ) -> None:
        super().__init__(sentence, status=status, trace_id=trace_id)
        self.scope = scope


class TryLater(CallError):
    """Thumbtack did nothing this time.

    `retry_after` is the pause it asked for, in seconds; None where it did not say.
    """

    reason = "try_later"

    def __init__(
        self,
        sentence: str | None = None,
        *,
        retry_after: float | None = None,
        status: int | None = None,
        trace_id: str | None = None,
    ) -> None:
        super().__init__(sentence, status=status, trace_id=trace_id)
        self.retry_after = retry_after


class RateLimited(TryLater):
    """Thumbtack asks us to slow down."""

    reason = "rate_limited"


class Unavailable(TryLater):
    """Thumbtack cannot be reached or cannot answer now."""

    reason = "unavailable"


class OutcomeUnknown(CallError):
    """The answer was lost or makes no sense: Thumbtack may have done it, or not."""

    reason = "outcome_unknown"
    safe_to_repeat = False


class UnexpectedResponse(CallError):
    """Thumbtack answered something we do not understand."""

    reason = "unexpected_response"
