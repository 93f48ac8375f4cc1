"""How each kind of outbox entry is said, as a table."""

from collections.abc import Mapping

from bot.dispatch import to_thumbtack
from bot.dispatch.plans import Prepare
from bot.dispatch.to_slack import leads, marks, messages, people, replies
from storage.outbox import Kind

KINDS: Mapping[Kind, Prepare] = {
    Kind.POST_LEAD: leads.post_lead,
    Kind.POST_DETAILS: leads.post_details,
    Kind.POST_PHOTOS: leads.post_photos,
    Kind.UPDATE_CARD: leads.update_card,
    Kind.POST_ARRIVED: leads.post_arrived,
    Kind.POST_CHARGE: leads.post_charge,
    Kind.POST_MESSAGE: messages.post_message,
    Kind.POST_REVIEW: messages.post_review,
    Kind.POST_OUTCOME: replies.post_outcome,
    Kind.POST_PROMPT: replies.post_prompt,
    Kind.POST_REPLY_LINE: replies.post_reply_line,
    Kind.POST_NOTICE: people.post_notice,
    Kind.SET_MARK: marks.set_mark,
    Kind.ANSWER: people.answer,
    Kind.SET_KEEPER: people.set_keeper,
    Kind.SEND_REPLY: to_thumbtack.send_reply,
}
