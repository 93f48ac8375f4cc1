"""Does what the Dockerfile says, step by step, in a Debian root made with debootstrap, then lives in it: for machines without containers.

As root, with debootstrap installed: `python3 deploy/try_image.py ROOM`, where ROOM is a folder for the roots (1 GB). The second stage is
then served from as the compose file would have it: its user, no capability, the root read-only, only the volume and /tmp writable, and
a network of its own. What this cannot show: Docker itself, the official Python image (Debian's Python is taken), and compose.
"""

import base64
import http.client
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

sys.path.insert(0, str(Path(__file__).parents[1]))

from deploy import dockerfile
from deploy.dockerfile import Stage

PROJECT = Path(__file__).parents[1]
SUITE = "trixie"
BRINGS = "ca-certificates,netbase,python3,python3-pip,python3-venv,tzdata"
"""What the official image has too."""

CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
PASSED = {name: os.environ[name] for name in ("PIP_CERT", "PIP_DEFAULT_TIMEOUT") if name in os.environ}
"""How this machine reaches the package index."""

PASSWORD = "tried-by-nobody"  # noqa: S105 -- opens nothing
SETTINGS = {"THUMBTACK_WEBHOOK_USERNAME": "thumbtack", "THUMBTACK_WEBHOOK_PASSWORD": PASSWORD}


def main(room: Path) -> None:
    """Build, measure, live."""
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        sys.exit("This needs root, and debootstrap (apt install debootstrap).")
    room.mkdir(parents=True, exist_ok=True)
    base = room / "base"
    if not base.exists():
        timed("debootstrap", lambda: bootstrap(base))
    stages = dockerfile.read((PROJECT / "Dockerfile").read_text())
    for stage in stages:
        timed(f"stage {stage.name or 'image'}", partial(build, stage, room))
    image = room / "image"
    say(
        "on top of the base",
        f"{(size(image) - size(base)) / 1e6:.0f} MB, of which /opt/corkboard {size(image / 'opt') / 1e6:.0f} MB",
    )
    separate = ("--mount", "--net", "--pid", "--fork", "--kill-child", "--propagation=private")
    ended = subprocess.run(["unshare", *separate, sys.executable, __file__, "--live", str(room)], check=False)
    sys.exit(ended.returncode)


def bootstrap(base: Path) -> None:
    """Debian with its Python, under the names that the official image has."""
    run(["debootstrap", "--variant=minbase", f"--include={BRINGS}", SUITE, str(base)], quiet=True)
    for name in ("python", "python3"):
        (base / "usr/local/bin" / name).symlink_to("/usr/bin/python3")


def build(stage: Stage, room: Path) -> None:
    """Carry out the steps of a stage in a root of its own."""
    root = room / (stage.name or "image")
    shutil.rmtree(root, ignore_errors=True)
    run(["cp", "--archive", "--reflink=auto", str(room / "base"), str(root)])
    shutil.copy(CERTIFICATES, root / CERTIFICATES.relative_to("/"))
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    where = Path("/")
    for step in stage.steps:
        match step.word:
            case "WORKDIR":
                where = Path(step.rest)
                inside(root, where).mkdir(parents=True, exist_ok=True)
            case "COPY":
                *sources, target = step.words
                origin = room / step.options["from"] if "from" in step.options else None
                for source in sources:
                    copy(source, inside(root, where / target), origin=origin)
            case "RUN":
                env = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"} | PASSED | stage.environment
                given = [f"{name}={value}" for name, value in env.items() if "$" not in value]
                run(["chroot", str(root), "env", "-i", "-C", str(where), *given, "sh", "-c", step.rest], quiet=True)


def copy(source: str, target: Path, *, origin: Path | None) -> None:
    """COPY, from another stage or from the context, without what .dockerignore keeps out."""
    if origin is not None:
        shutil.copytree(inside(origin, Path(source)), target, symlinks=True, dirs_exist_ok=True)
        return
    wanted = PROJECT / source
    found = [file for file in dockerfile.context(PROJECT) if file == wanted or wanted in file.parents]
    if not found:
        sys.exit(f"COPY {source}: .dockerignore keeps it out")
    for file in found:
        place = target / file.relative_to(wanted) if wanted.is_dir() else target / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)


def inside(root: Path, path: Path) -> Path:
    """An absolute path of the image, as it is found from outside."""
    return root / path.relative_to("/")


def live(room: Path) -> None:
    """In namespaces of our own: serve, restart, lose the volume, put it back."""
    stage = dockerfile.read((PROJECT / "Dockerfile").read_text())[-1]
    root, volume = room / "image", room / "volume"
    shutil.rmtree(volume, ignore_errors=True)
    (place,) = stage.last("VOLUME").words
    shutil.copytree(inside(root, Path(place)), volume)  # as Docker fills a new volume
    shutil.copystat(inside(root, Path(place)), volume)
    owner = inside(root, Path(place)).stat()
    os.chown(volume, owner.st_uid, owner.st_gid)
    for command in (
        ["ip", "link", "set", "lo", "up"],
        ["mount", "--bind", str(root), str(root)],
        ["mount", "-o", "remount,bind,ro", str(root)],
        ["mount", "-t", "proc", "proc", str(root / "proc")],
        ["mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", str(root / "tmp")],
        ["mount", "--bind", str(volume), str(inside(root, Path(place)))],
    ):
        run(command)
    Life(stage, root, volume).lived()


