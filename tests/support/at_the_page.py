"""What a person does on the sandbox page: by the words they read there, never by how the page is built."""

import re
from dataclasses import dataclass

from playwright.async_api import Locator, Page, expect

FOCUSED = """() => {
  const one = document.activeElement
  const look = () => {
    const looks = []
    for (let part = one; part && looks.length < 4; part = part.parentElement) {
      const style = getComputedStyle(part)
      looks.push([style.outline, style.boxShadow, style.borderColor].join())
    }
    return looks.join()
  }
  const focused = look()
  one.blur()
  const shown = look() !== focused
  one.focus()
  return { name: one.getAttribute('aria-label') ?? one.textContent, shown }
}"""
"""What has the focus, and whether one sees that it has it."""


@dataclass(frozen=True)
class Person:
    """Somebody in Slack, at their tab."""

    page: Page

    @property
    def slack(self) -> Locator:
        return self.page.get_by_role("region", name="Slack", exact=True)

    @property
    def channel(self) -> Locator:
        return self.slack.get_by_role("log", name="Messages in leads")

    @property
    def thread(self) -> Locator:
        return self.slack.get_by_role("complementary", name="Thread")

    @property
    def window(self) -> Locator:
        return self.page.get_by_role("dialog")

    def card(self, *says: str) -> Locator:
        """The card in the channel that says all of this."""
        found = self.channel.get_by_role("article").filter(has_not_text="replied to a thread")
        for one in says:
            found = found.filter(has_text=one)
        return found

    def message(self, says: str) -> Locator:
        """The message in the open thread."""
        return self.thread.get_by_role("article").filter(has_text=says, has_not_text="Only visible to you")

    def whisper(self, says: str) -> Locator:
        """What only this person sees in the open thread."""
        return self.thread.get_by_role("article").filter(has_text=says).filter(has_text="Only visible to you")

    def mark(self, says: str, name: str) -> Locator:
        """The bot's mark on a message in the open thread."""
        return self.message(says).get_by_role("button", name=f"{name}, by Corkboard")

    async def open_thread(self, *says: str) -> None:
        """Open the thread below a card."""
        await self.card(*says).get_by_role("button", name=re.compile(r"\d+ repl(y|ies)")).click()
        await expect(self.thread).to_be_visible()

    async def reply(self, text: str) -> None:
        """Write in the open thread."""
        await self.thread.get_by_role("combobox").fill(text)
        await self.thread.get_by_role("combobox").press("Enter")
        await expect(self.message(text)).to_be_visible()

    async def act(self, says: str, action: str) -> None:
        """Choose from the menu of a message in the open thread."""
        await self.message(says).hover()
        await self.message(says).get_by_role("button", name="Message actions").click()
        await self.page.get_by_role("menuitem", name=action).click()

    @property
    def customers_side(self) -> Locator:
        return self.page.get_by_role("region", name="Thumbtack", exact=True)

    @property
    def trouble(self) -> Locator:
        return self.page.get_by_role("region", name="Trouble", exact=True)

    def phone(self, customer: str) -> Locator:
        """The customer's phone, where it is looked at."""
        return self.customers_side.get_by_role("region", name=f"The phone of {customer}")

    async def write_as(self, customer: str, text: str) -> None:
        """Write as the customer whose phone is looked at."""
        box = self.phone(customer).get_by_role("textbox", name=f"Write as {customer}")
        await box.fill(text)
        await box.press("Enter")
        await expect(self.phone(customer).get_by_role("log").get_by_text(text)).to_be_visible()

    async def happens(self, what: str) -> None:
        """Press one of Thumbtack's buttons."""
        await self.customers_side.get_by_role("button", name=what).click()

    async def make_trouble(self, begin: str) -> None:
        """Begin some trouble."""
        await self.page.get_by_role("button", name="Make trouble").click()
        await self.page.get_by_role("button", name=begin).click()

    async def type(self, command: str) -> None:
        """Type into the channel's box and press Enter; what is suggested meanwhile is not taken."""
        box = self.slack.get_by_role("combobox", name="Message #leads")
        await box.fill(command)
        await box.press("Escape")
        await box.press("Enter")
