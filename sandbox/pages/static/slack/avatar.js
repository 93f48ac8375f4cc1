// The small square beside a name: an initial, or the bot's pin.
import { html } from "/page/vendor/preact-htm.js";
import { nameOf, useHere } from "/page/slack/here.js";

const COLOURS = 5;

export function Avatar({ user, small }) {
  const { state } = useHere();
  const look = `avatar ${small ? "small" : ""}`;
  if (user === state.bot) {
    return html`<span class="${look} bot" aria-hidden="true">
      <svg viewBox="0 0 32 32">
        <rect x="7" y="10" width="18" height="16" rx="2" /><circle cx="16" cy="9" r="4.5" />
      </svg>
    </span>`;
  }
  const name = nameOf(state, user);
  const number = Math.max(0, Object.keys(state.people).indexOf(user)) % COLOURS;
  return html`<span class="${look} colour-${number}" aria-hidden="true">${name.slice(0, 1)}</span>`;
}
