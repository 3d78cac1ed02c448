// The chutes along one track: a box that fills from its far end, a name, and a mark for a person.

import { chuteState, count, drawn, fill, say } from "./words.js";

/** Below this many px from chute to chute, names are turned; below the second, thinned out. */
const ROOMY_PX = 46;
const LEGIBLE_PX = 11;
/** Half of what a level name with its count and mark takes. */
const NAME_PX = { x: 20, y: 15 };
/** A box narrower than this has no room for a letter. */
const LETTER_PX = 9;

function boxDepth(spacingPx, isSmall) {
  if (spacingPx < LEGIBLE_PX) return 26;
  return spacingPx < ROOMY_PX ? 40 : isSmall ? 30 : 58;
}

/** How much room boxes and names need beside the belt: upwards and downwards, and sideways. */
export function chuteReach(spacingPx, isSmall) {
  const depth = boxDepth(spacingPx, isSmall) + 8;
  return spacingPx >= ROOMY_PX
    ? { across: depth + 2 * NAME_PX.y + 24, along: depth + 2 * NAME_PX.x + 10 }
    : { across: depth + 42, along: depth + 42 };
}

/** The chutes of one track, drawn once; `update` moves only what has changed. */
export class Chutes {
  #drawn = [];

  constructor({ parent, shape, hub, track, bandPx, spacingPx, isSmall, onPick }) {
    const depth = boxDepth(spacingPx, isSmall);
    const roomy = spacingPx >= ROOMY_PX;
    const every = roomy || spacingPx >= LEGIBLE_PX ? 1 : Math.ceil(LEGIBLE_PX / spacingPx);
    const width = Math.max(3, Math.min(roomy ? 34 : 20, spacingPx * 0.72));
    const group = drawn("g", { class: "chutes" }, parent);
    const onTrack = hub.chutes.flatMap((site, index) =>
      site.outlets.filter((o) => o.track === track).map((o) => ({ site, index, mm: o.at_mm })),
    );
    onTrack.sort((a, b) => a.mm - b.mm);
    onTrack.forEach(({ site, index, mm }, nth) => {
      const named = nth % every === 0 || site.role === "reject";
      const place = shape.at(mm);
      const made = box({ group, place, bandPx, depth, width, site, roomy, named });
      made.group.dataset.chute = index;
      // One stop for the Tab key; the arrow keys go from chute to chute.
      made.group.setAttribute("tabindex", nth === 0 ? "0" : "-1");
      made.group.addEventListener("click", (event) => {
        event.stopPropagation();
        onPick(index);
      });
      this.#drawn.push({ ...made, site, index, depth, last: "", label: "" });
    });
    group.addEventListener("keydown", (event) => this.#key(event, onPick));
  }

  /** Where parcels for a chute disappear to, relative to the belt. */
  get depthPx() {
    return this.#drawn[0]?.depth ?? 30;
  }

  update(rows) {
    for (const chute of this.#drawn) {
      const row = rows[chute.index];
      if (!row) continue;
      const level = fill(chute.site, row);
      const state = chuteState(row);
      const key = `${level} ${state.word} ${row.dropped} ${row.coming}`;
      if (key === chute.last) continue;
      chute.last = key;
      const px = Math.round(level * chute.depth * 10) / 10;
      chute.level.setAttribute("x", chute.from + chute.depth - px);
      chute.level.setAttribute("width", px);
      chute.group.dataset.calls = state.calls;
      chute.group.dataset.state = state.word;
      chute.write(state, row);
    }
  }

  /** Texts for screen readers, which need no ten a second. */
  describe(rows) {
    for (const chute of this.#drawn) {
      const row = rows[chute.index];
      if (!row) continue;
      const most = chute.site.capacity?.parcels;
      const held = chute.site.counted ? `, holds ${row.holds}${most ? ` of ${most}` : ""}` : "";
      const kind = chute.site.role === "reject" ? "Reject chute" : "Chute";
      const label =
        `${kind} ${chute.site.name}, ${chuteState(row).word}${held}, ${row.dropped} parcels`;
      if (label === chute.label) continue;
      chute.label = label;
      chute.group.setAttribute("aria-label", label);
    }
  }

  select(index) {
    for (const chute of this.#drawn) {
      chute.group.classList.toggle("picked", chute.index === index);
    }
  }

  #key(event, onPick) {
    const at = this.#drawn.findIndex((chute) => chute.group === event.target);
    if (at < 0) return;
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Enter" || event.key === " ") {
      onPick(this.#drawn[at].index);
    } else if (step) {
      const to = this.#drawn[(at + step + this.#drawn.length) % this.#drawn.length].group;
      event.target.setAttribute("tabindex", "-1");
      to.setAttribute("tabindex", "0");
      to.focus();
    } else {
      return;
    }
    event.preventDefault();
  }
}

