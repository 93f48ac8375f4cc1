"""The Slack side, and the front door of the program."""
