// The words and numbers of the page, so that every panel says the same in the same way.

const REASONS = {
  "planned": "as the plan says",
  "no-read": "no code could be read",
  "conflict": "codes contradict each other",
  "invalid-code": "the code is not valid",
  "no-data": "nothing is known about the code",
  "no-rule": "the plan has no chute for it",
  "chute-full": "its chutes were full",
  "chute-locked": "the chute is locked",
  "chute-jammed": "the chute is jammed",
  "chute-disabled": "the chute is out of service",
  "late": "the order came too late",
  "most-laps": "it went round as often as allowed",
  "gap": "the gap to its neighbour was too small",
  "unmatched": "reading and parcel did not meet",
  "double-item": "two parcels, or over two carriers",
  "unknown-item": "the PLC does not know it",
  "communication-lost": "the PLC lost it",
  "missing": "not seen where it had to pass",
  "forced": "forced by a person or an interlock",
  "elsewhere": "left by another chute than ordered",
  "intercept": "stopped on its way: returned or redirected",
  "security-hold": "security wants to see it",
  "held": "held until its sender or an office says more",
  "weight-or-size": "too heavy or too large",
  "declared-mismatch": "measured otherwise than declared",
  "several-parcels": "codes of several parcels in one gate",
  "damaged": "it is damaged",
  "host-late": "the host did not answer in time",
  "keyed-otherwise": "a scanner read another code than was keyed in",
};

/** A reason in a person's words; a new one is shown as it is. */
export function reason(name) {
  return REASONS[name] ?? name;
}

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export function count(value) {
  return whole.format(value);
}

export function percent(part, all, digits = 1) {
  return all > 0 ? `${((100 * part) / all).toFixed(digits)} %` : "–";
}

export function metres(mm) {
  return `${(mm / 1000).toFixed(1)} m`;
}

export function speed(mmPerS) {
  return `${(mmPerS / 1000).toFixed(2)} m/s`;
}

/** Plant time as a clock since the start. */
export function clock(us) {
  const seconds = Math.floor(us / 1e6);
  const two = (value) => String(value).padStart(2, "0");
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${two(h)}:${two(m)}:${two(s)}`;
}

/** A span in the unit that needs no more than three digits before the point. */
export function span(ns) {
  if (ns < 1e3) return `${ns} ns`;
  const [unit, per] = ns < 1e6 ? ["µs", 1e3] : ns < 1e9 ? ["ms", 1e6] : ["s", 1e9];
  const value = ns / per;
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ${unit}`;
}

const CHUTE_STATES = {
  open: { word: "open", short: "", letter: "", calls: "nothing" },
  full: { word: "full", short: "FULL", letter: "F", calls: "soon" },
  locked: { word: "locked", short: "LOCKED", letter: "L", calls: "know" },
  jammed: { word: "jammed", short: "JAMMED", letter: "J", calls: "act" },
  disabled: { word: "out of service", short: "OFF", letter: "O", calls: "nothing" },
};

/** What a chute says of itself: in words, in a letter, and what it calls for. */
export function chuteState(chute) {
  const worst = ["disabled", "jammed", "locked", "full"].find((state) => chute[state]);
  return CHUTE_STATES[worst ?? "open"];
}

/** How full a chute is, from 0 to 1: as counted, or else as its eyes tell. */
export function fill(site, chute) {
  // The eye is right: parcels can lie so that fewer fill it.
  if (chute.full) return 1;
  const most = site.capacity?.parcels;
  if (site.counted && most) return Math.min(1, chute.holds / most);
  return chute.half ? 0.5 : 0;
}

/** Sets an element's text only if it differs: most of what comes ten times a second does not. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function element(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
}

export function drawn(tag, attributes, parent) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  parent?.append(made);
  return made;
}
