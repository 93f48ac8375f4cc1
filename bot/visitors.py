"""What a person reads who opens one of our addresses in a browser, where a program gets a problem document."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from webhooks import pages, routes
from webhooks.pages import Page, Sign
from webhooks.problems import Refused, problem

SLACK = "/slack/events"

KEPT = frozenset({"www-authenticate", "retry-after"})
"""Headers of a refusal that a page has too."""

WELCOME = Page(
    sign=Sign.GOOD,
    title="Corkboard is running",
    lines=("A lead from Thumbtack becomes a thread in Slack, and what the team writes there reaches the customer.",),
    what_to_do="Everything happens in Slack. Type /thumbtack help there.",
)

FOR_THUMBTACK = Page(
    sign=Sign.PLACE,
    title="This address is for Thumbtack",
    lines=(
        "Thumbtack brings leads, messages and reviews here by itself.",
        "That you can read this means that the address leads to Corkboard.",
    ),
    what_to_do="Give Thumbtack this address, with the user name and password of the webhooks. "
    "In a browser there is nothing to do here.",
)

FOR_SLACK = Page(
    sign=Sign.PLACE,
    title="This address is for Slack",
    lines=(
        "Slack brings here what people write and press.",
        "That you can read this means that the address leads to Corkboard.",
    ),
    what_to_do="It belongs into the manifest of the Slack app. In a browser there is nothing to do here.",
)

TOLD = {
    "not_found": Page(
        sign=Sign.TROUBLE,
        title="There is nothing at this address",
        lines=("It was mistyped, or a part of it got lost when it was copied.",),
        what_to_do="Follow the link once more from where you have it. For a new link to connect a business, "
        "type /thumbtack connect in Slack.",
    ),
    "method": Page(
        sign=Sign.TROUBLE,
        title="This address is for programs",
        lines=("It takes requests of another kind than a browser’s.",),
        what_to_do="There is nothing to do here. In Slack, type /thumbtack help.",
    ),
    "outsider": Page(
        sign=Sign.TROUBLE,
        title="These figures are not for everybody",
        lines=("They are shown to who asks from Corkboard’s own machine, or has its METRICS_TOKEN.",),
        what_to_do="Have your monitoring send METRICS_TOKEN as a Bearer token.",
    ),
    "mistake": Page(
        sign=Sign.TROUBLE,
        title="Corkboard made a mistake",
        lines=("This page could not be made. What was stored before is safe.",),
        what_to_do="Try again. Should it stay so, whoever runs Corkboard finds request_broke in its log.",
    ),
}
"""What a person reads for a reason of `problems.REASONS`; all others are told to programs alone."""


def is_person(request: Request) -> bool:
    """Whether a person's browser asks. Programs that bring something (POST, PUT) never get a page, whatever they accept."""
    return request.method in {"GET", "HEAD"} and "text/html" in request.headers.get("accept", "")


def refusal(request: Request, refused: Refused) -> Response:
    """The answer to a refused request: for a person the page of its reason, else the problem document; the same status."""
    answer, told = problem(refused), _told(request, refused.reason)
    if told is not None and is_person(request):
        page = pages.response(told, status=answer.status_code)
        page.headers.update({name: value for name, value in answer.headers.items() if name in KEPT})
        answer = page
    return _varied(answer)


def _told(request: Request, reason: str) -> Page | None:
    if reason == "method" and routes.find(request.url.path.rstrip("/")):
        return FOR_THUMBTACK
    if reason == "method" and request.url.path == SLACK:
        return FOR_SLACK
    return TOLD.get(reason)


async def front_page(request: Request) -> Response:
    """The address itself: a person sees that Corkboard is there; for programs there is nothing."""
    if not is_person(request):
        return refusal(request, Refused("not_found"))
    return _varied(pages.response(WELCOME))


def _varied(response: Response) -> Response:
    """What is kept on the way is not shown to the other kind of caller."""
    response.headers["Vary"] = "Accept"
    return response


async def on_http_exception(request: Request, error: Exception) -> Response:
    """The router's own refusals (no such address, another method) in the same form."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    response = refusal(request, Refused("method" if status == 405 else "not_found"))
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response
