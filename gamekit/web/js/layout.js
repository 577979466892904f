/**
 * Where things are on the map's plane: boxes for sectors, curves for gates, the camera over them. Pure geometry.
 *
 * The plane's unit is arbitrary; a box is `BOX` of them wide. The same sectors always give the same layout, and no
 * two boxes overlap: positions are scaled so that neighbours have room, then pushed apart where they still do not.
 *
 * @import {Id, View} from "./types"
 */

/** Width of a sector's box on the plane. */
export const BOX = 100;
/** Least space between two boxes: room for a name above and for the curves. */
export const GUTTER = 36;
const PITCH = BOX + GUTTER;
/** Typical distance of nearest neighbours after scaling, in plane units. */
const TYPICAL = PITCH;

/** @typedef {{x: number, y: number}} Spot */
/** @typedef {{x: number, y: number, size_m: number}} Box the centre on the plane, and the metres across */
/** @typedef {{left: number, top: number, right: number, bottom: number}} Bounds */

/**
 * Place every sector's box on the plane.
 * @param {View["sectors"]} sectors
 * @returns {Map<Id, Box>} by sector, in the order of the ids
 */
export function layoutSectors(sectors) {
  const ids = Object.keys(sectors).sort();
  const spots = ids.map((id, index) => {
    const sector = /** @type {NonNullable<View["sectors"][Id]>} */ (sectors[id]);
    // A hair's breadth apart, so that two sectors on one spot have a direction in which to part.
    const angle = index * 2.399963;
    return { x: (sector.x || 0) + Math.cos(angle) * 1e-3, y: (sector.y || 0) + Math.sin(angle) * 1e-3 };
  });
  const scale = TYPICAL / typicalSpacing(spots);
  for (const spot of spots) {
    spot.x *= scale;
    spot.y *= scale;
  }
  while (!pushApart(spots, 200)) {
    for (const spot of spots) {
      spot.x *= 1.15;
      spot.y *= 1.15;
    }
  }
  return new Map(
    ids.map((id, index) => {
      const { x, y } = /** @type {Spot} */ (spots[index]);
      return [id, { x, y, size_m: sectors[id]?.size_m || 2000 }];
    }),
  );
}

/** The median distance to the nearest neighbour; 1 when there is none. @param {Spot[]} spots */
function typicalSpacing(spots) {
  const nearest = spots.map((spot) => {
    let best = Infinity;
    for (const other of spots) {
      if (other !== spot) best = Math.min(best, (other.x - spot.x) ** 2 + (other.y - spot.y) ** 2);
    }
    return Math.sqrt(best);
  });
  nearest.sort((a, b) => a - b);
  const median = nearest[Math.floor(nearest.length / 2)] ?? 1;
  return Number.isFinite(median) && median > 0.01 ? median : 1;
}

/**
 * Push overlapping boxes apart, a little at a time, each along the axis on which less is missing.
 * @param {Spot[]} spots changed in place
 * @param {number} rounds at most
 * @returns {boolean} whether no two overlap any more
 */
function pushApart(spots, rounds) {
  for (let round = 0; round < rounds; round += 1) {
    let apart = true;
    for (const [one, other] of nearPairs(spots)) {
      const dx = other.x - one.x;
      const dy = other.y - one.y;
      const missingX = PITCH - Math.abs(dx);
      const missingY = PITCH - Math.abs(dy);
      if (missingX <= 0 || missingY <= 0) continue;
      apart = false;
      if (missingX < missingY) {
        const push = ((missingX + 0.5) / 2) * (dx < 0 ? -1 : 1);
        one.x -= push;
        other.x += push;
      } else {
        const push = ((missingY + 0.5) / 2) * (dy < 0 ? -1 : 1);
        one.y -= push;
        other.y += push;
      }
    }
    if (apart) return true;
  }
  return false;
}

/** All pairs that may overlap, found by a grid of one pitch. @param {Spot[]} spots @returns {[Spot, Spot][]} */
function nearPairs(spots) {
  /** @type {Map<string, Spot[]>} */
  const cells = new Map();
  /** @type {[Spot, Spot][]} */
  const pairs = [];
  for (const spot of spots) {
    const column = Math.floor(spot.x / PITCH);
    const row = Math.floor(spot.y / PITCH);
    for (let i = column - 1; i <= column + 1; i += 1) {
      for (let j = row - 1; j <= row + 1; j += 1) {
        for (const other of cells.get(`${i},${j}`) ?? []) pairs.push([other, spot]);
      }
    }
    const key = `${column},${row}`;
    const cell = cells.get(key);
    if (cell) cell.push(spot);
    else cells.set(key, [spot]);
  }
  return pairs;
}

