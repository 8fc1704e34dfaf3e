// Pure: where everything of one network stands, for a width, a height, a chosen step and a fold. Pixels.
import { clamp, columns, ease, entersAt, folds, lerp } from './scene.js';

// One answer of few words: then all its chances are drawn beside it.
export const isSingle = (info) => info.outputs === 'symbols' && info.counted.filter(Boolean).length === 1 && info.labels.length <= 12;

// It reads words, which need chips; signs and digits can stand in a pleat.
export const isWorded = (info, words) => info.inputs === 'symbols' && words.some((word) => word.length > 1 && word !== 'start');

// The steps that are never folded: where the followed loss enters, and where an encoder hands over.
function kept(info, view) {
  if (info.encoder) return [info.steps - 1, view.t, ...(info.attention ? [entersAt(info, view.follow, 0)] : []), info.encoder, info.steps - 2];
  return [entersAt(info, view.follow, 0)];
}

// Folded, the steps of each set of weights lie in one deck: [{from, to, top}], `top` the step that is seen.
function decks(info, chosen) {
  const cuts = [0, ...(info.encoder ? [info.encoder] : []), info.steps];
  return cuts.slice(1).map((to, k) => ({ from: cuts[k], to, top: chosen >= cuts[k] && chosen < to ? chosen : cuts[k] }));
}

// The heights of all rows but the cells, and of the cells what is left.
function heights(info, view, both, narrow) {
  const { layers: L, upper } = info, s = view.scale;
  const flat = narrow && view.room < 250; // two networks on a phone: no room beneath the ribbon for what arrives
  const one = both ? (L > 1 && view.room < 420 ? 11 : 15) * s : (narrow ? (flat ? 22 : 30) : clamp(view.room * 0.125, 24, 64 * s)) / (1 + 0.45 * (L - 1));
  const lane = info.links ? one * 1.67 : both ? 10 : one;
  const spare = both ? 0 : clamp((view.room - 400) / 3, 0, 40);
  const head = (!info.task ? 22 : isSingle(info) && !narrow ? 60 : info.feeds ? 62 : 48) * s;
  const lift = (both ? 34 : 26) * s + spare / 2;
  const low = (both ? 16 : 15) * s + spare * 0.2 + (narrow && !both && !flat ? 26 : 0);
  const chip = (!info.task ? 4 : info.inputs === 'image' ? 66 : info.inputs === 'channels' ? 44 : 30) * s;
  const tick = 24 * s;
  const stagger = both ? (view.room < 420 ? 9 : 15) * s : 0;
  const between = (L > 2 || view.room < 420 ? 12 : 22) * s;
  const upperRow = 44 * s, read = (info.attention ? 26 : 0) * s; // where the decoder reads the encoder's states
  const around = head + lift + upper * upperRow + read + L * ((both ? 2 * lane : lane) + 2 * stagger) + (L - 1) * between + low + chip + tick + 8 * s;
  const tallest = clamp((view.room - around) / L, both ? (L > 1 ? 36 : 44) : L > 2 ? 32 : L > 1 ? 42 : 58, (both ? 58 : 150) * s);
  return { one, lane, head, lift, low, chip, tick, stagger, between, upperRow, read, tallest };
}

