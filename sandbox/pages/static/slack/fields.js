// An input block: its label, its control, a hint, and what is wrong with what was entered.
import { html } from "/page/vendor/preact-htm.js";
import { Control, initial, isGroup } from "/page/slack/controls.js";
import { TextObject } from "/page/slack/text.js";

export function Field({ block, press, form }) {
  const { element, optional, hint } = block;
  const key = keyOf(block);
  const value = form && key in form.values ? form.values[key] : initial(element);
  const bad = form?.errors[block.block_id];
  const id = `field-${block.block_id}-${element.action_id}`.replace(/[^\w-]/g, "_");
  const tells = block.dispatch_action ?? false;
  const set = (entered) => {
    form?.set(key, entered, block.block_id);
    if (tells && !element.type.endsWith("_input")) press(element, entered);
  };
  const enter = () => tells && press(element, value);
  const mayStay = optional && html` <span class="optional">(optional)</span>`;
  const label = html`<${TextObject} text=${block.label} />${mayStay}`;
  const control = html`<${Control}
    element=${element} value=${value} set=${set} enter=${enter} id=${id} bad=${bad} optional=${optional}
  />`;
  const help = html`<p id=${`${id}-help`} class=${bad ? "bad" : "hint"}>
    ${bad ? html`<span aria-hidden="true">⚠ </span>${bad}` : hint && html`<${TextObject} text=${hint} />`}
  </p>`;
  return isGroup(element)
    ? html`<fieldset class="field"><legend>${label}</legend>${control}${help}</fieldset>`
    : html`<div class="field"><label for=${id}>${label}</label>${control}${help}</div>`;
}

/** Where a block's value stands in what was filled in: it stays when the window is changed around it, as in Slack. */
export function keyOf(block) {
  return `${block.block_id}/${block.element.action_id}`;
}

/** What was filled in, by action_id, as it is sent. */
export function entered(blocks, values) {
  const sent = {};
  for (const block of blocks) {
    const elements = [block.element, block.accessory, ...(block.elements ?? [])];
    for (const element of elements.filter((one) => one?.action_id)) {
      const key = `${block.block_id}/${element.action_id}`;
      if (key in values) sent[element.action_id] = values[key];
    }
  }
  return sent;
}

/** What must be filled in and is not, by block: {block_id: sentence}. */
export function missing(blocks, values) {
  const found = {};
  for (const block of blocks.filter((one) => one.type === "input" && !one.optional)) {
    const value = keyOf(block) in values ? values[keyOf(block)] : initial(block.element);
    const empty = value === null || value === "" || (Array.isArray(value) && value.length === 0);
    if (empty) found[block.block_id] = "Please complete this required field.";
  }
  return found;
}
