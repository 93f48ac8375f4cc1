// The app's Home tab, which the bot draws for each person.
import { html, useEffect } from "/page/vendor/preact-htm.js";
import { Blocks } from "/page/slack/blocks.js";
import { entered } from "/page/slack/fields.js";
import { useForm } from "/page/slack/forms.js";
import { useHere } from "/page/slack/here.js";

export function Home() {
  const { state, act } = useHere();
  const { home, me } = state;
  const form = useForm(home ? home.id : `no home of ${me}`);
  useEffect(() => {
    act("open_home");
  }, [me]);
  const press = (element, value) =>
    act("press_in_view", { action_id: element.action_id, value, values: entered(home.blocks, form.values) });
  return html`<div class="pane home" aria-label="Home of Corkboard">
    <header class="pane-head"><h2>Corkboard <small>Home</small></h2></header>
    <div class="log" tabindex="0" role="region" aria-label="Home of Corkboard">
      ${home
        ? html`<${Blocks} blocks=${home.blocks} press=${press} form=${form} />`
        : html`<p class="welcome">The bot has not drawn this page yet. It does as soon as it runs.</p>`}
    </div>
  </div>`;
}
