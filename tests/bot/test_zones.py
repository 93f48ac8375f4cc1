"""In which time zone appointments are told: by zip code, by state, or as somebody decided."""

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.samples import a_lead, a_view

from bot import zones

EASTERN, CENTRAL, MOUNTAIN, PACIFIC = (f"America/{city}" for city in ("New_York", "Chicago", "Denver", "Los_Angeles"))
STATES = (
    "AK AL AR AZ CA CO CT DC DE FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV NY OH OK OR "
    "PA RI SC SD TN TX UT VA VT WA WI WV WY"
)


@pytest.mark.parametrize(
    ("zip_code", "state", "zone"),
    [
        ("94301", "CA", PACIFIC),
        ("10001", "NY", EASTERN),
        ("85001", "AZ", "America/Phoenix"),  # has no summer time; the Navajo Nation there has
        ("86515", "AZ", MOUNTAIN),
        ("79901", "TX", MOUNTAIN),  # El Paso
        ("75201", "TX", CENTRAL),
        ("32501", "FL", CENTRAL),  # Pensacola
        ("32456", "FL", EASTERN),  # Port St. Joe, in an area that is Central else
        ("33101", "FL", EASTERN),
        ("37902", "TN", EASTERN),  # Knoxville
        ("37402", "TN", EASTERN),  # Chattanooga
        ("37388", "TN", CENTRAL),  # Tullahoma, in an area that is Eastern else
        ("37203", "TN", CENTRAL),
        ("42101", "KY", CENTRAL),  # Bowling Green
        ("42701", "KY", EASTERN),  # Elizabethtown, in an area that is Central else
        ("46402", "IN", CENTRAL),  # Gary
        ("46204", "IN", EASTERN),
        ("83814", "ID", PACIFIC),  # Coeur d'Alene
        ("83702", "ID", MOUNTAIN),
        ("97914", "OR", MOUNTAIN),  # Ontario
        ("49858", "MI", CENTRAL),  # Menominee
        ("57701", "SD", MOUNTAIN),  # Rapid City
        ("69361", "NE", MOUNTAIN),  # Scottsbluff
        ("67735", "KS", MOUNTAIN),  # Goodland
        ("96813", "HI", "Pacific/Honolulu"),
        ("00901", "PR", "America/Puerto_Rico"),
        ("94301-1234", "CA", PACIFIC),
        (" 79901 ", None, MOUNTAIN),
    ],
)
def test_a_zip_code_tells_the_zone(zip_code, state, zone):
    assert zones.of_place(zip_code, state) == ZoneInfo(zone)


@pytest.mark.parametrize(
    ("state", "zone"), [("TX", CENTRAL), ("FL", EASTERN), ("TN", CENTRAL), ("id", MOUNTAIN), (" OR ", PACIFIC)]
)
@pytest.mark.parametrize("zip_code", [None, "", "abc", "0", "*****"])
def test_without_a_zip_code_it_is_the_states_larger_zone(zip_code, state, zone):
    assert zones.of_place(zip_code, state) == ZoneInfo(zone)


def test_every_state_has_a_zone():
    assert [state for state in STATES.split() if zones.of_place(None, state) is None] == []


@pytest.mark.parametrize("place", [(None, None), ("", ""), ("M5V 2T6", "ON"), ("94301", None)])
def test_what_does_not_tell_is_no_zone(place):
    assert zones.of_place(*place) is None


def test_the_business_comes_before_the_setting_and_that_before_the_place():
    lead, business = a_lead(), a_view().business
    assert zones.of_lead(lead, business, always=None) == ZoneInfo(PACIFIC)
    assert zones.of_lead(lead, None, always=None) == ZoneInfo(PACIFIC)
    assert zones.of_lead(lead, business, always=CENTRAL) == ZoneInfo(CENTRAL)
    business.time_zone = EASTERN
    assert zones.of_lead(lead, business, always=CENTRAL) == ZoneInfo(EASTERN)
    assert zones.of_lead(a_lead(zip_code=None, state=None), None, always=None) is UTC


@settings(deadline=None)
@given(st.text(max_size=12), st.text(max_size=4))
def test_no_place_surprises(zip_code, state):
    found = zones.of_place(zip_code, state)
    assert found is None or isinstance(found, ZoneInfo)
