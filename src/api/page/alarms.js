// The list of alarms: what is the matter, what to do, since when. New ones are read out.

import { clock, element, say } from "./words.js";

/** Each priority has a shape and a number besides its colour. */
const PRIORITIES = {
  critical: { number: "1", word: "critical" },
  high: { number: "2", word: "high" },
  low: { number: "3", word: "low" },
};

export class Alarms {
  #drawn = "";
  #read = 0;
  #first = true;

  constructor() {
    this.list = document.getElementById("alarms");
    this.news = document.getElementById("alarm-news");
    this.total = document.getElementById("alarm-count");
  }

  update({ alarms }) {
    // Standing ones first, shelved ones last, each part with the newest on top, as they come.
    const stands = (row) => row.cleared_us === null && row.shelved_until_us === null;
    const over = (row) => row.cleared_us !== null && row.shelved_until_us === null;
    const rows = [
      ...alarms.filter(stands),
      ...alarms.filter(over),
      ...alarms.filter((row) => row.shelved_until_us !== null),
    ];
    const drawn = ["id", "times", "cleared_us", "acknowledged_by", "shelved_until_us"];
    const key = rows.map((row) => drawn.map((name) => row[name]).join(":")).join();
    if (key === this.#drawn && !this.#first) return;
    this.#drawn = key;
    const standing = alarms.filter(stands).length;
    say(this.total, standing > 0 ? `${standing} standing` : "none standing");
    this.list.replaceChildren(...rows.map(line));
    const fresh = rows.filter((row) => row.id > this.#read);
    this.#read = Math.max(this.#read, ...fresh.map((row) => row.id));
    // What was there before the page was opened is not news.
    if (!this.#first) say(this.news, fresh.map((row) => `${row.text}. ${row.mend}`).join(" "));
    this.#first = false;
  }

  /** Another engine numbers its alarms anew. */
  reset() {
    this.#drawn = "";
    this.#read = 0;
    this.#first = true;
  }
}

function line(row) {
  const { number, word } = PRIORITIES[row.priority];
  const over = row.cleared_us !== null;
  const shelved = row.shelved_until_us !== null;
  const seen = row.acknowledged_by !== null;
  const states = { over, seen, shelved };
  const marks = Object.keys(states).filter((name) => states[name]);
  const made = element("li", ["alarm", row.priority, ...marks].join(" "));
  const mark = element("span", "priority", number);
  mark.setAttribute("aria-label", `priority ${word}`);
  const times = row.times > 1 ? `, ${row.times} times` : "";
  const end = !over ? "" : row.cleared_us > row.since_us ? ` to ${clock(row.cleared_us)}` : "";
  const by = seen ? `, seen by ${row.acknowledged_by}` : over && row.latched ? ", not seen yet" : "";
  const until = shelved ? `, shelved until ${clock(row.shelved_until_us)}` : "";
  const when = element("span", "when", `${clock(row.since_us)}${end}${times}${by}${until}`);
  const text = element("p", "text", row.text);
  const mend = element("p", "mend", `${row.cause} ${row.mend}`);
  made.append(mark, when, text, mend);
  return made;
}
