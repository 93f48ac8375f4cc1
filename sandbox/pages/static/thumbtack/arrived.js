// How much reached customers while one looked elsewhere.
import { useRef } from "/page/vendor/preact-htm.js";

/** The count for the tab; `shown`: whether one sees the customers now. */
export function useArrived(state, shown) {
  const seen = useRef(null);
  if (state === null) return 0;
  const arrived = state.thumbtack.leads.flatMap((lead) => lead.written).filter((one) => one.by === "bot" || one.by === "app").length;
  if (shown || seen.current === null) seen.current = arrived;
  return arrived - seen.current;
}
