// The whole page: Slack beside the customer's phone, and who one is just now.
import { html, render, useCallback, useEffect, useErrorBoundary, useState } from "/page/vendor/preact-htm.js";
import { act as doIt, listen } from "/page/server.js";
import { Toasts, useToasts } from "/page/toasts.js";
import { SlackView } from "/page/slack/slack.js";
import { useArrived } from "/page/thumbtack/arrived.js";
import { ThumbtackView } from "/page/thumbtack/thumbtack.js";
import { Tour, TroubleBar } from "/page/thumbtack/trouble.js";

const ANA = "U0ANA";
const TITLE = document.title;
const TABS = [
  ["slack", "Slack"],
  ["customer", "Customer"],
  ["trouble", "Trouble"],
];

function App() {
  const [as, setAs] = useAs();
  const [state, setState] = useState(null);
  const [lost, setLost] = useState(false);
  const [tab, setTab] = useState("slack");
  const [fresh, setFresh] = useState(0);
  const [begun, begin] = useState(false);
  const wide = useWide();
  const [toasts, toast] = useToasts();
  const arrived = useArrived(state, wide || tab === "customer");
  useEffect(() => listen(as, setState, setLost, () => as !== ANA && setAs(ANA)), [as]);
  const [broken] = useErrorBoundary();
  useEffect(() => {
    document.title = fresh > 0 ? `(${fresh}) ${TITLE}` : TITLE;
  }, [fresh]);
  const act = useCallback(
    (deed, args = {}) =>
      doIt(as, deed, args).then(
        (answer) => {
          if (answer.said) toast(answer.said);
          return answer;
        },
        (error) => {
          toast(error.message, true);
          return null; // the sentence was shown: whoever asked sees by this that nothing was done
        },
      ),
    [as],
  );
  if (broken) return html`<p class="loading" role="alert">This page made a mistake. <a href="/">Open it again</a>; nothing of what happened is lost.</p>`;
  if (state === null) return html`<p class="loading">Opening the sandbox …</p>`;
  const counts = {
    slack: tab === "slack" ? 0 : fresh,
    customer: arrived,
    trouble: state.trouble.troubles.filter((one) => one.on).length + Number(state.trouble.missing),
  };
  return html`
    <${Skips} go=${setTab} />
    <${Head} lost=${lost} />
    <${Tour} state=${state} />
    <nav class="tabs" aria-label="Parts of the page">
      ${TABS.map(
        ([name, label]) =>
          html`<button key=${name} type="button" aria-pressed=${tab === name} onClick=${() => setTab(name)}>
            ${label}${counts[name] > 0 && html` <span class="count" aria-label=${`${counts[name]} ${name === "trouble" ? "now" : "new"}`}>${counts[name]}</span>`}
          </button>`,
      )}
    </nav>
    <main class="sides" data-tab=${tab}>
      <section class="side slack-side" aria-label="Slack">
        ${!wide && !begun && !state.trouble.tour && state.thumbtack.leads.length > 0 && html`<p class="start">
          Start here: press <b>New lead</b> on the tab <b>Customer</b>, then answer in its thread here.
        </p>`}
        <${SlackView} state=${state.slack} act=${act} setAs=${setAs} shown=${wide || tab === "slack"} tell=${setFresh} />
      </section>
      <section class="side customer-side" aria-label="Thumbtack">
        <${ThumbtackView} state=${state} act=${act} begun=${begun} begin=${begin} />
      </section>
      <section class="side trouble-side" aria-label="Trouble">
        <${TroubleBar} state=${state} act=${act} />
      </section>
    </main>
    <${Toasts} toasts=${toasts} />
  `;
}

function Head({ lost }) {
  return html`<header class="head">
    <h1>Corkboard <span>sandbox</span></h1>
    <p>Nothing here is real, and nothing leaves this machine.</p>
    ${lost && html`<p class="lost" role="alert">The sandbox was stopped. Start it again, and this page goes on.</p>`}
  </header>`;
}

const SKIPS = [
  ["slack", "Write in Slack", ".slack-side .composer textarea"],
  ["customer", "Thumbtack", ".customer-side button"],
  ["trouble", "Trouble", ".trouble-side button"],
];

/** For the keyboard: first of all the ways to what else is dozens of stops away; seen while one is at them. */
function Skips({ go }) {
  const skip = (tab, to) => {
    go(tab);
    requestAnimationFrame(() => (document.querySelector(to) ?? document.querySelector(`.${tab}-side button`))?.focus());
  };
  return html`<nav class="skips" aria-label="Go to">
    ${SKIPS.map(([tab, label, to]) => html`<button key=${tab} type="button" class="button" onClick=${() => skip(tab, to)}>${label}</button>`)}
  </nav>`;
}

/** Who one acts as: it stands in the address, so that two tabs can be two people. */
function useAs() {
  const [as, setAs] = useState(new URLSearchParams(location.search).get("as") ?? ANA);
  const change = (user) => {
    history.replaceState(null, "", `?as=${encodeURIComponent(user)}`);
    setAs(user);
  };
  return [as, change];
}

/** Whether there is room for both sides; else one is looked at, by the tabs. */
function useWide() {
  const [query] = useState(() => matchMedia("(min-width: 900px)"));
  const [wide, setWide] = useState(query.matches);
  useEffect(() => {
    const changed = () => setWide(query.matches);
    query.addEventListener("change", changed);
    return () => query.removeEventListener("change", changed);
  }, []);
  return wide;
}

const root = document.getElementById("app");
root.replaceChildren();
render(html`<${App} />`, root);
