// Slack as one person sees it.
import { html } from "/page/vendor/preact-htm.js";

export function SlackView({ state, setAs }) {
  const people = Object.values(state.people).filter((person) => !person.bot && !person.gone);
  return html`
    <label>
      Act as
      <select value=${state.me} onChange=${(event) => setAs(event.target.value)}>
        ${people.map((person) => html`<option key=${person.id} value=${person.id}>${person.name}</option>`)}
      </select>
    </label>
    ${state.channels.map(
      (channel) => html`<h2 key=${channel.id}>${channel.name}</h2>
        ${channel.messages.map((message) => html`<p key=${message.ts}>${message.text}</p>`)}`,
    )}
  `;
}
