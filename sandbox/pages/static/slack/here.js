// What everything in Slack's view needs to know: the workspace as one person sees it, and how to act in it.
import { createContext, useContext } from "/page/vendor/preact-htm.js";

const Here = createContext(null);

export const HereProvider = Here.Provider;

/** {state, act, me, zone, show}: the workspace, deeds, who one is, their time zone, and `show(channel, ts)`. */
export function useHere() {
  return useContext(Here);
}

/** Everything that parts of a page need, from the state. */
export function hereOf(state, act, show) {
  const me = state.people[state.me];
  return { state, act, me, zone: me.tz, show };
}

/** Where a link into this workspace leads: {channel, ts}, of a thread its parent; null for every other address. */
export function permalink(state, url) {
  const found = /^https:\/\/([\w.-]+)\/archives\/(\w+)(?:\/p(\d+)(\d{6}))?/.exec(url);
  if (found?.[1] !== `${state.domain}.slack.com`) return null;
  const thread = URL.canParse(url) && new URL(url).searchParams.get("thread_ts");
  return { channel: found[2], ts: thread || (found[3] ? `${found[3]}.${found[4]}` : null) };
}

/** The name behind a user's id; the id itself for somebody who is not in the workspace. */
export function nameOf(state, userId) {
  return state.people[userId]?.name ?? userId ?? "Somebody";
}

/** An emoji's code points by its name; undefined for a name that is none, such as "constructor". */
export function emojiOf(state, name) {
  return Object.hasOwn(state.emoji, name) ? state.emoji[name] : undefined;
}

/** What a conversation is called in the sidebar. */
export function placeName(state, channel) {
  return channel.kind === "im" ? nameOf(state, state.bot) : channel.name;
}
