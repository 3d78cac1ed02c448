// Where a place on a track lies on the screen: a loop as a rounded rectangle, a line straight.

/** A closed track, clockwise from the left end of its upper side. */
export class LoopShape {
  constructor(lengthMm, box) {
    const { left, top, width, height } = box;
    const radius = Math.min(height / 2, width / 2, 150);
    const across = width - 2 * radius;
    const down = height - 2 * radius;
    const quarter = (Math.PI / 2) * radius;
    const right = left + width;
    const bottom = top + height;
    // Each piece: its length, where it starts, which way it goes, and how far it turns.
    this.pieces = [
      { px: across, x: left + radius, y: top, turn: 0, heading: 0 },
      { px: quarter, x: right - radius, y: top + radius, turn: 1, heading: 0 },
      { px: down, x: right, y: top + radius, turn: 0, heading: 1 },
      { px: quarter, x: right - radius, y: bottom - radius, turn: 1, heading: 1 },
      { px: across, x: right - radius, y: bottom, turn: 0, heading: 2 },
      { px: quarter, x: left + radius, y: bottom - radius, turn: 1, heading: 2 },
      { px: down, x: left, y: bottom - radius, turn: 0, heading: 3 },
      { px: quarter, x: left + radius, y: top + radius, turn: 1, heading: 3 },
    ];
    this.radius = radius;
    this.lengthMm = lengthMm;
    this.lengthPx = 2 * across + 2 * down + 4 * quarter;
    this.pxPerMm = this.lengthPx / lengthMm;
    this.heightPx = height;
    const r = radius;
    this.path =
      `M${left + r} ${top}H${right - r}A${r} ${r} 0 0 1 ${right} ${top + r}V${bottom - r}` +
      `A${r} ${r} 0 0 1 ${right - r} ${bottom}H${left + r}A${r} ${r} 0 0 1 ${left} ${bottom - r}` +
      `V${top + r}A${r} ${r} 0 0 1 ${left + r} ${top}Z`;
  }

  wrap(mm) {
    return ((mm % this.lengthMm) + this.lengthMm) % this.lengthMm;
  }

  /** The point at `mm`, with the way the belt runs (tx, ty) and the outward side (nx, ny). */
  at(mm) {
    let px = this.wrap(mm) * this.pxPerMm;
    let piece = this.pieces[this.pieces.length - 1];
    for (const next of this.pieces) {
      piece = next;
      if (px < next.px) break;
      px -= next.px;
    }
    const start = (piece.heading * Math.PI) / 2;
    if (!piece.turn) {
      const [tx, ty] = [Math.cos(start), Math.sin(start)];
      return { x: piece.x + tx * px, y: piece.y + ty * px, tx, ty, nx: ty, ny: -tx };
    }
    const angle = start + px / this.radius;
    const [tx, ty] = [Math.cos(angle), Math.sin(angle)];
    const [nx, ny] = [ty, -tx];
    return { x: piece.x + nx * this.radius, y: piece.y + ny * this.radius, tx, ty, nx, ny };
  }
}

/** An open track from left to right, its chutes above it. */
export class LineShape {
  constructor(lengthMm, box) {
    const y = box.y;
    this.lengthMm = lengthMm;
    this.lengthPx = box.width;
    this.pxPerMm = box.width / lengthMm;
    this.left = box.left;
    this.y = y;
    this.path = `M${box.left} ${y}H${box.left + box.width}`;
  }

  wrap(mm) {
    return mm;
  }

  at(mm) {
    const along = Math.min(Math.max(mm, 0), this.lengthMm);
    return { x: this.left + along * this.pxPerMm, y: this.y, tx: 1, ty: 0, nx: 0, ny: -1 };
  }
}
