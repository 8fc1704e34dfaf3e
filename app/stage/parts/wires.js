// W_xh, W_hh, W_hy: a wire for every copy that is drawn as a card, and a comb of hairlines for the folded ones. With a
// cell state also its belt, as thick as |c|, and on it the valve of the gate that keeps.
import { clamp, rounded, size, stepsOf, unitsOf } from '../scene.js';
import { el, lazily, put, show } from '../svg.js';

const m = (x, y) => `M${rounded(x)} ${rounded(y)}`;

export function wires({ info, chains, wires: layer, id }) {
  const { layers: L, steps: count } = info;
  const half = (t) => (info.encoder && t < info.encoder ? 'e_' : '');
  const wire = (kind, t, c) => el('path', { class: `wire ${kind}${c.d ? ' reverse' : ''}`, 'data-w': kind === 'hy' ? kind : half(t) + kind, 'data-c': `${c.l},${c.d}` }, layer);
  const comb = { rise: el('path', { class: 'comb xh' }, layer), out: el('path', { class: 'comb hy' }, layer) };
  const belts = info.links && info.memory === 'c', valves = info.links && info.keep;
  const answered = info.counted.lastIndexOf(true);
  // Where the answer reads a chain: at every step that has a loss; of a single answer where the direction ends.
  const isRead = (c, t) => info.task && c.l === L - 1 && !info.upper && t < stepsOf(info, c.d) && (info.answersOnce && c.d ? t === 0 : info.counted[t]);
  const at_ = lazily((key) => {
    const [k, t] = key.split(' ').map(Number), c = chains[k];
    const made = {
      c, t, before: c.d ? t + 1 : t - 1,
      link: info.links ? wire('hh', t, c) : null, belt: belts ? el('path', { class: 'belt' }, layer) : null,
      casing: el('path', { class: 'casing' }, layer), rise: wire('xh', t, c), out: isRead(c, t) ? wire('hy', t, c) : null,
    };
    if (valves) {
      made.valve = el('g', { class: 'valve' }, layer);
      el('rect', { class: 'valve-body', x: -7, y: -14, width: 14, height: 28, rx: 4 }, made.valve);
      made.shut = [0, 1].map(() => el('rect', { class: 'shutter', x: -4.5, width: 9 }, made.valve));
      el('text', { class: 'valve-name', y: -19 }, made.valve).textContent = info.keep;
    }
    return made;
  });

  // From the step before; in the reverse chain, the step after.
  function along({ c, t, before, link, belt, valve }, at, has) {
    const there = before >= 0 && before < stepsOf(info, c.d) && has;
    for (const node of [belt, valve]) if (node) show(node, there);
    if (!link) return;
    const here = at.cell(c, t), side = c.d ? 1 : -1;
    const stub = Math.max(0, Math.min(20, c.d ? at.W - here.x - here.w / 2 - 4 : here.x - here.w / 2 - 4)); // the first state is 0
    const from = there ? at.cell(c, before) : { x: here.x + side * (here.w / 2 + stub), w: 0 }, way = Math.sign(here.x - from.x) || 1;
    const a = from.x + way * (from.w / 2 + 2), b = here.x - way * (here.w / 2 + 3), room = (b - a) * way;
    const y = here.y + (at.both ? (c.d ? -1 : 1) * at.S * 0.28 : belt ? at.SH * 0.22 : 0), high = here.y - at.SH * 0.24;
    put(link, { d: `${m(a, y)}H${rounded(b)}`, 'marker-end': room > 11 ? `url(#hh-${id})` : null });
    show(link, has && room > 0.5 && (there || at.unfolded));
    if (!there) return;
    if (belt) put(belt, { d: `${m(a - 2, high)}H${rounded(b + 3)}` });
    if (belt) show(belt, room > 0.5);
    if (valve) put(valve, { transform: `translate(${rounded((a + b) / 2)} ${rounded(belt ? high : here.y - at.SH * 0.3)}) scale(${at.s})` });
    if (valve) show(valve, room > 18 && !at.both && at.unfolded && !(info.encoder && t === info.encoder)); // there stands what crosses
  }

  // From the input, or from the states of the layer below.
  function risen(c, t, at) {
    const here = at.cell(c, t), x = at.grid[t].x;
    const from = c.l ? at.rows[c.l - 1].top - 2 : at.y.chip - at.chip / 2 - 1, to = here.y + here.h / 2 + 4;
    if (!at.both) return `${m(here.x, from)}V${rounded(to)}`;
    return `${m(x, from)}V${rounded(from - 8)}C${rounded(x)} ${rounded(from - 20)} ${rounded(here.x)} ${rounded(from - 12)} ${rounded(here.x)} ${rounded(from - 26)}V${rounded(to)}`;
  }

  function said(c, t, at) {
    const once = info.answersOnce && c.d, here = at.cell(c, t), x = at.grid[once ? answered : t].x, from = here.y - here.h / 2;
    const to = at.y.answer + (info.feeds ? 40 : 16) * at.s;
    if (!at.both) return `${m(here.x + here.w * 0.06, from)}V${rounded(to)}`;
    if (once && t !== answered) return `${m(here.x, from)}V${rounded(to + 16)}H${rounded(x)}V${rounded(to)}`;
    return `${m(here.x, from)}V${rounded(to + 22)}C${rounded(here.x)} ${rounded(to + 8)} ${rounded(x)} ${rounded(to + 18)} ${rounded(x)} ${rounded(to)}`;
  }

  function place(at, { happened }) {
    const hairs = { rise: [], out: [] };
    for (const made of at_.all().values()) for (const node of [made.link, made.belt, made.valve, made.rise, made.casing, made.out]) if (node && !at.grid[made.t].card) show(node, false);
    for (const { t, card, span } of at.grid) {
      const alone = at.tops.has(t) ? 1 : clamp(at.p * 2.4 - 0.8, 0, 1); // while it folds, only those on top remain
      for (const [k, c] of chains.entries()) {
        if (!card) {
          if (span >= 2.5 && at.unfolded && happened.state(c, t)) hairs.rise.push(risen(c, t, at));
          if (span >= 2.5 && at.unfolded && isRead(c, t) && happened.answer(t)) hairs.out.push(said(c, t, at));
          continue;
        }
        const made = at_(`${k} ${t}`), has = happened.state(c, t);
        along(made, at, has);
        const d = risen(c, t, at);
        put(made.rise, { d, 'marker-end': `url(#xh-${id})` });
        put(made.casing, { d });
        show(made.rise, has);
        show(made.casing, has && alone === 1);
        if (made.out) {
          put(made.out, { d: said(c, t, at), 'marker-end': `url(#hy-${id})`, opacity: alone < 1 ? alone : null });
          show(made.out, happened.answer(info.answersOnce && c.d ? answered : t));
        }
        for (const node of [made.link, made.rise, made.belt, made.valve]) if (node) put(node, { opacity: alone < 1 ? alone : null });
      }
    }
    put(comb.rise, { d: hairs.rise.join('') || 'M0 0' });
    put(comb.out, { d: hairs.out.join('') || 'M0 0' });
  }

  function patch(frame, at) {
    if (!belts && !valves) return;
    for (const { c, t, before, belt, shut } of at_.all().values()) {
      if (!at.grid[t].card || before < 0 || before >= stepsOf(info, c.d)) continue;
      if (belt) put(belt, { 'stroke-width': 1.5 + 9 * at.s * Math.min(1, size(unitsOf(frame.c, info, c, before)) / frame.cScale) });
      if (!shut) continue;
      const closed = 12 * (1 - clamp(frame.keep[(c.l * info.directions + c.d) * count + t], 0, 1));
      put(shut[0], { y: -12, height: closed });
      put(shut[1], { y: 12 - closed, height: closed });
    }
  }
  return { place, patch };
}
