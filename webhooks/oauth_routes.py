"""The two addresses that a person's browser visits to connect a business: on the way to Thumbtack, and back from there."""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from storage.database import StorageError
from webhooks import pages
from webhooks.linking import Linked
from webhooks.not_connected import NotConnected, Trouble, told
from webhooks.oauth import Consents
from webhooks.pages import Link, Page, Sign

CONNECT = "/thumbtack/connect"
CALLBACK = "/thumbtack/callback"

DENIED = "access_denied"
"""RFC 6749, section 4.1.2.1: the pro said no. All other codes there are about the request."""

log = structlog.get_logger()

Visit = Callable[[Consents, Request], Awaitable[Response]]


def routes(consents: Consents) -> list[BaseRoute]:
    """Starlette's routes. Thumbtack's legacy page appends `/?code=…` to the redirect URI, its v4 server `?code=…`."""
    return [
        Route(CONNECT, _endpoint(consents, _leave), methods=["GET"]),
        Route(CALLBACK, _endpoint(consents, _return), methods=["GET"]),
        Route(f"{CALLBACK}/", _endpoint(consents, _return), methods=["GET"]),
    ]


def _endpoint(consents: Consents, visit: Visit) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if request.method == "HEAD":  # a program looks whether the address is there: it must use nothing up
            return Response(headers=pages.HEADERS)
        try:
            return await visit(consents, request)
        except NotConnected as error:
            log.info("not_connected", reason=error.trouble, generation=error.generation)
            return _trouble(consents, error)
        except (StorageError, OSError) as error:
            log.warning("visit_failed", error=type(error).__name__)
            return _trouble(consents, NotConnected(Trouble.NOT_STORED))

    return endpoint


async def _leave(consents: Consents, request: Request) -> Response:
    """On to Thumbtack's consent page."""
    url = await consents.consent_page(request.query_params.get("state", ""))
    return RedirectResponse(url, status_code=303, headers=pages.HEADERS)


async def _return(consents: Consents, request: Request) -> Response:
    """Back from Thumbtack, with a code or with a reason why not."""
    given = request.query_params
    state, code, error = given.get("state", ""), given.get("code", ""), given.get("error")
    if error == DENIED:
        return _trouble(consents, NotConnected(Trouble.DENIED), link=await _again(consents, state))
    if error is not None:
        raise NotConnected(Trouble.CONSENT_REFUSED)
    if not code:
        raise NotConnected(Trouble.NO_CODE)
    if not state:
        raise NotConnected(Trouble.NO_STATE)
    return pages.response(_connected(await consents.came_back(state=state, code=code)))


def _connected(linked: Linked) -> Page:
    link = Link(label="Back to Slack", url=f"slack://open?team={quote(linked.team_id)}")
    if not linked.names:
        rest = (
            "Corkboard sends you a message in Slack: pick there which business this is."
            if linked.picks
            else "Slack says in a moment which business it is. Nothing more to do here."
        )
        return Page(
            title="Almost done", lines=("Thumbtack let Corkboard in.",), what_to_do=rest, sign=Sign.GOOD, link=link
        )
    names = _listed(linked.names)
    lines = ["What it is connected for, and what is still missing, is shown in Slack."]
    if linked.kept:
        lines.append(f"What Corkboard knows about {_listed(linked.kept)} is kept: this cancelled its erasure.")
    if linked.left_out is None:
        next_ = "You can close this page."
    else:
        lines.append(f"This is another business than the one that was to be connected again, {linked.left_out}.")
        next_ = f"{linked.left_out} still has to be connected: in Slack, type /thumbtack connect."
    verb = "is" if len(linked.names) == 1 else "are"
    return Page(title=f"{names} {verb} connected", lines=tuple(lines), what_to_do=next_, sign=Sign.GOOD, link=link)


def _trouble(consents: Consents, error: NotConnected, *, link: Link | None = None) -> Response:
    found = told(error.trouble, generation=error.generation, redirect_uri=consents.callback_url)
    page = Page(
        title=found.title,
        lines=(found.why,),
        what_to_do=found.what_to_do,
        sign=Sign.TROUBLE,
        status=found.status,
        link=link,
    )
    return pages.response(page)


async def _again(consents: Consents, state: str) -> Link | None:
    """Who said no by a slip goes back to Thumbtack at once, while their link is good."""
    if not await consents.is_open(state):
        return None
    return Link(label="Go back to Thumbtack", url=consents.way_in(state))


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
