// What a customer asked for. Photos lie on Thumbtack's servers, and nothing outside is loaded: a tile says what is on them.
import { html } from "/page/vendor/preact-htm.js";

const WINDOW = { weekday: "short", month: "short", day: "numeric", hour: "numeric", minute: "2-digit" };

export function Request({ lead, zone }) {
  const when = lead.when ? lead.when.split("\n") : lead.times.map((one) => span(one, zone));
  const rows = [
    ["Where", lead.where && [lead.where]],
    ["When", when.length > 0 && when],
    ["Estimate", lead.price && [lead.price]],
    ["Phone", lead.phone && [lead.phone]],
  ].filter(([, lines]) => lines);
  return html`<article class="request" aria-label="The request">
    <h4>${lead.what}</h4>
    ${lead.about && html`<p class="words">${lead.about}</p>`}
    <dl>
      ${rows.map(([name, lines]) => html`<${Row} key=${name} name=${name} lines=${lines} />`)}
    </dl>
    ${lead.answers.length > 0 &&
    html`<details>
      <summary>${lead.answers.length === 1 ? "One answer" : `${lead.answers.length} answers`}</summary>
      <dl>
        ${lead.answers.map((one) => html`<${Row} key=${one.question} name=${one.question} lines=${[one.answer]} />`)}
      </dl>
    </details>`}
    ${lead.photos.length > 0 &&
    html`<ul class="photos" aria-label="Photos">
      ${lead.photos.map((one) => html`<li key=${one.name}><${Photo} photo=${one} /></li>`)}
    </ul>`}
    ${lead.cost && html`<p class="cost">Only the pro sees: this lead costs ${lead.cost}${lead.charge === "Charged" ? ", charged" : ""}.</p>`}
  </article>`;
}

function Row({ name, lines }) {
  return html`<div>
    <dt>${name}</dt>
    ${lines.map((line, at) => html`<dd key=${at}>${line}</dd>`)}
  </div>`;
}

function Photo({ photo }) {
  return html`<figure class="photo">
    <svg viewBox="0 0 64 48" aria-hidden="true">
      <circle cx="46" cy="14" r="5" />
      <path d="M0 44 L20 20 L34 36 L42 28 L64 46 V48 H0 Z" />
    </svg>
    <figcaption>${photo.title || photo.name}</figcaption>
  </figure>`;
}

function span({ start, end }, zone) {
  const from = new Date(start);
  if (Number.isNaN(from.getTime())) return start;
  const form = new Intl.DateTimeFormat("en-US", { ...WINDOW, timeZone: zone });
  const until = new Date(end ?? NaN);
  return Number.isNaN(until.getTime()) ? form.format(from) : form.formatRange(from, until);
}
