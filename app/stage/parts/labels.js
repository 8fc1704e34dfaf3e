// The words at the left: what each row is. On a phone there is no room for them.
import { el, put, show } from '../svg.js';

export function labels({ info, front }) {
  const named = (text, symbol) => {
    const node = el('text', { class: 'row-label', x: 14 }, front);
    node.append(text);
    if (symbol) el('tspan', { dx: 6, class: 'symbol' }, node).textContent = symbol;
    return node;
  };
  const says = named('says', 'ŷ'), alone = info.feeds ? named('by itself') : null, reads = named('reads', 'x');
  const hears = named(info.links ? 'hears back' : 'gradient');
  const dense = Array.from({ length: info.upper }, (_, n) => named(info.upper > 1 ? `above ${n + 1}` : 'above'));
  const states = Array.from({ length: info.layers }, (_, l) => named(
    info.layers > 1 ? `layer ${l + 1}` : info.links ? 'remembers' : 'computes', info.memory === 'c' ? 'c, h' : 'h'));
  return {
    place({ narrow, rows, dense: above, y, s, unfolded }, view) {
      for (const node of [...states, ...dense]) show(node, !narrow);
      for (const node of [says, reads]) show(node, !narrow && info.task);
      show(hears, !narrow && unfolded && !(view.chain.d && info.layers > 1));
      put(says, { y: y.answer + 5 });
      if (alone) put(alone, { y: y.answer + 32 * s });
      if (alone) show(alone, !narrow && unfolded);
      put(reads, { y: y.chip + 5 });
      put(hears, { y: rows[view.chain.l].ribbon[view.chain.d] - 14 * s });
      states.forEach((node, l) => put(node, { y: rows[l].middle + 5 }));
      dense.forEach((node, n) => put(node, { y: above[n].middle + 5 }));
    },
  };
}
