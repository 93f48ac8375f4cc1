// The page's wire: the state as it changes, and deeds that are done.

const AGAIN = 3000; // milliseconds, as browsers wait where they try again by themselves

const PATIENCE = 15_000; // milliseconds; a bot that is started needs some
const LATE =
  "No answer yet. It may still be done: look before you try again. If this page is open in six tabs or more, close some: a browser has no line left then.";

/** Hear the whole state now and at each change: `told(state)`, `lost(isLost)`, `nobody()` is that; returns how to stop. */
export function listen(as, told, lost, nobody) {
  let events = null;
  let again = null;
  const open = () => {
    events = new EventSource(`/page/events?as=${encodeURIComponent(as)}`);
    events.onmessage = (event) => {
      lost(false);
      told(JSON.parse(event.data));
    };
    events.onerror = () => {
      lost(true);
      if (events.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      again = setTimeout(open, AGAIN);
      nobody();
    };
  };
  open();
  return () => {
    clearTimeout(again);
    events.close();
  };
}

/** Do something as somebody: the answer with `said`; rejects with an Error whose message is a sentence. */
export async function act(as, deed, args) {
  const response = await fetch("/page/do", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ deed, as, args }),
    signal: AbortSignal.timeout(PATIENCE),
  }).catch((error) => {
    throw new Error(error.name === "TimeoutError" ? LATE : "The sandbox does not answer. Was it stopped?");
  });
  const answer = await response.json().catch(() => ({ error: "The sandbox refused this." }));
  if (!response.ok) throw new Error(answer.error);
  return answer;
}
