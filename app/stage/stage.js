// One network on one SVG, and a canvas for its states: built once, then placed and patched. What it shows is a function
// of (info, frame, view). A new part of the picture is one file in `parts/` and one line here.
import { along, chainsOf, entersAt, thickness } from './scene.js';
import { layout, stepAt } from './layout.js';
import { el } from './svg.js';
import { labels } from './parts/labels.js';
import { wires } from './parts/wires.js';
import { dense } from './parts/dense.js';
import { gradient } from './parts/ribbon.js';
import { steps } from './parts/steps.js';
import { answers, chances } from './parts/answers.js';
import { flags, folded } from './parts/flags.js';
import { loops } from './parts/loops.js';
import { attention } from './parts/attention.js';
import { context, fed } from './parts/context.js';
import { ring, states } from './parts/states.js';

const PARTS = { labels, wires, dense, fed, gradient, steps, answers, chances, folded, loops, flags, context, attention, ring, states };
const OF_TASK = ['answers', 'chances']; // parts that only a network has whose task is known
const ARROWS = ['xh', 'hh', 'hy', 'dense'];
let made = 0;

// An arrowhead for each hue: ids are global to the page.
function arrows(svg, id) {
  const defs = el('defs', {}, svg);
  for (const kind of ARROWS) {
    const marker = el('marker', { id: `${kind}-${id}`, class: `arrow ${kind}`, viewBox: '0 0 8 8', refX: 6, refY: 4, markerWidth: 8.5, markerHeight: 8.5, markerUnits: 'userSpaceOnUse', orient: 'auto' }, defs);
    el('path', { d: 'M0 0L8 4L0 8Z' }, marker);
  }
}

// acts: {light(name, chain), choose(t), open(t, l, d), word(t, node), follow(t)}; palette() gives the theme's colours.
export function createStage(host, info, palette, acts) {
  const id = `s${(made += 1)}`, chains = chainsOf(info);
  const picture = document.createElement('div'), canvas = document.createElement('canvas');
  picture.className = 'stage-picture';
  canvas.className = 'stage-states';
  const svg = el('svg', { class: 'stage-svg', role: 'img', tabindex: 0 }, picture);
  picture.append(canvas);
  host.append(picture);
  arrows(svg, id);
  const [back, wireLayer, front] = ['back', 'wires', 'front'].map((name) => el('g', { class: name }, svg));
  const shared = { info, chains, svg, canvas, palette, back, wires: wireLayer, front, id };
  const parts = Object.fromEntries(Object.entries(PARTS).filter(([name]) => info.task || !OF_TASK.includes(name)).map(([name, build]) => [name, build(shared)]));
  let at = null, last = null, shown = null;

  function place(view) {
    at = layout(info, view);
    svg.setAttribute('viewBox', `0 0 ${at.W} ${at.height}`);
    svg.setAttribute('height', at.height);
    for (const part of Object.values(parts)) part.place?.(at, view);
  }
  function patch(frame, view) {
    [last, shown] = [frame, view];
    for (const part of Object.values(parts)) part.patch?.(frame, at, view);
  }
  function light(name, chain = null) {
    svg.classList.toggle('dim', Boolean(name));
    for (const { dataset, classList } of svg.querySelectorAll('[data-w]')) classList.toggle('lit', dataset.w === name && (!chain || name === 'hy' || dataset.c === chain));
  }
  // For the dots: where each step stands, what arrives there, and how thick the ribbon is.
  function path() {
    const { l, d } = shown.chain, e = entersAt(info, shown.follow, d), from = at.cell(shown.chain, e), r = along(shown.relative, info, shown.chain);
    const way = d ? at.grid.slice(e).reverse() : at.grid.slice(0, e + 1); // from where they arrive to where they enter
    return {
      points: way.map(({ t }) => ({ x: at.cell(shown.chain, t).x, r: r[t], half: Math.min(thickness(r[t], at.one), at.lane) / 2 })),
      y: at.rows[l].ribbon[d], turn: d ? 1 : -1, from: { x: from.x + from.w * (at.both ? (d ? -0.22 : 0.22) : 0.3), y: at.y.answer + 20 * at.s }, floor: at.height, s: at.s,
    };
  }

  const position = (event) => {
    const box = svg.getBoundingClientRect();
    return { x: ((event.clientX - box.left) / box.width) * at.W, y: ((event.clientY - box.top) / box.height) * at.height };
  };
  svg.addEventListener('pointerover', (event) => {
    const wire = event.target.closest?.('[data-w]');
    acts.light(wire?.dataset.w ?? null, wire?.dataset.c);
  });
  svg.addEventListener('pointerleave', () => acts.light(null));
  svg.addEventListener('pointermove', (event) => { // drag along the words: scrub through time
    const { x, y } = position(event);
    if (event.buttons === 1 && at.unfolded && y > at.y.chip - at.chip) acts.choose(stepAt(at, x));
  });
  svg.addEventListener('click', (event) => {
    const { x } = position(event), cell = event.target.closest?.('.cell'), word = event.target.closest?.('.chip'), said = event.target.closest?.('[data-answer]');
    if (cell) acts.open(Number(cell.dataset.t), Number(cell.dataset.l), Number(cell.dataset.d));
    else if (word) acts.word(Number(word.dataset.t), word);
    else if (said) acts.follow(Number(said.dataset.t));
    else if (at.unfolded && x > at.left) acts.choose(stepAt(at, x));
  });
  const cellBox = (t, l = 0, d = 0) => svg.querySelector(`.cell[data-t="${t}"][data-l="${l}"][data-d="${d}"]`)?.getBoundingClientRect();
  return { svg, info, place, patch, light, path, count: (text, rest) => parts.gradient.count(text, rest, shown.chain), cellBox, get at() { return at; }, get frame() { return last; } };
}
