// What can be pressed or chosen from in a message, on Home, and between the fields of a window.
import { html, useState } from "/page/vendor/preact-htm.js";
import { Control, initial } from "/page/slack/controls.js";
import { useConfirm } from "/page/slack/dialogs.js";
import { Menu } from "/page/slack/menu.js";
import { Link, TextObject } from "/page/slack/text.js";

export function Element({ element, block, press, form }) {
  const [dialog, ask] = useConfirm();
  const act = (value, otherwise) => ask(element.confirm, () => press(element, value), otherwise);
  const drawn = { button: Button, overflow: Overflow, image: () => null }[element.type] ?? Choice;
  return html`<${drawn} element=${element} block=${block} act=${act} form=${form} />${dialog}`;
}

function Button({ element, act }) {
  const [busy, setBusy] = useState(false);
  const pressed = () => {
    if (busy) return;
    const work = act(element.value);
    if (!work?.finally) return;
    setBusy(true);
    work.finally(() => setBusy(false));
  };
  const look = `button ${element.style ?? ""}`;
  const label = element.accessibility_label;
  const face = html`<${TextObject} text=${element.text} />`;
  if (element.url) {
    return html`<${Link} url=${element.url} look=${look} label=${label} onClick=${pressed}>${face}<//>`;
  }
  return html`<button type="button" class=${look} aria-label=${label} aria-busy=${busy} onClick=${pressed}>
    ${face}
  </button>`;
}

function Overflow({ element, act }) {
  const items = element.options.map((option) => ({
    key: option.value,
    label: html`<${TextObject} text=${option.text} />`,
    act: () => {
      if (option.url) open(option.url, "_blank", "noopener,noreferrer");
      act(option.value);
    },
  }));
  return html`<${Menu} label="More actions" items=${items} className="overflow" />`;
}

/** A menu, boxes or a date that act as soon as something is chosen. */
function Choice({ element, block, act, form }) {
  const key = `${block.block_id}/${element.action_id}`;
  const [own, setOwn] = useState(initial(element));
  const value = form && key in form.values ? form.values[key] : own;
  const put = (one) => {
    setOwn(one);
    form?.set(key, one);
  };
  const choose = (chosen) => {
    put(chosen);
    act(chosen, () => put(value));
  };
  const label = element.placeholder?.text ?? block.text?.text ?? "Choose";
  return html`<${Control} element=${element} value=${value} set=${choose} label=${label} />`;
}
