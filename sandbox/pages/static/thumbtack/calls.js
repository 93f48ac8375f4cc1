// Who called whom, the newest first: where, and the answer's status, never what was said.
import { html } from "/page/vendor/preact-htm.js";

const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

export function Calls({ calls }) {
  return html`<div class="calls" role="region" aria-label="Calls over the wire" tabindex="0">
    ${calls.length === 0
      ? html`<p class="nothing">Nobody called anybody yet.</p>`
      : html`<table>
          <caption>The last calls over the wire, the newest first</caption>
          <thead>
            <tr><th scope="col">At</th><th scope="col">Who calls whom</th><th scope="col">What for</th><th scope="col">Answer</th></tr>
          </thead>
          <tbody>${calls.map((call) => html`<${Call} key=${call.number} call=${call} />`)}</tbody>
        </table>`}
  </div>`;
}

function Call({ call }) {
  const failed = call.status === null || call.status >= 400;
  return html`<tr class=${failed ? "failed" : ""}>
    <td>${time.format(new Date(call.at))}</td>
    <td>${call.caller} → ${call.called}</td>
    <td><code>${call.method} ${call.path}</code></td>
    <td>${call.status ?? "lost"}</td>
  </tr>`;
}
