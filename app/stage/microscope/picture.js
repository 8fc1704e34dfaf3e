// The drawing of a cell: places come with the description, numbers with every patch.
import { dated, fixed, split } from "../scene.js";
import { el, put } from "../svg.js";
import { before, equals } from "./say.js";

const THREAD = 9, // px for a value of 1, on top of the hairline
  BELT = 24,
  HAIR = 1.8,
  PALE = 0.55; // a small value must still show its sign
const THIN = { "xh line": 2.2, "hh line": 2.2, control: 1.6, peephole: 2.6, up: 2.2 };
const SIGNED = new Set(["belt", "state", "inner"]);
const PLAIN = { belt: 0.35, state: 0.3, inner: 0.2, xh: 0.25, hh: 0.25 }; // of a cell that has no numbers here

/** A path along these corners, rounded. */
export function path(points, radius = 9) {
  const parts = [`M${points[0].join(" ")}`];
  for (let k = 1; k < points.length - 1; k += 1) {
    const [x, y] = points[k];
    const [from, to] = [points[k - 1], points[k + 1]].map(([a, b]) => {
      const length = Math.hypot(a - x, b - y);
      const share = Math.min(radius, length / 2) / (length || 1);
      return [x + (a - x) * share, y + (b - y) * share];
    });
    parts.push(`L${from.join(" ")}Q${x} ${y} ${to.join(" ")}`);
  }
  return `${parts.join("")}L${points.at(-1).join(" ")}`;
}

/** Text with lowered parts, as tspans. */
function write(node, text) {
  if (node.written === text) return;
  node.written = text;
  node.replaceChildren();
  split(text).forEach((part, at) => {
    if (part) el("tspan", at % 2 ? { dy: 4, class: "ms-low" } : at ? { dy: -4 } : {}, node).textContent = part;
  });
}

/** Draw a cell into a parent. Returns its parts by id, and patch(values, view, names). */
export function drawPicture(parent, description, palette) {
  const group = el("g", {}, parent);
  const mark = (value) => (value ? { "data-v": value } : {});
  const inOrder = [...description.wires].sort((a, b) => (a.kind === "up") - (b.kind === "up"));
  for (const { value, points } of inOrder) el("path", { d: path(points), class: "ms-hit", ...mark(value) }, group);
  const wires = inOrder.map((wire) => {
    const g = el("g", {}, group);
    const d = path(wire.points);
    if (wire.kind === "up") {
      const [[x, y], ...rest] = wire.points; // a bridge over what it crosses, but not over where it begins
      el("path", { d: path([[x, y - 20], ...rest]), class: "ms-casing" }, g);
    }
    const node = el("path", { d, class: `ms-wire ms-${wire.kind.replace(" ", "-")}`, ...mark(wire.value) }, g);
    return { ...wire, g, node };
  });
  const nodes = description.nodes.map((node) => {
    const side = node.value.startsWith("W_x") ? " ms-of-x" : "";
    const g = el("g", { class: `ms-${node.kind}${side}`, transform: `translate(${node.x} ${node.y})`, ...mark(node.value) }, group);
    return { ...node, g, ...(PARTS[node.kind] ?? box)(node, g) };
  });

  function patch(values, view, names) {
    for (const wire of wires) put(wire.node, look(wire, values, view, palette));
    for (const node of nodes) node.patch(values, view, names);
  }
  return { group, wires, nodes, patch };
}

/** How thick and in which colour a wire is. */
function look({ value, kind }, values, view, palette) {
  if (kind in THIN) return { "stroke-width": THIN[kind] };
  const known = values[value];
  if (!values.known) return { "stroke-width": HAIR + (kind === "belt" ? BELT : THREAD) * PLAIN[kind], style: "" };
  const limit = SIGNED.has(kind) ? (view.limit ?? 1) : 1;
  const size = Number.isFinite(known) ? Math.min(1, Math.abs(known) / limit) : 0;
  return {
    "stroke-width": HAIR + (kind === "belt" ? BELT : THREAD) * size,
    style: SIGNED.has(kind) && size ? `stroke:${palette(Math.sign(known) * Math.max(PALE, size))}` : "",
  };
}

// ---- nodes: each draws itself into its group and returns how it is patched

function box(node, g) {
  const small = node.height < 40;
  el("rect", { x: -node.width / 2, y: -node.height / 2, width: node.width, height: node.height, rx: small ? 6 : 10 }, g);
  const name = el("text", { y: small ? 5 : -3, class: small ? "ms-small" : "ms-name" }, g);
  const number = small ? null : el("text", { y: 15, class: "ms-number" }, g);
  return {
    patch(values, view, names) {
      const label = (names && node.ng) || node.label;
      write(name, label);
      put(name, { class: `${small ? "ms-small" : "ms-name"}${label.length > 4 && !small ? " ms-long" : ""}` });
      if (!number) return;
      put(name, { y: values.known ? -3 : 6 });
      put(number, { text: values.known ? fixed(values[node.value]) : "" });
    },
  };
}

function valve(node, g) {
  const [across, along] = node.upright ? [node.width, node.height] : [node.height, node.width];
  const half = across / 2 - 4;
  const turned = el("g", node.upright ? { transform: "rotate(90)" } : {}, g);
  el("rect", { x: -along / 2, y: -across / 2, width: along, height: across, rx: 7, class: "ms-body" }, turned);
  const shutters = [0, 1].map(() => el("rect", { x: -along / 2 + 5, width: along - 10, class: "ms-shutter" }, turned));
  return {
    patch(values) {
      const value = values.known ? values[node.value] : 0.5;
      const shut = half * (1 - Math.min(1, Math.abs(Number.isFinite(value) ? value : 0)));
      put(shutters[0], { y: -half, height: shut });
      put(shutters[1], { y: half - shut, height: shut });
    },
  };
}

function sum(node, g) {
  el("circle", { r: node.width / 2 }, g);
  el("path", { d: "M-7 0H7M0 -7V7" }, g);
  return { patch() {} };
}

function text(node, g) {
  const line = el("text", {}, g);
  return {
    patch(values, view, names) {
      const deeper = node.kind === "up" && view.layer < view.layers - 1;
      const label = deeper ? `to layer ${view.layer + 2}` : (names && node.ng) || node.label;
      write(line, `${dated(label, values.known ? view.t : null, before(view))}${tail(node, values, view)}`);
    },
  };
}
function tail({ kind, value, label }, values, view) {
  if (!values.known || !value || kind === "note" || label.endsWith("× 1")) return "";
  return value === "x" ? (view.word ? ` = ${view.word}` : "") : equals(values[value]);
}
const PARTS = { valve, sum, end: text, up: text, back: text, note: text };
