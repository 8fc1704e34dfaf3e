// The gradient: a ribbon under every chain, above a reverse one, and what pours into it from above. Its pale edge is the
// spread over the probe, from the lower to the upper quartile.
import { along, clamp, entersAt, lastOf, lowered, part, ribbon, rounded, thickness } from '../scene.js';
import { el, lazily, put, show } from '../svg.js';

const NOTHING = 'M0 0';
const m = (x, y) => `M${rounded(x)} ${rounded(y)}`;

export function gradient({ info, chains, back, front }) {
  const { layers: L } = info;
  const all = chains.map((c) => ({
    c, tip: c.d ? 1 : -1, drop: lazily(() => el('path', { class: 'drop' }, back)),
    edge: el('path', { class: 'edge' }, back), river: el('path', { class: 'river' }, back), was: el('path', { class: 'was' }, back), hair: el('path', { class: 'hair' }, back), flow: el('path', { class: 'flow' }, back), head: el('path', { class: 'river' }, back),
  }));
  const arrives = chains.map(() => el('text', {}, front)), note = el('text', { class: 'arrives-at', x: 14 }, front);

  function stream({ c, tip, edge, river, was, hair, flow, head }, frame, at, view) {
    const r = along(view.relative, info, c), e = entersAt(info, view.follow, c.d), y = at.rows[c.l].ribbon[c.d];
    const half = (values, t) => thickness(values[t], at.one) / 2;
    const reach = at.grid.map((g) => g.t).filter((t) => (c.d ? t >= e : t <= e) && view.happened.gradient(c, t)), last = reach.at(c.d ? -1 : 0) ?? e;
    const end = at.cell(c, last), foot = end.x + tip * (end.card ? end.w * 0.3 : 2);
    const through = (values) => [[foot, half(values, last)], ...reach.map((t) => [at.cell(c, t).x, half(values, t)])].sort((a, b) => a[0] - b[0]);
    const points = through(r).map(([x, h]) => [x, Math.min(h, at.lane / 2 + 2)]), thin = points.filter(([, h]) => h > 0 && h <= 0.5);
    const open = Math.min(Math.max(half(r, last) * 1.45, half(r, last) + 3), at.lane / 2 + 7);
    const chevrons = reach.filter((t) => t !== last && at.grid[t].wide && at.grid[t + tip]?.wide).map((t) => {
      const x = (at.cell(c, t).x + at.cell(c, t + tip).x) / 2, h = Math.min(half(r, t), half(r, t + tip), at.lane / 2);
      return h > 3 ? `${m(x - tip * h * 0.4, y - h * 0.55)}L${rounded(x + tip * h * 0.2)} ${rounded(y)}L${rounded(x - tip * h * 0.4)} ${rounded(y + h * 0.55)}` : '';
    });
    const some = info.links && reach.length && points.some(([, h]) => h > 0), high = view.high && along(view.high, info, c);
    put(river, { d: some ? ribbon(points, y) : NOTHING, opacity: clamp(at.p * 3 - 2, 0, 1) });
    put(edge, { d: some && high && at.unfolded ? ribbon(through(high).map(([x, h]) => [x, Math.min(h, at.lane / 2 + 2)]), y) : NOTHING });
    const untouched = frame.wasRelative && along(frame.wasRelative, info, c);
    put(was, { d: some && untouched && at.unfolded ? ribbon(through(untouched).map(([x, h]) => [x, Math.min(h, at.lane / 2 + 2)]), y) : NOTHING });
    put(head, { d: some && half(r, last) > 0.6 && at.unfolded ? `${m(foot, y - open)}L${rounded(clamp(foot + tip * open * 0.9, 2, at.W - 2))} ${rounded(y)}L${rounded(foot)} ${rounded(y + open)}Z` : NOTHING });
    put(hair, { d: some && thin.length > 1 ? `${m(thin[0][0], y)}H${rounded(thin[thin.length - 1][0])}` : NOTHING });
    put(flow, { d: (some && at.unfolded && chevrons.join('')) || NOTHING });
  }

  // What enters a layer from above at t. Only the loss that is followed pours into the ribbon, as wide as "1"; the others
  // are pale and end at their own cell.
  function pour({ c, drop }, g, frame, at, view) {
    const { t } = g, e = entersAt(info, view.follow, c.d), top = c.l === L - 1, followed = top && t === e && !(c.d && info.encoder);
    const direct = along(frame.direct, info, c)[t], here = at.cell(c, t), turn = c.d ? 1 : -1;
    const on = direct > 0 && view.happened.gradient(c, t) && at.p > 0.9 && (g.card || followed) && (!top || info.counted[t] || followed);
    if (!on && !drop.all().has(t)) return;
    const node = drop(t);
    show(node, on);
    if (!on) return;
    const x = here.x + here.w * (at.both ? -turn * 0.22 : info.links ? 0.3 : 0.24), y = at.rows[c.l].ribbon[c.d];
    const from = top ? at.y.answer + (info.feeds ? 40 : 20) * at.s : at.rows[c.l + 1].ribbon[0] + at.one / 2, bend = at.one * 0.75;
    const round = `${m(x, from)}V${rounded(y - bend)}Q${rounded(x)} ${rounded(y)} ${rounded(x + turn * bend)} ${rounded(y)}H${rounded(turn > 0 ? Math.max(here.x, x + bend) + 1 : Math.min(here.x, x - bend) - 1)}`;
    const measure = along(frame.direct, info, { l: L - 1, d: info.encoder ? 0 : c.d })[info.encoder ? entersAt(info, view.follow, 0) : e] || direct;
    put(node, {
      d: followed && info.links ? round : `${m(x, from)}V${rounded(top ? here.y : y)}`, class: `drop${followed ? '' : ' inner'}`,
      'stroke-width': followed ? (info.links ? at.one : Math.min(at.one, here.w * 0.3)) : Math.min(0.3 * thickness(direct / measure, at.one), here.w * 0.3),
    });
  }

  // How much arrives at the end of each layer's chain; of a reverse chain if it is the chosen one.
  function arrive(frame, at, view) {
    const { narrow, left, rows, lane, s } = at, chosen = view.chain;
    chains.forEach((c, k) => {
      const mine = c.l === chosen.l && c.d === chosen.d, r = along(view.relative, info, c)[lastOf(info, c.d)], y = rows[c.l].ribbon[c.d];
      const on = at.unfolded && info.links && view.happened.gradient(c, lastOf(info, c.d)) && (mine || (!c.d && c.l !== chosen.l)) && (!narrow || (mine && (view.counting || view.follow !== null)));
      show(arrives[k], on);
      put(arrives[k], { x: narrow ? left : 14, y: y + (narrow ? lane / 2 + 22 : 8 * s), class: `arrives${mine ? '' : ' other'}${r < 1e-3 || r > 100 ? ' alarm' : ''}` });
      if (!(mine && view.counting)) put(arrives[k], { text: part(r) });
      if (!mine) return;
      put(note, { y: y + 25 * s });
      const which = view.follow !== null ? `of l${lowered(info.at[view.follow])} at` : info.ofProbe ? 'arrives at' : 'this sequence,';
      const end = info.at[lastOf(info, c.d)], was = frame.wasRelative && along(frame.wasRelative, info, c)[lastOf(info, c.d)];
      if (!view.counting) put(note, { text: frame.wasRelative ? `t = ${end} · was ${part(was)}` : `${which} t = ${end}` });
    });
    show(note, at.unfolded && !narrow && info.links && view.happened.gradient(chosen, lastOf(info, chosen.d)));
  }

  return {
    patch(frame, at, view) {
      for (const one of all) {
        for (const [t, node] of one.drop.all()) if (!at.grid[t].card) show(node, false);
        stream(one, frame, at, view);
        for (const g of at.grid) if (g.card || g.t === entersAt(info, view.follow, one.c.d)) pour(one, g, frame, at, view);
      }
      arrive(frame, at, view);
    },
    count(text, rest, chosen) {
      put(arrives[chains.findIndex((c) => c.l === chosen.l && c.d === chosen.d)], { text });
      put(note, { text: rest });
    },
  };
}
