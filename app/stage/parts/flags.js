// Where the ribbon falls below 1 % and a millionth, how far back the answer needs it, and where truncation cuts it.
import { along, entersAt, rounded } from '../scene.js';
import { el, put, show } from '../svg.js';

const MARKS = [[0.01, 'below 1%'], [1e-6, 'below a millionth'], [0, 'the answer needs this far']];
const CUT = 'cut: no gradient crosses';
const LETTER = 6.6;

export function flags({ info, front }) {
  const made = (kind, text) => {
    const g = el('g', { class: kind }, front), line = el('path', {}, g), label = el('text', {}, g);
    label.textContent = `◂ ${text}`;
    show(g, false);
    return { text, g, line, label };
  };
  const all = MARKS.map(([below, text]) => ({ below, ...made(below ? 'flag' : 'flag need', text) }));
  const walls = info.walls.map((t, k) => ({ t, last: k === info.walls.length - 1, ...made('flag wall', CUT) }));

  return {
    patch(frame, at, view) {
      const { l } = view.chain, e = entersAt(info, view.follow, 0), r = along(view.relative, info, { l, d: 0 }), half = at.lane / 2;
      const on = info.links && !at.both && !at.narrow && at.unfolded, taken = [];
      const first = (below) => { for (let t = e - 1; t >= 0; t--) if (r[t] < below) return t; return -1; };
      const x = (t, below) => (below ? (at.grid[t].x + at.grid[t + 1].x) / 2 : at.grid[t].x);
      // A label stands above the ribbon at the left of its line, or at the right, or below it: where no other one is.
      const set = ({ text, g, line, label }, here, from, named) => {
        const wide = (text.length + 2) * LETTER * at.s + 8, spots = [[here - wide, here, 0], [here, here + wide, 0], [here - wide, here, 1], [here, here + wide, 1]];
        const spot = named ? spots.findIndex(([a, b, row]) => a > at.left - 40 * at.s && b < at.W && !taken.some(([c, d, other]) => row === other && a < d && c < b)) : -1;
        if (spot >= 0) taken.push(spots[spot]);
        put(g, { transform: `translate(${rounded(here)} ${rounded(at.rows[l].ribbon[0])})` });
        put(line, { d: `M0 ${rounded(from)}V${rounded(half)}` });
        put(label, { x: (spot % 2 ? 6 : -6) * at.s, y: spot > 1 ? half - at.s : -half + 8 * at.s, 'text-anchor': spot % 2 ? 'start' : 'end' });
        show(label, spot >= 0);
      };
      for (const wall of [...walls].reverse()) {
        const visible = at.unfolded && !at.both && view.happened.gradient({ l, d: 0 }, wall.t);
        show(wall.g, visible);
        if (visible) set(wall, (at.grid[wall.t - 1].x + at.grid[wall.t].x) / 2, wall.last ? -half : -half + 14 * at.s, wall.last && on);
      }
      for (const flag of all) {
        const t = flag.below ? first(flag.below) : view.follow === null ? info.need : -1, shown = on && t >= 0 && (flag.below || t > 0) && view.happened.gradient({ l, d: 0 }, t);
        show(flag.g, shown);
        if (shown) set(flag, x(t, flag.below), -half, true);
      }
    },
  };
}

// What folded steps are called.
export function folded({ info, chains, front }) {
  const notes = Array.from({ length: 4 }, () => el('text', { class: 'fold-note' }, front));
  return {
    place(at, view) {
      const { grid, rows, y, s } = at;
      const runs = at.unfolded ? at.folds : [];
      const above = rows[info.layers - 1].middle - at.SH * 0.41 - 9 * s;
      notes.forEach((note, k) => {
        const run = runs[k], room = run ? grid[run.to].x - grid[run.from].x + grid[run.to].span : 0;
        show(note, Boolean(run) && room > 34 && chains.some((c) => view.happened.state(c, run.from)));
        if (!run) return;
        const n = run.to - run.from + 1;
        put(note, { text: room > 130 * s ? `… ${n} step${n > 1 ? "s" : ""}, folded …` : `… ${n} …`, x: (grid[run.from].x + grid[run.to].x) / 2, y: at.both ? y.tick : view.worded ? y.chip + 5 : above });
      });
    },
  };
}
