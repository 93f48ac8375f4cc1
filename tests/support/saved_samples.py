"""Saved replies and first replies as people see them."""

from typing import Any

from bot.blocks import first_replies, modals, saved, settings_first, settings_saved
from bot.blocks.leads import RepliesGo
from bot.blocks.posts import Post
from bot.blocks.saved import Choice, Chosen
from bot.blocks.settings_first import First
from bot.blocks.settings_saved import Saved
from storage.first_replies import When

HELLO = "Hi {first_name}, {my_name} from {business} here. We do {category} in {city} & around."
ODD = "*Ring* <!channel>\n" * 200
_HEADLINE = "Interior Painting · Palo Alto, CA · $260/hour"
_REPLY = modals.reply_modal(7, headline=_HEADLINE, customer_name="Maya Alvarez", mode=RepliesGo.OUT, held_by="U0BEN")
_INSIDE = modals.reply_modal(7, headline=_HEADLINE, customer_name="Maya Alvarez", mode=RepliesGo.INSIDE)
_CHOICES = [Choice(reply_id=1, name="Hello"), Choice(reply_id=2, name="*Price*" * 20)]

POSTS: dict[str, list[Post]] = {
    "first_reply": [first_replies.line("Hi Maya! We read it now.\n<!channel> *soon*"), first_replies.line(ODD)],
}
WINDOWS: dict[str, dict[str, Any]] = {
    "modal_saved": saved.with_saved(_REPLY, _CHOICES, Chosen(reply_id=1, text="Hi Maya, Ana here.", turn="1.2")),
    "modal_saved_long": saved.with_saved(_REPLY, _CHOICES, Chosen(reply_id=2, text="a" * 5_000, turn="1.3")),
    "modal_saved_none": saved.with_saved(_REPLY, [], None),
    "modal_saved_inside": saved.with_saved(_INSIDE, _CHOICES, None),
    "modal_saved_list": settings_saved.list_window(
        [Saved(reply_id=1, name="Hello", text=HELLO), Saved(reply_id=2, name="<!channel> *Price*", text=ODD)],
        most=50,
        first_on=["Tim's <Painting> & Sons", *(f"Business {number}" for number in range(7))],
    ),
    "modal_saved_list_full": settings_saved.list_window(
        [Saved(reply_id=number, name=f"Reply {number}", text=ODD) for number in range(50)], most=50, first_on=[]
    ),
    "modal_saved_add": settings_saved.form_window(None),
    "modal_saved_edit": settings_saved.form_window(Saved(reply_id=1, name="Hello", text=HELLO)),
    "modal_saved_deleted": settings_saved.deleted_window("<Hello>"),
    "modal_first_none": settings_first.window([], None),
    "modal_first": settings_first.window(
        [settings_first.Choice(business_id=1, name="Tim's Painting")],
        First(business_id=1, text="Hi {first_name}! We read it now.", when=When.OPEN),
    ),
    "modal_first_which": settings_first.window(
        [settings_first.Choice(business_id=number, name=f"Business {number:03}") for number in range(1, 103)],
        First(business_id=102, text="", when=When.OFF),
    ),
}
