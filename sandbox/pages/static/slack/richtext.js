// rich_text blocks: sections, lists, quotes and code, each of styled runs
// (https://docs.slack.dev/reference/block-kit/blocks/rich-text-block).
import { html } from "/page/vendor/preact-htm.js";
import { markup } from "/page/slack/dates.js";
import { useHere } from "/page/slack/here.js";
import { Emoji, Link, Mention } from "/page/slack/text.js";

const STYLES = { bold: "strong", italic: "em", strike: "s", underline: "u", code: "code" };

export function RichText({ elements }) {
  return elements.map((element, at) => html`<${Part} key=${at} part=${element} />`);
}

function Part({ part }) {
  switch (part.type) {
    case "rich_text_list":
      return html`<${List} list=${part} />`;
    case "rich_text_quote":
      return html`<blockquote><${Runs} runs=${part.elements} /></blockquote>`;
    case "rich_text_preformatted":
      return html`<pre><${Runs} runs=${part.elements} /></pre>`;
    default:
      return html`<p><${Runs} runs=${trimmed(part.elements)} /></p>`;
  }
}

function List({ list }) {
  const items = list.elements.map((item, at) => html`<li key=${at}><${Runs} runs=${item.elements} /></li>`);
  const depth = `indent-${Math.min(list.indent ?? 0, 4)}`;
  return list.style === "ordered"
    ? html`<ol class=${depth} start=${(list.offset ?? 0) + 1}>${items}</ol>`
    : html`<ul class=${depth}>${items}</ul>`;
}

/** A section that something follows ends with its line break, which nobody sees. */
function trimmed(runs) {
  const last = runs.at(-1);
  if (last?.type !== "text" || !last.text.endsWith("\n")) return runs;
  return [...runs.slice(0, -1), { ...last, text: last.text.slice(0, -1) }];
}

function Runs({ runs }) {
  return runs.map((run, at) => html`<${Run} key=${at} run=${run} />`);
}

function Run({ run }) {
  const names = Object.keys(run.style ?? {}).filter((name) => run.style[name] && name in STYLES);
  const plain = html`<${Leaf} leaf=${run} />`;
  return names.reduce((inner, name) => html`<${STYLES[name]}>${inner}<//>`, plain);
}

function Leaf({ leaf }) {
  const { zone } = useHere();
  switch (leaf.type) {
    case "text":
      return leaf.text;
    case "link":
      return html`<${Link} url=${leaf.url}>${leaf.text ?? leaf.url}<//>`;
    case "emoji":
      return html`<${Emoji} name=${leaf.name} unicode=${leaf.unicode} />`;
    case "date":
      return html`<time>${markup(leaf.timestamp, leaf.format, leaf.fallback ?? "", zone)}</time>`;
    case "broadcast":
      return html`<${Mention} kind="broadcast" id=${leaf.range} />`;
    case "user":
    case "usergroup":
    case "channel":
      return html`<${Mention} kind=${leaf.type} id=${leaf[`${leaf.type}_id`]} />`;
    default:
      return `(${leaf.type})`;
  }
}
