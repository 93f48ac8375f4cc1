"""Thumbtack v4's codes for where the work is done, and what people call them."""

LABELS = {
    "ProviderTravelToCustomer": "at the customer's place",
    "CustomerTravelToProvider": "at your place",
    "Remote": "remotely",
}
"""The values of `travelPreferences` that the OpenAPI description lists; where several are sent, any of them will do."""


def label(preferences: str | None) -> str | None:
    """What people call a list of codes, `"Remote, ProviderTravelToCustomer"`; anything else is shown as sent."""
    if preferences is None:
        return None
    codes = [code.strip() for code in preferences.split(",")]
    if not all(code in LABELS for code in codes):
        return preferences
    *first, last = [words for code, words in LABELS.items() if code in codes]
    told = f"{', '.join(first)} or {last}" if first else last
    return f"{told[:1].upper()}{told[1:]}"
