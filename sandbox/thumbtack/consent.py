"""The consent pages of both APIs: a pro picks what a bot may speak for, and confirms or denies.

Sources: the Pro API's page, "STEP 2: Connect Thumbtack account with Partner" to "STEP 4: Authorization Code"; Thumbtack's
v4 "Authentication" page; RFC 6749, 4.1, and RFC 7636.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from sandbox.faults import Faults
from sandbox.thumbtack.answering import AnswerError, Door, form_lists
from sandbox.thumbtack.grants import Generation, Grants

SHORTEST_STATE = 8  # v4's page: at least so many characters

_STYLE = """
:root { color-scheme: light dark; --ink: #2f3033; --soft: #5f656b; --paper: #fff; --line: #8a8f94; --go: #00719b; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8e8; --soft: #ababad; --paper: #1a1d21; --line: #7d8187; --go: #0b7ba6; }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem 1.25rem; background: var(--paper); color: var(--ink);
  font: 1.0625rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; overflow-wrap: anywhere; }
main { max-width: 32rem; margin: 0 auto; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .75rem; text-wrap: balance; }
p { margin: 0 0 .75rem; }
ul { margin: 0 0 .75rem; padding-left: 1.25rem; color: var(--soft); font-size: .9375rem; }
fieldset { border: 1px solid var(--line); border-radius: .5rem; margin: 1.25rem 0; padding: .25rem 1rem; }
legend { padding: 0 .375rem; }
label { display: flex; gap: .625rem; align-items: center; min-height: 2.75rem; }
input { width: 1.25rem; height: 1.25rem; margin: 0; accent-color: var(--go); }
.choices { display: flex; flex-wrap: wrap; gap: .75rem; }
button { flex: 1 1 9rem; font: inherit; font-weight: 600; min-height: 2.75rem; padding: .6rem 1rem; border-radius: .5rem;
  border: 1px solid var(--go); background: var(--paper); color: var(--ink); cursor: pointer; }
