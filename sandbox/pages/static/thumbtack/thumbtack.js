// Thumbtack's side: what happens there at the press of a button, and each customer's phone.
import { html, useState } from "/page/vendor/preact-htm.js";
import { Conversation } from "/page/thumbtack/conversation.js";
import { Doing } from "/page/thumbtack/doing.js";

const HAPPENS = [
  ["lead", "New lead", "Pro API"],
  ["lead_v4", "New lead", "newer API, with photos"],
  ["early", "Question first", "newer API, request later"],
  ["test_delivery", "Test delivery", "from Thumbtack's screen"],
];

/** `state`: the page's whole state; `act(deed, args)`: a promise of null where it was not done; `begin(true)`: somebody began. */
export function ThumbtackView({ state, act, begun, begin }) {
  const { leads, businesses } = state.thumbtack;
  const zone = state.slack.people[state.slack.me].tz; // the same clock on both sides
  const [chosen, choose] = useState(null); // null: whoever came last
  const lead = leads.find((one) => one.id === chosen) ?? leads[0];
  const happen = async (deed) => {
    if ((await act(deed)) === null) return;
    begin(true);
    if (deed !== "test_delivery") choose(null);
  };
  return html`<div class="thumbtack">
    <header class="thumbtack-head">
      <h2>Thumbtack</h2>
      ${begun || !lead
        ? html`<${Businesses} businesses=${businesses} />`
        : html`<p class="first">Start here: press <b>New lead</b>, then answer in its thread in Slack.</p>`}
    </header>
    <div class="happens" role="group" aria-label="Let something happen on Thumbtack">
      ${HAPPENS.map(
        ([deed, label, how], at) => html`<button
          key=${deed} type="button" class="button ${at === 0 ? "primary" : ""}" onClick=${() => happen(deed)}
        ><span>${label}</span><span class="how">${how}</span></button>`,
      )}
    </div>
    ${lead
      ? html`<${Customers} leads=${leads} chosen=${lead} choose=${choose} />
          <${Phone} key=${lead.id} lead=${lead} zone=${zone} act=${act} hold=${() => choose(lead.id)} />`
      : html`<p class="start-here">Start here: press <b>New lead</b>. A customer asks for something, and Corkboard pins a card in #leads.</p>`}
  </div>`;
}

/** Whose phone one looks at. */
function Customers({ leads, chosen, choose }) {
  if (leads.length < 2) return null;
  return html`<nav class="customers" aria-label="Customers">
    ${leads.map(
      (one) => html`<button key=${one.id} type="button" aria-pressed=${one.id === chosen.id} onClick=${() => choose(one.id)}>
        <span class="customer-name">${one.customer}</span>
        <span class="customer-what">${one.what}</span>
      </button>`,
    )}
  </nav>`;
}

/** Whoever is in it stays with it, whoever else may come: `hold`. */
function Phone({ lead, zone, act, hold }) {
  return html`<section onfocusin=${hold} class="phone" aria-label=${`The phone of ${lead.customer}`}>
    <header class="phone-head">
      <h3>${lead.customer}</h3>
      <p>${lead.what} · ${lead.v4 ? "newer API" : "Pro API"}</p>
    </header>
    ${!lead.told &&
    html`<p class="untold">
      <span>Thumbtack has not told Corkboard of this request yet.</span>
      <button type="button" class="button" onClick=${() => act("tell", { lead_id: lead.id })}>Tell it now</button>
    </p>`}
    <${Conversation} lead=${lead} zone=${zone} />
    <${Doing} lead=${lead} act=${act} />
  </section>`;
}

/** What the pro allowed Corkboard, and whether new leads come. */
function Businesses({ businesses }) {
  const off = businesses.filter((one) => one.leads_come === false);
  const allowed = businesses.filter((one) => one.allowed.length);
  return html`<div class="businesses">
    ${allowed.map((one) => html`<p key=${one.id}>${one.name} · ${one.allowed.join(", ")}</p>`)}
    ${!allowed.length && html`<p>No business is connected: as Olga, type <code>/thumbtack connect</code>.</p>`}
    ${off.map((one) => html`<p key=${`off ${one.id}`} class="paused">New leads are switched off for ${one.name}. Here they come all the same.</p>`)}
  </div>`;
}
