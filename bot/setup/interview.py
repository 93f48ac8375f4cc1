"""Asks a person at a terminal, in the order in which a newcomer can answer."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from bot import manifest
from bot.doctor.findings import Area, ok
from bot.setup import slack_app
from bot.setup.draft import PASSWORD, Draft
from bot.setup.person import Person
from bot.setup.questions import ANSWER, QUESTIONS, SECRET_OF, Question
from bot.setup.taking import NotTaken, Taken, Trier, shown

EMPTIES = "-"
ANEW = "new"
KEEP = "keep"

Part = Callable[[], None]


class Interview:
    """One conversation; what is answered goes into the draft, and nowhere else."""

    def __init__(self, draft: Draft, person: Person, trier: Trier, *, manifest_file: Path | None) -> None:
        """`manifest_file`: where the manifest of the Slack app was wished; None: here."""
        self._draft = draft
        self._person = person
        self._trier = trier
        self._manifest_file = manifest_file
        self._socket = bool(draft.get("SLACK_APP_TOKEN"))

    def ask_only(self, names: Sequence[str]) -> None:
        """Ask for these. Raises as `hold`."""
        for name in names:
            if QUESTIONS[name].choices:
                self._choose(QUESTIONS[name])
            else:
                self._ask(name)

    def hold(self) -> None:
        """Ask everything. Raises EOFError or KeyboardInterrupt where the person ends it."""
        parts: list[tuple[str, Part]] = [
            ("Your address", self._address),
            ("The Slack app", self._app),
            ("Where leads go", self._place),
            ("What goes out, and who reads what", self._choices),
            ("Thumbtack", self._thumbtack),
            ("Where it is kept", self._kept),
        ]
        for place, (title, part) in enumerate(parts, start=1):
            self._person.heading(title, place=f"{place} of {len(parts)}")
            part()

    # The parts

    def _address(self) -> None:
        self._ask("PUBLIC_URL")
        if not self._draft.get("PUBLIC_URL"):
            self._socket = True
            self._person.say("Without an address Slack is heard over Socket Mode: Corkboard opens the connection.")
            return
        self._person.title("How Slack reaches Corkboard")
        self._person.say("By that address, as Thumbtack does; or, where a firewall is between, over Socket Mode.")
        self._socket = not self._person.agrees("Does Slack reach that address?", default=not self._socket)

    def _app(self) -> None:
        if self._manifest_file is not None or not self._draft.get("SLACK_BOT_TOKEN"):
            self._make_app()
        if not self._socket:
            self._draft.set("SLACK_APP_TOKEN", None)
        self._ask("SLACK_BOT_TOKEN")
        self._ask("SLACK_APP_TOKEN" if self._socket else "SLACK_SIGNING_SECRET")

    def _make_app(self) -> None:
        try:
            written = slack_app.manifest_of(self._draft, socket=self._socket)
        except manifest.NoManifest as error:
            self._person.say(f"No manifest: {error}. Or take Socket Mode.", "yellow")
            return
        how = "--socket" if self._socket else f"--url {self._draft.get('PUBLIC_URL')}"
        command = f"corkboard manifest {how}"
        where = slack_app.hand_over(self._person, written, file=self._manifest_file, command=command)
        slack_app.how_to_make_it(self._person, written, where=where)

    def _place(self) -> None:
        for name in ("SLACK_LEADS_CHANNEL", "SLACK_RING", "SLACK_KEEPERS"):
            self._ask(name)

    def _choices(self) -> None:
        for name in ("REPLY_MODE", "PRIVACY"):
            self._choose(QUESTIONS[name])

    def _thumbtack(self) -> None:
        self._ask("THUMBTACK_WEBHOOK_USERNAME")
        self._ask("THUMBTACK_WEBHOOK_PASSWORD")
        has_access = any(self._draft.get(name) for name in SECRET_OF)
        self._person.title("Access to one of Thumbtack's APIs")
        self._person.say(
            "Leads, messages and reviews come without it. Answering customers from Slack needs it; until then replies "
            "stay inside, and each card opens the lead in Thumbtack."
        )
        if not self._person.agrees("Did Thumbtack give you ids and secrets?", default=has_access):
            return
        for name, secret in SECRET_OF.items():
            if self._ask(name):
                self._ask(secret)
        self._choose(QUESTIONS["THUMBTACK_ENVIRONMENT"])

    def _kept(self) -> None:
        self._ask("DATABASE_URL")

    # One question

    def _ask(self, name: str) -> bool:
        """Until something holds, or is kept as it is, or left out. True where something is set."""
        question, person = QUESTIONS[name], self._person
        person.title(question.title)
        person.say(question.why)
        if self._draft.is_fixed(name):
            self._of_environment(name)
            return True
        if question.where:
            person.say(question.where)
        person.say(self._now(question), "dim")
        return self._answered(question)

    def _answered(self, question: Question) -> bool:
        name, tried = question.name, None
        while True:
            typed = self._person.asked(hidden=question.is_secret)
            if typed == KEEP and tried is not None:
                self._settle(question, tried[1])
                return True
            wanted = self._wanted(question, typed, again=tried and tried[0])
            if wanted is None:
                self._draft.set(name, None)
                return False
            tried, taken = None, self._tested(name, wanted)
            if taken is not None and taken.holds:
                is_made = bool(question.made) and question.is_secret and wanted not in (typed, self._draft.get(name))
                self._settle(question, taken, is_made=is_made)
                return True
            if taken is not None:
                tried = wanted, taken
                told = f"Enter tests it again, {KEEP} goes on with it as it is, {EMPTIES} empties it; or type another."
                self._person.say(told)

    def _now(self, question: Question) -> str:
        current = self._draft.get(question.name)
        unseen = " What you type is not shown." if question.is_secret else ""
        if current is None:
            return f"Left empty: {question.empty}.{unseen}"
        anew = f", {ANEW} makes another" if question.is_secret and question.made else ""
        return f"Now: {shown(question.name, current)}. Enter keeps it{anew}, {EMPTIES} empties it.{unseen}"

    def _of_environment(self, name: str) -> None:
        value = self._draft.setting(name)
        self._person.say(f"The environment says {shown(name, value)}, which wins over .env: not asked.")
        try:
            self._person.found(asyncio.run(self._trier.take(name, value)).findings)
        except NotTaken as error:
            self._person.wrong(str(error))

    def _wanted(self, question: Question, typed: str, *, again: str | None) -> str | None:
        """The value that is meant; None: none. `again`: what is tested once more where nothing is typed."""
        made = question.made() if question.made else None
        if typed == EMPTIES:
            return None
        if typed == ANEW and question.is_secret and made:
            return made
        return typed or again or self._draft.get(question.name) or made

    def _tested(self, name: str, value: str) -> Taken | None:
        """What testing it showed; None: it cannot be right."""
        try:
            with self._person.waiting():
                taken = asyncio.run(self._trier.take(name, value))
        except NotTaken as error:
            self._person.wrong(str(error))
            return None
        self._person.found(taken.findings)
        return taken

    def _settle(self, question: Question, taken: Taken, *, is_made: bool = False) -> None:
        name, before = question.name, self._draft.before(question.name)
        if taken.value != before and not taken.findings:
            told = self._of_made(taken) if is_made else f"taken: {taken.shown}"
            self._person.found([ok(Area.SETTINGS, ANSWER, told)])
        if name != PASSWORD:
            self._draft.set(name, taken.value)
        elif (before_too := self._draft.set_password(taken.value)) is not None:
            self._person.say(before_too)

    def _of_made(self, taken: Taken) -> str:
        is_shown = self._person.console.is_terminal and self._draft.get("PUBLIC_URL")  # with what to paste it into
        where = "is shown at the end" if is_shown else "stands in .env once that is written"
        return f"made: it {taken.shown.removeprefix('set, ')}, and {where}"

    def _choose(self, question: Question) -> None:
        """One of a few, by its number or its name; Enter keeps what holds now."""
        person, names = self._person, list(question.choices)
        person.title(question.title)
        person.say(question.why)
        if self._draft.is_fixed(question.name):
            self._of_environment(question.name)
            return
        now = self._draft.setting(question.name)
        if now not in names:  # .env says what the program would refuse
            now = names[0]
        for number, (name, follows) in enumerate(question.choices.items(), start=1):
            person.item(f"{number}  {name}", follows, wide=15)
        person.say(f"Enter takes {now}.", "dim")
        while True:
            typed = person.asked().lower() or now
            if typed.isdecimal() and 1 <= int(typed) <= len(names):
                typed = names[int(typed) - 1]
            if typed in names:
                break
            person.wrong(f"Type a number from 1 to {len(names)}, or the word beside it.")
        if typed != self._draft.setting(question.name):
            self._draft.set(question.name, typed)
