"""The page on which a person plays with the bot: Slack on one side, the customer's phone on the other."""

from sandbox.pages.site import routes

__all__ = ["routes"]
