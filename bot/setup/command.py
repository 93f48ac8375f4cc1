"""`corkboard setup` from its first check to the written file."""

import os
import sys
from collections.abc import Container, Sequence
from pathlib import Path

from bot import logs, manifest, settings
from bot.command_start import NOT_HELD, WRONG, fail
from bot.doctor.findings import Area, Finding, warning
from bot.settings import LogFormat, LogLevel, SettingsError
from bot.setup import answers, env_file, following, sealing, slack_app, unattended
from bot.setup.answers import WrongAnswers
from bot.setup.draft import Draft
from bot.setup.env_file import EnvFile, NoEnvFile
from bot.setup.interview import Interview
from bot.setup.person import Person
from bot.setup.questions import QUESTIONS, SECRET_OF
from bot.setup.sealing import SEALED_BEFORE
from bot.setup.taking import Trier, refusal, shown
from bot.terminal import terminal
from storage.database import utcnow

NOTHING_WRITTEN = "Nothing was written into .env."


def run(names: Sequence[str], *, answers_file: Path | None, manifest_file: Path | None, untested: bool) -> None:
    """Ask for everything, for these names alone, or take the answers of a file; then write .env, or end the program."""
    logs.configure(LogFormat.CONSOLE, LogLevel.ERROR)  # what is wrong is told here
    names = _known(names, answers_file)
    if answers_file is None and not sys.stdin.isatty():
        fail("There is no terminal to ask on: say --answers FILE (docs/setup.md has the format).", WRONG)
    if manifest_file and (wrong := slack_app.refusal(manifest_file, Path(env_file.NAME), answers_file)):
        fail(f"{wrong}\n{NOTHING_WRITTEN}", WRONG)
    try:
        file = _file()
        given = None if answers_file is None else answers.read(answers_file, os.environ)
    except (NoEnvFile, WrongAnswers) as error:
        fail(f"{error}\n{NOTHING_WRITTEN}", WRONG)
    draft, person = Draft(file, os.environ), Person(terminal())
    trier = Trier(draft=draft, clock=utcnow, asking=not untested)
    _refuse_database(draft, answered=given or names or QUESTIONS)
    try:
        if given is None:
            interview = Interview(draft, person, trier, manifest_file=manifest_file)
            _converse(interview, person, file, names, manifest_file=manifest_file)
        elif not unattended.take(draft, given, person, trier):
            fail(f"Not everything holds. {NOTHING_WRITTEN}", NOT_HELD)
        opens = sealing.make_setting(draft, asking=not untested)
        if not opens and given is not None:
            fail(f"{SEALED_BEFORE}\n{NOTHING_WRITTEN}", NOT_HELD)
        _agree(draft, person, asks=given is None)
    except (KeyboardInterrupt, EOFError):
        fail(f"\nEnded. {NOTHING_WRITTEN}", NOT_HELD)
    handed_over = given is None and not names  # by the whole conversation
    _write(draft, file, person, manifest_file=None if handed_over else manifest_file)
    secrets = given is None and person.console.is_terminal
    following.show(person, following.Situation(draft=draft, whole=not names, secrets=secrets))
    _look_once_more()
    if not opens:
        fail(f"\n{SEALED_BEFORE} `corkboard serve` refuses it without.", NOT_HELD)


def _known(names: Sequence[str], answers_file: Path | None) -> list[str]:
    """The settings that are to be asked for, in their order."""
    if names and answers_file is not None:
        fail("A file of answers names its settings itself: leave the names out, or --answers.", WRONG)
    wanted = {name.upper() for name in names}
    if unknown := sorted(wanted - QUESTIONS.keys()):
        fail(f"Setup does not ask for {', '.join(unknown)}. It asks for {', '.join(QUESTIONS)}.", WRONG)
    return [name for name in QUESTIONS if name in wanted]


def _refuse_database(draft: Draft, *, answered: Container[str]) -> None:
    """Before anything is asked: what is answered would be lost with an address that nobody is asked to mend."""
    if "DATABASE_URL" in answered and not draft.is_fixed("DATABASE_URL"):
        return
    if (wrong := refusal("DATABASE_URL", draft.setting("DATABASE_URL"))) is not None:
        where = (
            "the environment"
            if draft.is_fixed("DATABASE_URL")
            else f"{env_file.NAME}, or say: corkboard setup DATABASE_URL"
        )
        fail(f"DATABASE_URL {wrong}. Mend it in {where}.\n{NOTHING_WRITTEN}", WRONG)


def _file() -> EnvFile:
    path = Path(env_file.NAME)
    env_file.refuse_read_only(path)
    return env_file.read(path)


def _converse(
    interview: Interview, person: Person, file: EnvFile, names: Sequence[str], *, manifest_file: Path | None
) -> None:
    if names:
        interview.ask_only(names)
        return
    person.heading("Corkboard setup")
    but = f", but for the manifest into {manifest_file}" if manifest_file else ""
    person.say(
        f"Six parts, about ten minutes. Each value is tested at once. Nothing is written before the end{but}: Ctrl-C "
        f"leaves {env_file.NAME} as it is."
    )
    if file.text:
        person.say("There is a .env here: what stands in it is kept unless you change it, with its comments.")
    interview.hold()


def _agree(draft: Draft, person: Person, *, asks: bool) -> None:
    person.heading("What will be written to .env")
    if not draft.changes():
        person.say("Nothing: everything stands there already.")
        return
    wide = max(map(len, draft.changes())) + 2
    for name, value in draft.changes().items():
        person.item(name, "emptied" if value is None else shown(name, value), wide=wide, style="bold")
    person.found([_half(name, of) for of, name in SECRET_OF.items() if draft.get(of) and not draft.get(name)])
    if asks and not person.agrees("Write it?", default=True):
        raise EOFError


def _half(lacks: str, of: str) -> Finding:
    return warning(Area.SETTINGS, lacks, f"not set, and without it {of} is of no use", f"corkboard setup {lacks}")


def _write(draft: Draft, file: EnvFile, person: Person, *, manifest_file: Path | None) -> None:
    made = None
    try:
        if manifest_file is not None:
            made = slack_app.manifest_of(draft, socket=bool(draft.get("SLACK_APP_TOKEN")))
        if draft.changes():
            now = env_file.read(file.path)
            now.write(now.changed(draft.changes(), notes=NOTES))
            person.say(f"{file.path.resolve()} is written, for its owner alone to read.", "green")
            if now.text != file.text:
                person.say("Somebody else changed it meanwhile: what they wrote is kept beside this.", "yellow")
        sealing.make_file(draft, person)
        if manifest_file is not None and made is not None:
            slack_app.write(manifest_file, made)
    except (NoEnvFile, manifest.NoManifest) as error:
        fail(str(error), WRONG)
    except OSError as error:
        fail(f"{error.filename} cannot be written ({(error.strerror or type(error).__name__).lower()}).", WRONG)


def _look_once_more() -> None:
    """What stood in .env before, or stands in the environment, may be wrong too."""
    try:
        settings.load()
    except SettingsError as error:
        fail(f"\n{error}\nMend them in {env_file.NAME}: `corkboard serve` refuses them.", NOT_HELD)


NOTES = {question.name: question.title for question in QUESTIONS.values()} | {
    "ENCRYPTION_KEYS": "Opens what is sealed in the database: keep a copy elsewhere"
}
"""What stands above a new line of .env."""
