// Trouble: what goes wrong now and how it ends, what else could, and which calls went over the wire.
import { html, useRef, useState } from "/page/vendor/preact-htm.js";
import { Calls } from "/page/thumbtack/calls.js";

/** `state`: the page's whole state; `act(deed, args)`: a promise. */
export function TroubleBar({ state, act }) {
  const { troubles, bot, missing, minutes_ahead: ahead, wire } = state.trouble;
  const [open, setOpen] = useState(null); // "trouble", "calls", or neither
  const now = troubles.filter((one) => one.on);
  const opener = useRef(null);
  const toggle = (name) => setOpen(open === name ? null : name);
  const press = (one) => act("trouble", { key: one.key, on: !one.on });
  const close = () => {
    setOpen(null);
    opener.current.focus();
  };
  const pressAndClose = async (one) => {
    if ((await press(one)) !== null && open === "trouble") close();
  };
  const keys = (event) => event.key === "Escape" && open === "trouble" && close();
  return html`<div class="trouble" data-open=${open} onKeyDown=${keys}>
    <h2 class="unseen">Trouble</h2>
    <div class="trouble-now">
      <div role="status" class="how">
        ${missing && html`<p class="now"><span class="light wrong" aria-hidden="true"></span><span><b>No bot yet.</b> Start <code>corkboard serve</code> with the settings that the sandbox printed.</span></p>`}
        ${now.length === 0 && !missing && html`<p class="well"><span class="light" aria-hidden="true"></span>All is well</p>`}
        ${now.map((one) => html`<${Now} key=${one.key} trouble=${one} press=${press} />`)}
      </div>
      <div class="trouble-buttons">
        ${bot && html`<button type="button" class="button" onClick=${() => act("later")}>15 minutes later</button>`}
        ${ahead > 0 && html`<span class="ahead">${ahead} minutes ahead</span>`}
        <button ref=${opener} type="button" class="button opener" aria-expanded=${open === "trouble"} onClick=${() => toggle("trouble")}>Make trouble</button>
        <button type="button" class="button opener" aria-expanded=${open === "calls"} onClick=${() => toggle("calls")}>Calls</button>
      </div>
    </div>
    <ul class="troubles" aria-label="What can go wrong">
      ${troubles.map((one) => html`<li key=${one.key}><${Trouble} trouble=${one} bot=${bot} press=${pressAndClose} /></li>`)}
    </ul>
    <${Calls} calls=${wire} />
  </div>`;
}

/** What goes on, always in sight, with its end. */
function Now({ trouble, press }) {
  return html`<p class="now">
    <span class="light wrong" aria-hidden="true"></span>
    <span><b>${trouble.now}.</b> <span class="goes-on">${trouble.goes_on}</span></span>
    ${trouble.ends && html`<button type="button" class="button" onClick=${() => press(trouble)}>${trouble.ends}</button>`}
  </p>`;
}

function Trouble({ trouble, bot, press }) {
  const elsewhere = trouble.key === "bot_killed" && bot === null;
  return html`<div class="one-trouble ${trouble.on ? "on" : ""}">
    <h3>${trouble.on ? trouble.now : trouble.name}</h3>
    <p>${elsewhere ? "This bot was started elsewhere: end it and start it there." : trouble.on ? trouble.goes_on : trouble.hint}</p>
    ${!elsewhere && (!trouble.on || trouble.ends) &&
    html`<button type="button" class="button ${trouble.on ? "" : "danger"}" onClick=${() => press(trouble)}>
      ${trouble.on ? trouble.ends : trouble.begin}
    </button>`}
  </div>`;
}

/** What is played before it is one's own turn. */
export function Tour({ state }) {
  const { tour } = state.trouble;
  return html`<p class="tour" role="status">${tour && html`<b>The tour plays.</b> ${tour}`}</p>`;
}
