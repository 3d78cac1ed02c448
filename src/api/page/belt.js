// Belts between views: where each is on every frame, from what was told ten times a second.

/** Beyond this the belt is not moved on: what comes next is not known. */
const AHEAD_MS_MAX = 1000;
/** How fast a difference to what was told is smoothed away, per second. */
const PULL_PER_S = 4;
const SAMPLES = 40;

/**
 * Turns wall time into plant time. A view arrives some time after it was true, and that delay
 * varies; the smallest one seen lately is taken as its fixed part.
 */
export class PlantClock {
  #samples = [];
  #plantMs = 0;
  #factor = 1;

  take(view, nowMs) {
    const factor = Math.max(view.speed_permille, 1) / 1000;
    const plantMs = view.plant_us / 1000;
    if (factor !== this.#factor || plantMs < this.#plantMs) this.#samples.length = 0;
    this.#factor = factor;
    this.#plantMs = plantMs;
    this.#samples.push(nowMs - plantMs / factor);
    if (this.#samples.length > SAMPLES) this.#samples.shift();
  }

  get factor() {
    return this.#factor;
  }

  /** Plant ms since the newest view. */
  since(nowMs) {
    const offset = Math.min(...this.#samples);
    const ahead = nowMs - offset - this.#plantMs / this.#factor;
    return Math.min(Math.max(ahead, 0), AHEAD_MS_MAX) * this.#factor;
  }
}

/** One belt as drawn: never jumps unless it must, never runs backwards. */
export class Belt {
  #told = null;
  #at = 0;
  #lastMs = 0;

  take(row) {
    this.#told = row;
  }

  /** The belt's travel in mm to draw at `nowMs`. */
  at(nowMs, clock) {
    if (!this.#told) return 0;
    const { belt_mm: toldMm, speed_mm_s: mmPerS } = this.#told;
    const target = toldMm + (mmPerS * clock.since(nowMs)) / 1000;
    const dt = Math.min(nowMs - this.#lastMs, 250) / 1000;
    this.#lastMs = nowMs;
    const mmPerWallS = mmPerS * clock.factor;
    const off = target - this.#at;
    if (Math.abs(off) > Math.max(1500, mmPerWallS)) {
      this.#at = target;
    } else {
      const step = mmPerWallS * dt + (off - mmPerWallS * dt) * Math.min(1, dt * PULL_PER_S);
      this.#at += Math.max(0, step);
    }
    return this.#at;
  }
}
