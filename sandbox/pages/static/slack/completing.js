// What the box suggests while one types: commands with their verbs, people and groups, channels, emoji.
import { html, useState } from "/page/vendor/preact-htm.js";
import { useHere } from "/page/slack/here.js";
import { picture } from "/page/slack/text.js";

const MOST = 8;
let lists = 0;

/** {shown, at, aria, look(textarea), key(event) -> whether it was taken, choose(number), hide()} */
export function useSuggestions(text, box, write) {
  const { state } = useHere();
  const [found, setFound] = useState({ shown: [], start: 0, at: 0 });
  const [id] = useState(() => `suggestions-${(lists += 1)}`);
  const hide = () => setFound({ shown: [], start: 0, at: 0 });
  const look = (area) => setFound(suggest(area.value.slice(0, area.selectionStart), state));
  const choose = (number) => {
    const { start, shown } = found;
    const end = box.current.selectionStart;
    const chosen = `${shown[number].insert} `;
    write(text.slice(0, start) + chosen + text.slice(end).trimStart());
    hide();
    requestAnimationFrame(() => {
      box.current?.focus();
      box.current?.setSelectionRange(start + chosen.length, start + chosen.length);
    });
  };
  const key = (event) => {
    const { shown, at } = found;
    if (shown.length === 0) return false;
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps) setFound({ ...found, at: (at + steps[event.key] + shown.length) % shown.length });
    else if (event.key === "Tab" || (event.key === "Enter" && !isWhole(shown[at], text))) choose(at);
    else if (event.key === "Escape") hide();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  const open = found.shown.length > 0;
  const aria = {
    role: "combobox",
    "aria-autocomplete": "list",
    "aria-expanded": open,
    "aria-controls": id,
    "aria-activedescendant": open ? `${id}-${found.at}` : undefined,
  };
  return { ...found, id, aria, look, key, choose, hide };
}

export function Suggestions({ suggested }) {
  const { shown, at, id, choose } = suggested;
  const take = (event, number) => {
    event.preventDefault(); // the box keeps the focus
    choose(number);
  };
  return html`<ul id=${id} class="suggestions" role="listbox" aria-label="Suggestions" hidden=${shown.length === 0}>
    ${shown.map((one, number) => html`<li
      key=${one.insert} id=${`${id}-${number}`} role="option" aria-selected=${number === at}
      onMouseDown=${(event) => take(event, number)}
    >
      ${one.face && html`<span class="emoji" aria-hidden="true">${one.face}</span>`}
      <b>${one.insert}</b>
      ${one.tells && html`<small>${one.tells}</small>`}
    </li>`)}
  </ul>`;
}

/** Enter on what stands there already sends it. */
function isWhole(one, text) {
  return text.trim() === one.insert;
}

function suggest(before, state) {
  const command = /^\/\S*(?: \S*)?$/.exec(before);
  if (command) return list(0, commands(state), before);
  const word = /(?:^|\s)([@#:][\w+-]*)$/.exec(before)?.[1];
  if (!word || word === ":" || /^:.$/.test(word)) return list(0, [], "");
  const sources = { "@": people, "#": channels, ":": emoji };
  return list(before.length - word.length, sources[word[0]](state), word);
}

function list(start, all, word) {
  const wanted = word.toLowerCase();
  return { start, at: 0, shown: all.filter((one) => one.insert.toLowerCase().startsWith(wanted)).slice(0, MOST + 2) };
}

function commands(state) {
  const all = Object.entries(state.commands);
  return all.flatMap(([command, verbs]) => verbs.map((verb) => ({ insert: `${command} ${verb}` })));
}

function people(state) {
  const there = Object.values(state.people).filter((person) => !person.gone);
  const persons = there.map((person) => ({ insert: `@${person.name}`, tells: person.bot ? "app" : "" }));
  const groups = Object.values(state.groups).map((handle) => ({ insert: `@${handle}`, tells: "group" }));
  return [...persons, ...groups, { insert: "@channel", tells: "everybody here" }];
}

function channels(state) {
  return Object.values(state.names).map((name) => ({ insert: `#${name}` }));
}

function emoji(state) {
  const all = Object.entries(state.emoji);
  return all.map(([name, points]) => ({ insert: `:${name}:`, face: points && picture(points) }));
}
