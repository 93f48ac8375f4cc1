// Who one is on this page: a member of the team, or the admin.
import { html } from "/page/vendor/preact-htm.js";
import { Avatar } from "/page/slack/avatar.js";

export function ActAs({ state, setAs }) {
  const people = Object.values(state.people).filter((person) => !person.bot && !person.gone);
  return html`<fieldset class="act-as">
    <legend>You are</legend>
    ${people.map((person) => html`<label key=${person.id} class=${person.id === state.me ? "chosen" : ""}>
      <input
        type="radio" name="as" value=${person.id} checked=${person.id === state.me} onChange=${() => setAs(person.id)}
      />
      <${Avatar} user=${person.id} small />
      <span>${person.name}${person.admin && html` <small>admin</small>`}</span>
    </label>`)}
  </fieldset>`;
}
