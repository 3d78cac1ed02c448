// One track: its belt, what rides on it, and what stands beside it.

import { Belt } from "./belt.js";
import { Chutes, chuteReach } from "./chutes.js";
import { LineShape, LoopShape } from "./shape.js";
import { count, drawn, element, percent, say, speed } from "./words.js";

/** How long a parcel takes to slide onto the belt or into its chute, in ms. */
const SLIDE_MS = 320;
/** How far from an induction or outlet a parcel may be for its slide to be drawn, in ms of belt. */
const SLIDE_REACH_MS = 700;
/** A belt without carriers gets marks this far apart, so that its running is seen. */
const MARKS_MM = 500;
const PICK_PX = 18;
/** How far below a line its return is drawn. */
const RETURN_PX = 96;
/** A drawing narrower than this does without the names of inductions and scanners. */
const SMALL_PX = 620;
/** A loop lower than this inside has room for one line of text only. */
const FLAT_PX = 190;
/** Names of stations closer together than this would run into each other. */
const STATION_PX = 100;

const tenth = (value) => Math.round(value * 10) / 10;

export class TrackDrawing {
  #hub;
  #index;
  #site;
  #belt = new Belt();
  #items = new Map();
  #leaving = [];
  /** Where the belt was drawn last, in mm. */
  #at = 0;
  /** Where the nearest carrier is when the belt is at 0, in mm. */
  #phase = 0;
  #row = null;
  #shape = null;
  #chutes = null;
  #onPick;
  #picked = null;
  #size = "";

