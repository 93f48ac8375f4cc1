"""Why something did not go out or stayed inside, as the sentences a person reads in Slack.

A code is what is stored (`Message.reason`, `Outbox.reason`), logged and counted. The codes of Thumbtack's answers are
those of `webhooks.thumbtack.errors`, those of what stays inside are `bot.notes.Disposition`, and Slack's refusals are
its own error strings. A sentence says what happened and ends with what to do.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from webhooks.thumbtack.errors import CallError, RequestRejected


class Reason(StrEnum):
    """Our codes."""

    # Thumbtack's answers to a reply
    REJECTED = "rejected"
    RECONNECT = "reconnect"
    SCOPE_MISSING = "scope_missing"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    OUTCOME_UNKNOWN = "outcome_unknown"
    UNEXPECTED_RESPONSE = "unexpected_response"
    # Thumbtack's codes, and ours about its answers (`webhooks.thumbtack.answers`)
    BLOCKED = "blocked"
    SANCTIONED = "sanctioned"
    INVALID_CLIENT = "invalid_client"
    UNAUTHORIZED_CLIENT = "unauthorized_client"
    INVALID_GRANT = "invalid_grant"
    INVALID_REQUEST = "invalid_request"
    INVALID_SCOPE = "invalid_scope"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
    # Why a connection does not work (`webhooks.tokens`)
    EXPIRED = "expired"
    REFUSED = "refused"
    SHARED_CLIENT = "shared_client"
    # What cannot go out
    NOT_CONFIGURED = "not_configured"
    NO_BUSINESS = "no_business"
    NO_LEAD = "no_lead"
    OTHER_ENVIRONMENT = "other_environment"
    DISCONNECTED = "disconnected"
    TEST_LEAD = "test_lead"
    TOO_LONG = "too_long"
    FILE_ALONE = "file_alone"
    EMPTY = "empty"
    OVERDUE = "overdue"
    NOT_PERMITTED = "not_permitted"
    ALREADY_DECIDED = "already_decided"
    # What stays inside
    NOTE = "note"
    QUIET = "quiet"
    MENTION = "ask_mention"
    ONLY_EMOJI = "ask_only_emoji"
    LIKE_A_NOTE = "ask_note"
    FILE_WITH_TEXT = "file_with_text"
    # What its writer is asked about a reply
    SECOND_WRITER = "second_writer"
    CONTACT_DATA = "contact_data"
    CONTACT_BLOCKED = "contact_blocked"
    # Who may not write to customers
    OUTSIDER = "outsider"
    FIRST_REPLY_LATE = "first_reply_late"
    # What could not be posted
    NO_CHANNEL = "no_channel"
    SLACK_RATE_LIMITED = "ratelimited"
    SLACK_UNAVAILABLE = "slack_unavailable"


_AGAIN = "Nothing to do: it is tried again by itself."

_OURS = {
    Reason.REJECTED: "Thumbtack did not accept this message. Edit it, then press Retry.",
    Reason.RECONNECT: "Thumbtack no longer accepts our credentials. Ask a keeper to renew them, then press Retry.",
    Reason.SCOPE_MISSING: "Thumbtack does not let us send messages. Ask a keeper to connect again, then press Retry.",
    Reason.RATE_LIMITED: f"Thumbtack asks us to slow down. {_AGAIN}",
    Reason.UNAVAILABLE: f"Thumbtack cannot be reached. {_AGAIN}",
    Reason.OUTCOME_UNKNOWN: "Thumbtack's answer was lost. Look in Thumbtack whether it arrived, then press a button.",
    Reason.UNEXPECTED_RESPONSE: "Thumbtack answered in a way we do not know. Tell a keeper, then press Retry.",
    Reason.BLOCKED: "Thumbtack's firewall blocks this server. Tell a keeper to write to Thumbtack's partner support.",
    Reason.SANCTIONED: "Thumbtack does not serve the country this server is in. Tell a keeper to run it elsewhere.",
    Reason.INVALID_CLIENT: "Thumbtack does not accept our client's id and secret. Tell a keeper to correct the settings.",
    Reason.UNAUTHORIZED_CLIENT: "Thumbtack does not let our client do this. Tell a keeper to ask Thumbtack to allow it.",
    Reason.INVALID_GRANT: "Thumbtack does not accept this connection any more. Ask a keeper to connect again.",
    Reason.INVALID_REQUEST: "Thumbtack says that something is missing in what we asked. Tell a keeper.",
    Reason.INVALID_SCOPE: "Thumbtack does not know a permission that we ask for. Tell a keeper to correct the scopes.",
    Reason.UNSUPPORTED_GRANT_TYPE: "Thumbtack does not know how we ask for access. Tell a keeper.",
    Reason.EXPIRED: "The connection to Thumbtack was not renewed for too long. Ask a keeper to connect again.",
    Reason.REFUSED: "Thumbtack refuses this connection, though it was just renewed. Ask a keeper to connect again.",
    Reason.SHARED_CLIENT: "Another system renews this connection, so we cannot. Ask a keeper to connect again.",
    Reason.NOT_CONFIGURED: "There are no Thumbtack credentials for this business. Answer in Thumbtack instead.",
    Reason.NO_BUSINESS: "Thumbtack has not said yet which business this is. Answer in Thumbtack instead.",
    Reason.NO_LEAD: "This thread's lead is not known here. Answer in Thumbtack instead.",
    Reason.TEST_LEAD: "This is a test delivery of Thumbtack's. Nothing to do: nobody would read an answer.",
    Reason.DISCONNECTED: "The business was disconnected before this went out. Connect it again, then press Retry.",
    Reason.OTHER_ENVIRONMENT: "This lead is from Thumbtack's other environment. Answer it there.",
    Reason.TOO_LONG: "Thumbtack takes 16,384 characters at most. Shorten it, then press Retry.",
    Reason.FILE_ALONE: "Thumbtack takes text only. Write something, or send the file in Thumbtack.",
    Reason.EMPTY: "There is no text in this message. Write it again.",
    Reason.OVERDUE: "It could not go out in time and may be out of date. Send it now, or discard it.",
    Reason.NOT_PERMITTED: "You may not do this. Ask a keeper.",
    Reason.ALREADY_DECIDED: "This was decided already. See the mark on the message.",
    Reason.NOTE: "It is a note to the team. To send it, write it again without the note mark.",
    Reason.QUIET: "Only the Reply button, and messages that start with send:, go out. Write send: before it.",
    Reason.MENTION: "It mentions somebody in Slack. If the customer should read it, press Send.",
    Reason.ONLY_EMOJI: "It is only emoji, signs or links to Slack. If the customer should get it, press Send.",
    Reason.LIKE_A_NOTE: "It looks like a note to the team. If the customer should read it, press Send.",
    Reason.FILE_WITH_TEXT: "Thumbtack takes text only. Send the text without the file, or cancel.",
    Reason.SECOND_WRITER: "Somebody else has this lead. If you mean to answer all the same, press Send.",
    Reason.CONTACT_DATA: "It carries a phone number or an e-mail address, which Thumbtack discourages. If you mean to send "
    "it, press Send.",
    Reason.CONTACT_BLOCKED: "It carries a phone number or an e-mail address, which is switched off for this channel. Edit "
    "it, then press Retry.",
    Reason.FIRST_REPLY_LATE: "Somebody was faster than this automatic reply, or it came too late. Nothing to do.",
    Reason.OUTSIDER: "Guests and people of other companies can read here, but not answer or work leads. Ask a keeper to "
    "allow you.",
    Reason.NO_CHANNEL: "No channel is set for leads. Set SLACK_LEADS_CHANNEL and restart.",
    Reason.SLACK_RATE_LIMITED: f"Slack asks us to slow down. {_AGAIN}",
    Reason.SLACK_UNAVAILABLE: f"Slack cannot be reached. {_AGAIN}",
}

# https://docs.slack.dev/reference/methods/chat.postMessage#errors, by what mends them
_SLACKS = {
    "Corkboard is not in the channel. Invite it there: /invite @Corkboard.": ("not_in_channel",),
    "The channel is archived, gone or closed to apps. Mend it, or set SLACK_LEADS_CHANNEL to another.": (
        "access_denied",
        "channel_not_found",
        "is_archived",
        "restricted_action",
        "restricted_action_non_threadable_channel",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
    ),
    "Slack no longer accepts our token. Install the app again and set SLACK_BOT_TOKEN.": (
        "account_inactive",
        "invalid_auth",
        "not_authed",
        "token_expired",
        "token_revoked",
    ),
    "Slack does not take it as it is: a mistake in Corkboard. Tell a keeper to look at the log.": (
        "invalid_arguments",
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
    ),
    "The Slack app lacks a permission. Install it again from manifest.yml.": (
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
    ),
}

# What our own code did wrong (`bot.dispatch`)
_MISTAKES = {
    "Corkboard's database was away. Nothing to do: it is tried again by itself.": ("storage",),
    "Corkboard could not work it out: a mistake in it. Tell a keeper to look at the log.": ("broke", "not_prepared"),
}

SENTENCES: Mapping[str, str] = MappingProxyType(
    {str(code): told for code, told in _OURS.items()}
    | {code: told for told, codes in (_SLACKS | _MISTAKES).items() for code in codes}
)

_UNNAMED = "Something went wrong that has no sentence yet. Tell a keeper to look at the log."


def sentence(reason: str | None) -> str:
    """What a person reads for a code; one we do not know, perhaps a newer row's, gets a sentence too."""
    return SENTENCES.get(reason or "", _UNNAMED)


def code_of(error: CallError) -> str:
    """The code under which a failed call of Thumbtack is stored and told: its own where that has a sentence."""
    code = error.code if isinstance(error, RequestRejected) else None
    return code if code is not None and code in SENTENCES else error.reason
