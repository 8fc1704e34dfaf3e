// Pure: numbers in, sizes, colours and words out. Nothing here touches the page.
//
// A frame holds flat arrays over (layer, direction, step) and (layer, direction, step, unit); steps are the real ones of
// the drawn sequence, without padding. `info` is what `app.stage.description` says of the run.

export const FLOOR = -6; // decades: below a millionth the ribbon is a dotted hairline
const MOST = 4; // decades above 1 beyond which it grows no further

export const clamp = (v, low, high) => Math.max(low, Math.min(high, v));
export const lerp = (a, b, p) => a + (b - a) * p;
export const ease = (p) => (p < 0.5 ? 4 * p ** 3 : 1 - (2 - 2 * p) ** 3 / 2);
export const mean = (values) => values.reduce((sum, v) => sum + v, 0) / values.length;
export const size = (values) => values.reduce((sum, v) => sum + Math.abs(v), 0) / values.length;
export const rounded = (v) => Math.round(v * 10) / 10;

// Every layer and direction, from the bottom up.
export const chainsOf = (info) => Array.from({ length: info.layers * info.directions }, (_, k) => ({ l: Math.floor(k / info.directions), d: k % info.directions }));

// How many steps a direction has, the first of all: only an encoder reads backwards, its decoder does not.
export const stepsOf = (info, d) => (d && info.encoder) || info.steps;

// The last step, against the direction's own order, that a gradient comes to.
export const lastOf = (info, d) => (d ? stepsOf(info, d) - 1 : 0);

// The numbers of one chain, a number a step.
export function along(array, info, { l, d }) {
  const from = (l * info.directions + d) * info.steps;
  return array.subarray(from, from + info.steps);
}

// The units of one state.
export function unitsOf(array, info, { l, d }, t) {
  const from = ((l * info.directions + d) * info.steps + t) * info.units;
  return array.subarray(from, from + info.units);
}

// ---- the gradient

// The step at which the loss that is followed enters a chain; an encoder's reverse one always where that ends.
export const entersAt = (info, follow, d) => (follow === null || info.answersOnce || (d && info.encoder) ? info.enters[d] : follow);

// The decoder's step whose reading of the encoder is drawn: the chosen one, or that of the followed loss.
export const readingStep = (info, view) => (view.t >= info.encoder ? view.t : entersAt(info, view.follow, 0));

// Pixels of ribbon: `one` at 1, a sixth of it less per decade, a hairline from a millionth down, 0 for exactly 0.
export function thickness(r, one) {
  if (!(r > 0)) return 0;
  return Math.max(1, one * (1 + clamp(Math.log10(r), FLOOR, MOST) / -FLOOR));
}

// A closed ribbon through [x, half a thickness] around y: flat at every step, smooth in between.
export function ribbon(points, y) {
  const side = (list, sign) => list.map(([x, half], k) => {
    const here = `${rounded(x)} ${rounded(y + sign * half)}`;
    if (!k) return here;
    const [px, before] = list[k - 1];
    const middle = rounded((px + x) / 2);
    return `C${middle} ${rounded(y + sign * before)} ${middle} ${rounded(y + sign * half)} ${here}`;
  }).join('');
  return `M${side(points, -1)}L${side([...points].reverse(), 1)}Z`;
}

// ---- where the columns stand

// Every step's place on the line from x0 to x1: wide cells for as many steps as fit (those in `must`, the last, the
// chosen and the first, then their neighbours), thin pleats for the rest, none left out.
// `breaks`: {step: pixels} of room before a step. `most`: the largest span of a wide cell when all fit.
export function columns(count, { x0, x1, full, pleat, chosen, most, breaks = {}, must = [] }) {
  const room = x1 - x0 - Object.values(breaks).reduce((a, b) => a + b, 0);
  let wide = new Set(Array(count).keys());
  if (count * full > room + 0.5) {
    const order = [...must, count - 1, chosen, 0];
    for (let k = 1; k < count; k++) order.push(chosen - k, chosen + k, count - 1 - k, k);
    const fit = Math.max(1, Math.floor((room - count * pleat) / (full - pleat) + 1e-6));
    wide = new Set([...new Set(order.filter((t) => t >= 0 && t < count))].slice(0, fit));
  }
  const thin = count - wide.size;
  const each = thin ? full : Math.min(room / count, most);
  const fold = thin ? (room - wide.size * full) / thin : 0;
  let x = x0 + (thin ? 0 : (room - each * count) / 2);
  return Array.from({ length: count }, (_, t) => {
    const span = wide.has(t) ? each : fold;
    x += (breaks[t] || 0) + span;
    return { t, x: x - span / 2, span, wide: wide.has(t) };
  });
}

// Runs of folded steps, [{from, to}]; a run ends before `border`.
export function folds(columns, border = -1) {
  const runs = [];
  for (const column of columns) {
    if (column.wide) continue;
    const last = runs[runs.length - 1];
    if (last && last.to === column.t - 1 && column.t !== border) last.to = column.t;
    else runs.push({ from: column.t, to: column.t });
  }
  return runs;
}

// ---- colour

const mix = (a, b, p) => a.map((v, k) => Math.round(v + (b[k] - v) * p));

