// The page's wire: the state as it changes, and deeds that are done.

/** Hear the whole state now and at each change: `told(state)`, `lost(isLost)`, `nobody()` is that; returns how to stop. */
export function listen(as, told, lost, nobody) {
  const events = new EventSource(`/page/events?as=${encodeURIComponent(as)}`);
  events.onmessage = (event) => {
    lost(false);
    told(JSON.parse(event.data));
  };
  events.onerror = () => (events.readyState === EventSource.CLOSED ? nobody() : lost(true));
  return () => events.close();
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
