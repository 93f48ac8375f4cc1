// Instants as Slack writes them, in the time zone of who reads.

const FORMS = {
  date_num: { year: "numeric", month: "2-digit", day: "2-digit" },
  date: { year: "numeric", month: "long", day: "numeric" },
  date_short: { year: "numeric", month: "short", day: "numeric" },
  date_long: { year: "numeric", month: "long", day: "numeric", weekday: "long" },
  time: { hour: "numeric", minute: "2-digit" },
  time_secs: { hour: "numeric", minute: "2-digit", second: "2-digit" },
};
const NEAR = { 0: "Today", [-1]: "Yesterday", 1: "Tomorrow" };
const DAY = 86_400_000;
const formatters = new Map();

function written(date, form, zone) {
  const key = `${form} ${zone}`;
  if (!formatters.has(key)) {
    const language = form === "date_num" ? "en-CA" : "en-US";
    formatters.set(key, new Intl.DateTimeFormat(language, { ...FORMS[form], timeZone: zone }));
  }
  return formatters.get(key).format(date);
}

/** "10:31 AM" of a message's ts. */
export function clock(ts, zone) {
  return written(new Date(Number(ts) * 1000), "time", zone);
}

/** "Today", "Yesterday", or the date of a message's ts. */
export function day(ts, zone) {
  const date = new Date(Number(ts) * 1000);
  return near(date, zone) ?? written(date, "date_long", zone);
}

/** The whole instant, for who wants to know exactly. */
export function exactly(ts, zone) {
  const date = new Date(Number(ts) * 1000);
  return `${written(date, "date_long", zone)} at ${written(date, "time_secs", zone)}`;
}

/** Slack's date markup, e.g. "{date_short_pretty} at {time}"; the fallback where a part of it is unknown. */
export function markup(seconds, form, fallback, zone) {
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return fallback;
  let known = true;
  const text = form.replace(/\{(\w+)\}/g, (_, name) => {
    if (name in FORMS) return written(date, name, zone);
    const plain = name.replace(/_pretty$/, "");
    if (plain in FORMS) return near(date, zone)?.toLowerCase() ?? written(date, plain, zone);
    known = false;
    return "";
  });
  return known ? text : fallback;
}

function near(date, zone) {
  const number = (instant) => Date.parse(written(instant, "date_num", zone)) / DAY;
  return NEAR[number(date) - number(new Date())];
}
