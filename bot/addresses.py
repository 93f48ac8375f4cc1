"""Where Thumbtack's APIs are, and which addresses are trusted with secrets."""

from urllib.parse import urlsplit

from storage.models import Environment

LEGACY_API_URLS = {
    Environment.PRODUCTION: "https://pro-api.thumbtack.com",
    Environment.STAGING: "https://staging-pro-api.thumbtack.com",
}
API_URLS = {
    Environment.PRODUCTION: "https://api.thumbtack.com/api",
    Environment.STAGING: "https://staging-api.thumbtack.com/api",
}
AUTH_URLS = {
    Environment.PRODUCTION: "https://auth.thumbtack.com/oauth2",
    Environment.STAGING: "https://staging-auth.thumbtack.com/oauth2",
}


def is_trusted(value: str) -> bool:
    """Whether this is an address to trust with secrets: https, or http on this machine."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:  # whose text would hold the value
        return False
    is_local = parts.hostname in {"127.0.0.1", "localhost", "::1"}
    return bool(parts.hostname) and port != 0 and parts.scheme in ({"https", "http"} if is_local else {"https"})
