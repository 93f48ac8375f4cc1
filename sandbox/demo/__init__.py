"""`corkboard demo`: the main job played on this machine, with stand-ins for Slack and Thumbtack."""

from sandbox.demo.stage import play

__all__ = ["play"]
