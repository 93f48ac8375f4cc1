// What everything in Slack's view needs to know: the workspace as one person sees it, and how to act in it.
import { createContext, useContext } from "/page/vendor/preact-htm.js";

const Here = createContext(null);

export const HereProvider = Here.Provider;

/** {state, act, me, zone}: the workspace, deeds, who one is, and the time zone one lives in. */
export function useHere() {
  return useContext(Here);
}

/** Everything that parts of a page need, from the state. */
export function hereOf(state, act) {
  const me = state.people[state.me];
  return { state, act, me, zone: me.tz };
}

/** The name behind a user's id; the id itself for somebody who is not in the workspace. */
export function nameOf(state, userId) {
  return state.people[userId]?.name ?? userId ?? "Somebody";
}

/** What a conversation is called in the sidebar. */
export function placeName(state, channel) {
  return channel.kind === "im" ? nameOf(state, state.bot) : channel.name;
}
