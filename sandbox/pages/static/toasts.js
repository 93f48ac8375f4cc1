// Sentences that say what came of a deed; errors stay a little longer.
import { html, useCallback, useRef, useState } from "/page/vendor/preact-htm.js";

const SECONDS = { said: 5, error: 9 };

/** [toasts, toast(sentence, isError)] */
export function useToasts() {
  const [toasts, setToasts] = useState([]);
  const count = useRef(0);
  const toast = useCallback((sentence, isError = false) => {
    const id = (count.current += 1);
    const kind = isError ? "error" : "said";
    setToasts((shown) => [...shown.slice(-2), { id, sentence, kind }]);
    setTimeout(() => setToasts((shown) => shown.filter((one) => one.id !== id)), SECONDS[kind] * 1000);
  }, []);
  return [toasts, toast];
}

export function Toasts({ toasts }) {
  return html`<div class="toasts" role="status" aria-live="polite">
    ${toasts.map(({ id, sentence, kind }) => html`<p key=${id} class="toast ${kind}">${sentence}</p>`)}
  </div>`;
}
