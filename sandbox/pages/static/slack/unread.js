// What somebody has not read yet, by conversation and by thread.
import { useEffect, useRef, useState } from "/page/vendor/preact-htm.js";

/** {of(place), read(places)}: how much is new there; `places`: {place: its messages}, others' words count. */
export function useUnread(places, me) {
  const marks = useRef(new Map());
  const [, redraw] = useState(0);
  const mine = marksOf(marks.current, me, places);
  const isNew = (one, place) => one.user !== me && Number(one.ts) > (mine.get(place) ?? 0);
  const of = (place) => (places[place] ?? []).filter((one) => isNew(one, place)).length;
  const read = (place) => {
    const last = Number(places[place]?.at(-1)?.ts ?? 0);
    if (last <= (mine.get(place) ?? 0)) return;
    mine.set(place, last);
    redraw((count) => count + 1);
  };
  return { of, read };
}

/** What was there when this person first looked was read. */
function marksOf(marks, me, places) {
  if (!marks.has(me)) {
    const latest = Object.entries(places).map(([place, messages]) => [place, Number(messages.at(-1)?.ts ?? 0)]);
    marks.set(me, new Map(latest));
  }
  return marks.get(me);
}

/** While a place is looked at, everything in it is read. */
export function useReading(unread, places, looking) {
  useEffect(() => {
    if (!looking) return;
    for (const place of places.filter(Boolean)) unread.read(place);
  });
}
