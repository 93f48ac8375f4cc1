"""What became of a call to Thumbtack that did not succeed, as a failure that the dispatcher can judge."""

from bot.failures import Failure, Sort
from webhooks.thumbtack import errors

FINAL = (errors.RequestRejected, errors.ReconnectRequired, errors.ScopeMissing)
"""Asking again gives the same answer, until a person mends something."""


class ThumbtackFailure(Failure):
    """Thumbtack did not do as asked. What its `error` says beyond the reason is for people, not for the log."""

    def __init__(self, sort: Sort, reason: str, error: errors.CallError | None = None) -> None:
        """`reason` is a code; `error` is None where it was not Thumbtack that refused."""
        super().__init__(sort, reason, retry_after=error.retry_after if isinstance(error, errors.TryLater) else None)
        self.error = error


def of_repeatable(error: errors.CallError, *, odd: Sort = Sort.LATER) -> ThumbtackFailure:
    """The failure of a call that does no harm when it is made again. `odd`: what an answer we do not know means."""
    if isinstance(error, FINAL):
        return ThumbtackFailure(Sort.REFUSED, error.reason, error)
    sort = odd if isinstance(error, errors.UnexpectedResponse) else Sort.LATER
    return ThumbtackFailure(sort, error.reason, error)


def detail_of(failure: Failure) -> str | None:
    """Thumbtack's own sentence, where it refused with one."""
    error = failure.error if isinstance(failure, ThumbtackFailure) else None
    return error.detail if isinstance(error, errors.RequestRejected) else None
