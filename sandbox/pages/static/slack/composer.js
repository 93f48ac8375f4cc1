// The box in which one writes: it sends by Enter, keeps what was typed, and completes commands, names and emoji.
import { html, useEffect, useLayoutEffect, useRef, useState } from "/page/vendor/preact-htm.js";
import { Suggestions, useSuggestions } from "/page/slack/completing.js";
import { useHere } from "/page/slack/here.js";

const A_FILE = "estimate.pdf";
const drafts = new Map();

/** `place`: names the draft, and is its key; `send(text, {broadcast, files})`: a promise of null where it was not taken. */
export function Composer({ place, label, send, inThread }) {
  const [text, write] = useDraft(place);
  const [broadcast, setBroadcast] = useState(false);
  const [file, setFile] = useState("");
  const { state } = useHere();
  const submit = async () => {
    const words = text.trim();
    if (!words && !file) return;
    const attached = file;
    write("");
    setFile("");
    const answer = await send(marked(words, state), { broadcast, files: file ? [file] : [] });
    if (answer === null) {
      write((now) => now || text);
      setFile((now) => now || attached);
    } else setBroadcast(false);
  };
  return html`<form class="composer" onSubmit=${(event) => { event.preventDefault(); submit(); }}>
    <${Box} label=${label} text=${text} write=${write} submit=${submit} />
    <div class="composer-foot">
      <button type="button" class="quiet" aria-pressed=${Boolean(file)} onClick=${() => setFile(file ? "" : A_FILE)}>
        <span aria-hidden="true">📎</span> ${file ? `${file} ×` : "Attach a file"}
      </button>
      ${inThread && html`<label class="box">
        <input type="checkbox" checked=${broadcast} onChange=${(event) => setBroadcast(event.target.checked)} />
        <span>Also send to channel</span>
      </label>`}
      <button type="submit" class="button primary send" disabled=${!text.trim() && !file}>Send</button>
    </div>
  </form>`;
}

/** A message's own words, being changed. */
export function Editor({ text: before, save, done }) {
  const [text, write] = useState(before);
  const { state } = useHere();
  const submit = async () => {
    if (!text.trim()) return;
    if ((await save(marked(text.trim(), state))) !== null) done();
  };
  return html`<form class="composer editor" onSubmit=${(event) => { event.preventDefault(); submit(); }}
    onKeyDown=${(event) => { if (event.key !== "Escape") return; event.stopPropagation(); done(); }}>
    <${Box} label="Edit message" text=${text} write=${write} submit=${submit} focus />
    <div class="composer-foot">
      <button type="button" class="button" onClick=${done}>Cancel</button>
      <button type="submit" class="button primary">Save</button>
    </div>
  </form>`;
}

function Box({ label, text, write, submit, focus }) {
  const box = useRef(null);
  const suggested = useSuggestions(text, box, write);
  useLayoutEffect(() => {
    box.current.style.height = "auto";
    box.current.style.height = `${box.current.scrollHeight + 2}px`;
  }, [text]);
  useEffect(() => {
    if (!focus) return;
    box.current.focus();
    box.current.setSelectionRange(text.length, text.length);
  }, []);
  const keys = (event) => {
    if (suggested.key(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    }
  };
  return html`<div class="box-around">
    <${Suggestions} suggested=${suggested} />
    <textarea
      ref=${box} rows="1" value=${text} placeholder=${label} aria-label=${label} enterkeyhint="send" maxlength="40000"
      ...${suggested.aria} onInput=${(event) => { write(event.target.value); suggested.look(event.target); }}
      onKeyDown=${keys} onBlur=${suggested.hide}
    />
  </div>`;
}

/** What was typed and not sent stays with its place, also while one looks elsewhere. */
function useDraft(place) {
  const [, redraw] = useState(0);
  const write = (next) => {
    drafts.set(place, typeof next === "function" ? next(drafts.get(place) ?? "") : next);
    redraw((count) => count + 1);
  };
  return [drafts.get(place) ?? "", write];
}

/** Names become mentions, as Slack's own box makes them. */
function marked(text, state) {
  const byName = new Map();
  for (const person of Object.values(state.people)) byName.set(person.name.toLowerCase(), `<@${person.id}>`);
  for (const [id, handle] of Object.entries(state.groups)) byName.set(handle.toLowerCase(), `<!subteam^${id}>`);
  for (const all of ["here", "channel", "everyone"]) byName.set(all, `<!${all}>`);
  const channels = new Map(Object.entries(state.names).map(([id, name]) => [name.toLowerCase(), `<#${id}>`]));
  return text
    .replace(/(?<![\w<])@([\w-]+)/g, (whole, name) => byName.get(name.toLowerCase()) ?? whole)
    .replace(/(?<![\w<&/])#([\w-]+)/g, (whole, name) => channels.get(name.toLowerCase()) ?? whole);
}