class Life:
    """The image as a container: what is run in it, and what must hold."""

    def __init__(self, stage: Stage, root: Path, volume: Path) -> None:
        """`root` is mounted read-only, with the volume in its place."""
        self.stage, self.root, self.volume = stage, root, volume

    def inside(self, *command: str) -> list[str]:
        """A command as the image's user, with nothing that compose takes away."""
        user, group = self.stage.last("USER").rest.split(":")
        less = ("--clear-groups", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")
        given = {"PATH": "/usr/local/bin:/usr/bin:/bin"} | SETTINGS
        for name, value in self.stage.environment.items():
            given[name] = value.replace("$PATH", given["PATH"])
        where = self.stage.last("WORKDIR").rest
        settings = [f"{name}={value}" for name, value in given.items()]
        drop = ["setpriv", f"--reuid={user}", f"--regid={group}", *less]
        return ["chroot", str(self.root), *drop, "env", "-i", "-C", where, *settings, *command]

    def done(self, *command: str, given: IO[bytes] | None = None) -> subprocess.CompletedProcess[bytes]:
        """`docker exec`, or `docker run` where nothing runs."""
        return subprocess.run(self.inside(*command), stdin=given, capture_output=True, check=False)

    def lived(self) -> None:
        """Everything, in order."""
        with self.served() as seconds:
            say("serves, healthy after", f"{seconds:.1f} s")
            must(self.posted() == 200, "a webhook is taken")
            must(self.waits(), "its card waits for Slack")
            must(
                self.done("touch", "/opt/corkboard/x", "/etc/x").returncode == 1,
                "nothing can be written outside the volume",
            )
            must(b"Uid:\t10001\t10001" in self.done("cat", "/proc/self/status").stdout, "it is the user of the image")
            copied = self.done("corkboard", "backup", "-")
            must(copied.returncode == 0, "a backup goes through a pipe")
        with self.served() as seconds:
            must(self.waits(), f"after a restart ({seconds:.1f} s) nothing is lost")
        key = (self.volume / "corkboard.key").read_bytes()
        for file in self.volume.iterdir():
            file.unlink()
        self.put(key, copied.stdout)
        with self.served():
            must(self.waits(), "nor when the volume was lost and the backup put back")
        played = self.done("corkboard", "demo", "--headless")
        must(played.returncode == 0, "the demo plays to its end in the image")

    def put(self, key: bytes, copy: bytes) -> None:
        """The key by hand, the database by the command."""
        owner = self.volume.stat()
        (self.volume / "corkboard.key").write_bytes(key)
        os.chown(self.volume / "corkboard.key", owner.st_uid, owner.st_gid)
        kept = self.volume.with_name("copy.db")
        kept.write_bytes(copy)
        with kept.open("rb") as given:
            told = self.done("corkboard", "restore", "-", given=given)
        must(told.returncode == 0, f"restored: {(told.stdout + told.stderr).decode().strip()}")

    @contextmanager
    def served(self) -> Iterator[float]:
        """While the image's own command runs; it must become healthy by its own check, and end by its own signal."""
        command = [*self.stage.last("ENTRYPOINT").words, *self.stage.last("CMD").words]
        began = time.monotonic()
        server = subprocess.Popen(self.inside(*command), stderr=subprocess.PIPE)
        check = json.loads(self.stage.last("HEALTHCHECK").rest.partition("CMD ")[2])
        try:
            while self.done(*check).returncode != 0:
                must(server.poll() is None and time.monotonic() < began + 60, "it becomes healthy", silent=True)
                time.sleep(0.1)
            yield time.monotonic() - began
        finally:
            server.terminate()
            began = time.monotonic()
            _, said = server.communicate(timeout=45)
            must(
                server.returncode == 0,
                f"SIGTERM ends it after {time.monotonic() - began:.1f} s\n{said.decode()[-500:] if server.returncode else ''}".strip(),
            )

    def posted(self) -> int:
        """Thumbtack tells of a lead."""
        body = (PROJECT / "tests/payloads/lead.json").read_bytes()
        signed = base64.b64encode(f"thumbtack:{PASSWORD}".encode()).decode()
        headers = {"Authorization": f"Basic {signed}", "Content-Type": "application/json"}
        asked = http.client.HTTPConnection("127.0.0.1", 8000, timeout=5)
        asked.request("POST", "/v1/lead", body=body, headers=headers)
        return asked.getresponse().status

    def waits(self) -> bool:
        """Whether the lead's card is in the outbox, within five seconds."""
        for _ in range(20):
            if b"post_lead" in self.done("corkboard", "outbox", "list").stdout:
                return True
            time.sleep(0.25)
        return False


def run(command: Sequence[str], *, quiet: bool = False) -> None:
    """Do it, or end with what it said."""
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE if quiet else None, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{(done.stdout or b'').decode()[-3000:]}")


def size(folder: Path) -> int:
    """Bytes of all files below a folder, each once."""
    return sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())


def timed(what: str, work: Callable[[], None]) -> None:
    """Do it and say how long it took."""
    began = time.monotonic()
    work()
    say(what, f"{time.monotonic() - began:.0f} s")


def must(held: bool, what: str, *, silent: bool = False) -> None:  # noqa: FBT001 -- it reads as a sentence
    """Say that it holds, or end."""
    if not held:
        sys.exit(f"It did not hold: {what}")
    if not silent:
        say(what, "ok")


def say(what: str, told: str) -> None:
    """One line of the report."""
    print(f"{what}: {told}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) not in {2, 3} or sys.argv[1] in {"-h", "--help"}:
        sys.exit(str(__doc__))
    (live if sys.argv[1] == "--live" else main)(Path(sys.argv[-1]).absolute())
