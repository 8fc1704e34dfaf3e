// One column a step: the cells, and what is read below. A folded step has no nodes of its own but its sign.
import { cut, lowered, num, part, rounded, seen } from '../scene.js';
import { isWorded } from '../layout.js';
import { el, lazily, put, show, textWidth } from '../svg.js';

const FONT = '600 16px "Source Sans", "Source Sans 3", sans-serif';

export function steps({ info, chains, front }) {
  const col = lazily((t) => {
    const g = el('g', { class: 'col', 'data-t': t }, front);
    const cells = chains.map((c) => {
      const cell = el('g', { class: `cell${c.d ? ' reverse' : ''}`, 'data-t': t, 'data-l': c.l, 'data-d': c.d }, g);
      const name = el('text', { class: 'cell-name' }, g);
      const written = lowered(info.at[t]);
      name.textContent = info.memory === 'c' ? `c${written}  h${written}` : `h${written}`;
      return { c, cell, box: el('rect', { class: 'box' }, cell), name, gradient: el('text', { class: 'grad' }, g) };
    });
    const chip = el('g', { class: 'chip', 'data-t': t }, g);
    return { t, g, cells, chip, frame: el('rect', { rx: 9 }, chip), word: el('text', { class: 'word', dy: '0.36em' }, chip), title: el('title', {}, chip), tick: el('text', { class: 'tick' }, g) };
  });
  const sign = lazily((t) => el('text', { class: 'sign', 'data-t': t }, front)); // what a folded step reads, if it is short

  function place(at, view) {
    const { s, y, unfolded, narrow } = at, { words } = view, worded = isWorded(info, words);
    for (const [t, { g }] of col.all()) show(g, at.grid[t].card);
    for (const [t, node] of sign.all()) show(node, !at.grid[t].card && !worded && unfolded && at.grid[t].span > 7.5);
    if (!unfolded) for (const t of at.tops) front.append(col(t).g);
    for (const g of at.grid) {
      const { t } = g;
      if (!g.card) {
        if (worded || !unfolded || g.span <= 7.5 || !words[t] || words[t].length > 1) continue;
        put(sign(t), { x: g.x, y: y.chip + 4, text: seen(words[t]) });
        show(sign(t), true);
        continue;
      }
      const mine = at.tops.has(t), made = col(t);
      put(made.g, { class: `col${t === view.t ? ' chosen' : ''}${view.isTyped && view.typed[info.at[t]] !== undefined ? ' typed' : ''}` });
      for (const { c, cell, box, name } of made.cells) {
        const here = at.cell(c, t);
        put(cell, { transform: `translate(${rounded(here.x)} ${rounded(here.y)})` });
        put(box, { x: -here.w / 2, y: -here.h / 2, width: here.w, height: here.h, rx: Math.min(13 * s, here.w / 3) });
        show(cell, view.happened.state(c, t));
        show(name, !narrow && !at.both && at.S > 58 && info.layers === 1 && (unfolded || mine) && view.happened.state(c, t));
        put(name, { x: here.x - here.w / 2 + 2, y: here.y - here.h / 2 - 6 * s });
      }
      chipOf(made, g, at, view, mine);
    }
  }

  function chipOf({ t, chip, frame, word, title, tick }, g, at, view, mine) {
    const { s, y, p } = at, text = p < 0.5 ? (mine ? 'xₜ' : '') : seen(view.words[t] ?? '');
    const room = g.span / s, wanted = textWidth(text, FONT) + 18, plain = info.inputs === 'channels' || (info.inputs === 'image' && t < info.imageSteps);
    const width = plain ? Math.min(room - 4, info.inputs === 'image' ? at.chip / s : 40) : Math.max(8, Math.min(Math.max(32, wanted), room - 4));
    const least = 0.8; // so narrow letters may become
    let shortened = text;
    for (let n = text.length; n > 1 && textWidth(shortened, FONT) * least > room - 12; n -= 1) shortened = cut(text, n);
    put(chip, { transform: `translate(${rounded(g.x)} ${rounded(y.chip)}) scale(${s})`, class: `chip${info.editable && t < info.editable ? ' editable' : ''}` });
    const high = plain ? at.chip / s : 30;
    put(frame, { x: -width / 2, width, y: -high / 2, height: high });
    show(chip, info.task);
    show(frame, p > 0.4 || mine);
    put(word, { text: plain && p > 0.5 ? '' : shortened, textLength: room > 20 && textWidth(shortened, FONT) > room - 12 ? room - 12 : null, lengthAdjust: 'spacingAndGlyphs' });
    put(title, { text: shortened === text ? '' : text });
    put(tick, { x: g.x, y: y.tick, text: p < 0.5 ? (mine && !info.encoder && !at.narrow ? 't' : '') : !view.slow && g.span > 62 && info.names[t] || String(info.at[t]) });
  }

  function patch(frame, at, view) {
    const written = (c, t) => {
      const r = view.relative[(c.l * info.directions + c.d) * info.steps + t];
      return r >= 0.01 && r < 1e4 ? part(r) : num(r, 1);
    };
    const cards = at.grid.filter((g) => g.card), longest = Math.max(...cards.map((g) => written(chains[0], g.t).length));
    const on = at.unfolded && !at.both && info.links && !at.narrow && info.layers === 1 && longest * 6.8 * at.s + 14 < cards[0].span;
    for (const { t, x } of cards) {
      for (const { c, gradient } of col(t).cells) {
        show(gradient, on);
        if (on) put(gradient, { x: x + 7 * at.s, y: at.rows[c.l].ribbon[0] + at.lane / 2 + 11 * at.s, text: t > view.entersForwards || !view.happened.gradient(c, t) ? '' : written(c, t) });
      }
    }
  }
  return { place, patch };
}
