// The numbers around the drawing: counts, causes, latencies, scanners, links.

import { count, drawn, element, percent, reason, say, span } from "./words.js";

/** The trend under the throughput: one sample a second for five minutes. */
const TREND_SAMPLES = 300;
/** Until there are so many, the line does not fill its width. */
const TREND_SAMPLES_WIDE = 60;
const TREND_MS = 1000;
/** Longer lists are told by their exceptions. */
const ROWS_MAX = 8;

const TILES = [
  {
    id: "inducted", title: "Inducted", value: (v) => count(v.books.inducted),
    note: (v) => `${count(v.inducted_per_h)} per hour`,
  },
  {
    id: "sorted", title: "Sorted", value: (v) => count(v.books.sorted),
    note: (v) => `${percent(v.books.sorted, ended(v.books))} of all ended`,
    calls: (v) => v.books.missorted > 0,
    call: (v) => `${count(v.books.missorted)} MISSORTED`,
  },
  {
    id: "rejected", title: "Rejected", value: (v) => count(v.books.rejected),
    note: (v) => `${percent(v.books.rejected, ended(v.books), 2)} of all ended`,
  },
  {
    id: "lost", title: "Lost", value: (v) => count(v.books.lost),
    note: (v) => (v.books.removed ? `${count(v.books.removed)} removed by hand` : "none removed"),
    calls: (v) => v.books.lost > 0,
    call: () => "NOT FOUND",
  },
  {
    id: "on-sorter", title: "On the sorter", value: (v) => count(v.books.on_sorter),
    note: () => "books balance",
    calls: (v) => !v.books.balance,
    call: () => "BOOKS DO NOT BALANCE",
  },
  {
    id: "throughput", title: "Sorted per hour", value: (v) => count(v.sorted_per_h),
    note: () => "",
  },
  {
    id: "recirculated", title: "Recirculation",
    value: (v) => percent(v.books.recirculated, v.books.inducted),
    note: (v) => `${count(v.books.recirculated)} extra laps`,
  },
];

function ended(books) {
  return books.sorted + books.rejected + books.removed + books.lost;
}

/** The band of large numbers. */
export class Tiles {
  #tiles = [];
  #trend = [];
  #trendMs = -Infinity;
  #line = null;

  constructor(band) {
    for (const tile of TILES) {
      const box = element("div", "tile");
      const value = element("span", "value", "–");
      const note = element("span", "note");
      value.id = `kpi-${tile.id}`;
      box.append(element("span", "title", tile.title), value, note);
      band.append(box);
      this.#tiles.push({ tile, box, value, note });
      if (tile.id !== "throughput") continue;
      const svg = drawn("svg", {
        class: "trend", viewBox: "0 0 100 100", preserveAspectRatio: "none",
        "aria-hidden": "true",
      });
      this.#line = drawn("polyline", { points: "" }, svg);
      note.replaceWith(svg);
    }
  }

  update(view, nowMs) {
    for (const { tile, box, value, note } of this.#tiles) {
      const calls = Boolean(tile.calls?.(view));
      say(value, tile.value(view));
      say(note, calls ? tile.call(view) : tile.note(view));
      box.classList.toggle("calls", calls);
    }
    if (nowMs - this.#trendMs >= TREND_MS) {
      this.#trendMs = nowMs;
      this.#trend.push(view.sorted_per_h);
      if (this.#trend.length > TREND_SAMPLES) this.#trend.shift();
      const most = Math.max(1, ...this.#trend);
      const step = 100 / Math.max(this.#trend.length - 1, TREND_SAMPLES_WIDE);
      const point = (rate, nth) =>
        `${(nth * step).toFixed(2)},${(96 - (90 * rate) / most).toFixed(1)}`;
      this.#line.setAttribute("points", this.#trend.map(point).join(" "));
    }
  }
}

/** A table that keeps its rows and changes only their texts. */
class Table {
  #rows = [];

  constructor(id, head) {
    this.table = document.getElementById(id);
    if (head) {
      const row = element("tr");
      for (const text of head) {
        const cell = element("th", "", text);
        cell.setAttribute("scope", "col");
        row.append(cell);
      }
      this.table.createTHead().append(row);
    }
    this.body = this.table.createTBody();
  }

  /** Shows rows of `{ cells, calls?, share? }`; `none` is said when there is no row. */
  show(rows, none) {
    const shown = rows.length > 0 || !none ? rows : [{ cells: [none] }];
    while (this.#rows.length > shown.length) this.#rows.pop().remove();
    shown.forEach((row, nth) => {
      const line = (this.#rows[nth] ??= this.body.insertRow());
      while (line.cells.length > row.cells.length) line.deleteCell(-1);
      row.cells.forEach((text, at) => say(line.cells[at] ?? line.insertCell(), text));
      line.classList.toggle("calls", Boolean(row.calls));
      line.classList.toggle("none", shown !== rows);
      if (row.share !== undefined) line.style.setProperty("--share", row.share.toFixed(3));
    });
  }
}

/** The tables at the side. */
export class Tables {
  #rejects = new Table("rejects");
  #latency = new Table("latency", ["", "median", "99 %", "longest"]);
  #scanners = new Table("scanners", ["", "read", "of", "last code"]);
  #links = new Table("links");

  update(view, hub) {
    this.#rejects.show(rejects(view.books), "nothing rejected");
    const times = ({ count: n, p50_ns, p99_ns, max_ns }) =>
      n > 0 ? [p50_ns, p99_ns, max_ns].map(span) : ["–", "–", "–"];
    this.#latency.show([
      { cells: ["decision", ...times(view.decision)] },
      { cells: ["wire to wire", ...times(view.wire_to_wire)] },
    ]);
    this.#scanners.show(scanners(view, hub), "no scanner has reported");
    this.#links.show(links(view, hub));
  }
}

function rejects(books) {
  const causes = Object.entries(books.rejected_by).sort(([, a], [, b]) => b - a);
  const most = causes[0]?.[1] ?? 1;
  return causes.map(([name, n]) => ({ cells: [reason(name), count(n)], share: n / most }));
}

function scanners(view, hub) {
  const rows = view.scanners.map((row, nth) => {
    const all = row.reads + row.no_reads;
    const name = hub.scanners[nth]?.name ?? "?";
    return { share: all > 0 ? row.reads / all : 1, row, all, name };
  });
  // With many, the ones that read worst are worth the space.
  if (rows.length > ROWS_MAX) rows.sort((a, b) => a.share - b.share).length = ROWS_MAX;
  return rows.map(({ row, all, name }) => ({
    cells: [name, percent(row.reads, all), count(all), row.last ?? "–"],
  }));
}

function links(view, hub) {
  const plcs = view.tracks.map((row, nth) => ({
    name: `PLC ${hub.tracks[nth]?.name ?? nth}`, up: row.linked,
  }));
  const read = view.scanners.map((row, nth) => ({
    name: hub.scanners[nth]?.name ?? "?", up: row.linked,
  }));
  const all = [...plcs, ...read, ...view.links];
  const down = all.filter((link) => !link.up);
  const shown = all.length > ROWS_MAX ? down : all;
  const rows = shown.map(({ name, up }) => ({ cells: [name, up ? "up" : "LOST"], calls: !up }));
  if (all.length > ROWS_MAX) rows.push({ cells: ["others", `${all.length - down.length} up`] });
  const drops = view.queue_drops;
  const kept = drops > 0 ? `${count(drops)} DROPPED` : "none dropped";
  return [...rows, { cells: ["records to other threads", kept], calls: drops > 0 }];
}
