// A customer's conversation with the business: the request, then what both wrote, and reviews.
import { html, useLayoutEffect, useRef } from "/page/vendor/preact-htm.js";
import { Request } from "/page/thumbtack/request.js";

const NEAR = 60; // pixels from the end that still count as the end

export function Conversation({ lead, zone }) {
  const list = useRef(null);
  const atEnd = useRef(true);
  const count = useRef(0);
  const last = lead.written.length;
  const toEnd = () => {
    if (atEnd.current && count.current > 0) list.current.scrollTop = list.current.scrollHeight;
  };
  useLayoutEffect(() => {
    count.current = last;
    toEnd();
  }, [last]);
  useLayoutEffect(() => {
    const resized = new ResizeObserver(toEnd); // also when its tab is shown
    resized.observe(list.current);
    return () => resized.disconnect();
  }, []);
  const scrolled = ({ target }) => {
    if (target.clientHeight > 0) atEnd.current = target.scrollHeight - target.scrollTop - target.clientHeight < NEAR;
  };
  return html`<div ref=${list} class="conversation" onScroll=${scrolled} tabindex="0" role="region" aria-label=${`Conversation with ${lead.customer}`}>
    <${Request} lead=${lead} zone=${zone} />
    <div role="log" aria-live="polite" aria-label="Messages" class="bubbles">
      ${lead.written.map((one) =>
        one.by === "review"
          ? html`<${Review} key=${one.id} review=${one} name=${lead.customer} />`
          : html`<${Message} key=${one.id} message=${one} lead=${lead} zone=${zone} />`,
      )}
    </div>
    ${last === 0 && html`<p class="nothing">What your team answers in the card's thread arrives here.</p>`}
  </div>`;
}

function Message({ message, lead, zone }) {
  const mine = message.by === "customer";
  const from = mine ? lead.customer : (lead.business ?? "The business");
  const at = new Date(message.at).toLocaleTimeString("en-US", { hour: "numeric", minute: "2-digit", timeZone: zone });
  return html`<div class="bubble ${mine ? "mine" : "theirs"}">
    <p class="from">${from}${message.by === "app" && html` <span>· typed in Thumbtack's app</span>`}</p>
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
