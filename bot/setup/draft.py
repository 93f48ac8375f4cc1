"""What will be set: the environment, what was answered, and what stood in .env before, in this order."""

from collections.abc import Mapping

from bot.settings import Settings
from bot.setup.env_file import EnvFile

NAMES = tuple(name.upper() for name in Settings.model_fields)
"""Every setting there is."""

PASSWORD = "THUMBTACK_WEBHOOK_PASSWORD"  # noqa: S105 -- a setting's name
PREVIOUS = "THUMBTACK_WEBHOOK_PASSWORD_PREVIOUS"

LONG_ENOUGH = 12
"""Letters of a secret whose last four may be shown."""


class Draft:
    """The settings while they are being asked for. Nothing is written by it."""

    def __init__(self, file: EnvFile, environ: Mapping[str, str]) -> None:
        """`environ` wins over everything, as it does when the program runs."""
        self._before = file.values()
        self._environ = {name.upper(): value.strip() for name, value in environ.items() if value.strip()}
        self._answers: dict[str, str | None] = {}

    def get(self, name: str) -> str | None:
        """What the program would read."""
        return self._environ[name] if self.is_fixed(name) else self._answers.get(name, self._before.get(name))

    def setting(self, name: str) -> str:
        """The same, with the default where nothing is set."""
        default = Settings.model_fields[name.lower()].default
        return self.get(name) or ("" if default is None else str(default))

    def is_fixed(self, name: str) -> bool:
        """Whether the environment decides it, so that .env cannot."""
        return name in self._environ

    def set(self, name: str, value: str | None) -> None:
        """Answer it; None: not set."""
        self._answers[name] = value

    def set_password(self, value: str) -> str | None:
        """Answer the password of Thumbtack's webhooks; what becomes of the one before, where it is another one.

        It is taken too: until Thumbtack is told the new one, leads still come with it.
        """
        before, oldest = self.before(PASSWORD), self.before(PREVIOUS)
        self.set(PASSWORD, value)
        if before in (None, value) or self.is_fixed(PASSWORD):
            return None
        self.set(PREVIOUS, before)
        gone = "" if oldest in (None, before) else " The one before that is not taken any more."
        return f"The one before is taken too, until you empty {PREVIOUS} in .env.{gone}"

    def changes(self) -> dict[str, str | None]:
        """What is other than it stood in .env."""
        return {name: value for name, value in self._answers.items() if value != self._before.get(name)}

    def before(self, name: str) -> str | None:
        """What stands in .env."""
        return self._before.get(name)


def masked(secret: str) -> str:
    """A secret for people's eyes: its last four letters, where that leaves enough of it."""
    return f"set, ends in {secret[-4:]}" if len(secret) >= LONG_ENOUGH else "set"
