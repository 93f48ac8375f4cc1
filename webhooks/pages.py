"""The pages that people see in a browser on their way to Thumbtack and back: plain, self-contained, without scripts."""

import base64
import hashlib
from dataclasses import dataclass
from enum import StrEnum
from html import escape

from starlette.responses import HTMLResponse

STYLE = """
:root { color-scheme: light dark; --ink: #1d1c1d; --soft: #616061; --paper: #fff; --line: #dddddd; --go: #007a5a; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8e8; --soft: #ababad; --paper: #1a1d21; --line: #424448; --go: #148567; }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem 1.25rem; background: var(--paper); color: var(--ink);
  font: 1.0625rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; overflow-wrap: anywhere; }
main { max-width: 32rem; margin: 0 auto; }
.mark { font-size: 2.5rem; line-height: 1; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 1rem 0 .75rem; text-wrap: balance; }
p { margin: 0 0 .75rem; }
.do { font-weight: 600; }
a.button { display: block; margin: 1.5rem 0 0; padding: .8rem 1rem; border-radius: .5rem; text-align: center;
  background: var(--go); color: #fff; font-weight: 600; text-decoration: none; }
a.button:focus-visible { outline: .1875rem solid var(--ink); outline-offset: .125rem; }
footer { margin-top: 2rem; padding-top: .75rem; border-top: 1px solid var(--line); color: var(--soft);
  font-size: .875rem; }
"""

_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # the address holds a code or a state
    "X-Content-Type-Options": "nosniff",
}
"""Of every page and redirect here: kept nowhere, and nothing but its own style is loaded or run."""


@dataclass(frozen=True, kw_only=True)
class Link:
    """The one button of a page."""

    label: str
    url: str


class Sign(StrEnum):
    """What a page shows above its title."""

    GOOD = "✅"
    PLACE = "📌"
    TROUBLE = "⚠️"


@dataclass(frozen=True, kw_only=True)
class Page:
    """What happened and what is next, as plain text."""

    sign: Sign
    title: str
    lines: tuple[str, ...]
    what_to_do: str
    link: Link | None = None
    status: int = 200


def response(page: Page, *, status: int | None = None) -> HTMLResponse:
    """The page as it goes to a browser, with its own status or another."""
    return HTMLResponse(html(page), status_code=status or page.status, headers=HEADERS)


def html(page: Page) -> str:
    """The page's HTML; every value is escaped."""
    lines = "".join(f"<p>{escape(line)}</p>" for line in page.lines)
    link = (
        "" if page.link is None else f'<a class="button" href="{escape(page.link.url)}">{escape(page.link.label)}</a>'
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="robots" content="noindex">'
        f"<title>{escape(page.title)} · Corkboard</title><style>{STYLE}</style></head><body><main>"
        f'<div class="mark" aria-hidden="true">{page.sign}</div>'
        f'<h1>{escape(page.title)}</h1>{lines}<p class="do">{escape(page.what_to_do)}</p>{link}'
        "<footer>Corkboard pins Thumbtack leads into Slack.</footer></main></body></html>"
    )
