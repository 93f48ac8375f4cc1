"""What a pro does on a consent page, without a browser."""

import re
from collections.abc import Sequence
from html import unescape
from urllib.parse import urlsplit

import httpx
from starlette.types import ASGIApp

_PAGES = ("/connect/", "/oauth2/auth")
_OFFERED = re.compile(r'name="business" value="([^"]*)"')
_CODE = re.compile(r"<code>([^<]+)</code>")
_TEXT = re.compile(r"<(?:style|title).*?</(?:style|title)>|<[^>]+>")


async def consent(app: ASGIApp, url: str, *, businesses: Sequence[str] | None, deny: bool) -> str:
    """Open the link, pick (None: the first business offered), press the button; the address the browser is sent to.

    Where the page shows the code instead, that is the answer. LookupError with the page's words where it goes no
    further: the link leads elsewhere, the app or its redirect_uri is not known, a business is not offered.
    """
    address = _inside(url)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://thumbtack") as browser:
        page = await browser.get(address)
        if page.is_redirect:
            return page.headers["location"]
        offered = [unescape(one) for one in _OFFERED.findall(page.text)]
        picked = offered[:1] if businesses is None else list(businesses)
        if page.status_code != 200 or not set(picked) <= set(offered):
            raise LookupError(f"the page says: {_words(page)}; it offers {', '.join(offered) or 'no business'}")
        pressed = {"decision": "deny" if deny else "confirm", "business": picked}
        after = await browser.post(address, data=pressed)
        if after.is_redirect:
            return after.headers["location"]
        shown = _CODE.search(after.text)
        if shown is None:
            raise LookupError(f"the page says: {_words(after)}")
        return unescape(shown[1])


def _inside(url: str) -> str:
    """The link below where the stand-in is mounted."""
    parts = urlsplit(url)
    for page in _PAGES:
        if parts.path.endswith(page):
            return f"{page}?{parts.query}"
    raise LookupError(f"no consent page is at {parts.scheme}://{parts.netloc}{parts.path}")


def _words(page: httpx.Response) -> str:
    return " ".join(unescape(_TEXT.sub(" ", page.text)).split())
