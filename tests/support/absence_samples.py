"""What is said about absences, as data for the golden files."""

from datetime import timedelta

from support.samples import NOW

from bot.blocks import absences

POSTS = {
    "was_away": [
        absences.was_away(since=NOW, until=NOW + timedelta(hours=5, minutes=30)),
        absences.was_away(since=NOW, until=NOW + timedelta(hours=5, minutes=30), on_and_off=True),
    ],
    "silent": [
        absences.silent(
            "Elm & Sons <Roofing> *fast*",
            since=NOW,
            usual=timedelta(hours=7, minutes=20),
            longest=timedelta(days=2, hours=3),
            row_id=7,
            ask_keeper=True,
        ),
        absences.silent(None, since=NOW, usual=timedelta(days=4), longest=timedelta(days=6), row_id=7),
    ],
}
