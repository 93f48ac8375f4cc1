// Slack as one person sees it: where they can go, what stands there, a thread beside it, a window before it.
import { html, useCallback, useEffect, useMemo, useState } from "/page/vendor/preact-htm.js";
import { Conversation } from "/page/slack/conversation.js";
import { HereProvider, hereOf, useHere } from "/page/slack/here.js";
import { Home } from "/page/slack/home.js";
import { Modal } from "/page/slack/modal.js";
import { ActAs } from "/page/slack/people.js";
import { HOME, Sidebar } from "/page/slack/sidebar.js";
import { Thread } from "/page/slack/thread.js";
import { useReading, useUnread } from "/page/slack/unread.js";

/** `shown`: whether it is looked at, which makes what is new there read; `tell(count)`: how much is new. */
export function SlackView({ state, act, setAs, shown, tell }) {
  const [{ place, thread }, setPlace] = useState({ place: null, thread: null });
  const show = useCallback((next, ts = null) => setPlace({ place: next, thread: ts }), []);
  const here = useMemo(() => hereOf(state, act, show), [state, act]);
  const channel = place === HOME ? null : (state.channels.find((one) => one.id === place) ?? state.channels[0]);
  const opened = channel?.messages.find((one) => one.ts === thread)?.ts;
  const places = useMemo(() => placesOf(state.channels), [state.channels]);
  const unread = useUnread(places, state.me);
  useReading(unread, [channel?.id, opened && `${channel.id}/${opened}`], shown);
  const fresh = (one) => [one.id, ...threadsOf(places, one)].reduce((sum, name) => sum + unread.of(name), 0);
  const all = state.channels.reduce((sum, one) => sum + fresh(one), 0);
  useEffect(() => tell?.(all), [all]);
  const view = state.views.at(-1);
  return html`<${HereProvider} value=${here}>
    <div class="slack">
      <${ActAs} state=${state} setAs=${setAs} />
      <div class="slack-window">
        <div class="slack-body ${opened ? "with-thread" : ""}" inert=${Boolean(view)}>
          <${Sidebar} place=${channel?.id ?? place} go=${show} fresh=${fresh} />
          <${Place} place=${place} channel=${channel} unread=${unread} />
          ${opened && html`<${Thread} key=${opened} channel=${channel} ts=${opened} close=${() => show(channel.id)} />`}
        </div>
        ${view && html`<${Modal} key=${view.id} view=${view} />`}
      </div>
    </div>
  <//>`;
}

function Place({ place, channel, unread }) {
  const { show } = useHere();
  if (place === HOME) return html`<${Home} />`;
  if (!channel) return html`<p class="welcome">You are in no channel.</p>`;
  const openThread = (ts) => show(channel.id, ts);
  return html`<${Conversation} key=${channel.id} channel=${channel} openThread=${openThread} unread=${unread} />`;
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
