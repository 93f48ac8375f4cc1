// The page's wire: the state as it changes, and deeds that are done.

const AGAIN = 3000; // milliseconds, as browsers wait where they try again by themselves

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
  }).catch(() => {
    throw new Error("The sandbox does not answer. Was it stopped?");
  });
  const answer = await response.json().catch(() => ({ error: "The sandbox refused this." }));
  if (!response.ok) throw new Error(answer.error);
  return answer;
}
