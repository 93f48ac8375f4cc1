"""What waits and what was given up, as the doctor finds it."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.doctor.findings import Area, Finding, broken, ok, warning
from bot.doctor.times import ago
from storage.checkup import Records
from storage.measuring import Queue

INBOX, OUTBOX = "inbox", "outbox"

LATE = {INBOX: timedelta(minutes=1), OUTBOX: timedelta(minutes=5)}
TOO_LATE = {INBOX: timedelta(minutes=15), OUTBOX: timedelta(hours=1)}
"""How long something may wait. In the outbox a burst of posts to one channel may take minutes."""

GONE = timedelta(minutes=3)
"""After so many minutes without a sign it does not run."""

RESTLESS = timedelta(minutes=15)
"""For so long it may start and end again and again, while somebody sets it up."""

DOES = {INBOX: "to be read", OUTBOX: "to be said to Slack and Thumbtack"}


def of_program(records: Records, *, now: datetime) -> Finding:
    """Whether `corkboard serve` runs, on this machine or another: it writes so down each minute."""
    subject, remedy = "corkboard serve", "Start `corkboard serve`; where it runs, its log says what is wrong."
    if records.alive_at is None:
        return warning(Area.QUEUES, subject, "it never ran on this database", remedy)
    if now - records.alive_at > GONE:
        return broken(Area.QUEUES, subject, f"nobody runs it: it was last there {ago(records.alive_at, now)}", remedy)
    restless = records.measured.unsteady_since
    if restless is not None and now - restless > RESTLESS:
        told = f"it was there {ago(records.alive_at, now)}, but for {ago(restless, now, bare=True)} never for long"
        remedy = "Look in its log for what ended it before each start. Where it was just started, wait five minutes."
        return warning(Area.QUEUES, subject, told, remedy)
    return ok(Area.QUEUES, subject, f"it was there {ago(records.alive_at, now)}")


def of_queues(records: Records, *, now: datetime) -> list[Finding]:
    """The findings of both queues."""
    measured = records.measured
    found = _of_queue(INBOX, measured.inbox, records.inbox_reasons, now=now)
    found += _of_queue(OUTBOX, measured.outbox, records.outbox_reasons, now=now)
    if measured.parked:
        found.append(ok(Area.QUEUES, OUTBOX, f"{measured.parked} wait for somebody's choice in Slack"))
    return found


def _of_queue(name: str, queue: Queue, reasons: Mapping[str, int], *, now: datetime) -> list[Finding]:
    found = [_age(name, queue, now=now)]
    if reasons:
        why = ", ".join(f"{reason} ({count})" for reason, count in reasons.items())
        remedy = f"`corkboard {name} list` says more. Once mended it goes on by itself."
        found.append(warning(Area.QUEUES, name, f"put off for {why}", remedy))
    if queue.dead:
        remedy = f"`corkboard {name} list` says why; then `corkboard {name} retry ID`."
        found.append(warning(Area.QUEUES, name, f"{queue.dead} given up", remedy))
    return found


def _age(name: str, queue: Queue, *, now: datetime) -> Finding:
    if not queue.waiting or queue.oldest is None:
        return ok(Area.QUEUES, name, "nothing waits")
    told = f"waiting: {queue.waiting} {DOES[name]}, the first for {ago(queue.oldest, now, bare=True)}"
    remedy = f"Look whether `corkboard serve` runs, and what `corkboard {name} list` says."
    if now - queue.oldest >= TOO_LATE[name]:
        return broken(Area.QUEUES, name, told, remedy)
    if now - queue.oldest >= LATE[name]:
        return warning(Area.QUEUES, name, told, remedy)
    return ok(Area.QUEUES, name, told)
