// Questions that stand before everything else: whether one really means it.
import { html, useLayoutEffect, useRef, useState } from "/page/vendor/preact-htm.js";
import { TextObject } from "/page/slack/text.js";

/** [dialog to draw, ask(confirm object, what to do then, or otherwise)]; without a confirm object it is done at once. */
export function useConfirm() {
  const [asked, setAsked] = useState(null);
  const ask = (confirm, then, otherwise) => (confirm ? setAsked({ confirm, then, otherwise }) : then());
  const dialog =
    asked &&
    html`<${Question}
      confirm=${asked.confirm}
      answered=${(isYes) => {
        setAsked(null);
        if (isYes) asked.then();
        else asked.otherwise?.();
      }}
    />`;
  return [dialog, ask];
}

function Question({ confirm, answered }) {
  const dialog = useRef(null);
  useLayoutEffect(() => {
    const before = document.activeElement;
    const shown = dialog.current;
    shown.showModal();
    return () => {
      shown.close(); // while it stands, nothing behind it takes the focus
      if (before?.isConnected) before.focus();
    };
  }, []);
  const { title, text, confirm: yes, deny: no, style } = confirm;
  const escaped = (event) => {
    event.preventDefault();
    answered(false);
  };
  return html`<dialog ref=${dialog} class="question" aria-labelledby="question-title" onCancel=${escaped}>
    <h2 id="question-title"><${TextObject} text=${title} /></h2>
    <div class="mrkdwn"><${TextObject} text=${text} /></div>
    <div class="foot">
      <button type="button" class="button" onClick=${() => answered(false)}><${TextObject} text=${no} /></button>
      <button type="button" class="button ${style === "danger" ? "danger" : "primary"}" onClick=${() => answered(true)}>
        <${TextObject} text=${yes} />
      </button>
    </div>
  </dialog>`;
}

/** A confirm object in plain text, for what Slack itself asks. */
export function question(title, text, yes) {
  const plain = (words) => ({ type: "plain_text", text: words, emoji: false });
  return { title: plain(title), text: plain(text), confirm: plain(yes), deny: plain("Cancel"), style: "danger" };
}