  constructor(hub, index, onPick) {
    this.#hub = hub;
    this.#index = index;
    this.#site = hub.tracks[index];
    this.#onPick = onPick;
    this.figure = element("figure", "track");
    this.figure.dataset.track = index;
    this.svg = drawn("svg", { role: "group" }, this.figure);
    // What moves is a picture of its own, so that the rest need not be painted on every frame.
    this.moving = drawn("svg", { class: "moving", "aria-hidden": "true" }, this.figure);
    const kind = this.#site.is_loop ? "Loop" : "Line";
    this.svg.setAttribute("aria-label", `${kind} ${this.#site.name}`);
    this.svg.addEventListener("click", (event) => this.#click(event));
    this.caption = element("figcaption");
    this.figure.dataset.kind = this.#site.is_loop ? "loop" : "line";
    this.title = element("strong", "", this.#site.name);
    this.state = element("span", "state");
    this.load = element("span", "load");
    this.caption.append(this.title, this.state, this.load);
    this.figure.append(this.caption);
  }

  /** Draws everything that stands still, for the size that the figure has now. */
  layout() {
    const { clientWidth: width, clientHeight: height } = this.figure;
    const size = `${width}x${height}`;
    if (width < 60 || height < 60 || size === this.#size) return;
    this.#size = size;
    for (const svg of [this.svg, this.moving]) {
      svg.replaceChildren();
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    }
    this.figure.classList.toggle("small", width < SMALL_PX || height < SMALL_PX / 2);
    this.#shape = this.#place(width, height);
    const shape = this.#shape;
    const isFlat = this.#site.is_loop && shape.heightPx < FLAT_PX;
    this.figure.classList.toggle("flat", isFlat);
    const step = (this.#site.pitch_mm ?? MARKS_MM) * shape.pxPerMm;
    this.bandPx = this.#band();
    if (this.#site.return_mm !== null) this.#drawReturn(width);
    drawn("path", { class: "band", d: shape.path, "stroke-width": this.bandPx }, this.svg);
    const dash = this.#site.is_loop ? `${step * 0.84} ${step * 0.16}` : `2 ${step - 2}`;
    this.cells = drawn("path", {
      class: this.#site.is_loop ? "cells" : "marks",
      d: shape.path,
      "stroke-width": this.bandPx * 0.78,
      "stroke-dasharray": dash,
    }, this.moving);
    this.#stations();
    this.#chutes = new Chutes({
      parent: this.svg, shape, hub: this.#hub, track: this.#index,
      bandPx: this.bandPx, spacingPx: this.#spacing(shape),
      isSmall: width < SMALL_PX, onPick: this.#onPick.chute,
    });
    const layer = (name) => drawn("path", { class: `items ${name}` }, this.moving);
    this.layers = ["sorted", "rejected", "open", "again"].map(layer);
    const r = Math.max(12, this.bandPx * 0.72);
    this.ring = drawn("circle", { class: "ring", r }, this.moving);
  }

  /** Takes over a view: what came, what went, and where the belt is. */
  update(view, items, nowMs, clock) {
    this.#row = view.tracks[this.#index];
    if (!this.#row) return;
    this.#belt.take(this.#row);
    const at = this.#belt.at(nowMs, clock);
    const before = this.#items;
    const reach = (this.#row.speed_mm_s * clock.factor * SLIDE_REACH_MS) / 1000;
    this.#items = new Map();
    for (const item of items) {
      const known = before.get(item.key);
      before.delete(item.key);
      const born = known ? known.born : this.#cameOn(item, at, reach) && before.size ? nowMs : 0;
      this.#items.set(item.key, { ...item, born });
    }
    for (const item of before.values()) this.#left(item, at, reach, nowMs);
    this.#findPhase();
    this.#chutes?.update(view.chutes);
    const running = this.#row.speed_mm_s > 0 ? speed(this.#row.speed_mm_s) : "stands";
    say(this.state, this.#row.linked ? running : "PLC LINK LOST");
    this.figure.dataset.link = this.#row.linked ? "up" : "lost";
    const doubt = this.#row.in_doubt ? `, ${count(this.#row.in_doubt)} in doubt` : "";
    const share = percent(items.length, this.#site.cells, 0);
    const of = this.#site.is_loop ? `of ${count(this.#site.cells)} carriers (${share})` : "on it";
    say(this.load, `${count(items.length)} ${of}${doubt}`);
  }

  describe(view) {
    this.#chutes?.describe(view.chutes);
  }

  /** Draws what moves. */
  frame(nowMs, clock) {
    if (!this.#shape || !this.#row) return;
    const at = this.#belt.at(nowMs, clock);
    this.#at = at;
    const step = this.#site.pitch_mm ?? MARKS_MM;
    const offset = -(((at + this.#phase) % step) - step * 0.42) * this.#shape.pxPerMm;
    this.cells.setAttribute("stroke-dashoffset", tenth(offset));
    const paths = ["", "", "", ""];
    let ring = null;
    for (const item of this.#items.values()) {
      const place = this.#shape.at(at - item.origin_mm);
      const on = item.born ? Math.min(1, (nowMs - item.born) / SLIDE_MS) : 1;
      const aside = (1 - on) * -this.bandPx * 1.1;
      this.#addItem(paths, item, place, aside);
      if (item.key === this.#picked) ring = place;
    }
    this.#leaving = this.#leaving.filter((item) => nowMs - item.since < SLIDE_MS);
    for (const item of this.#leaving) {
      const gone = (nowMs - item.since) / SLIDE_MS;
      const [x, y] = [mix(item.from.x, item.to.x, gone), mix(item.from.y, item.to.y, gone)];
      const place = { ...item.to, x, y };
      const far = this.bandPx / 2 + this.#chutes.depthPx * 0.7;
      this.#addItem(paths, item, place, gone * far);
    }
    paths.forEach((path, layer) => this.layers[layer].setAttribute("d", path));
    this.ring.classList.toggle("on", ring !== null);
    if (ring) this.ring.setAttribute("transform", `translate(${tenth(ring.x)} ${tenth(ring.y)})`);
  }

  /** Marks the parcel with this key, and the chute with this number. */
  select(key, chute) {
    this.#picked = key;
    this.#chutes?.select(chute);
  }

  #place(width, height) {
    const guess = this.#site.is_loop ? 2 * (width + height) * 0.8 : width * 0.8;
    const spacing = this.#spacing({ pxPerMm: guess / this.#site.length_mm });
    const half = this.#band(guess) / 2;
    const reach = chuteReach(spacing, width < SMALL_PX);
    const above = Math.min(reach.across + half, height * 0.36);
    if (this.#site.is_loop) {
      const aside = Math.min(reach.along + half, width * 0.3);
      const box = {
        left: aside, top: above, width: width - 2 * aside, height: height - 2 * above,
      };
      return new LoopShape(this.#site.length_mm, box);
    }
    const side = width < SMALL_PX ? 26 : 60;
    const below = this.#site.return_mm === null ? 60 : RETURN_PX + 40;
    const caption = 40;
    const y = Math.max(above + caption, (height + above + caption - below) / 2);
    return new LineShape(this.#site.length_mm, {
      left: side, width: width - 2 * side, y: Math.min(y, height - below),
    });
  }

  /** The belt's width in px: a carrier is about as wide as long. */
  #band(lengthPx = this.#shape.lengthPx) {
    const perMm = lengthPx / this.#site.length_mm;
    return Math.max(9, Math.min(34, (this.#site.pitch_mm ?? 600) * perMm * 0.9));
  }

  /** The usual px from one chute to the next: the median, so that wide gaps do not count. */
  #spacing(shape) {
    const outlets = this.#hub.chutes.flatMap((c) => c.outlets);
    const mm = outlets.filter((o) => o.track === this.#index).map((o) => o.at_mm);
    mm.sort((a, b) => a - b);
    const gaps = mm.slice(1).map((at, nth) => at - mm[nth]).sort((a, b) => a - b);
    const usual = gaps[Math.floor(gaps.length / 2)] ?? this.#site.length_mm;
    return usual * shape.pxPerMm;
  }

  #drawReturn(width) {
    const { left, y, lengthPx } = this.#shape;
    const right = left + lengthPx;
    const below = y + RETURN_PX;
    const out = Math.min(26, (width - lengthPx) / 2 - 8);
    const d =
      `M${right} ${y}h${out - 10}q10 0 10 10V${below - 10}q0 10 -10 10H${left - out + 10}` +
      `q-10 0 -10 -10V${y + 10}q0 -10 10 -10h${out - 10}`;
    drawn("path", { class: "return", d, "stroke-width": this.bandPx * 0.5 }, this.svg);
    for (let x = right - 60; x > left; x -= 140) {
      drawn("path", { class: "arrow", d: `M${x} ${below - 4}l-7 4l7 4` }, this.svg);
    }
    const label = drawn("text", {
      class: "name",
      x: left + lengthPx / 2,
      y: below + this.bandPx / 4 + 16,
      "text-anchor": "middle",
    }, this.svg);
    label.textContent = `return, ${(this.#site.return_mm / 1000).toFixed(1)} m`;
  }

  /** Inductions and scanners stand on the inner side, where no chute is. */
  #stations() {
    const group = drawn("g", { class: "stations" }, this.svg);
    const half = this.bandPx / 2;
    const here = (site) => site.track === this.#index;
    const inductions = this.#hub.inductions.filter(here);
    const scanners = this.#hub.scanners.filter(here);
    const { pxPerMm } = this.#shape;
    const isCrowded = scanners.some((scanner) =>
      inductions.some((at) => Math.abs(at.at_mm - scanner.at_mm) * pxPerMm < STATION_PX),
    );
    const station = (site, namePx) => {
      const place = this.#shape.at(site.at_mm);
      const angle = (Math.atan2(-place.ny, -place.nx) * 180) / Math.PI;
      const transform = `translate(${place.x} ${place.y}) rotate(${angle})`;
      const made = drawn("g", { transform }, group);
      drawn("title", {}, made).textContent = site.name;
      if (!this.figure.classList.contains("small")) {
        const [x, y] = [place.x - place.nx * namePx, place.y - place.ny * namePx];
        const anchor = place.nx > 0.5 ? "end" : place.nx < -0.5 ? "start" : "middle";
        const text = drawn("text", { class: "name", x, y: y + 4, "text-anchor": anchor }, group);
        text.textContent = site.name;
      }
      return made;
    };
    const [near, far] = [half + 4, half + 22];
    for (const site of inductions) {
      const made = station(site, far + 12);
      drawn("path", { class: "induction", d: `M${near} 0L${far} -9V9Z` }, made);
    }
    for (const site of scanners) {
      const made = station(site, far + (isCrowded ? 28 : 12));
      drawn("line", { class: "beam", x1: -half - 3, x2: half + 8, y1: 0, y2: 0 }, made);
      const camera = { class: "scanner", x: half + 8, y: -6, width: 14, height: 12 };
      drawn("rect", camera, made);
    }
  }

  #addItem(paths, item, place, asidePx) {
    const long = Math.max(4, (this.#site.pitch_mm ?? 650) * this.#shape.pxPerMm * 0.62);
    const [a, b] = [long / 2, Math.min(this.bandPx * 0.27, long * 0.5)];
    const { tx, ty, nx, ny } = place;
    const [x, y] = [place.x + nx * asidePx, place.y + ny * asidePx];
    const corner = (along, out) =>
      `${tenth(x + tx * along + nx * out)} ${tenth(y + ty * along + ny * out)}`;
    const notch = item.laps > 0 ? `M${corner(0, -b)}L${corner(0, b)}` : "";
    // To reject it goes one way only; how often it has been round is in its detail.
    if (item.fate === "reject") {
      const [tip, side] = [a * 1.1, b * 1.5];
      paths[1] += `M${corner(-tip, 0)}L${corner(0, side)}L${corner(tip, 0)}L${corner(0, -side)}Z`;
      return;
    }
    const outline = `M${corner(-a, -b)}L${corner(a, -b)}L${corner(a, b)}L${corner(-a, b)}Z`;
    // A hollow parcel's notch is drawn with its outline, a full one's cut out of it.
    if (item.fate === "open") {
      paths[2] += outline + notch;
    } else {
      paths[0] += outline;
      paths[3] += notch;
    }
  }

  #cameOn(item, at, reach) {
    const mm = this.#shape?.wrap(at - item.origin_mm);
    const near = (site) => site.track === this.#index && Math.abs(mm - site.at_mm) < reach;
    return this.#shape !== null && this.#hub.inductions.some(near);
  }

  #left(item, at, reach, nowMs) {
    if (!this.#shape || item.chute === null) return;
    const outlet = this.#hub.chutes[item.chute]?.outlets.find((o) => o.track === this.#index);
    const mm = this.#shape.wrap(at - item.origin_mm);
    if (!outlet || Math.abs(mm - outlet.at_mm) > reach) return;
    const [from, to] = [this.#shape.at(mm), this.#shape.at(outlet.at_mm)];
    this.#leaving.push({ ...item, from, to, since: nowMs });
  }

  /** Where empty carriers are follows from where full ones are: all are a pitch apart. */
  #findPhase() {
    const pitch = this.#site.pitch_mm;
    if (!pitch || this.#items.size === 0) return;
    let [x, y] = [0, 0];
    for (const item of this.#items.values()) {
      const angle = (2 * Math.PI * item.origin_mm) / pitch;
      x += Math.cos(angle);
      y += Math.sin(angle);
    }
    const phase = (-Math.atan2(y, x) / (2 * Math.PI)) * pitch;
    const off = ((phase - this.#phase) % pitch + 1.5 * pitch) % pitch - 0.5 * pitch;
    this.#phase += Math.abs(off) > pitch / 4 ? off : off * 0.1;
  }

  #click(event) {
    const point = new DOMPoint(event.clientX, event.clientY);
    const { x, y } = point.matrixTransform(this.svg.getScreenCTM().inverse());
    let [nearest, best] = [null, PICK_PX];
    for (const item of this.#items.values()) {
      const place = this.#shape.at(this.#at - item.origin_mm);
      const away = Math.hypot(place.x - x, place.y - y);
      if (away < best) [nearest, best] = [item, away];
    }
    this.#onPick.item(nearest?.key ?? null);
  }
}

function mix(from, to, share) {
  return from + (to - from) * share;
}
