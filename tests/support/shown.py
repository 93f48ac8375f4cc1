"""What of some blocks a person sees, as text."""


def texts(value, kind):
    """Every text of one kind (mrkdwn, plain_text, text) in some blocks."""
    if isinstance(value, list):
        return [found for item in value for found in texts(item, kind)]
    if not isinstance(value, dict):
        return []
    here = [value["text"]] if value.get("type") == kind else []
    return here + [found for item in value.values() for found in texts(item, kind)]


def seen(posts):
    """All that a person sees, as one text."""
    blocks = [post.blocks for post in posts]
    return "\n".join(text for kind in ("text", "plain_text", "mrkdwn", "link") for text in texts(blocks, kind))
