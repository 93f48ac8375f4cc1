"""Socket Mode, as the doctor finds it: whether Slack takes the app's own token, and whether anybody is connected."""

from bot.doctor.findings import Area, Finding, broken, ok, warning
from bot.failures import Failure, Sort
from bot.slack import Slack
from storage.checkup import Records
from storage.sockets import SLOTS

TOKEN, CONNECTIONS = "app token", "connections"


async def look(slack: Slack, app_token: str, records: Records | None) -> list[Finding]:
    """Ask Slack for an address to connect to, which nobody uses; and read how many processes hold a connection."""
    found = [await _of_token(slack, app_token)]
    return found if records is None else [*found, of_connections(records.measured.socket_connections)]


async def _of_token(slack: Slack, app_token: str) -> Finding:
    try:
        await slack.socket_address(app_token)
    except Failure as failure:
        if failure.sort in (Sort.LATER, Sort.UNKNOWN):
            remedy = "Look again in a minute: Slack permits few of these questions."
            return warning(Area.SLACK, TOKEN, f"Slack did not say whether it takes it ({failure.reason})", remedy)
        remedy = (
            "In Slack switch Socket Mode on, make an app-level token with the scope connections:write "
            "(Basic Information), set it as SLACK_APP_TOKEN, and restart."
        )
        return broken(Area.SLACK, TOKEN, f"Slack refuses it ({failure.reason})", remedy)
    return ok(Area.SLACK, TOKEN, "Slack takes it")


def of_connections(count: int) -> Finding:
    """One for each process that hears Slack."""
    if count == 0:
        remedy = "Start `corkboard serve`, or look for socket_not_opened in its log."
        return broken(Area.SLACK, CONNECTIONS, "none is open: no reply, button or command is heard", remedy)
    told = f"{count} of {len(SLOTS)} in use, one for each process"
    if count == len(SLOTS):
        told += "; further processes share the work all the same"
    return ok(Area.SLACK, CONNECTIONS, told)
