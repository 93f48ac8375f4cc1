"""Slack and Thumbtack on loopback: stand-ins that speak HTTP, remember what they heard, and fail on request."""
