"""Takes the answers of a file, with the same tests and the same passwords made as for a person."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from bot.doctor.findings import Area, Finding, warning
from bot.setup.draft import NAMES, PASSWORD, PREVIOUS, Draft
from bot.setup.person import Person
from bot.setup.questions import QUESTIONS
from bot.setup.taking import NotTaken, Trier

ORDER = (*QUESTIONS, *(name for name in NAMES if name not in QUESTIONS))
"""What others rest on comes first: Slack is asked with the token."""

FIRST = ("SLACK_API_URL", "SLACK_APP_TOKEN")


def take(draft: Draft, answers: Mapping[str, str], person: Person, trier: Trier) -> bool:
    """Put the answers into the draft, and say what testing them showed. False where one does not hold."""
    for name in FIRST:
        if answers.get(name):
            draft.set(name, answers[name])
    holds = [_one(draft, name, answers[name], person, trier) for name in ORDER if name in answers]
    for name, question in QUESTIONS.items():
        if question.made and not draft.get(name):
            draft.set(name, question.made())
    if (password := draft.get(PASSWORD)) and PREVIOUS not in answers and (before_too := draft.set_password(password)):
        person.say(before_too)
    return all(holds)


def _one(draft: Draft, name: str, answer: str, person: Person, trier: Trier) -> bool:
    if not answer:
        draft.set(name, None)
        return True
    try:
        taken = asyncio.run(trier.take(name, answer))
    except NotTaken as error:
        person.wrong(f"{name}: {error}")
        return False
    found = [*taken.findings, *([_overruled()] if draft.is_fixed(name) else [])]
    person.found([replace(one, subject=f"{name}, {one.subject}") for one in found])
    draft.set(name, taken.value)
    return taken.holds


def _overruled() -> Finding:
    told = "it is set there too, and wins over .env"
    return warning(Area.SETTINGS, "environment", told, "Take it out of the environment, unless that is meant.")
