// What one step of a decoder reads of the encoder: a band from every state to the step's context m, as wide as its
// weight. The weights of a step add up to 1, so all bands together have one width. The step is the chosen one if it
// decodes, else that of the loss that is followed.
import { lowered, num, percent, readingStep, rounded } from '../scene.js';
import { el, lazily, put, show } from '../svg.js';

const ALL = 12; // pixels of all bands together, beside each other
const HAIR = 0.6; // pixels of the narrowest band

export function attention({ info, back, wires, front, id }) {
  if (!info.attention) return {};
  const folded = ['some', 'hardly'].map((name) => el('path', { class: `attends ${name}` }, back)); // one path for all folded steps
  const notes = el('title', {}, folded[0]);
  const get = lazily((j) => {
    const band = el('path', { class: 'attends', 'data-t': j }, back);
    return { band, title: el('title', {}, band), share: el('text', { class: 'note attended', 'data-t': j }, front) };
  });
  const contexts = lazily((t) => ({
    rise: el('path', { class: `wire ${info.upper ? 'dense' : 'hy'}`, 'data-w': info.upper ? 'dense' : 'hy', 'marker-end': `url(#${info.upper ? 'dense' : 'hy'}-${id})` }, wires),
    ball: el('circle', { class: 'context-ball', 'data-t': t }, front),
  }));
  const name = el('text', { class: 'cell-name context-name', 'text-anchor': 'end' }, front);
  const left = (at, g) => g.x - (g.card ? Math.min(0.3 * g.w, 32 * at.s) : 0);

  // The context of every step that is a card: it rises beside the state to what answers.
  function place(at, { happened }) {
    const { y, s, dense } = at, to = info.upper ? dense[0].bottom + 4 * s : y.answer + (info.feeds ? 40 : 16) * s;
    for (const g of at.grid.slice(info.encoder)) {
      const { t } = g, on = g.card && at.unfolded && info.counted[t] && happened.answer(t);
      if (!on && !contexts.all().has(t)) continue;
      const { rise, ball } = contexts(t), x = left(at, g);
      for (const node of [rise, ball]) show(node, on);
      put(ball, { cx: x, cy: y.attended, r: 6 * s });
      put(rise, { d: `M${rounded(x)} ${rounded(y.attended - 6 * s)}V${rounded(to)}` });
    }
  }

  function patch(frame, at, view) {
    const i = readingStep(info, view), on = Boolean(frame.attention) && at.unfolded && view.happened.answer(i);
    for (const [t, { ball }] of contexts.all()) put(ball, { class: `context-ball${on && t === i ? ' reads' : ''}` });
    for (const [j, { band, share }] of get.all()) for (const node of [band, share]) show(node, on && at.grid[j].card);
    for (const node of [...folded, name]) show(node, on);
    if (!on) return;
    const row = (i - info.encoder) * info.encoder, end = left(at, at.grid[i]) - 6 * at.s, whole = ALL * at.s, thin = { some: [], hardly: [] };
    put(name, { x: end - 3 * at.s, y: at.y.attended - whole / 2 - 4 * at.s, text: `m${lowered(info.at[i])}` });
    let above = at.y.attended - whole / 2, hidden = 0;
    for (let j = 0; j < info.encoder; j++) {
      const weight = frame.attention[row + j], g = at.grid[j], width = Math.max(HAIR, whole * weight), y = above + whole * weight / 2;
      above += whole * weight;
      const x = g.x + (g.card ? 0.2 * g.w : 0), foot = at.rows[info.layers - 1].middle - at.cell({ l: info.layers - 1, d: 0 }, j).h / 2, shape = bent(x, foot, y, end, width);
      if (!g.card) {
        hidden += weight;
        thin[whole * weight < HAIR ? 'hardly' : 'some'].push(shape);
        continue;
      }
      const { band, title, share } = get(j);
      put(band, { d: shape, class: `attends ${whole * weight < HAIR ? 'hardly' : 'some'}` });
      put(title, { text: `m${lowered(info.at[i])} reads ${percent(weight)} of h${lowered(info.at[j])}. The loss of t = ${info.at[i]} sends ${num(frame.attentionSent[row + j])} straight back along this line.` });
      const text = percent(weight), named = !at.narrow && at.S > 58 && info.layers === 1, by = width / 2 + 4 * at.s; // a cell's name stands at the left
      put(share, { x: named ? x + by : x - by, y: foot - 8 * at.s, 'text-anchor': named ? 'start' : 'end', text });
      show(share, text.length * 7.6 * at.s + 12 < (named ? g.span - 0.7 * g.w : 0.5 * g.w + 0.5 * g.span));
    }
    put(folded[0], { d: thin.some.join('') || 'M0 0' });
    put(folded[1], { d: thin.hardly.join('') || 'M0 0' });
    put(notes, { text: `m${lowered(info.at[i])} reads ${percent(hidden)} of the folded states together.` });
  }
  return { place, patch };
}

// A band of this width from (x, foot) up to the height y, and along it to the right, to `end`: an outline.
function bent(x, foot, y, end, width) {
  const half = width / 2, turn = Math.min(9, Math.max(0, foot - y - half)), [a, b, up, down] = [x - half, x + half, y - half, y + half].map(rounded);
  const inner = rounded(x + half + turn), corner = rounded(y + half + turn), to = rounded(end);
  return `M${a} ${rounded(foot)}V${corner}Q${a} ${up} ${inner} ${up}H${to}V${down}H${inner}Q${b} ${down} ${b} ${corner}V${rounded(foot)}Z`;
}
