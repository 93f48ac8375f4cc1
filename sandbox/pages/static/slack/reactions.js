// The marks under a message, and the few emoji one can put there.
import { html } from "/page/vendor/preact-htm.js";
import { emojiOf, nameOf, useHere } from "/page/slack/here.js";
import { picture } from "/page/slack/text.js";

const QUICK = ["+1", "white_check_mark", "eyes", "tada", "heart", "pray"];

export function Reactions({ reactions, toggle }) {
  const { state } = useHere();
  return html`<div class="reactions" aria-label="Reactions">
    ${reactions.map(({ name, users }) => {
      const who = users.map((user) => nameOf(state, user)).join(", ");
      const mine = users.includes(state.me);
      return html`<button
        key=${name} type="button" class="reaction" aria-pressed=${mine} title=${`${who} reacted with :${name}:`}
        aria-label=${`${users.length} ${name.replaceAll("_", " ")}, by ${who}`} onClick=${() => toggle(name)}
      ><span class="emoji" aria-hidden="true">${shown(state, name)}</span> ${users.length}</button>`;
    })}
  </div>`;
}

/** The emoji that stand at the top of a message's menu. */
export function Palette({ choose }) {
  const { state } = useHere();
  return html`<div class="palette">
    ${QUICK.map((name) => html`<button
      key=${name} type="button" role="menuitem" tabindex="-1" class="emoji" title=${`:${name}:`}
      aria-label=${`React with ${name.replaceAll("_", " ")}`} onClick=${() => choose(name)}
    >${shown(state, name)}</button>`)}
  </div>`;
}

function shown(state, name) {
  const points = emojiOf(state, name.split("::")[0]);
  return points ? picture(points) : `:${name}:`;
}