// 129 colours from -1 over 0 to +1, as CSS and as pixels; each end and the middle is [red, green, blue].
export function scale(low, middle, high) {
  const rgb = Array.from({ length: 129 }, (_, k) => mix(middle, k < 64 ? low : high, Math.abs(k / 64 - 1) ** 0.8));
  return { css: rgb.map((c) => `rgb(${c})`), pixels: Uint32Array.from(rgb, ([r, g, blue]) => ((255 << 24) | (blue << 16) | (g << 8) | r) >>> 0) };
}
export const nearest = (v) => Math.round(clamp(v || 0, -1, 1) * 64) + 64;
export const shade = (palette, v) => palette.css[nearest(v)];

// ---- words

const RAISED = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const LOWERED = '₀₁₂₃₄₅₆₇₈₉';
const NAMES = [[1e12, 'trillion'], [1e9, 'billion'], [1e6, 'million']];
const minus = (text) => text.replace('-', '−');

// 0.43, 2.31, 8.9·10⁻¹⁰
export function num(v, digits = 2) {
  if (v === null || v === undefined || Number.isNaN(v)) return '–';
  if (!Number.isFinite(v)) return 'not finite';
  if (v === 0) return '0';
  const a = Math.abs(v);
  if (a >= 0.01 && a < 1e4) return minus(String(Number(v.toPrecision(a >= 100 ? 3 : digits + (a >= 1 ? 1 : 0)))));
  const [mantissa, exponent] = v.toExponential(1).split('e');
  const power = [...String(Math.abs(Number(exponent)))].map((digit) => RAISED[digit]).join('');
  return `${minus(mantissa)}·10${exponent[0] === '-' ? '⁻' : ''}${power}`;
}

// A number in at most six signs, unless it is very large, so that lines stay where they are while frames play: 0.31, ≈ 0.
export function fixed(v) {
  if (!Number.isFinite(v)) return '–';
  const a = Math.abs(v);
  if (a > 0 && a < 0.0005) return '≈ 0';
  return a >= 1000 ? num(v) : minus(v.toFixed(a >= 100 ? 0 : a > 0 && a < 0.01 ? 3 : 2));
}

export const lowered = (t) => (t < 0 ? '₋' : '') + [...String(Math.abs(t))].map((digit) => LOWERED[digit]).join('');

// A large count: 1,581; 25 million.
export function many(n) {
  const [unit, name] = NAMES.find(([u]) => n >= u) || [1, ''];
  if (n >= 1e15) return num(n);
  return name ? `${Number((n / unit).toPrecision(2))} ${name}` : Math.round(n).toLocaleString('en');
}

// How a reader says a part: 43%, 138%, 1 in 980 million, × 33.
export function part(r) {
  if (Number.isNaN(r) || r === undefined) return '–';
  if (!Number.isFinite(r)) return 'not finite';
  if (r === 0) return 'exactly 0';
  if (r >= 1.5) return `× ${r >= 1e4 ? num(r) : r >= 10 ? Math.round(r).toLocaleString('en') : r.toFixed(1)}`;
  if (r >= 0.01) return `${Math.round(r * 100)}%`;
  const n = 1 / r;
  return n >= 1e15 ? num(r) : `1 in ${n >= 1e6 ? many(n) : Number(n.toPrecision(2)).toLocaleString('en')}`;
}

export const percent = (p) => (!Number.isFinite(p) ? '–' : p > 0.995 && p < 1 ? '> 99%' : p < 0.005 && p > 0 ? '< 1%' : `${Math.round(p * 100)}%`);

// A space that can be seen.
export const seen = (word) => (word === ' ' ? '␣' : word);

// A word in at most this many letters.
export const cut = (word, letters) => (word.length <= Math.max(1, letters) ? word : `${word.slice(0, Math.max(1, letters - 1))}…`);

// hₜ₋₁ at t = 3 is h₂; read from right to left it is h₄. Without a t it stays as it is.
export const dated = (text, t, before) => (Number.isInteger(t) ? text.replaceAll('ₜ₋₁', lowered(before)).replaceAll('ₜ', lowered(t)) : text);

// [plain, lowered, plain, ...]: W_xh x is W, xh, x.
export const split = (text) => text.split(/_(\w+)/);

// What the network says at a step; null where it says nothing, or nobody knows what.
export function answer(info, frame, t) {
  if (!info.task || !info.counted[t]) return null;
  const target = frame.targets[t];
  if (info.outputs === 'values') return { label: fixed(frame.best[t]), p: null, target: fixed(frame.goal[t]), right: null, loss: frame.losses[t] };
  const label = info.labels[frame.best[t]] ?? '✕ not finite';
  return { label, p: frame.sure[t], chance: frame.chance[t], target, right: target === null ? null : label === target, loss: frame.losses[t] };
}

// Of which state of the encoder it reads most, as a sentence; '' without attention.
export function whatIsRead(info, frame, view) {
  if (!frame.attention) return '';
  const i = readingStep(info, view), row = frame.attention.subarray((i - info.encoder) * info.encoder, (i - info.encoder + 1) * info.encoder);
  const most = Math.max(...row), j = row.indexOf(most);
  return j < 0 ? '' : ` At t = ${info.at[i]} it reads ${percent(most)} of the state at t = ${info.at[j]}.`;
}
