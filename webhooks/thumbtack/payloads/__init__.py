"""What Thumbtack sends us: reading it tolerantly and translating it into facts."""
