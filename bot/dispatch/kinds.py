"""How each kind of outbox entry is said, as a table."""

from collections.abc import Mapping

from bot.dispatch.plans import Prepare
from bot.dispatch.to_slack import (
    asking,
    erasing,
    events,
    found,
    home,
    leads,
    marks,
    messages,
    offering,
    people,
    pointing,
    reading_back,
    recent,
    reminding,
    replies,
    working,
)
from bot.dispatch.to_thumbtack import connections, disconnecting, echoes, phones, targeting, webhooks
from bot.dispatch.to_thumbtack import leads as negotiations
from bot.dispatch.to_thumbtack.first_reply import first_reply
from bot.dispatch.to_thumbtack.replies import send_reply
from storage.outbox import Kind

KINDS: Mapping[Kind, Prepare] = {
    Kind.POST_LEAD: leads.post_lead,
    Kind.POST_DETAILS: leads.post_details,
    Kind.POST_PHOTOS: leads.post_photos,
    Kind.UPDATE_CARD: leads.update_card,
    Kind.POST_ARRIVED: leads.post_arrived,
    Kind.POST_CHARGE: leads.post_charge,
    Kind.POST_STATUS: leads.post_status,
    Kind.POST_MESSAGE: messages.post_message,
    Kind.POST_REVIEW: messages.post_review,
    Kind.POST_OUTCOME: replies.post_outcome,
    Kind.POST_PROMPT: replies.post_prompt,
    Kind.POST_REPLY_LINE: replies.post_reply_line,
    Kind.POST_NOTICE: people.post_notice,
    Kind.SET_MARK: marks.set_mark,
    Kind.POST_WORKED: working.post_worked,
    Kind.ASK_DIRECTLY: asking.ask_directly,
    Kind.ANSWER: people.answer,
    Kind.SET_KEEPER: people.set_keeper,
    Kind.SEND_REPLY: send_reply,
    Kind.FIRST_REPLY: first_reply,
    Kind.FINISH_CONNECT: connections.finish_connect,
    Kind.DISCONNECT: disconnecting.disconnect,
    Kind.SET_TARGETING: targeting.set_targeting,
    Kind.RECALL_PAUSE: targeting.recall_pause,
    Kind.LIST_PHONES: phones.list_phones,
    Kind.CHANGE_PHONES: phones.change_phones,
    Kind.ERASE: erasing.erase,
    Kind.DELETE_POSTS: erasing.delete_posts,
    Kind.TELL_ERASED: erasing.tell_erased,
    Kind.POST_EVENT: events.post_event,
    Kind.POINT_TO_LEAD: pointing.point_to_lead,
    Kind.CONFIRM_REPLY: echoes.confirm_reply,
    Kind.LOOK_FOR_REPLY: echoes.look_for_reply,
    Kind.FETCH_LEAD: negotiations.fetch_lead,
    Kind.SYNC_LEAD: negotiations.sync_lead,
    Kind.SET_WEBHOOK: webhooks.set_webhook,
    Kind.TEST_WEBHOOK: webhooks.test_webhook,
    Kind.PUBLISH_HOME: home.publish_home,
    Kind.SHOW_FOUND: found.show_found,
    Kind.POST_RECENT: recent.post_recent,
    Kind.OFFER_CHANNEL: offering.offer_channel,
    Kind.REMIND: reminding.remind,
    Kind.READ_BACK: reading_back.read_back,
}
