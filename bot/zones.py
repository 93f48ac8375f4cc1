"""In which time zone a lead's appointments are shown: the business's, or that of the place where the work is.

By the place: 13 states have two time zones. There the first three digits of the zip code tell, and where a boundary
runs through such an area, all five do; without a zip code it is the zone that most of the state has. The table was
made from the zip codes on which two public lists agree, `zipcodes` (MIT) and Census points within
timezone-boundary-builder's areas. Zones that show the same clock and the same abbreviation are one here.
"""

from collections.abc import Mapping
from datetime import UTC, tzinfo

from bot import times
from storage.models import Business, Lead

_EASTERN = "America/New_York"
_CENTRAL = "America/Chicago"
_MOUNTAIN = "America/Denver"
_PACIFIC = "America/Los_Angeles"

_STATES = {
    _EASTERN: "CT DC DE FL GA IN KY MA MD ME MI NC NH NJ NY OH PA RI SC VA VT WV",
    _CENTRAL: "AL AR IA IL KS LA MN MO MS ND NE OK SD TN TX WI",
    _MOUNTAIN: "CO ID MT NM UT WY",
    "America/Phoenix": "AZ",
    _PACIFIC: "CA NV OR WA",
    "America/Anchorage": "AK",
    "Pacific/Honolulu": "HI",
    "America/Puerto_Rico": "PR VI",
    "Pacific/Guam": "GU MP",
    "Pacific/Pago_Pago": "AS",
}
_AREAS = {
    _EASTERN: "373 374 376 377 378 379",
    _CENTRAL: "324 325 420 421 422 423 424 427 463 464 476 477",
    _MOUNTAIN: "576 577 586 691 693 799 865 885 979",
    _PACIFIC: "835 838",
}
_ZIP_CODES = {
    _EASTERN: (
        "32456 42701 42702 42716 42718 42724 42732 42733 42740 42748 42758 42776 42784 42788"  # Florida, Kentucky
    ),
    _CENTRAL: (
        "37301 37305 37306 37313 37318 37324 37327 37328 37330 37334 37335 37338 37339 37340 37342 37345 37347 37348 "
        "37349 37352 37355 37356 37357 37359 37360 37365 37366 37367 37374 37375 37376 37378 37380 37382 37383 37387 "
        "37388 37389 37394 37396 37397 37398 37723 "  # Tennessee
        "40111 40115 40119 40140 40143 40144 40145 40146 40152 40170 40171 40176 40178 42602 42629 42642 "  # Kentucky
        "46531 46532 46534 47514 47515 47520 47523 47525 47531 47537 47550 47551 47552 47574 47576 47577 47579 47586 "
        "47588 47922 47943 47948 47951 47963 47964 47977 47978 "  # Indiana
        "49801 49802 49812 49815 49821 49831 49834 49847 49848 49852 49858 49863 49870 49873 49874 49876 49877 49881 "
        "49886 49887 49892 49893 49896 49902 49903 49911 49915 49920 49927 49935 49938 49947 49959 49968 49969 "
        # Michigan; then the Dakotas and Nebraska
        "57631 57632 57646 57648 58631 58638 69101 69120 69123 69130 69132 69135 69138 69142 69143 69151 69157 69163 "
        "69165 69166 69167 69169 69170 69171"
    ),
    _MOUNTAIN: (
        "57537 57543 57547 57551 57552 57553 57567 57574 57577 58529 58533 58562 58564 58569 "  # the Dakotas
        "67733 67735 67741 67758 67761 67762 67836 67878 67879 "  # Kansas
        "69021 69023 69027 69030 69033 69037 69041 69045 69211 69216 69218 69219 "  # Nebraska
        "79821 79835 79836 79837 79838 79839 79847 79849 79851 79853 "  # Texas
        "83522 83547 83549 86016 86020 86031 86033 86035 86040 86044 86053 86054"  # Idaho; the Navajo Nation in Arizona
    ),
    "America/Phoenix": "86502",
    _PACIFIC: "97904 97905 97907",  # Oregon
    "America/Adak": "99546 99547",
}


def _by_place(table: Mapping[str, str]) -> dict[str, str]:
    return {place: zone for zone, places in table.items() for place in places.split()}


_BY_PLACE = _by_place(_STATES) | _by_place(_AREAS) | _by_place(_ZIP_CODES)


def of_place(zip_code: str | None, state: str | None) -> tzinfo | None:
    """The time zone of a place in the United States, `state` being its two letters; None where that does not tell."""
    digits = (zip_code or "").strip()[:5]
    for place in (digits, digits[:3], (state or "").strip().upper()):
        if zone := times.zone_named(_BY_PLACE.get(place)):
            return zone
    return None


def of_lead(lead: Lead, business: Business | None, *, always: str | None) -> tzinfo:
    """Where a lead's appointments are shown: in the business's zone, in the one named `always`, in the place's; or UTC."""
    named = times.zone_named(business.time_zone if business else None) or times.zone_named(always)
    return named or of_place(lead.zip_code, lead.state) or UTC
