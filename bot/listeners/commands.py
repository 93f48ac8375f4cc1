"""The slash command: `/thumbtack VERB …`, with its verbs as a table."""

import difflib
from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot import access, policies
from bot.blocks import help as help_blocks
from bot.blocks.mrkdwn import visible
from bot.blocks.posts import Post
from bot.listeners import connecting, disconnecting, leads, phones, settings, status, targeting
from bot.listeners.verbs import Asked, Verb
from bot.services import Services
from webhooks.thumbtack.payloads.text import storable

COMMAND = "/thumbtack"


async def _help(asked: Asked) -> Post:
    async with asked.services.database.reading() as tx:
        holds = await policies.of_channel(tx, asked.services.settings, asked.channel)
    return help_blocks.help_page([(name, verb.sentence) for name, verb in VERBS.items()], quiet=holds.quiet)


VERBS: Mapping[str, Verb] = {
    "help": Verb(sentence="shows this page", usage=("help",), run=_help),
    "connect": connecting.CONNECT,
    "disconnect": disconnecting.DISCONNECT,
    "status": status.STATUS,
    "pause": targeting.PAUSE,
    "resume": targeting.RESUME,
    "phones": phones.PHONES,
    "leads": leads.LEADS,
    "settings": settings.SETTINGS,
}


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the command."""

    async def on_command(ack: AsyncAck, command: dict[str, Any], context: AsyncBoltContext) -> None:
        post = await answered(services, command, team_id=context.team_id or "")
        await (ack() if post is None else ack(text=post.text, blocks=post.blocks, response_type="ephemeral"))

    app.command(COMMAND)(on_command)


async def answered(services: Services, command: dict[str, Any], *, team_id: str) -> Post | None:
    """What a person sees at once; nothing typed is the help, and a verb that does not exist gets the closest one."""
    typed = storable(str(command.get("text") or "")).strip()
    word, rest = (*typed.split(maxsplit=1), "", "")[:2] if visible(typed) else ("", "")
    verb = VERBS.get(word.lower() or "help")
    if verb is None:
        return _unknown(word)
    asked = Asked(
        services=services,
        team_id=team_id,
        user_id=str(command.get("user_id") or ""),
        text=rest.strip(),
        response_url=str(command.get("response_url") or ""),
        trigger_id=str(command.get("trigger_id") or ""),
        channel=str(command.get("channel_id") or "") or None,
    )
    if verb.managers_only and (refused := await access.refusal(services, team_id=team_id, user_id=asked.user_id)):
        return refused
    return await verb.run(asked)


def _unknown(word: str) -> Post:
    closest = difflib.get_close_matches(word.lower(), VERBS, n=1, cutoff=0.5)
    name = closest[0] if closest else "help"
    return help_blocks.no_such_verb(word, closest=name, usage=VERBS[name].usage)
