// Block Kit as Slack draws it (https://docs.slack.dev/reference/block-kit/blocks).
import { html } from "/page/vendor/preact-htm.js";
import { Element } from "/page/slack/elements.js";
import { Field } from "/page/slack/fields.js";
import { RichText } from "/page/slack/richtext.js";
import { TextObject } from "/page/slack/text.js";

/**
 * `press(element, value)`: somebody pressed or chose. `form`, in windows and on Home: {values, set, errors}, what was
 * filled in.
 */
export function Blocks({ blocks, press, form }) {
  const draw = (block, at) =>
    html`<${Block} key=${block.block_id ?? at} block=${block} press=${press} form=${form} />`;
  return html`<div class="blocks">${blocks.map(draw)}</div>`;
}

function Block({ block, press, form }) {
  switch (block.type) {
    case "header":
      return html`<h3 class="block-header"><${TextObject} text=${block.text} /></h3>`;
    case "section":
      return html`<${Section} block=${block} press=${press} form=${form} />`;
    case "rich_text":
      return html`<div class="rich"><${RichText} elements=${block.elements} /></div>`;
    case "context":
      return html`<div class="context">
        ${block.elements.map((one, at) => html`<span key=${at}><${ContextElement} element=${one} /></span>`)}
      </div>`;
    case "actions":
      return html`<div class="actions">
        ${block.elements.map(
          (one) => html`<${Element} key=${one.action_id} element=${one} block=${block} press=${press} form=${form} />`,
        )}
      </div>`;
    case "input":
      return html`<${Field} block=${block} press=${press} form=${form} />`;
    case "image":
      return html`<${Picture} title=${block.title?.text} alt=${block.alt_text} />`;
    case "divider":
      return html`<hr />`;
    default:
      return html`<p class="unknown">(${block.type})</p>`;
  }
}

function Section({ block, press, form }) {
  const { text, fields, accessory } = block;
  return html`<div class="section">
    <div class="section-text">
      ${text && html`<div class="mrkdwn"><${TextObject} text=${text} /></div>`}
      ${fields && html`<div class="section-fields">
        ${fields.map((field, at) => html`<div key=${at} class="mrkdwn"><${TextObject} text=${field} /></div>`)}
      </div>`}
    </div>
    ${accessory && html`<div class="accessory">
      ${accessory.type === "image"
        ? html`<${Picture} alt=${accessory.alt_text} small />`
        : html`<${Element} element=${accessory} block=${block} press=${press} form=${form} />`}
    </div>`}
  </div>`;
}

function ContextElement({ element }) {
  return element.type === "image"
    ? html`<${Picture} alt=${element.alt_text} small />`
    : html`<${TextObject} text=${element} />`;
}

/** A tile in place of a picture: it lies on another host, and this page loads nothing from outside. */
function Picture({ title, alt, small }) {
  return html`<figure class=${small ? "picture small" : "picture"}>
    ${title && html`<figcaption>${title}</figcaption>`}
    <div class="tile" role="img" aria-label=${alt}>
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d="M4 5h16v14H4z" /><path d="m4 16 5-5 4 4 3-3 4 4" /><circle cx="15.5" cy="9" r="1.5" />
      </svg>
      ${!small && html`<span>${alt}</span>`}
    </div>
  </figure>`;
}