/** The rectangle around boxes, with room for their names. @param {Iterable<Box>} boxes @returns {Bounds} */
export function boundsOf(boxes) {
  const bounds = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (const { x, y } of boxes) {
    bounds.left = Math.min(bounds.left, x - BOX / 2);
    bounds.right = Math.max(bounds.right, x + BOX / 2);
    bounds.top = Math.min(bounds.top, y - BOX / 2 - GUTTER / 3);
    bounds.bottom = Math.max(bounds.bottom, y + BOX / 2);
  }
  return bounds.left < bounds.right ? bounds : { left: -BOX, top: -BOX, right: BOX, bottom: BOX };
}

/**
 * A place within a sector, on the plane.
 * @param {Box} box
 * @param {number} x metres
 * @param {number} y metres
 * @returns {Spot}
 */
export function planeOf(box, x, y) {
  return { x: box.x + (x / box.size_m) * BOX, y: box.y + (y / box.size_m) * BOX };
}

/**
 * The metres within a sector at a spot of the plane; null outside its box.
 * @param {Box} box
 * @param {Spot} spot
 * @returns {Spot | null} whole metres
 */
export function metresOf(box, spot) {
  const half = box.size_m / 2;
  const x = Math.round(((spot.x - box.x) / BOX) * box.size_m);
  const y = Math.round(((spot.y - box.y) / BOX) * box.size_m);
  return Math.abs(x) > half || Math.abs(y) > half ? null : { x, y };
}

/** @typedef {[Spot, Spot, Spot, Spot]} Curve a cubic Bézier: from, its handle, the other handle, to */

/**
 * The curve between two gates: it leaves each sector outwards and meets the other smoothly.
 * @param {Box} box
 * @param {Spot} gate metres within `box`
 * @param {Box} otherBox
 * @param {Spot} exit metres within `otherBox`
 * @returns {Curve}
 */
export function gateCurve(box, gate, otherBox, exit) {
  const from = planeOf(box, gate.x, gate.y);
  const to = planeOf(otherBox, exit.x, exit.y);
  const reach = Math.min(Math.hypot(to.x - from.x, to.y - from.y) * 0.42, BOX * 1.6);
  return [from, outwards(box, from, to, reach), outwards(otherBox, to, from, reach), to];
}

/**
 * A spot `reach` further than a gate, half outwards from its sector's centre and half towards the goal.
 * @param {Box} box
 * @param {Spot} gate on the plane
 * @param {Spot} goal the other gate
 * @param {number} reach
 * @returns {Spot}
 */
function outwards(box, gate, goal, reach) {
  const out = Math.hypot(gate.x - box.x, gate.y - box.y) || 1;
  const far = Math.hypot(goal.x - gate.x, goal.y - gate.y) || 1;
  const dx = (gate.x - box.x) / out + (goal.x - gate.x) / far;
  const dy = (gate.y - box.y) / out + (goal.y - gate.y) / far;
  const length = Math.hypot(dx, dy) || 1;
  return { x: gate.x + (dx / length) * reach, y: gate.y + (dy / length) * reach };
}

/**
 * A spot on a curve and the direction there.
 * @param {Curve} curve
 * @param {number} t from 0 to 1
 * @returns {{x: number, y: number, heading: number}} heading in radians
 */
export function onCurve([a, b, c, d], t) {
  const s = 1 - t;
  const mix = (/** @type {"x" | "y"} */ k) =>
    s * s * s * a[k] + 3 * s * s * t * b[k] + 3 * s * t * t * c[k] + t * t * t * d[k];
  const slope = (/** @type {"x" | "y"} */ k) =>
    s * s * (b[k] - a[k]) + 2 * s * t * (c[k] - b[k]) + t * t * (d[k] - c[k]);
  return { x: mix("x"), y: mix("y"), heading: Math.atan2(slope("y"), slope("x")) };
}

/**
 * The rest of a curve from `t` on, as a curve.
 * @param {Curve} curve
 * @param {number} t from 0 to 1
 * @returns {Curve}
 */
export function curveFrom([a, b, c, d], t) {
  const mix = (/** @type {Spot} */ p, /** @type {Spot} */ q) => ({
    x: p.x + (q.x - p.x) * t,
    y: p.y + (q.y - p.y) * t,
  });
  const ab = mix(a, b);
  const bc = mix(b, c);
  const cd = mix(c, d);
  const abc = mix(ab, bc);
  const bcd = mix(bc, cd);
  return [mix(abc, bcd), bcd, cd, d];
}
