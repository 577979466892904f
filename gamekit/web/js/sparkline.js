/** Small curves of values over time, as SVG; their look is the style sheet's. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 */
function svg(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

/**
 * One or more curves in one box with common axes. The first is drawn solid, the others dashed, so that they can be told
 * apart without colour.
 * @param {{points: [tick: number, value: number][], className: string}[]} curves
 * @param {number} width
 * @param {number} height
 * @param {string} label what it shows, for screen readers
 */
export function sparkline(curves, width, height, label) {
  const element = svg("svg", {
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    class: "spark",
    role: "img",
    "aria-label": label,
  });
  const all = curves.flatMap(({ points }) => points);
  const [ticks, values] = [all.map(([tick]) => tick), all.map(([, value]) => value)];
  const [from, to, low, high] = [least(ticks), most(ticks), least(values), most(values)];
  for (const [index, { points, className }] of curves.entries()) {
    if (!points.length) continue;
    const place = points.map(([tick, value]) => {
      const x = to > from ? 1 + ((tick - from) / (to - from)) * (width - 2) : 1;
      const y = high > low ? height - 2 - ((value - low) / (high - low)) * (height - 4) : height / 2;
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    });
    // A single point is a level so far.
    if (place.length === 1) place.push(`${width - 1},${place[0]?.split(",")[1]}`);
    element.append(
      svg("polyline", {
        points: place.join(" "),
        class: className,
        fill: "none",
        ...(index && { "stroke-dasharray": "2 2" }),
      }),
    );
  }
  return element;
}

/** @param {number[]} values */
function least(values) {
  return values.reduce((a, b) => Math.min(a, b), Infinity);
}

/** @param {number[]} values */
function most(values) {
  return values.reduce((a, b) => Math.max(a, b), -Infinity);
}