button[value=confirm] { background: var(--go); color: #fff; }
:focus-visible { outline: .1875rem solid var(--ink); outline-offset: .125rem; }
footer { margin-top: 2rem; padding-top: .75rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .875rem; }
"""

_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

_NOTHING_PICKED = "<p>Go back in your browser and pick a business.</p>"
_NOT_KNOWN = "<p>Its client_id is another one than here: compare the bot’s settings with what the sandbox printed.</p>"
_NO_ADDRESS = "<p>Its redirect_uri is missing: set the bot’s PUBLIC_URL.</p>"
_NOT_REGISTERED = (
    "<p>Its redirect_uri is not registered here.</p><p>The bot’s PUBLIC_URL is another address than the one that "
    "the sandbox knows: start <code>corkboard sandbox</code> with <code>--bot</code> and that address.</p>"
)


@dataclass(frozen=True, kw_only=True)
class _Wish:
    """What the bot asks the pro for, as its link says it."""

    client_id: str
    redirect_uri: str | None
    scopes: tuple[str, ...]
    state: str | None
    challenge: str | None = None
    audience: str | None = None


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How one API's page differs from the other's.

    `several`: businesses may be picked. `joint`: what stands between the redirect_uri and the answer. `has_pkce`,
    `shortest_state` and `must_redirect`: what is looked at, how many characters are wanted, and whether the code may be
    shown instead of sent back.
    """

    generation: Generation
    several: bool
    joint: str
    has_pkce: bool
    shortest_state: int
    must_redirect: bool


LEGACY = Manner(generation="legacy", several=False, joint="/?", has_pkce=False, shortest_state=0, must_redirect=False)
"""partner-connect: it appends `/?code=…` to the redirect_uri, or shows the code where there is none."""

V4 = Manner(generation="v4", several=True, joint="?", has_pkce=True, shortest_state=SHORTEST_STATE, must_redirect=True)
"""/oauth2/auth: the wrong audience is not refused here, but by the API, with 502."""


class ConsentPage:
    """One consent page, at `path`."""

    def __init__(self, path: str, *, manner: Manner, client_id: str, grants: Grants, faults: Faults) -> None:
        self._manner = manner
        self._client_id = client_id
        self._grants = grants
        self.routes = [Door(faults).route(path, "consent", self._page, methods=("GET", "POST"))]

    async def _page(self, request: Request) -> Response:
        wish = self._wish(dict(request.query_params))
        if request.method == "GET":
            return _html("Connect to Thumbtack", self._form(wish), leads_to=wish.redirect_uri)
        given = await form_lists(request)
        if given.get("decision") != ["confirm"]:
            return self._back(wish, {"error": "access_denied", "error_description": "The resource owner denied it."})
        picked = given.get("business", [])
        if not picked or not set(picked) <= self._grants.businesses.keys():
            raise AnswerError(_html("Nothing was picked", _NOTHING_PICKED, status=400))
        code = self._grants.consent(
            self._manner.generation,
            businesses=picked,
            scopes=wish.scopes,
            redirect_uri=wish.redirect_uri,
            challenge=wish.challenge,
            audience=wish.audience,
        )
        scopes = self._grants.consents[-1].scopes
        return self._back(wish, {"code": code, "scope": " ".join(scopes)})

    def _wish(self, query: Mapping[str, str]) -> _Wish:
        """What the link asks for. Raises AnswerError with a page where it must not be followed (RFC 6749, 4.1.2.1)."""
        redirect_uri = query.get("redirect_uri") or None
        if query.get("client_id") != self._client_id:
            raise AnswerError(_html("This app is not known", _NOT_KNOWN, status=400))
        if redirect_uri is None and self._manner.must_redirect:
            raise AnswerError(_html("This app may not do that", _NO_ADDRESS, status=400))
        registered = self._grants.redirect_uris
        if redirect_uri is not None and registered is not None and redirect_uri not in registered:
            raise AnswerError(_html("This app may not do that", _NOT_REGISTERED, status=400))
        wish = _Wish(
            client_id=query["client_id"],
            redirect_uri=redirect_uri,
            scopes=tuple(query.get("scope", "").split()),
            state=query.get("state"),
            challenge=query.get("code_challenge") if self._manner.has_pkce else None,
            audience=query.get("audience"),
        )
        if (error := self._mistake(wish, query)) is not None:
            raise AnswerError(self._back(wish, {"error": error}))
        return wish

    def _mistake(self, wish: _Wish, query: Mapping[str, str]) -> str | None:
        """The error code with which the browser is sent back at once."""
        if len(wish.state or "") < self._manner.shortest_state:
            return "invalid_state"
        if wish.challenge is not None and query.get("code_challenge_method") != "S256":
            return "invalid_request"
        if query.get("response_type") != "code":
            return "unsupported_response_type"
        return None if wish.scopes else "invalid_scope"

    def _back(self, wish: _Wish, answer: Mapping[str, str]) -> Response:
        """The way back to the bot with the answer, and with its `state` where it gave one."""
        if wish.redirect_uri is None:
            shown = answer.get("code") or answer["error"]
            return _html("Your code", f"<p>Paste this code where you were asked for it:</p><p><code>{shown}</code></p>")
        fields = dict(answer) | ({} if wish.state is None else {"state": wish.state})
        return RedirectResponse(f"{wish.redirect_uri}{self._manner.joint}{urlencode(fields)}", 302)

    def _form(self, wish: _Wish) -> str:
        kind = "checkbox" if self._manner.several else "radio"
        choices = "".join(
            f'<label><input type="{kind}" name="business" value="{escape(one.business_id)}"'
            f"{' checked' if number == 0 else ''}> {escape(one.name)}</label>"
            for number, one in enumerate(self._grants.businesses.values())
        )
        return (
            f"<p><b>{escape(wish.client_id)}</b> wants to work for you on Thumbtack. It asks for:</p>"
            f"<ul>{''.join(f'<li>{escape(scope)}</li>' for scope in wish.scopes)}</ul>"
            f'<form method="post"><fieldset><legend>For which business?</legend>{choices}</fieldset>'
            '<div class="choices"><button name="decision" value="confirm">Confirm connection</button>'
            '<button name="decision" value="deny">Deny</button></div></form>'
        )


def _html(title: str, body: str, *, status: int = 200, leads_to: str | None = None) -> HTMLResponse:
    """A page; its form may lead on to the origin of `leads_to` alone, for Chromium asks that of redirects too."""
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><main><h1>{title}</h1>{body}"
        f"<footer>This is the sandbox, not Thumbtack.</footer></main></body></html>"
    )
    there = urlsplit(leads_to or "")
    onward = f" {there.scheme}://{there.netloc}" if there.scheme in {"http", "https"} and there.netloc else ""
    policy = (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'self'{onward}; "
        "frame-ancestors 'none'"
    )
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": policy,
        "Referrer-Policy": "same-origin",  # with none, a browser would not say that the form is of this page
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(page, status, headers=headers)
