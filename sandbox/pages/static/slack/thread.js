// A card with everything that was said about it: the pane at the side.
import { html, useEffect, useRef } from "/page/vendor/preact-htm.js";
import { Composer } from "/page/slack/composer.js";
import { inThread, useSay } from "/page/slack/conversation.js";
import { placeName, useHere } from "/page/slack/here.js";
import { Log } from "/page/slack/log.js";
import { Message } from "/page/slack/message.js";

export function Thread({ channel, ts, close }) {
  const { state } = useHere();
  const head = useRef(null);
  useEffect(() => {
    const before = document.activeElement;
    head.current.focus();
    return () => before?.isConnected && before.focus();
  }, []);
  const say = useSay(channel, ts);
  const mine = `${state.me} ${channel.id} ${ts}`;
  const draw = (message) => html`<${Message} key=${message.ts} message=${message} channel=${channel} />`;
  return html`<aside class="pane thread" aria-label="Thread" onKeyDown=${(event) => isOurs(event) && close()}>
    <header class="pane-head">
      <button type="button" class="icon back" aria-label="Back to the channel" onClick=${close}>←</button>
      <h2 ref=${head} tabindex="-1">Thread <small>${placeName(state, channel)}</small></h2>
      <button type="button" class="icon shut" aria-label="Close thread" onClick=${close}>×</button>
    </header>
    <${Log} messages=${inThread(channel, ts, state.ephemerals)} name="Messages in this thread" draw=${draw} />
    ${!channel.archived && html`<${Composer}
      key=${mine} place=${mine} label="Reply …" send=${say} inThread=${channel.kind !== "im"}
    />`}
  </aside>`;
}

/** The Escape key, pressed in the thread itself, and not in a question that stands before it. */
function isOurs(event) {
  return event.key === "Escape" && !event.defaultPrevented && !event.target.closest("dialog");
}
