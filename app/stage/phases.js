// The next update in slow motion: five phases over the same picture, and beside it what each one does, with its numbers.
import { make } from './svg.js';

const WAITING = 'The next update is being computed on a copy …';

// What is new in a phase comes along time, in its direction: [clip path to begin with, what it hides].
const REVEALED = [['inset(0 100% 0 0)', '.stage-picture'], ['inset(0 100% 0 0)', '.stage-svg > .front'], ['inset(0 0 0 100%)', '.stage-svg > .back']];

// The style sheet hides what has not happened yet in a phase.
export function reveal(board, phase, steps, isCalm) {
  board.dataset.phase = phase;
  for (const moving of board.getAnimations({ subtree: true })) if (moving.id === 'phase') moving.cancel();
  if (isCalm || !REVEALED[phase]) return;
  const [clipPath, what] = REVEALED[phase], duration = Math.max(700, Math.min(2400, 140 * steps));
  board.querySelector(what)?.animate([{ clipPath }, { clipPath: 'inset(0 0 0 0)' }], { duration, easing: 'linear', id: 'phase' });
}

// In the last two phases `figure`, the norms of all matrices, takes the picture's place.
// acts: {phase(k): it is shown now; next(): make the update; height(): of the picture; draw(figure, node)}.
export function createPhases(bar, panel, figure, acts) {
  let update = null, at = 0;
  const heading = make('p', 'stage-update', bar);
  const row = make('div', 'stage-phase-row', bar), buttons = [];
  const back = make('button', '', row, '‹ Back'), middle = make('span', 'stage-phase-buttons', row), next = make('button', 'stage-next', row);
  const meaning = make('p', 'stage-meaning', panel), tiles = make('dl', 'stage-tiles', panel), notes = make('p', 'stage-notes', panel);
  const details = make('details', 'stage-update-table', panel);
  make('summary', '', details, 'These numbers as a table');
  const table = make('table', '', make('div', '', details));
  meaning.setAttribute('role', 'status');
  for (const button of [back, next]) button.type = 'button';
  back.onclick = () => move(-1);
  next.onclick = () => move(1);

  function show(told, problem) {
    const another = told && told.step !== update?.step;
    const waits = !told;
    next.disabled = waits;
    if (waits) return void (heading.textContent = problem || WAITING);
    update = told;
    heading.textContent = told.made ? `${told.made} ${told.heading}` : told.heading;
    while (buttons.length < told.phases.length) {
      const k = buttons.length, button = make('button', '', middle);
      button.type = 'button';
      button.onclick = () => go(k);
      buttons.push(button);
    }
    told.phases.forEach(({ name }, k) => { buttons[k].textContent = `${k + 1}  ${name}`; });
    if (another) go(0);
  }
  function go(k) {
    if (!update) return;
    at = Math.max(0, Math.min(update.phases.length - 1, k));
    const phase = update.phases[at];
    buttons.forEach((button, n) => { button.setAttribute('aria-pressed', String(n === at)); button.classList.toggle('past', n < at); });
    back.disabled = at === 0;
    next.textContent = at === update.phases.length - 1 ? 'Next update' : 'Next ›';
    meaning.textContent = phase.meaning;
    notes.textContent = phase.notes;
    tiles.replaceChildren(...phase.tiles.map(([what, number]) => {
      const pair = document.createElement('div');
      make('dt', '', pair, what);
      make('dd', '', pair, number);
      return pair;
    }));
    fill(phase);
    figure.hidden = !phase.figure;
    if (phase.figure) {
      const height = Math.max(phase.figure.layout.height, acts.height()); // nothing below it moves
      figure.style.height = `${height}px`;
      acts.draw({ ...phase.figure, layout: { ...phase.figure.layout, height } }, figure);
    }
    acts.phase(at);
  }
  function fill({ head, rows }) {
    const line = (cells, tag, parent) => {
      const row = make('tr', '', parent);
      cells.forEach((text, k) => { make(k && tag === 'td' ? 'td' : 'th', '', row, text).scope = tag === 'th' ? 'col' : 'row'; });
    };
    table.replaceChildren();
    line(head, 'th', make('thead', '', table));
    const body = make('tbody', '', table);
    for (const cells of rows) line(cells, 'td', body);
  }
  function move(by) {
    if (!update) return;
    if (by > 0 && at === update.phases.length - 1) {
      if (next.disabled) return;
      next.disabled = true;
      return acts.next();
    }
    go(at + by);
  }
  // True if the key meant something here.
  function press(key) {
    if (key === 'ArrowLeft' || key === 'ArrowRight') move(key === 'ArrowLeft' ? -1 : 1);
    else if (update && /^[1-5]$/.test(key)) go(Number(key) - 1);
    else return false;
    return true;
  }
  function open(on) {
    bar.hidden = panel.hidden = !on;
    if (on) return;
    update = null;
    tiles.replaceChildren();
    for (const node of [meaning, notes]) node.textContent = '';
    figure.hidden = true;
  }
  return { show, open, press, go, get at() { return at; }, get update() { return update; } };
}
