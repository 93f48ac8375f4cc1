// A channel or direct conversation: its messages with their threads below them, and the box to write in.
import { html } from "/page/vendor/preact-htm.js";
import { Avatar } from "/page/slack/avatar.js";
import { Composer } from "/page/slack/composer.js";
import { clock } from "/page/slack/dates.js";
import { placeName, useHere } from "/page/slack/here.js";
import { ChannelMenu, Deaf } from "/page/slack/channel.js";
import { Log } from "/page/slack/log.js";
import { Message } from "/page/slack/message.js";

export function Conversation({ channel, openThread, unread }) {
  const { state } = useHere();
  const name = placeName(state, channel);
  const title = channel.kind === "im" ? name : `# ${name}`;
  const label = `Message ${channel.kind === "im" ? name : `#${name}`}`;
  const say = useSay(channel);
  const mine = `${state.me} ${channel.id}`;
  const draw = (message) => html`<${Message}
    key=${message.ts} message=${message} channel=${channel}
    open=${openable(message) && (() => openThread(message.ts))} foot=${foot(message)}
  />`;
  const foot = (message) => message.reply_count > 0 && html`<${ThreadBar}
    message=${message} open=${() => openThread(message.ts)} fresh=${unread.of(`${channel.id}/${message.ts}`)}
  />`;
  return html`<div class="pane channel" aria-label=${title}>
    <header class="pane-head">
      <h2>${title}</h2><${Members} channel=${channel} /><${ChannelMenu} channel=${channel} />
    </header>
    <${Log} messages=${inChannel(channel, state.ephemerals)} name=${`Messages in ${name}`} draw=${draw}>
      <${Welcome} channel=${channel} />
    <//>
    <${Deaf} channel=${channel} />
    ${channel.archived
      ? html`<p class="closed">This channel is archived: nobody can write here.</p>`
      : html`<${Composer} key=${mine} place=${mine} label=${label} send=${say} />`}
  </div>`;
}

/** How one says something there: `send(text, {broadcast, files})`; what begins with a slash is a command. */
export function useSay(channel, threadTs) {
  const { act } = useHere();
  return (text, { broadcast, files }) => {
    const place = { channel: channel.id, thread_ts: threadTs };
    if (/^\/me\s/.test(text)) return act("say", { ...place, text: text.slice(4), me: true });
    if (text.startsWith("/")) {
      const [, command, rest] = /^(\S+)\s*([^]*)$/.exec(text);
      return act("command", { ...place, command, text: rest });
    }
    return act("say", { ...place, text, broadcast, files });
  };
}

/** What stands in the channel itself, and what only this person sees there, by time. */
export function inChannel(channel, ephemerals) {
  const there = channel.messages.filter((one) => !isReply(one) || one.subtype === "thread_broadcast");
  return byTime([...there, ...whispers(ephemerals, channel, undefined)]);
}

/** What stands in a thread, likewise. */
export function inThread(channel, ts, ephemerals) {
  const there = channel.messages.filter((one) => one.ts === ts || (isReply(one) && one.thread_ts === ts));
  return byTime([...there, ...whispers(ephemerals, channel, ts)]);
}

function whispers(ephemerals, channel, threadTs) {
  return ephemerals
    .filter((one) => one.channel === channel.id && one.thread_ts === threadTs)
    .map((one) => ({ ...one, whispered: true }));
}

function isReply(message) {
  return message.thread_ts !== undefined && message.thread_ts !== message.ts;
}

function openable(message) {
  return !message.whispered && !isReply(message);
}

function byTime(messages) {
  return messages.sort((one, other) => Number(one.ts) - Number(other.ts));
}

function Members({ channel }) {
  const { state } = useHere();
  const people = channel.members.filter((member) => state.people[member]);
  if (channel.kind === "im") return null;
  return html`<span class="members" title=${people.map((member) => state.people[member].name).join(", ")}>
    ${people.map((member) => html`<${Avatar} key=${member} user=${member} small />`)}
    <span>${people.length} members</span>
  </span>`;
}

function ThreadBar({ message, open, fresh }) {
  const { zone } = useHere();
  const { reply_count: count, reply_users: users, latest_reply: latest } = message;
  return html`<button type="button" class="thread-bar" onClick=${open}>
    ${users.map((user) => html`<${Avatar} key=${user} user=${user} small />`)}
    <b>${count} ${count === 1 ? "reply" : "replies"}</b>
    ${fresh > 0
      ? html`<span class="count" aria-label=${`${fresh} new`}>${fresh} new</span>`
      : html`<small>Last at ${clock(latest, zone)}</small>`}
  </button>`;
}

/** What a newcomer does first. */
function Welcome({ channel }) {
  if (channel.messages.length > 0 || !channel.bot) return null;
  if (channel.kind === "im") {
    return html`<p class="welcome">
      Here Corkboard speaks to you alone. Most is answered where you ask: try <code>/thumbtack help</code>.
    </p>`;
  }
  return html`<p class="welcome">
    Nobody asked for anything yet. Press <b>New lead</b> beside the customer's phone: a card appears here.
    Open its thread and answer; the customer receives it.
  </p>`;
}
