// What happens next with one lead: the customer writes or reviews, the team uses Thumbtack's app, Thumbtack charges.
import { html, useState } from "/page/vendor/preact-htm.js";

const WAYS = [
  ["customer", "Customer"],
  ["app", "App"],
  ["price", "Price"],
  ["review", "Review"],
  ["job", "Job"],
];
const ONLY_NEWER = "Only Thumbtack's newer API tells Corkboard of this. This lead came by the Pro API.";
const BEGINS = { price: "$26.00", review: "Great work, would hire again." };
const drafts = new Map(); // what was typed and not sent stays, by lead and way

export function Doing({ lead, act }) {
  const [way, setWay] = useState("customer");
  const place = `${lead.id} ${way}`;
  const [text, write] = useDraft(place, BEGINS[way] ?? "");
  const [rating, setRating] = useState(5);
  const send = async (more = {}) => {
    const wanted = { customer: { text }, app: { text }, price: { price: text }, review: { text, rating }, job: {} }[way];
    write("");
    if ((await act(way, { lead_id: lead.id, ...wanted, ...more })) === null) write((now) => now || text);
    else if (drafts.get(place) === "") drafts.delete(place); // else something more was typed meanwhile
  };
  return html`<div class="doing">
    <div class="ways" role="group" aria-label="What happens next">
      ${WAYS.map(
        ([name, label]) => html`<button key=${name} type="button" aria-pressed=${way === name} onClick=${() => setWay(name)}>${label}</button>`,
      )}
    </div>
    <form onSubmit=${(event) => { event.preventDefault(); if (way === "job" || text.trim()) send(); }}>
      ${!lead.v4 && (way === "app" || way === "job")
        ? html`<p class="hint">${ONLY_NEWER}</p>`
        : html`<${Form} way=${way} lead=${lead} text=${text} write=${write} rating=${rating} setRating=${setRating} />`}
    </form>
  </div>`;
}

function Form({ way, lead, text, write, rating, setRating }) {
  switch (way) {
    case "customer":
      return html`<${Words} label=${`Write as ${lead.customer}`} text=${text} write=${write} button="Send" />`;
    case "app":
      return html`<${Words} label=${`Answer ${lead.customer} in Thumbtack's app, as one of the team`} text=${text} write=${write} button="Send" />`;
    case "price":
      return html`<div class="one-line">
        <input aria-label="What the lead costs the pro" value=${text} maxlength="20" onInput=${(event) => write(event.target.value)} />
        <button type="submit" class="button primary" disabled=${!text.trim()}>Charge</button>
      </div>`;
    case "review":
      return html`<label class="rating">
          <span>Stars</span>
          <select value=${rating} onChange=${(event) => setRating(Number(event.target.value))}>
            ${[5, 4, 3, 2, 1].map((stars) => html`<option key=${stars} value=${stars}>${`${"★".repeat(stars)} ${stars}`}</option>`)}
          </select>
        </label>
        <${Words} label=${`Review by ${lead.customer}`} text=${text} write=${write} button="Review" />`;
    default:
      return html`<div class="one-line">
        <p class="hint">The customer chose this business for the job.</p>
        <button type="submit" class="button primary">Job won</button>
      </div>`;
  }
}

/** Enter sends, Shift and Enter begin a line. */
function Words({ label, text, write, button }) {
  const keys = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    event.target.form.requestSubmit();
  };
  return html`<div class="one-line">
    <textarea
      rows="2" aria-label=${label} placeholder=${label} value=${text} maxlength="16384" enterkeyhint="send"
      onInput=${(event) => write(event.target.value)} onKeyDown=${keys}
    />
    <button type="submit" class="button primary" disabled=${!text.trim()}>${button}</button>
  </div>`;
}

function useDraft(place, begins) {
  const [, redraw] = useState(0);
  const write = (next) => {
    drafts.set(place, typeof next === "function" ? next(drafts.get(place) ?? "") : next);
    redraw((count) => count + 1);
  };
  return [drafts.get(place) ?? begins, write];
}
