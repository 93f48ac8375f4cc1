// A customer's conversation with the business: the request, then what both wrote, and reviews.
import { html, useLayoutEffect, useRef } from "/page/vendor/preact-htm.js";
import { Request } from "/page/thumbtack/request.js";

const NEAR = 60; // pixels from the end that still count as the end
const time = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });

export function Conversation({ lead }) {
  const list = useRef(null);
  const atEnd = useRef(true);
  const last = lead.messages.length + lead.reviews.length;
  useLayoutEffect(() => {
    if (atEnd.current && last > 0) list.current.scrollTop = list.current.scrollHeight;
  }, [last]);
  const scrolled = ({ target }) => {
    atEnd.current = target.scrollHeight - target.scrollTop - target.clientHeight < NEAR;
  };
  return html`<div ref=${list} class="conversation" onScroll=${scrolled} tabindex="0" role="region" aria-label=${`Conversation with ${lead.customer}`}>
    <${Request} lead=${lead} />
    <div role="log" aria-live="polite" aria-label="Messages" class="bubbles">
      ${lead.messages.map((one) => html`<${Message} key=${one.id} message=${one} lead=${lead} />`)}
      ${lead.reviews.map((one) => html`<${Review} key=${one.id} review=${one} name=${lead.customer} />`)}
    </div>
    ${last === 0 && html`<p class="nothing">What your team answers in the card's thread arrives here.</p>`}
  </div>`;
}

function Message({ message, lead }) {
  const mine = message.via === "customer";
  const from = mine ? lead.customer : (lead.business ?? "The business");
  const at = time.format(new Date(message.at));
  return html`<div class="bubble ${mine ? "mine" : "theirs"}">
    <p class="from">${from}${message.via === "app" && html` <span>· typed in Thumbtack's app</span>`}</p>
    <p class="words">${message.text}</p>
    <p class="at">${mine ? `Sent ${at}` : `Received ${at}`}</p>
  </div>`;
}

function Review({ review, name }) {
  const stars = "★".repeat(review.rating) + "☆".repeat(5 - review.rating);
  return html`<div class="review">
    <p class="from">Review by ${name}</p>
    <p><span class="stars" role="img" aria-label=${`${review.rating} of 5 stars`}>${stars}</span></p>
    <p class="words">${review.text}</p>
  </div>`;
}
