"""The file `.env`, read as the program reads it, and changed in place: comments and unknown lines stay as they are."""

import contextlib
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream

from storage.on_disk import sync

NAME = ".env"

FOR_ITS_OWNER = 0o600

LINE = re.compile(
    r"""(?P<head>\s*(?:export[^\S\r\n]+)?(?:'[^']+'|[^=\#\s]+)[^\S\r\n]*)
        (?:=(?:[^\S\r\n]*(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|[^\r\n]*?))?
        (?P<tail>(?:[^\S\r\n]+\#[^\r\n]*)?[^\S\r\n]*(?:\r\n|\n|\r)?)\Z""",
    re.VERBOSE | re.DOTALL,
)
"""What assigns a value: what stands before it, and behind it (a comment, the end of the line)."""

PLAIN = re.compile(r"[\w./:@%+,=-]*", re.ASCII)
"""What means the same to everything that reads such files, without quotes."""


class NoEnvFile(Exception):  # noqa: N818 -- it reads as the sentence it is
    """The file cannot be read or written; the message says why, and what to do."""


@dataclass(frozen=True, kw_only=True)
class EnvFile:
    """The file as it was read. `text` is empty where there is none."""

    path: Path
    text: str = field(repr=False)  # secrets stand in it

    def values(self) -> dict[str, str]:
        """What is set, by its name in capitals, as the program would read it."""
        found = dotenv_values(stream=StringIO(self.text))
        return {name.upper(): value.strip() for name, value in found.items() if value and value.strip()}

    def changed(self, values: Mapping[str, str | None], *, notes: Mapping[str, str]) -> str:
        """The text with these values: each in its line, else at the end below its note. None empties a line."""
        bindings = list(parse_stream(StringIO(self.text)))
        lines = [binding.original.string for binding in bindings]
        places = {name: place for place, binding in enumerate(bindings) if (name := _name(binding))}
        for name, value in values.items():
            if name in places:
                lines[places[name]] = _assigned(lines[places[name]], value)
        text = "".join(lines)
        for name, value in values.items():
            if name not in places and value is not None:
                text = f"{_ended(text)}# {notes.get(name, name)}\n{name}={quoted(value)}\n"
        return text

    def write(self, text: str) -> None:
        """Put this text into the file, whole or not at all, for its owner alone. Raises NoEnvFile."""
        target = self.path.resolve()  # a link stays one
        if read(self.path).text != self.text:
            raise NoEnvFile(f"{NAME} was changed by somebody else meanwhile. Nothing was written: run this again.")
        try:
            _replace(target, text)
        except OSError as error:
            raise NoEnvFile(f"{NAME} cannot be written ({_why(error)}). It is as it was.") from None


def read(path: Path) -> EnvFile:
    """The file, empty where there is none. Raises NoEnvFile."""
    try:
        return EnvFile(path=path, text=path.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        return EnvFile(path=path, text="")
    except UnicodeDecodeError:
        raise NoEnvFile(f"{NAME} is no text in UTF-8. Save it so, or move it away, and run this again.") from None
    except OSError as error:
        raise NoEnvFile(f"{NAME} cannot be read ({_why(error)}). Mend that, or move it away.") from None


def refuse_read_only(path: Path) -> None:
    """Try to make a file where `path` will be written. Raises NoEnvFile."""
    folder = path.resolve().parent
    try:
        made = _made(folder / NAME)
        made.unlink()
    except OSError as error:
        raise NoEnvFile(
            f"Nothing can be written into {folder} ({_why(error)}), and {NAME} belongs there. "
            "Go to a folder of your own, or give this one to you, and run this again."
        ) from None


def unkeepable(value: str) -> str | None:
    """Why a value cannot stand in such a file; None where it can."""
    if any(not letter.isprintable() for letter in value):
        return "holds a letter that cannot be seen (a line break?): copy it once more"
    return "must not hold ${, which means something else in .env" if "${" in value else None


def quoted(value: str) -> str:
    """A value as it is written: in quotes only where it needs them."""
    if PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _name(binding: Binding) -> str | None:
    return None if binding.key is None else binding.key.upper()


def _assigned(line: str, value: str | None) -> str:
    found = LINE.fullmatch(line)
    if found is None:  # nothing that the parser understood is like this
        raise NoEnvFile(f"A line of {NAME} cannot be changed. Mend it by hand: {line.partition('=')[0].strip()}")
    return f"{found['head'].rstrip(' ')}={quoted(value or '')}{found['tail']}"


def _ended(text: str) -> str:
    """Ready for another paragraph."""
    return text.rstrip("\r\n") + "\n\n" if text.strip() else text


def _replace(target: Path, text: str) -> None:
    made = _made(target)
    try:
        with made.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        give_to_owner(made, target if target.exists() else target.parent)
        made.replace(target)
    except BaseException:
        made.unlink(missing_ok=True)
        raise
    sync(target.parent)


def give_to_owner(made: Path, of: Path) -> None:
    """Let it belong to whom `of` belongs to: whoever serves reads it, also where root runs setup."""
    owner = of.stat()
    with contextlib.suppress(PermissionError):
        os.chown(made, owner.st_uid, owner.st_gid)


def _made(target: Path) -> Path:
    """A new empty file beside it, for its owner alone."""
    made = target.with_name(f"{NAME}.{secrets.token_hex(4)}")
    os.close(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FOR_ITS_OWNER))
    return made


def _why(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