// view: {width, room, scale, t, fold, follow, beside}. `room` is the height to be filled, `scale` 1 or, for a room full of
// people, more; `beside`: columns stand where those of another cell do. Returns sizes, rows, columns, and `cell(c, t)`, the place of one cell.
export function layout(info, view) {
  const { layers: L, directions, steps: count } = info, s = view.scale, W = view.width;
  const both = directions === 2, narrow = W < 640;
  const left = narrow ? 16 : 124 * (s > 1 ? 1.4 : 1), right = narrow ? 10 : isSingle(info) ? 40 : 22;
  const across = W - left - right;
  const high = heights(info, view, both, narrow);
  const { one, lane, head, lift, low, chip, stagger, between, tallest, upperRow, read } = high;
  // widths: the largest cell with which nothing folds; if that is too small, a good cell, and the middle folds
  const crossing = info.encoder ? (narrow ? 46 : 76 * s) : 0;
  const room = across - crossing, sides = both ? 2 : 1;
  const gap = (both ? 40 : info.memory === 'c' || view.beside ? 44 : 34) * (narrow ? 0.5 : s);
  const tight = Math.min(gap, both ? 26 : count > 12 ? 18 : 26);
  const fits = (room / count - tight) / sides;
  const least = narrow ? 60 : both ? 34 : count <= 16 ? 31 : 56 * s;
  const S = fits >= tallest ? tallest : fits >= least ? fits : Math.min(tallest, (narrow ? 64 : 96) * s);
  const SH = both ? S : Math.min(tallest, S * 1.6);
  const full = Math.min(sides * S + (fits >= least && fits < tallest ? tight : gap), W / 3);
  const wanted = narrow ? 3 : 4;
  const stands = columns(count, {
    x0: left, x1: W - right, full, chosen: view.t, must: kept(info, view), most: full * 2.2,
    pleat: clamp((across - crossing - wanted * full) / Math.max(1, count - wanted), 0.2, 11),
    breaks: info.encoder ? { [info.encoder]: crossing } : {},
  });
  // folded: decks of cells side by side, in each one step on top
  const p = view.fold, piles = decks(info, view.t), tops = new Set(piles.map((pile) => pile.top));
  piles.forEach((pile, k) => { pile.x = left + ((k + 0.5) / piles.length) * across - (piles.length > 1 ? 60 * s : 0); });
  const grid = stands.map((column) => {
    const pile = piles.find(({ to }) => column.t < to), near = Math.abs(column.t - pile.top);
    const e = ease(clamp(p * 1.4 - 0.4 * (column.t / count), 0, 1));
    const under = Math.min(3, near) * 4;
    return {
      ...column, e, card: column.wide || (p < 0.98 && near <= 3),
      x: lerp(pile.x + under, column.x, e),
      w: lerp(S, column.wide ? Math.min(S, column.span - 6) : Math.max(0.4, column.span > 3 ? column.span - 1.5 : column.span), e),
    };
  });
  // rows, the top layer first
  const rows = [], dense = [];
  let down = head + lift;
  for (let n = info.upper - 1; n >= 0; n--) {
    dense[n] = { top: down, middle: down + 13 * s, bottom: down + 26 * s };
    down += upperRow;
  }
  down += read;
  const attended = down - 27 * s;
  for (let l = L - 1; l >= 0; l--) {
    const top = down + (both ? lane : 0), bottom = top + SH + 2 * stagger;
    rows[l] = { top, bottom, middle: top + SH / 2 + stagger, ribbon: [bottom + lane / 2 + 4 * s, top - lane / 2 - 4 * s] };
    down = bottom + lane + (l ? between : 8 * s);
  }
  const y = { answer: head - (info.feeds ? 34 : 22) * s, chip: down + low + chip / 2, tick: down + low + chip + 15 * s, attended };
  function cell({ l, d }, t) {
    const g = grid[t];
    const apart = both ? (d ? 1 : -1) * lerp(S + 50 * s, g.wide ? g.w * 0.5 + 5 : g.w * 0.25, g.e) : 0;
    return {
      x: g.x + apart, y: rows[l].middle + (both ? (d ? -1 : 1) * stagger : 0), card: g.card,
      w: both && !g.card ? Math.max(0.4, g.w / 2 - 0.5) : g.w, h: g.card ? SH : SH * 0.82,
    };
  }
  return {
    s, W, left, right, narrow, both, S, SH, one, lane, grid, piles, tops, rows, dense, y, p, chip, cell,
    unfolded: p > 0.98, folds: folds(stands, info.encoder || -1), // runs of folded steps
    height: Math.ceil(down + low + chip + high.tick),
  };
}

// The step whose column is nearest to x.
export function stepAt(at, x) {
  return at.grid.reduce((best, g) => (Math.abs(g.x - x) < Math.abs(at.grid[best].x - x) ? g.t : best), 0);
}
