// A window of the bot over Slack: what it asks, what was entered, what is wrong with it.
import { html, useLayoutEffect, useRef, useState } from "/page/vendor/preact-htm.js";
import { Blocks } from "/page/slack/blocks.js";
import { entered, missing } from "/page/slack/fields.js";
import { useForm } from "/page/slack/forms.js";
import { useHere } from "/page/slack/here.js";
import { TextObject } from "/page/slack/text.js";

export function Modal({ view }) {
  const { state, act } = useHere();
  const form = useForm(view.id);
  const [busy, setBusy] = useState(false);
  const sheet = useFocus(view);
  const values = () => entered(view.blocks, form.values);
  const close = () => act("close_view", { view_id: view.id });
  const closeAll = async () => {
    for (const one of state.views.toReversed()) await act("close_view", { view_id: one.id });
  };
  const press = (element, value) =>
    act("press_in_view", { view_id: view.id, action_id: element.action_id, value, values: values() });
  useEscape(close);
  const fail = (errors) => {
    form.fail(errors);
    requestAnimationFrame(() => sheet.current?.querySelector("[aria-invalid=true], .bad")?.focus());
  };
  const submit = async (event) => {
    event.preventDefault();
    if (busy) return;
    const empty = missing(view.blocks, form.values);
    if (Object.keys(empty).length > 0) return fail(empty);
    setBusy(true);
    const answer = await act("submit", { view_id: view.id, values: values() });
    setBusy(false);
    if (answer?.errors) fail(answer.errors);
  };
  const asks = view.blocks.some((block) => block.type === "input"); // else it is scrolled by the arrow keys
  return html`<div class="modal-around">
    <form
      ref=${sheet} class="modal" role="dialog" aria-modal="true" aria-labelledby="modal-title" novalidate
      onSubmit=${submit}
      onKeyDown=${(event) => event.key === "Tab" && wrap(event, sheet.current)}
    >
      <header class="modal-head">
        <h2 id="modal-title" tabindex="-1"><${TextObject} text=${view.title} /></h2>
        <button type="button" class="icon shut" aria-label="Close" onClick=${closeAll}>×</button>
      </header>
      <div class="modal-body" tabindex=${asks ? undefined : "0"}>
        <${Blocks} blocks=${view.blocks} press=${press} form=${form} />
      </div>
      <footer class="foot">
        <button type="button" class="button" onClick=${close}>
          ${view.close ? html`<${TextObject} text=${view.close} />` : "Cancel"}
        </button>
        ${view.submit && html`<button type="submit" class="button primary" aria-busy=${busy}>
          <${TextObject} text=${view.submit} />
        </button>`}
      </footer>
    </form>
  </div>`;
}

const FIRST = "[data-first=true], .field input:checked, .field input:not([type=radio]), .field select, .field textarea";

/** Who opens a window is in its first field; who pressed what is gone now, at its top; afterwards where they were. */
function useFocus({ id, hash }) {
  const sheet = useRef(null);
  useLayoutEffect(() => {
    const before = document.activeElement;
    const first = sheet.current.querySelector(FIRST);
    (first ?? sheet.current.querySelector("h2")).focus();
    return () => before?.isConnected && before.focus();
  }, [id]);
  useLayoutEffect(() => {
    if (document.activeElement === document.body) sheet.current.querySelector("h2").focus();
  }, [hash]);
  return sheet;
}

/** The Escape key closes, wherever one is; a menu or question that stands before the window takes it first. */
function useEscape(close) {
  // With the window, not after it is drawn: until then the one below it would be closed.
  useLayoutEffect(() => {
    const pressed = (event) => {
      const before = document.querySelector("dialog[open], .menu-list");
      if (event.key === "Escape" && !event.defaultPrevented && !before) close();
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  });
}

/** The Tab key goes round within the window. */
function wrap(event, sheet) {
  const stops = [...sheet.querySelectorAll("a[href], button:not([disabled]), input, select, textarea")];
  const [first, last] = [stops[0], stops.at(-1)];
  const leaves = event.shiftKey ? document.activeElement === first : document.activeElement === last;
  if (!leaves) return;
  event.preventDefault();
  (event.shiftKey ? last : first).focus();
}
