// What one does with a whole channel: who is in it, whether it is open, and a new one.
import { html, useEffect, useRef, useState } from "/page/vendor/preact-htm.js";
import { question, useConfirm } from "/page/slack/dialogs.js";
import { useHere } from "/page/slack/here.js";
import { Menu } from "/page/slack/menu.js";

export function ChannelMenu({ channel }) {
  const { act } = useHere();
  const [dialog, ask] = useConfirm();
  const place = { channel: channel.id };
  if (channel.kind === "im") return null;
  const remove = () => ask(REMOVE, () => act("remove_bot", place));
  const close = () => ask(CLOSE, () => act("archive", place));
  const bot = channel.bot
    ? { key: "remove", label: "Remove Corkboard …", danger: true, act: remove }
    : { key: "invite", label: "Invite Corkboard", act: () => act("invite_bot", place) };
  const door = channel.archived
    ? { key: "open", label: "Open channel again", act: () => act("unarchive", place) }
    : { key: "close", label: "Archive channel …", danger: true, act: close };
  return html`<${Menu} label="Channel" items=${[bot, door]} className="channel-menu" />${dialog}`;
}

const REMOVE = question(
  "Remove Corkboard",
  "It can neither post nor hear here until somebody invites it again.",
  "Remove",
);
const CLOSE = question("Archive this channel", "Nobody can write here until it is opened again.", "Archive");

export function Invite({ channel }) {
  const { act } = useHere();
  const invite = () => act("invite_bot", { channel: channel.id });
  return html`<button type="button" class="button" onClick=${invite}>Invite Corkboard</button>`;
}

/** The last line of the list of channels: a name makes a new one. */
export function AddChannel() {
  const { act, show } = useHere();
  const [name, setName] = useState(null);
  const box = useRef(null);
  useEffect(() => box.current?.focus(), [name === null]);
  if (name === null) {
    return html`<li>
      <button type="button" onClick=${() => setName("")}>
        <span class="hash" aria-hidden="true">+</span><span class="place">Add a channel</span>
      </button>
    </li>`;
  }
  const add = async (event) => {
    event.preventDefault();
    const answer = await act("add_channel", { name });
    if (answer === null) return;
    setName(null);
    show(answer.channel);
  };
  const keys = (event) => event.key === "Escape" && setName(null);
  return html`<li><form class="add-channel" onSubmit=${add} onKeyDown=${keys}>
    <input
      ref=${box} aria-label="Name of the new channel" placeholder="name" maxlength="80"
      autocomplete="off" value=${name} onInput=${(event) => setName(event.target.value)}
    />
    <button type="submit">Add</button>
  </form></li>`;
}
