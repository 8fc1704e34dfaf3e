// What the network says at each step: the answer, how sure it is, whether it is right, and the loss.
import { answer, fixed, num, percent, rounded, seen } from '../scene.js';
import { isSingle } from '../layout.js';
import { el, lazily, put, show } from '../svg.js';

export function answers({ info, front }) {
  const once = isSingle(info);
  const says = lazily((t) => {
    const g = el('g', { class: 'says', 'data-t': t, 'data-answer': '' }, front), said = el('text', {}, g);
    return { g, label: el('tspan', {}, said), chance: el('tspan', { class: 'said-odds' }, said), said, note: el('text', { class: 'note' }, g), alone: info.feeds ? el('text', { class: 'note alone' }, g) : null };
  });
  const sign = lazily((t) => el('text', { class: 'sign' }, front));

  function patch(frame, at, view) {
    const { happened } = view;
    for (const [t, { g }] of says.all()) show(g, at.grid[t].card && at.unfolded && happened.answer(t));
    for (const g of at.grid) {
      if (!info.counted[g.t]) continue;
      if (!happened.answer(g.t)) sign.all().has(g.t) && show(sign(g.t), false);
      else if (g.card && at.unfolded) one(says(g.t), g, frame, at, view);
      else small(g, frame, at);
    }
  }

  // A folded step's answer, if it is a sign.
  function small(g, frame, at) {
    const a = at.unfolded && !g.card && g.span > 7.5 && answer(info, frame, g.t);
    const fits = a && info.outputs === 'symbols' && a.label.length < 2;
    if (!fits && !sign.all().has(g.t)) return;
    show(sign(g.t), Boolean(fits));
    if (fits) put(sign(g.t), { x: g.x, y: at.y.answer, text: seen(a.label) });
  }

  function one({ g, said, label, chance, note, alone }, column, frame, at, view) {
    const { t } = column, { s, y, W } = at, a = answer(info, frame, t), room = column.span;
    const end = once && column.x + 104 * s > W;
    const right = a.right === null ? '' : a.right ? 'right' : 'wrong';
    const goal = a.right === null && info.outputs === 'symbols' ? 'no known answer' : info.outputs === 'values' ? `→ ${a.target}` : a.right ? (once ? 'right' : '') : once ? `should be ${a.target}` : seen(a.target);
    const mark = a.right === null ? '' : a.right ? '✓ ' : '✕ ';
    const shown = seen(a.label), dense = !once && room < 100 * s;
    const fit = (text, each) => (once || text.length * each < room - 4 ? text : `${text.slice(0, Math.max(1, Math.floor((room - 4) / each) - 1))}…`);
    put(g, { class: `says ${right}${end ? ' end' : ''}${t === view.entersForwards ? ' followed' : ''}`, transform: `translate(${rounded(end ? W - 14 : column.x)} ${rounded(y.answer)})` });
    put(said, { y: (once ? -8 : -4) * s, class: `said${dense ? ' dense' : ''}${a.p !== null && a.p < 0.5 ? ' unsure' : ''}` });
    put(label, { text: once && shown.length < 3 ? `“${shown}”` : fit(shown, dense ? 8.6 * s : 11 * s) });
    put(chance, { text: a.p !== null && (once || room > shown.length * 11 * s + 66 * s) ? ` ${percent(a.p)}` : '' });
    const loss = once || room > 150 * s ? ` · loss ${num(a.loss)}` : '';
    put(note, { y: 12 * s, text: was(frame, t) ?? fit(`${mark}${goal}`, 7 * s) + loss });
    if (alone) put(alone, { y: 32 * s, text: frame.free?.[t] === undefined ? '' : fit(seen(frame.free[t]), 7.4 * s) });
  }
  // What the network says as it is, while the picture shows a changed one.
  function was(frame, t) {
    if (!frame.wasBest) return null;
    if (info.outputs === 'values') return `was ${fixed(frame.wasBest[t])}`;
    return `was “${seen(info.labels[frame.wasBest[t]] ?? '–')}” ${percent(frame.wasSure[t])}`;
  }
  return { patch };
}

// How likely the network holds each of a few answers, beside the only answer.
export function chances({ info, front }) {
  if (!isSingle(info)) return {};
  const g = el('g', { class: 'odds' }, front), t = info.counted.indexOf(true), long = info.labels.some((word) => word.length > 2);
  const bars = info.labels.map((word) => ({ word, bar: el('rect', {}, g), name: el('text', {}, g) }));
  for (const { word, name } of bars) name.textContent = seen(word);
  show(g, false);
  return {
    patch(frame, at, { happened }) {
      const { s, W, y } = at, a = answer(info, frame, t), x0 = W - (long ? 352 : 366) * s;
      const free = at.grid[t].x > W - 150 * s || at.grid[t].x + 110 * s < x0 - (long ? 90 * s : 0);
      show(g, !at.narrow && at.unfolded && happened.answer(t) && free && x0 - (long ? 90 * s : 0) > at.left + (long && bars.length > 4 ? 1e9 : 0));
      bars.forEach(({ word, bar, name }, k) => {
        const target = word === a.target ? ' target' : '', x = x0 + (long ? 0 : k * 14 * s);
        const top = y.answer + (long ? k * 15 - 22 : 2) * s, bulk = Math.max(1.5, (long ? 78 : 36) * s * (frame.chances[k] || 0));
        put(name, { class: `odd-name${long ? ' wordy' : ''}${target}`, x: x + (long ? 0 : 5 * s), y: top + (long ? 10 : 12) * s });
        put(bar, long ? { class: `odd${target}`, x: x + 6 * s, y: top + 1, width: bulk, height: 10 * s } : { class: `odd${target}`, x, y: top - bulk, width: 10 * s, height: bulk });
      });
    },
  };
}
