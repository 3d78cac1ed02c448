// Brings the page to life: fetches the hub, follows the views, draws the frames.

import { Alarms } from "./alarms.js";
import { PlantClock } from "./belt.js";
import { Detail } from "./detail.js";
import { follow } from "./feed.js";
import { Tables, Tiles } from "./panels.js";
import { TrackDrawing } from "./track.js";
import { clock as clockText, say } from "./words.js";

/** Texts for screen readers and tables change this often at most. */
const SLOW_MS = 1000;
const RETRY_MS = 3000;

const stage = document.getElementById("stage");
const clock = new PlantClock();
const tiles = new Tiles(document.getElementById("kpis"));
const tables = new Tables();
const alarms = new Alarms();
const calm = matchMedia("(prefers-reduced-motion: reduce)");

let hub = null;
let hubText = "";
let tracks = [];
let alive = false;
let slowMs = -Infinity;
let drawnMs = 0;
let askedMs = -Infinity;
let lastView = null;
let lastHeard = null;

const pick = {
  item: (key) => detail.pick(key === null ? null : { item: key }),
  chute: (chute) => detail.pick({ chute }),
};
const detail = new Detail((picked) => {
  for (const track of tracks) track.select(picked?.item ?? null, picked?.chute ?? null);
  if (lastView) detail.update(lastView, itemsOf(lastView), hub);
});

/** The engine may have been started anew with another hub, so each connection asks again. */
async function loadHub() {
  const answer = await fetch("/api/hub");
  if (!answer.ok) throw new Error(`the hub's description was refused with ${answer.status}`);
  const text = await answer.text();
  if (text === hubText) return;
  hubText = text;
  hub = JSON.parse(text);
  document.title = `${hub.name} – sorthub`;
  say(document.getElementById("hub-name"), hub.name);
  say(document.getElementById("plan"), `sort plan ${hub.plan_version}`);
  detail.pick(null);
  alarms.reset();
  tracks = hub.tracks.map((_, index) => new TrackDrawing(hub, index, pick));
  stage.replaceChildren(...tracks.map((track) => track.figure));
  // Loops side by side; a line is as wide as the stage.
  const loops = hub.tracks.filter((track) => track.is_loop).length;
  stage.style.setProperty("--columns", Math.max(1, Math.ceil(Math.sqrt(loops))));
  for (const track of tracks) {
    track.layout();
    sizes.observe(track.figure);
  }
}

const sizes = new ResizeObserver(() => {
  for (const track of tracks) track.layout();
  if (!lastView) return;
  // What is no longer true is drawn again as it was, and not moved on.
  const nowMs = alive ? performance.now() : drawnMs;
  show(lastView, nowMs);
  draw(nowMs);
});

/** The items with what the drawing needs to know: their track, a lasting key, and their fate. */
function itemsOf(view) {
  const ends = hub.tracks.map((track) => track.first_cell + track.cells);
  return view.items.map((item) => ({
    ...item,
    key: item.parcel ?? `cell ${item.cell}`,
    track: ends.findIndex((end) => item.cell < end),
    fate: item.chute === null ? "open"
      : hub.chutes[item.chute]?.role === "reject" ? "reject" : "sort",
  }));
}

function show(view, nowMs) {
  const items = itemsOf(view);
  const byTrack = tracks.map(() => []);
  for (const item of items) byTrack[item.track]?.push(item);
  tracks.forEach((track, nth) => track.update(view, byTrack[nth], nowMs, clock));
  tiles.update(view, nowMs);
  alarms.update(view);
  detail.update(view, items, hub);
  const factor = view.speed_permille / 1000;
  say(document.getElementById("plant-time"), `running ${clockText(view.plant_us)}`);
  say(document.getElementById("speed"), factor === 1 ? "" : `${factor} times real time`);
  if (nowMs - slowMs >= SLOW_MS) {
    slowMs = nowMs;
    tables.update(view, hub);
    for (const track of tracks) track.describe(view);
  }
}

function onView(view) {
  const nowMs = performance.now();
  clock.take(view, nowMs);
  lastView = view;
  lastHeard = new Date();
  if (!hub || view.tracks.length !== hub.tracks.length) return;
  if (view.plan_version !== hub.plan_version) followPlan(nowMs);
  show(view, nowMs);
  // Who asked for less motion gets a still picture each second.
  if (calm.matches && slowMs === nowMs) draw(nowMs);
}

/** Another plan has become active: what it makes of the chutes is asked for, not too often. */
function followPlan(nowMs) {
  if (nowMs - askedMs < SLOW_MS) return;
  askedMs = nowMs;
  loadHub().catch(() => {});
}

const STATES = {
  live: { word: "live" },
  silent: { word: "engine silent", text: "The engine is reachable but sends nothing." },
  lost: { word: "connection lost", text: "The connection to the engine is lost." },
};

function onState(state) {
  alive = state === "live";
  document.body.dataset.connection = state;
  const { word, text } = STATES[state];
  say(document.getElementById("connection"), word);
  const banner = document.getElementById("banner");
  banner.hidden = text === undefined;
  const when = lastHeard?.toLocaleTimeString("en-GB");
  const heard = when ? ` What you see was true at ${when}.` : "";
  say(banner, text ? `${text}${heard} Trying again.` : "");
}

function draw(nowMs) {
  drawnMs = nowMs;
  for (const track of tracks) track.frame(nowMs, clock);
}

function frame(nowMs) {
  if (alive && !calm.matches) draw(nowMs);
  requestAnimationFrame(frame);
}

async function onOpen() {
  try {
    await loadHub();
  } catch {
    // The stream tells whether the engine is there; this asks again until both are.
    setTimeout(onOpen, RETRY_MS);
  }
}

follow({ onView, onState, onOpen });
requestAnimationFrame(frame);
