"""What still waits for its writer's answer, asked once more by direct message: what only one sees vanishes on reload."""

from dataclasses import replace

from bot import replies
from bot.blocks import deliveries
from bot.dispatch.plans import Answer, At, Prepared
from bot.dispatch.to_slack.leads import hides, lead_of
from bot.dispatch.to_slack.people import say_directly, to_person
from bot.dispatch.to_slack.posting import post_body
from bot.dispatch.to_slack.replies import prompt_of
from bot.failures import Failure
from bot.services import Services
from storage import messages, unsettled
from storage.models import Message, ReplyState


async def ask_directly(at: At) -> Prepared:
    """ASK_DIRECTLY {prompt, reason}: the same question with the same buttons, if nobody answered it until now."""
    message = await messages.get(at.tx, at.entry.message_id)
    if message is None or message.author is None or not _is_open(at, message):
        return None
    if await unsettled.is_said_anew(at.tx, at.entry):
        return None  # asked about again since: two minutes after that
    hidden = await hides(at, await lead_of(at))
    post = await prompt_of(at, message, said=None if hidden else message.text)
    if post is None:
        return None
    services, delivery_id, writer = at.services, at.entry.delivery_id, message.author
    where = {"channel": message.channel, "message_ts": message.slack_ts}

    async def perform() -> Answer:
        asked = deliveries.directly(post, await _link(services, where))
        return await say_directly(services, writer, post_body(asked, delivery_id))

    return replace(to_person(at, writer, post), perform=perform)


def _is_open(at: At, message: Message) -> bool:
    """Whether this very question still waits; an edit may have changed why it is asked about a text kept inside."""
    if message.deleted_at is not None:
        return False
    if at.entry.payload["prompt"] == "kept":
        return message.state == ReplyState.KEPT and message.reason in replies.ASKS
    return message.state == ReplyState.CHOICE and message.reason == at.entry.payload["reason"]


async def _link(services: Services, where: dict[str, str | None]) -> str | None:
    """To the message it is about; the question does without where Slack does not give one."""
    try:
        answer = await services.slack.call("chat.getPermalink", where)
    except Failure:
        return None
    return str(answer["permalink"])
