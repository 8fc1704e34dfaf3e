// Layers above the recurrent ones: a small card at each step that the answer reads, without links in time.
import { rounded } from '../scene.js';
import { el, lazily, put, show } from '../svg.js';

export function dense({ info, wires: layer, front, id }) {
  if (!info.upper) return {};
  const comb = el('path', { class: 'comb hy' }, layer);
  const get = lazily((key) => {
    const [n, t] = key.split(' ').map(Number);
    return { n, t, rise: el('path', { class: 'wire dense', 'data-w': 'dense', 'marker-end': `url(#dense-${id})` }, layer), box: el('rect', { class: 'box dense-box' }, front) };
  });
  const out = lazily((t) => el('path', { class: 'wire hy', 'data-w': 'hy', 'marker-end': `url(#hy-${id})`, 'data-t': t }, layer));
  return {
    place(at, { happened }) {
      for (const { t, rise, box } of get.all().values()) for (const node of [rise, box]) show(node, at.grid[t].card && at.unfolded && happened.answer(t));
      for (const [t, node] of out.all()) show(node, at.grid[t].card && at.unfolded && happened.answer(t));
      const hairs = [];
      for (const { t, card, x, w, span } of at.grid) {
        if (!info.counted[t] || !at.unfolded || !happened.answer(t)) continue;
        const foot = at.rows[info.layers - 1].top, roof = at.y.answer + (info.feeds ? 40 : 16) * at.s;
        if (!card) {
          if (span >= 2.5) hairs.push(`M${rounded(x)} ${rounded(foot)}V${rounded(roof)}`);
          continue;
        }
        for (let n = 0; n < info.upper; n++) {
          const { rise, box } = get(`${n} ${t}`), from = n ? at.dense[n - 1].top : foot;
          put(rise, { d: `M${rounded(x)} ${rounded(from - 1)}V${rounded(at.dense[n].bottom + 4)}` });
          put(box, { x: x - w / 2, y: at.dense[n].top, width: w, height: at.dense[n].bottom - at.dense[n].top, rx: 7 });
          for (const node of [rise, box]) show(node, true);
        }
        put(out(t), { d: `M${rounded(x)} ${rounded(at.dense[info.upper - 1].top)}V${rounded(roof)}` });
        show(out(t), true);
      }
      put(comb, { d: hairs.join('') || 'M0 0' });
    },
  };
}
