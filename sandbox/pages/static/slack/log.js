// A list of messages that is read aloud as it grows, and stays at its end while one is there.
import { html, useLayoutEffect, useRef, useState } from "/page/vendor/preact-htm.js";
import { day } from "/page/slack/dates.js";
import { useHere } from "/page/slack/here.js";

const NEAR = 60;

/** `messages`, oldest first, each drawn by `draw(message)`; `name`: what the list is called. */
export function Log({ messages, draw, name, children }) {
  const { zone } = useHere();
  const list = useRef(null);
  const atEnd = useRef(true);
  const [below, setBelow] = useState(false);
  const last = messages.at(-1)?.ts;
  const toEnd = () => list.current.scrollTo({ top: list.current.scrollHeight });
  useLayoutEffect(() => {
    if (atEnd.current) toEnd();
  });
  useLayoutEffect(() => setBelow(!atEnd.current), [last]);
  const scrolled = (event) => {
    const { scrollHeight, scrollTop, clientHeight } = event.currentTarget; // told a moment later, when the list may be gone
    atEnd.current = scrollHeight - scrollTop - clientHeight < NEAR;
    if (atEnd.current) setBelow(false);
  };
  return html`<div class="log-around">
    <div
      ref=${list} class="log" role="log" aria-live="polite" aria-relevant="additions" aria-label=${name}
      tabindex="0" onScroll=${scrolled}
    >
      ${children}
      ${messages.map((message, at) => {
        const today = day(message.ts, zone);
        const first = at === 0 || today !== day(messages[at - 1].ts, zone);
        return [
          first && html`<div key=${`day ${message.ts}`} class="day"><span>${today}</span></div>`,
          draw(message),
        ];
      })}
    </div>
    ${below && html`<button type="button" class="button below" onClick=${toEnd}>↓ New messages</button>`}
  </div>`;
}
