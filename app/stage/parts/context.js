// What an output network hears of itself, and the one state that crosses from encoder to decoder.
import { rounded } from '../scene.js';
import { el, lazily, put, show } from '../svg.js';

export function fed({ info, wires }) {
  if (!info.feeds) return {};
  const path = lazily((t) => el('path', { class: 'fed', 'data-t': t }, wires));
  return {
    place(at, { happened }) {
      const { grid, y, s } = at;
      for (const g of grid) {
        const { t } = g, on = t > info.encoder && at.unfolded && g.card && grid[t - 1].card && happened.answer(t - 1);
        if (!on && !path.all().has(t)) continue;
        show(path(t), on);
        if (!on) continue;
        const from = grid[t - 1], x = (from.x + from.w / 2 + g.x - g.w / 2) / 2, [a, b] = [y.answer + 8 * s, y.chip];
        const reach = Math.min(18 * s, from.span * 0.3), foot = Math.min(18 * s, g.span * 0.3);
        put(path(t), { d: `M${rounded(from.x + reach)} ${rounded(a)}C${rounded(x)} ${rounded(a)} ${rounded(x)} ${rounded(a + 14)} ${rounded(x)} ${rounded(a + 60)}V${rounded(b - 24 * s)}Q${rounded(x)} ${rounded(b)} ${rounded(g.x - foot)} ${rounded(b)}` });
      }
    },
  };
}

export function context({ info, front }) {
  if (!info.encoder) return {};
  const g = el('g', { class: 'context' }, front);
  const boxes = Array.from({ length: info.layers }, () => el('rect', { class: 'context-box', x: -17, rx: 16, width: 34 }, g));
  const notes = (info.directions === 2 ? ['both ends,', 'added'] : info.attention ? ['the state'] : ['all that', 'crosses']).map((text) => {
    const node = el('text', { class: 'note' }, g);
    node.textContent = text;
    return node;
  });
  return {
    place(at, { happened }) {
      const { grid, rows, s, SH } = at, a = grid[info.encoder - 1], b = grid[info.encoder];
      at.crossing = (a.x + a.w / 2 + b.x - b.w / 2) / 2;
      put(g, { transform: `translate(${rounded(at.crossing)} 0)` });
      boxes.forEach((box, l) => put(box, { y: rows[l].middle - SH / 2 - 4, height: SH + 8 }));
      show(g, at.unfolded && happened.state({ l: 0, d: 0 }, info.encoder - 1));
      notes.forEach((note, k) => {
        put(note, { y: rows[info.layers - 1].middle - SH / 2 - (notes.length > 1 ? 26 - 15 * k : 8) * s });
        show(note, !at.narrow);
      });
    },
  };
}
