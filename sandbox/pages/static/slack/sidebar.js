// Where one can go in Slack, and where something is new.
import { html } from "/page/vendor/preact-htm.js";
import { Avatar } from "/page/slack/avatar.js";
import { AddChannel } from "/page/slack/channel.js";
import { placeName, useHere } from "/page/slack/here.js";

export const HOME = "home";

export function Sidebar({ place, go, fresh }) {
  const { state } = useHere();
  const channels = state.channels.filter((channel) => channel.kind !== "im");
  const direct = state.channels.filter((channel) => channel.kind === "im");
  const bot = html`<${Avatar} user=${state.bot} small />`;
  const item = (id, face, name, count = 0) => html`<li key=${id}>
    <button
      type="button" aria-current=${place === id ? "page" : undefined} class=${count > 0 ? "fresh" : ""}
      onClick=${() => go(id)}
    >
      ${face}<span class="place">${name}</span>
      ${count > 0 && html`<span class="count" aria-label=${`${count} new`}>${count}</span>`}
    </button>
  </li>`;
  return html`<nav class="sidebar" aria-label="Slack's conversations">
    <h2>Channels</h2>
    <ul>
      ${channels.map((channel) => item(channel.id, hash(channel), channel.name, fresh(channel)))}
      <${AddChannel} />
    </ul>
    <h2>Direct messages</h2>
    <ul>${direct.map((channel) => item(channel.id, bot, placeName(state, channel), fresh(channel)))}</ul>
    <h2>Apps</h2>
    <ul>${item(HOME, bot, "Corkboard Home")}</ul>
  </nav>`;
}

function hash(channel) {
  return html`<span class="hash" aria-hidden="true">${channel.kind === "group" ? "🔒" : "#"}</span>`;
}
