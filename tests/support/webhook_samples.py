"""What is said about a business's webhook, as data for the golden files."""

from support.status_samples import a_business

from bot.blocks import webhooks
from bot.blocks.webhooks import EVENTS, REPAIR, TEST, Found

TIM = a_business()
SCOPES = ("supply::webhooks.read", "supply::webhooks.write")

POSTS = {
    "webhook_asked": [webhooks.asked(TIM, action_id=REPAIR), webhooks.asked(TIM, action_id=TEST), webhooks.gone()],
    "webhook_stands": [
        *(webhooks.stands(TIM, found, list(EVENTS)) for found in Found),
        webhooks.stands(a_business(name=None), Found.WRONG, [*EVENTS, "PresetJobMatchedV4", "<!channel>"]),
        webhooks.tested(TIM),
        webhooks.waits(TIM),
    ],
    "webhook_cannot": [
        webhooks.cannot(TIM, "no_address", scopes=SCOPES),
        webhooks.cannot(TIM, "scope_missing", scopes=SCOPES),
        webhooks.cannot(TIM, "rejected", scopes=SCOPES, detail="webhookURL must match <^https://>"),
        webhooks.cannot(TIM, "broke", scopes=SCOPES),
        webhooks.cannot(TIM, "no_webhook", scopes=SCOPES, of_test=True),
    ],
}
