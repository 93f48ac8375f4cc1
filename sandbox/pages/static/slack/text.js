// Text as Slack shows it: mrkdwn, plain text, emoji, mentions, links. Everything becomes nodes, nothing becomes HTML.
import { html } from "/page/vendor/preact-htm.js";
import { markup } from "/page/slack/dates.js";
import { emojiOf, nameOf, permalink, useHere } from "/page/slack/here.js";

const TOKEN = new RegExp(
  [
    /```(?<block>[^]+?)```/,
    /<(?<markup>[^<>]+)>/,
    /:(?<emoji>[a-z0-9_+'-]+):/,
    /(?<![\w*])\*(?<bold>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])/,
    /`(?<code>[^`\n]+)`/,
    /(?<![\w_])_(?<italic>[^\s_](?:[^_\n]*[^\s_])?)_(?![\w_])/,
    /(?<![\w~])~(?<strike>[^\s~](?:[^~\n]*[^\s~])?)~(?![\w~])/,
  ]
    .map((one) => one.source)
    .join("|"),
  "g",
);
const SAFE_LINK = /^(https?|mailto|tel):/i;

/** A text object of Block Kit: `plain_text`, or `mrkdwn` with its markup. */
export function TextObject({ text }) {
  if (!text) return null;
  if (text.type === "mrkdwn") return html`<${Mrkdwn} text=${text.text} />`;
  return text.emoji === false ? text.text : html`<${PlainText} text=${text.text} />`;
}

/** Text in which only :emoji: are read. */
function PlainText({ text }) {
  return text.split(/(:[a-z0-9_+'-]+:)/).map((part, at) => {
    return at % 2 ? html`<${Emoji} name=${part.slice(1, -1)} />` : part;
  });
}

/** A message's own text, or an mrkdwn object: paragraphs, and lines that are quoted. */
export function Mrkdwn({ text }) {
  const here = useHere();
  return quotes(text).map(({ quoted, lines }, at) => {
    const nodes = inline(lines, here);
    return quoted ? html`<blockquote key=${at}>${nodes}</blockquote>` : nodes;
  });
}

/** Runs of lines that begin with > and runs that do not. */
function quotes(text) {
  const runs = [];
  for (const line of text.split("\n")) {
    const quoted = line.startsWith("&gt;");
    const rest = quoted ? line.replace(/^&gt; ?/, "") : line;
    const last = runs.at(-1);
    if (last?.quoted === quoted) last.lines += `\n${rest}`;
    else runs.push({ quoted, lines: rest });
  }
  return runs;
}

function inline(source, here) {
  const nodes = [];
  let at = 0;
  for (const match of source.matchAll(TOKEN)) {
    if (match.index > at) nodes.push(unescaped(source.slice(at, match.index)));
    nodes.push(token(match.groups, here));
    at = match.index + match[0].length;
  }
  if (at < source.length) nodes.push(unescaped(source.slice(at)));
  return nodes;
}

function token(found, here) {
  if (found.block) return html`<pre>${unescaped(found.block.replace(/^\n/, ""))}</pre>`;
  if (found.markup) return html`<${Markup} source=${found.markup} />`;
  if (found.emoji) return html`<${Emoji} name=${found.emoji} />`;
  if (found.bold) return html`<strong>${inline(found.bold, here)}</strong>`;
  if (found.code) return html`<code>${unescaped(found.code)}</code>`;
  if (found.italic) return html`<em>${inline(found.italic, here)}</em>`;
  return html`<s>${inline(found.strike, here)}</s>`;
}

/** What stands between < and > (https://docs.slack.dev/messaging/formatting-message-text). */
function Markup({ source }) {
  const { zone } = useHere();
  const [target, label = ""] = split(source);
  if (target.startsWith("!date^")) {
    const [, seconds, form] = target.split("^");
    return html`<time>${markup(seconds, form, unescaped(label), zone)}</time>`;
  }
  if (target.startsWith("!subteam^")) return html`<${Mention} kind="usergroup" id=${target.slice(9)} />`;
  if (target.startsWith("!")) return html`<${Mention} kind="broadcast" id=${target.slice(1)} />`;
  if (target.startsWith("@")) return html`<${Mention} kind="user" id=${target.slice(1)} />`;
  if (target.startsWith("#")) return html`<${Mention} kind="channel" id=${target.slice(1)} />`;
  return html`<${Link} url=${unescaped(target)}>${unescaped(label || target)}<//>`;
}

function split(source) {
  const bar = source.indexOf("|");
  return bar < 0 ? [source] : [source.slice(0, bar), source.slice(bar + 1)];
}

/** A person, a group, a channel, or everybody, by name. */
export function Mention({ kind, id }) {
  const { state } = useHere();
  const names = {
    user: () => `@${nameOf(state, id)}`,
    usergroup: () => `@${state.groups[id] ?? id}`,
    channel: () => `#${state.names[id] ?? id}`,
    broadcast: () => `@${id}`,
  };
  const mine = id === state.me || kind === "broadcast";
  return html`<span class="mention ${mine ? "mine" : ""}">${names[kind]()}</span>`;
}

/** A link that opens beside this page, or in it; only addresses that a browser can open safely. */
export function Link({ url, look, label, onClick, children }) {
  const { state, show } = useHere();
  if (!SAFE_LINK.test(url)) return children;
  const inside = permalink(state, url);
  const clicked = (event) => {
    onClick?.();
    if (!inside) return;
    event.preventDefault();
    show(inside.channel, inside.ts);
  };
  return html`<a
    class=${look} href=${url} target="_blank" rel="noopener noreferrer" aria-label=${label} onClick=${clicked}
  >
    ${children}${look && !inside && html`<span class="opens" role="img" aria-label="(opens in a new tab)">↗</span>`}
  </a>`;
}

/** The picture behind a name, or the name where the workspace has none. */
export function Emoji({ name, unicode }) {
  const { state } = useHere();
  const points = unicode ?? emojiOf(state, name.split("::")[0]);
  if (!points) return `:${name}:`;
  const label = name.replaceAll("_", " ");
  return html`<span class="emoji" role="img" aria-label=${label} title=${`:${name}:`}>${picture(points)}</span>`;
}

/** A text object as bare characters, for where the browser draws no nodes. */
export function plain(text, state) {
  if (text.emoji === false) return text.text;
  const shown = (whole, name) => (emojiOf(state, name) ? picture(emojiOf(state, name)) : whole);
  return text.text.replace(/:([a-z0-9_+'-]+):/g, shown);
}

export function picture(points) {
  return String.fromCodePoint(...points.split("-").map((point) => parseInt(point, 16)));
}

/** Slack escapes these three characters and no others. */
export function unescaped(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
