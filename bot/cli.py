"""The commands. Exit codes: 0 done, 1 it did not hold, 2 wrong settings or usage. Logs go to stderr."""

import click

from bot.process import loading, undrawn


class Commands(click.Group):
    """Those of this file, and all others, which are loaded once one of them is asked for: `serve` needs none of them."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name."""
        if cmd_name not in self.commands:
            self._load()
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all."""
        self._load()
        return super().list_commands(ctx)

    def _load(self) -> None:
        from bot.commands import COMMANDS  # noqa: PLC0415 -- see above

        for command in COMMANDS:
            self.add_command(command)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="corkboard", message="%(version)s")
def main() -> None:
    """Corkboard pins Thumbtack leads into Slack, and sends the team's thread replies to the customer."""


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(0, 65_535),
    help="Port to listen at; 0 takes any free one.",
)
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes; more than one on PostgreSQL."
)
def serve(host: str, port: int, workers: int) -> None:
    """Receive webhooks, post to Slack and send replies, with the database brought to the newest shape first."""
    with undrawn():
        with loading():
            from bot.starting import start  # noqa: PLC0415 -- nearly the whole program, which no other command needs

        start(host=host, port=port, workers=workers)


if __name__ == "__main__":
    main(prog_name="corkboard")