/** One chute. Its own x axis points away from the belt. */
function box({ group, place, bandPx, depth, width, site, roomy, named }) {
  const angle = (Math.atan2(place.ny, place.nx) * 180) / Math.PI;
  const turned = `translate(${place.x} ${place.y}) rotate(${angle})`;
  const made = drawn("g", { class: `chute ${site.role}`, role: "button" }, group);
  const inner = drawn("g", { transform: turned }, made);
  const from = bandPx / 2 + 4;
  const [y, height] = [-width / 2, width];
  drawn("rect", { class: "box", x: from, y, width: depth, height }, inner);
  const level = drawn("rect", { class: "level", x: from + depth, y, width: 0, height }, inner);
  drawn("rect", { class: "rim", x: from, y, width: depth, height }, inner);
  if (site.role === "reject") {
    // A reject chute is known by its double end, not by a colour.
    const x = from + depth + 3;
    drawn("line", { class: "end", x1: x, x2: x, y1: y, y2: y + height }, inner);
  }
  const out = from + depth + (site.role === "reject" ? 8 : 5);
  const middle = from + depth / 2;
  const write = roomy
    ? levelNames({ made, place, out, site })
    : turnedNames({ inner, angle, out, middle, width, site, named });
  return { group: made, level, from, write };
}

/** Name, count and mark as level text, centred beyond the box. */
function levelNames({ made, place, out, site }) {
  const x = place.x + place.nx * (out + NAME_PX.x * Math.abs(place.nx));
  const y = place.y + place.ny * (out + NAME_PX.y * Math.abs(place.ny));
  const text = (role, dy) =>
    drawn("text", { class: role, x, y: y + dy, "text-anchor": "middle" }, made);
  const [name, dropped] = [text("name", -2), text("dropped", 12)];
  // The mark stands on the side away from the belt.
  const mark = text("mark", place.ny < 0 ? -16 : 27);
  name.textContent = site.name;
  return (state, row) => {
    say(dropped, count(row.dropped));
    say(mark, state.short);
  };
}

/** The name along the box's own direction, never upside down; the mark as a letter in the box. */
function turnedNames({ inner, angle, out, middle, width, site, named }) {
  const flip = Math.abs(angle) > 91;
  const name = drawn("text", {
    class: "name small", x: flip ? -out : out, y: 3.5,
    "text-anchor": flip ? "end" : "start", transform: flip ? "rotate(180)" : "",
  }, inner);
  const usual = named ? site.name : "";
  name.textContent = usual;
  if (width < LETTER_PX) {
    // Too narrow for a letter inside: it follows the name, which is then shown in any case.
    return (state) => {
      say(name, state.letter ? `${site.name} ${state.letter}` : usual);
      name.classList.toggle("mark", state.letter !== "");
    };
  }
  const mark = drawn("text", {
    class: "mark small inside", x: 0, y: 3.5, "text-anchor": "middle",
    transform: `translate(${middle} 0) rotate(${-angle})`,
  }, inner);
  return (state) => say(mark, state.letter);
}
