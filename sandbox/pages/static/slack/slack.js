// Slack as one person sees it: where they can go, what stands there, a thread beside it, a window before it.
import { html, useEffect, useMemo, useState } from "/page/vendor/preact-htm.js";
import { Conversation } from "/page/slack/conversation.js";
import { HereProvider, hereOf } from "/page/slack/here.js";
import { Home } from "/page/slack/home.js";
import { Modal } from "/page/slack/modal.js";
import { ActAs } from "/page/slack/people.js";
import { HOME, Sidebar } from "/page/slack/sidebar.js";
import { Thread } from "/page/slack/thread.js";
import { useReading, useUnread } from "/page/slack/unread.js";

/** `shown`: whether it is looked at, which makes what is new there read; `tell(count)`: how much is new. */
export function SlackView({ state, act, setAs, shown, tell }) {
  const here = useMemo(() => hereOf(state, act), [state, act]);
  const [place, setPlace] = useState(null);
  const [thread, setThread] = useState(null);
  const channel = state.channels.find((one) => one.id === place) ?? state.channels[0];
  const places = useMemo(() => placesOf(state.channels), [state.channels]);
  const unread = useUnread(places, state.me);
  const atHome = place === HOME;
  const opened = !atHome && thread && channel?.messages.some((one) => one.ts === thread) ? thread : null;
  useReading(unread, [!atHome && channel?.id, opened && `${channel.id}/${opened}`], shown);
  const fresh = (one) => [one.id, ...threadsOf(places, one)].reduce((sum, name) => sum + unread.of(name), 0);
  const all = state.channels.reduce((sum, one) => sum + fresh(one), 0);
  useEffect(() => tell?.(all), [all]);
  const go = (id) => {
    setPlace(id);
    setThread(null);
  };
  const view = state.views.at(-1);
  return html`<${HereProvider} value=${here}>
    <div class="slack">
      <${ActAs} state=${state} setAs=${(user) => { setAs(user); if (channel?.kind === "im") go(null); }} />
      <div class="slack-body ${opened ? "with-thread" : ""}" inert=${Boolean(view)}>
        <${Sidebar} place=${atHome ? HOME : channel?.id} go=${go} fresh=${fresh} />
        ${atHome
          ? html`<${Home} />`
          : channel
            ? html`<${Conversation} key=${channel.id} channel=${channel} openThread=${setThread} unread=${unread} />`
            : html`<p class="welcome">You are in no channel.</p>`}
        ${opened && html`<${Thread} key=${opened} channel=${channel} ts=${opened} close=${() => setThread(null)} />`}
      </div>
      ${view && html`<${Modal} key=${view.id} view=${view} />`}
    </div>
  <//>`;
}

/** The messages of each conversation by its id, and of each thread by `conversation/ts`. */
function placesOf(channels) {
  const places = {};
  for (const channel of channels) {
    places[channel.id] = [];
    for (const message of channel.messages) {
      const reply = message.thread_ts && message.thread_ts !== message.ts;
      const place = reply ? `${channel.id}/${message.thread_ts}` : channel.id;
      (places[place] ??= []).push(message);
    }
  }
  return places;
}

function threadsOf(places, channel) {
  return Object.keys(places).filter((place) => place.startsWith(`${channel.id}/`));
}
