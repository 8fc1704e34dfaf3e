// From the wiring of one cell to that of another: what has the same role glides to its new place, the rest fades.
import { path } from "./picture.js";

const MS = 600,
  SAMPLES = 32;
const eased = (share) => (share < 0.5 ? 4 * share ** 3 : 1 - (2 - 2 * share) ** 3 / 2);

/** Points at equal distances along a line with corners. */
export function spread(points, count = SAMPLES) {
  const lengths = points.slice(1).map(([x, y], k) => Math.hypot(x - points[k][0], y - points[k][1]));
  const total = lengths.reduce((sum, each) => sum + each, 0);
  return Array.from({ length: count }, (_, at) => {
    let rest = (total * at) / (count - 1),
      k = 0;
    while (k < lengths.length - 1 && rest > lengths[k]) rest -= lengths[k++];
    const share = lengths[k] ? Math.min(1, rest / lengths[k]) : 0;
    return [0, 1].map((axis) => points[k][axis] + (points[k + 1][axis] - points[k][axis]) * share);
  });
}

const between = (from, to, share) => from.map((value, axis) => +(value + (to[axis] - value) * share).toFixed(2));

/** Move from one drawing to another, then take the old one away. Returns a function that ends it at once. */
export function glide(old, next, reduced) {
  const finish = () => {
    old.group.remove();
    for (const { g, x, y } of next.nodes) {
      g.setAttribute("transform", `translate(${x} ${y})`);
      g.removeAttribute("opacity");
    }
    for (const { g, points, node } of next.wires) {
      node.setAttribute("d", path(points));
      g.removeAttribute("opacity");
    }
  };
  if (reduced) {
    finish();
    return () => {};
  }
  const nodes = new Map(old.nodes.map((node) => [node.id, node]));
  const wires = new Map(old.wires.map((wire) => [wire.id, wire]));
  const lines = next.wires.map((wire) => ({
    wire,
    from: wires.has(wire.id) ? spread(wires.get(wire.id).points) : null,
    to: spread(wire.points),
  }));
  for (const [before, after] of [
    [old.nodes, next.nodes],
    [old.wires, next.wires],
  ]) {
    const staying = new Set(after.map((each) => each.id));
    for (const part of before) if (staying.has(part.id)) part.g.setAttribute("display", "none");
  }
  const place = (time) => {
    const share = eased(time),
      late = Math.max(0, 2 * time - 1);
    old.group.setAttribute("opacity", Math.max(0, 1 - 2 * time));
    for (const node of next.nodes) {
      const from = nodes.get(node.id);
      if (!from) node.g.setAttribute("opacity", late);
      else node.g.setAttribute("transform", `translate(${between([from.x, from.y], [node.x, node.y], share).join(" ")})`);
    }
    for (const { wire, from, to } of lines) {
      if (!from) wire.g.setAttribute("opacity", late);
      else wire.node.setAttribute("d", `M${to.map((point, k) => between(from[k], point, share).join(" ")).join("L")}`);
    }
  };
  let start = null,
    asked = 0;
  const frame = (now) => {
    start ??= now;
    const time = Math.min(1, (now - start) / MS);
    if (time === 1) return finish();
    place(time);
    asked = requestAnimationFrame(frame);
  };
  place(0);
  asked = requestAnimationFrame(frame);
  return () => {
    cancelAnimationFrame(asked);
    finish();
  };
}
