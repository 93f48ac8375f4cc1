// What was filled into windows and not sent yet: it stays while the window is changed or another stands before it.
import { useState } from "/page/vendor/preact-htm.js";

const forms = new Map();

/** {values, errors, set(key, value, blockId), fail(errors)} of one view. */
export function useForm(viewId) {
  const [, redraw] = useState(0);
  if (!forms.has(viewId)) forms.set(viewId, { values: {}, errors: {} });
  const form = forms.get(viewId);
  const change = (next) => {
    forms.set(viewId, { ...forms.get(viewId), ...next });
    redraw((count) => count + 1);
  };
  return {
    ...form,
    set: (key, value, blockId) => {
      const { values, errors } = forms.get(viewId);
      change({ values: { ...values, [key]: value }, errors: { ...errors, [blockId]: undefined } });
    },
    fail: (errors) => change({ errors }),
  };
}
