"""Answers to who pressed or typed something, given later and to them alone, by Slack's response_url."""

from datetime import datetime
from typing import Any

from bot.blocks.posts import Post
from storage import outbox
from storage.database import Transaction
from storage.outbox import Kind
from storage.vault import Vault

FIRST = 0


async def enqueue(
    tx: Transaction,
    vault: Vault,
    *,
    url: str,
    post: Post,
    now: datetime,
    replace: bool = False,
    or_tell: str | None = None,
) -> None:
    """Say `post` by a response_url, which is sealed while it waits. `replace`: instead of what was pressed.

    `or_tell`: the user who gets it as a direct message where the response_url takes nothing any more.
    """
    body: dict[str, Any] = {"text": post.text, "blocks": post.blocks}
    body |= {"replace_original": True} if replace else {"response_type": "ephemeral", "replace_original": False}
    payload = {"url": vault.seal(url), "body": body, "or_tell": or_tell}
    await outbox.enqueue(tx, Kind.ANSWER, now=now, priority=FIRST, payload=payload)


async def tell(tx: Transaction, vault: Vault, *, user: str, post: Post, now: datetime) -> None:
    """Say `post` to a person by direct message, where there is no response_url to answer."""
    body = {"text": post.text, "blocks": post.blocks}
    payload = {"url": vault.seal(""), "body": body, "or_tell": user, "told_directly": True}
    await outbox.enqueue(tx, Kind.ANSWER, now=now, priority=FIRST, payload=payload)
