// Inputs of every kind that the bot uses, as the browser's own: they work by keyboard, on phones, and read aloud.
import { html } from "/page/vendor/preact-htm.js";
import { useHere } from "/page/slack/here.js";
import { TextObject, plain } from "/page/slack/text.js";

const TYPED = { email_text_input: "email", url_text_input: "url", number_input: "text", plain_text_input: "text" };
const PICKED = { datepicker: "date", timepicker: "time", datetimepicker: "datetime-local" };
const SEVERAL = ["checkboxes", "multi_static_select", "multi_users_select"];

/** Whether this is several controls, which a fieldset holds together. */
export function isGroup(element) {
  return element.type === "radio_buttons" || SEVERAL.includes(element.type);
}

/** What stands in a control that nobody touched: text, a value, a list of values, or null. */
export function initial(element) {
  if (element.initial_option) return element.initial_option.value;
  if (element.initial_options) return element.initial_options.map((option) => option.value);
  const named = Object.keys(element).find((name) => name.startsWith("initial_"));
  return named ? element[named] : SEVERAL.includes(element.type) ? [] : null;
}

/** `set(value)` at each change; `id` ties a label to it, `label` names it where there is none, `bad`: what is wrong. */
export function Control(props) {
  const { type } = props.element;
  if (type in TYPED) return html`<${Typed} ...${props} />`;
  if (type in PICKED) return html`<${Picked} ...${props} />`;
  if (type === "radio_buttons") return html`<${Boxes} ...${props} kind="radio" />`;
  if (SEVERAL.includes(type)) return html`<${Boxes} ...${props} kind="checkbox" />`;
  return html`<${Select} ...${props} />`;
}

function described({ id, label, bad }) {
  const named = id ? { id, "aria-describedby": `${id}-help` } : { "aria-label": label };
  return { ...named, "aria-invalid": Boolean(bad) };
}

function Typed(props) {
  const { element, value, set, enter } = props;
  const common = {
    ...described(props),
    value: value ?? "",
    placeholder: element.placeholder?.text,
    maxlength: element.max_length ?? 3000,
    "data-first": element.focus_on_load,
    onInput: (event) => set(event.target.value || null),
  };
  if (element.multiline) return html`<textarea ...${common} rows="5" />`;
  const entered = (event) => event.key === "Enter" && enter?.();
  return html`<input ...${common} type=${TYPED[element.type]} autocomplete="off" onKeyDown=${entered} />`;
}

function Picked(props) {
  const { element, value, set } = props;
  const stamp = element.type === "datetimepicker";
  const shown = stamp && value ? localOf(value) : (value ?? "");
  const read = (text) => (!text ? null : stamp ? Math.floor(new Date(text).getTime() / 1000) : text);
  const picked = (event) => set(read(event.target.value));
  return html`<input ...${described(props)} type=${PICKED[element.type]} value=${shown} onChange=${picked} />`;
}

function localOf(seconds) {
  const date = new Date(seconds * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function Select(props) {
  const { element, value, set, optional } = props;
  const groups = groupsOf(element, useHere().state);
  const one = (option) => html`<option key=${option.value} value=${option.value}>${option.label}</option>`;
  const drawn = ({ label, options }) =>
    label ? html`<optgroup key=${label} label=${label}>${options.map(one)}</optgroup>` : options.map(one);
  const chosen = (event) => set(event.target.value || null);
  return html`<select ...${described(props)} value=${value ?? ""} onChange=${chosen}>
    <option value="" disabled=${!optional} hidden=${!optional}>${element.placeholder?.text ?? "Choose …"}</option>
    ${groups.map(drawn)}
  </select>`;
}

function Boxes(props) {
  const { element, value, set, kind, label, id } = props;
  const state = useHere().state;
  const options = groupsOf(element, state).flatMap((group) => group.options);
  const has = (one) => (kind === "radio" ? value === one : (value ?? []).includes(one));
  const toggle = (one) => {
    if (kind === "radio") return set(one);
    return set(has(one) ? value.filter((other) => other !== one) : [...(value ?? []), one]);
  };
  return html`<div class="boxes" role=${id ? undefined : "group"} aria-label=${id ? undefined : label}>
    ${options.map((one, at) => html`<label key=${one.value} class="box">
      <input
        id=${at === 0 ? id : undefined} type=${kind} name=${id ?? element.action_id} checked=${has(one.value)}
        onChange=${() => toggle(one.value)}
      />
      <span>
        ${one.label}
        ${one.description && html`<small><${TextObject} text=${one.description} /></small>`}
      </span>
    </label>`)}
  </div>`;
}

/** What can be chosen, by groups: [{label, options: [{value, label, description}]}]. */
function groupsOf(element, state) {
  if (element.option_groups) {
    const group = ({ label, options }) => ({ label: label.text, options: options.map(option(state)) });
    return element.option_groups.map(group);
  }
  if (element.options) return [{ options: element.options.map(option(state)) }];
  const people = Object.values(state.people).filter((person) => !person.bot && !person.gone);
  const known = element.type.includes("users")
    ? people.map((person) => [person.id, person.name])
    : Object.entries(state.names).map(([id, name]) => [id, `#${name}`]);
  return [{ options: withStrangers(known, initial(element)).map(([value, label]) => ({ value, label })) }];
}

function option(state) {
  return ({ value, text, description }) => ({ value, label: plain(text, state), description });
}

/** Somebody was chosen before who is not there any more: still shown, by the id. */
function withStrangers(known, chosen) {
  const there = new Set(known.map(([id]) => id));
  const missing = [chosen ?? []].flat().filter((id) => !there.has(id));
  return [...known, ...missing.map((id) => [id, id])];
}
