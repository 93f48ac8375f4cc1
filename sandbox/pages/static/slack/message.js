// One message as Slack shows it: who, when, what, the marks under it, and what one can do with it.
import { html, useLayoutEffect, useRef, useState } from "/page/vendor/preact-htm.js";
import { Avatar } from "/page/slack/avatar.js";
import { Blocks } from "/page/slack/blocks.js";
import { Editor } from "/page/slack/composer.js";
import { clock, exactly } from "/page/slack/dates.js";
import { question, useConfirm } from "/page/slack/dialogs.js";
import { nameOf, useHere } from "/page/slack/here.js";
import { Menu } from "/page/slack/menu.js";
import { Reactions, Palette } from "/page/slack/reactions.js";
import { Mrkdwn } from "/page/slack/text.js";

/** `foot`: what stands below it, e.g. its thread; `open`: opens its thread, where it can have one. */
export function Message({ message, channel, open, foot }) {
  const { state, act, me, zone } = useHere();
  const [editing, setEditing] = useState(false);
  const [dialog, ask] = useConfirm();
  const article = useFocusKept(editing);
  const { ts } = message;
  const place = { channel: channel.id, ts };
  const whispered = message.whispered ?? false;
  const press = (element, value) => act("press", { ...place, action_id: element.action_id, value });
  const remove = () => ask(DELETE, () => act("delete", place));
  const items = actions({ message, me, open, edit: () => setEditing(true), remove });
  const save = (text) => act("edit", { ...place, text });
  const toggle = (name) => act("react", { ...place, name });
  const label = `${nameOf(state, message.user)}, ${clock(ts, zone)}`;
  const still = whispered || editing || message.subtype === "tombstone"; // nothing can be done with it
  return html`<article ref=${article} class=${`message ${whispered ? "whispered" : ""}`} aria-label=${label} data-ts=${ts}>
    <${Avatar} user=${message.user} />
    <div class="message-body">
      <${Line} message=${message} />
      ${editing
        ? html`<${Editor} text=${typed(message, state)} save=${save} done=${() => setEditing(false)} />`
        : html`<${Content} message=${message} press=${press} />`}
      ${message.reactions?.length > 0 && html`<${Reactions} reactions=${message.reactions} toggle=${toggle} />`}
      ${whispered && html`<button type="button" class="quiet" onClick=${() => act("dismiss", place)}>
        Dismiss message
      </button>`}
      ${foot}
    </div>
    ${!still && html`<${Menu}
      label="Message actions" items=${items} className="message-menu"
      top=${(close) => html`<${Palette} choose=${(name) => { close(); toggle(name); }} />`}
    />`}
    ${dialog}
  </article>`;
}

/** Who changed the message is at its menu then; who put it away, or deleted it, in its list. */
function useFocusKept(editing) {
  const article = useRef(null);
  const before = useRef(editing);
  useLayoutEffect(() => {
    const ended = before.current && !editing;
    before.current = editing;
    if (ended && document.activeElement === document.body) article.current.querySelector(".message-menu button")?.focus();
  }, [editing]);
  useLayoutEffect(() => {
    const gone = article.current;
    const list = gone.closest(".log");
    return () => gone.contains(document.activeElement) && list?.focus();
  }, []);
  return article;
}

const DELETE = question("Delete message", "Do you want to delete this message? This cannot be undone.", "Delete");

function actions({ message, me, open, edit, remove }) {
  const items = open ? [{ key: "reply", label: "Reply in thread", act: open }] : [];
  if (message.user !== me.id) return items;
  return [
    ...items,
    { key: "edit", label: "Edit message", act: edit },
    { key: "delete", label: "Delete message …", danger: true, act: remove },
  ];
}

function Line({ message }) {
  const { state, zone } = useHere();
  const { ts, user } = message;
  return html`<header class="message-line">
    <strong>${nameOf(state, user)}</strong>
    ${state.people[user]?.bot && html`<span class="badge">App</span>`}
    <time title=${exactly(ts, zone)}>${clock(ts, zone)}</time>
    ${message.whispered && html`<span class="only-you">👁 Only visible to you</span>`}
    ${message.subtype === "thread_broadcast" && html`<span class="only-you">replied to a thread</span>`}
  </header>`;
}

function Content({ message, press }) {
  const { blocks, text, files = [] } = message;
  const told = message.edited && !message.bot_id && html`<span class="edited">(edited)</span>`;
  if (message.subtype === "tombstone") return html`<p class="gone">${text}</p>`;
  return html`
    ${blocks?.length
      ? html`<${Blocks} blocks=${blocks} press=${press} />`
      : html`<div class="mrkdwn"><${Mrkdwn} text=${text ?? ""} /></div>`}
    ${told}
    ${files.map((file) => html`<p key=${file.id} class="file"><span aria-hidden="true">📎</span> ${file.name}</p>`)}
  `;
}

/** What a person would see in the box when they change their own words: names instead of ids. */
function typed(message, state) {
  return (message.text ?? "")
    .replace(/<@(\w+)>/g, (_, id) => `@${nameOf(state, id)}`)
    .replace(/<!subteam\^(\w+)>/g, (_, id) => `@${state.groups[id] ?? id}`)
    .replace(/<#(\w+)(\|[^>]*)?>/g, (_, id) => `#${state.names[id] ?? id}`)
    .replace(/<!(here|channel|everyone)>/g, "@$1")
    .replace(/<(https?:[^|>]+)(\|[^>]*)?>/g, "$1")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}
