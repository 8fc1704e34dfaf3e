// When all steps are folded: every chain is one cell with its loop, as often as it is used.
import { rounded } from '../scene.js';
import { el, put, show } from '../svg.js';

export function loops({ info, chains, front, id }) {
  const both = info.directions === 2, halves = info.encoder ? ['e_', ''] : [''];
  const all = !info.links ? [] : halves.flatMap((half, k) => chains.filter((c) => !(k && c.d)).map((c) => ({
    c, k, path: el('path', { class: `wire hh loop${c.d ? ' reverse' : ''}`, 'data-w': `${half}hh`, 'data-c': `${c.l},${c.d}`, 'marker-end': `url(#hh-${id})` }, front),
  })));
  const captions = halves.map((half, k) => {
    const mark = halves.length > 1 && k ? '′' : '';
    const names = [['xh', `W${mark}`, 'xh'], ['hh', `W${mark}`, 'hh'], ['hy', 'W', 'hy'], ['out', 'ŷ', '']].map(([kind, head, tail]) => {
      const node = el('text', { class: `named ${kind}` }, front);
      node.append(head);
      if (tail) el('tspan', { dy: 4, class: 'tail' }, node).textContent = tail;
      return node;
    });
    return { names, told: el('text', { class: 'loop-note' }, front), k };
  });
  return {
    place(at) {
      const { s, S, SH, y } = at, on = at.p < 0.35;
      for (const { c, k, path } of all) {
        show(path, on);
        const { x, y: middle } = at.cell(c, at.piles[k].top), turn = c.d ? -1 : 1; // a reverse chain's goes the other way round
        const roof = middle - SH / 2 - (both ? 13 : 26) * s, near = S * 0.3, far = S / 2 + (both ? 44 : Math.min(110, at.W * 0.12)) * s;
        const to = (dx, dy) => `${rounded(x + turn * dx)} ${rounded(dy)}`;
        put(path, { d: `M${to(S / 2 + 26, middle)}C${to(far, middle)} ${to(far, roof)} ${to(near, roof)}L${to(-near, roof)}C${to(-far, roof)} ${to(-far, middle)} ${to(-S / 2 - 5, middle)}` });
      }
      for (const { names, told, k } of captions) {
        const pile = at.piles[k], { x, y: middle } = at.cell(chains[0], pile.top), roof = middle - SH / 2 - 26 * s;
        const speaks = info.counted.slice(pile.from, pile.to).some(Boolean);
        const spots = [[12, (middle + SH / 2 + y.chip) / 2], [-S / 2 - 70, roof - 6], [22, roof - 10], [2, y.answer + 8]];
        names.forEach((node, n) => {
          show(node, on && !both && info.layers === 1 && !info.upper && (n < 2 || speaks) && (n !== 1 || info.links));
          put(node, { x: x + spots[n][0], y: spots[n][1] });
        });
        const many = chains.length > 1 ? `${chains.length} cells, one for each ${both ? (info.layers > 1 ? 'layer and direction' : 'direction') : 'layer'}, each` : `${halves.length > 1 ? (k ? 'decoder: ' : 'encoder: ') : ''}one cell,`;
        const narrow = at.narrow || halves.length > 1;
        put(told, {
          text: at.narrow && chains.length > 1 ? `${chains.length} cells, each used ${pile.to - pile.from} times` : `${many} used ${pile.to - pile.from} times`, 'text-anchor': narrow ? 'middle' : 'start',
          x: narrow ? x : at.cell(chains[chains.length - 1], pile.top).x + S / 2 + Math.min(122, at.W * 0.13) * s, y: narrow ? y.tick : middle - SH * 0.2,
        });
        show(told, on);
      }
    },
  };
}
