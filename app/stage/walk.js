// Step through: one sequence forward, a step at a time, then back. A bar above the picture, below it the numbers of the
// step, beside it how a change passes on, and the verification of a number. `view` is the board's; `view.walk` is ours.
import { inOrder } from './progress.js';
import { writeSums } from './microscope/sums.js';
import { nearest, stepsOf } from './scene.js';
import { make } from './svg.js';

const WAITING = "The network's numbers are being computed …";
const UPDATES = [[1, '1 update'], [100, '100 updates']];

function button(parent, text, act, title = '') {
  const made = Object.assign(make('button', '', parent, text), { type: 'button', onclick: act, title });
  return made;
}
// A field with its name before it.
function field(tag, parent, name, act) {
  const label = make('label', '', parent, name), made = make(tag, '', label);
  made.onchange = () => act(Number(made.value));
  return made;
}
function fillTable(table, head, rows) {
  const line = (cells, parent, scope) => {
    const row = make('tr', '', parent);
    cells.forEach((text, k) => { make(k && scope === 'row' ? 'td' : 'th', '', row, text).scope = scope === 'row' && !k ? 'row' : 'col'; });
  };
  table.replaceChildren();
  if (head.length) line(head, make('thead', '', table), 'col');
  const body = make('tbody', '', table);
  for (const cells of rows) line(cells, body, 'row');
  table.hidden = !rows.length;
}
function fillTiles(list, pairs) {
  list.replaceChildren(...pairs.map(([name, number]) => {
    const pair = document.createElement('div');
    make('dt', '', pair, name);
    make('dd', '', pair, number);
    return pair;
  }));
}
function options(select, names, chosen) {
  const key = JSON.stringify(names);
  if (select.dataset.key !== key) select.replaceChildren(...names.map((name, k) => new Option(name, k)));
  select.dataset.key = key;
  select.value = chosen;
}
const say = (node, text) => {
  node.hidden = !text;
  if (node.textContent !== text) node.textContent = text;
};

// acts: {go(t): choose a step; need(): ask for numbers; redraw(): place the picture anew; train(updates); palette()}.
export function createWalk(bar, numbers, side, view, acts) {
  let info = null, told = null, sums = null, frame = null, source = 0, gate = 0, verify = null, fresh = true, picture = null, trained = -1;
  const row = make('div', 'stage-phase-row', bar);
  const first = button(row, 'First', () => go(0), 'Home'), back = button(row, '‹ Back', () => go(at() - 1), '←');
  const slider = make('input', '', row), next = button(row, 'Next ›', () => go(at() + 1), '→'), last = button(row, 'Last', () => go(2 * stepsOf(info, view.chain.d)), 'End');
  const chains = field('select', row, '', (k) => { view.chain = info.walkable[k]; moved(); });
  const trains = UPDATES.map(([updates, text]) => button(row, text, () => { verify = null; acts.train(updates); }, 'Train, then show this place again'));
  const line = make('p', 'stage-happens', bar), where = make('strong', '', line), happens = make('span', '', line);
  Object.assign(slider, { type: 'range', min: 0, oninput: () => go(Number(slider.value)) });
  slider.setAttribute('aria-label', 'Place: forward through the steps, then back');
  chains.setAttribute('aria-label', 'Layer and direction');
  line.setAttribute('role', 'status');
  next.classList.add('stage-next');

  const equations = make('div', 'stage-walk-sums', numbers);
  const flow = make('table', 'stage-walk-flow', numbers), factor = make('p', 'stage-walk-factor', numbers);
  const fields = make('div', 'stage-walk-fields', numbers);
  const unit = field('input', fields, 'Follow unit', (value) => follow(value, source));
  const from = field('input', fields, 'its weight from unit', (value) => follow(view.unit, value));
  const gates = field('select', fields, 'in the gate', (value) => { gate = value; moved(); });
  const weight = make('dl', 'stage-tiles', numbers);
  const norms = make('p', 'stage-notes', numbers);
  for (const input of [unit, from]) Object.assign(input, { type: 'number', min: 0 });

  const title = make('strong', '', side), canvas = make('canvas', 'stage-jacobian', side), note = make('p', 'stage-notes', side);
  const choice = make('div', 'stage-walk-verify', side), what = field('select', choice, '', () => {});
  const check = button(choice, 'Verify', () => { verify = [Number(what.value), place()]; acts.need(); }, 'Compute it again, by a calculation that shares only the weights with the first');
  const result = make('div', 'stage-verified', side), state = make('p', '', result), symbol = make('strong', '', result), agrees = make('p', '', result);
  const table = make('table', 'stage-walk-flow', result), how = make('p', 'stage-notes', result);
  what.setAttribute('aria-label', 'Number to verify');
  check.classList.add('stage-next');
  result.setAttribute('role', 'status');
  canvas.setAttribute('role', 'img');
  canvas.title = 'Click an entry to follow its unit and the weight that leads there';

  const step = () => inOrder(info, view.chain.d, view.t);
  const at = () => (view.walk.back ? 2 * stepsOf(info, view.chain.d) - 1 - step() : step());
  const place = () => [at(), view.unit, source, gate];
  function go(to) {
    const target = Math.max(0, Math.min(2 * stepsOf(info, view.chain.d) - 1, to)), back_ = target >= stepsOf(info, view.chain.d);
    if (target === at()) return;
    view.walk = { back: back_ };
    stand(inOrder(info, view.chain.d, back_ ? 2 * stepsOf(info, view.chain.d) - 1 - target : target));
  }
  // A step of the picture was chosen: the same way, forward or back; perhaps of another chain.
  function choose(t, chain = view.chain) {
    view.chain = chain;
    stand(t);
  }
  function stand(t) {
    if (t === view.t) moved(); // another way at the same step, or another chain
    else acts.go(t);
  }
  function follow(to, of) {
    const most = info.hidden - 1, within = (value) => Math.max(0, Math.min(most, Math.round(value) || 0));
    view.unit = within(to);
    source = within(of);
    [unit.value, from.value] = [view.unit, source];
    moved();
  }
  function moved() {
    acts.redraw();
    acts.need();
  }

  // What is said of a place, once it has come; until then the last one stays.
  function show(given) {
    frame = given;
    mark();
    if (!frame.walk) return say(happens, frame.walkProblem || (told ? happens.textContent : WAITING));
    told = frame.walk;
    const another = fresh && told.largest !== view.unit;
    fresh = false;
    if (another) return follow(told.largest, source);
    if (trained !== told.step) verify = null; // it was of another network
    trained = told.step;
    say(where, told.where);
    say(happens, told.happens);
    fillTable(flow, told.head, told.flow);
    say(factor, told.factor || told.noLink);
    say(norms, told.norms);
    fillTiles(weight, told.weight);
    from.parentElement.hidden = gates.parentElement.hidden = !told.weight.length;
    if (told.gates.length < 2) gates.parentElement.hidden = true;
    options(gates, told.gates, gate);
    options(what, told.entries, Math.min(Number(what.value) || 0, told.entries.length - 1));
    draw();
    const { verified } = told;
    say(state, told.verifying || told.refused);
    result.hidden = !verified && !told.verifying && !told.refused;
    for (const node of [symbol, agrees, table, how]) node.hidden = !verified;
    if (!verified) return undefined;
    say(symbol, verified.symbol);
    say(agrees, verified.agrees);
    fillTable(table, [], verified.rows);
    return say(how, verified.how);
  }
  // What the browser knows by itself: the place, the choices, and the sums of the chosen unit.
  function mark() {
    if (!info) return;
    const n = 2 * stepsOf(info, view.chain.d);
    slider.max = n - 1;
    slider.value = at();
    slider.setAttribute('aria-valuetext', `${view.walk.back ? 'back' : 'forward'}, t = ${info.at[view.t]}`);
    first.disabled = back.disabled = at() === 0;
    last.disabled = next.disabled = at() === n - 1;
    for (const input of [unit, from]) input.max = info.hidden - 1;
    if (document.activeElement !== unit) unit.value = view.unit;
    if (document.activeElement !== from) from.value = source;
    chains.hidden = info.walkable.length < 2;
    options(chains, info.walkable.map(({ l, d }) => `${info.layers > 1 ? `layer ${l + 1}` : ''}${info.directions > 1 ? (d ? ' ← backwards' : ' → forwards') : ''}`.trim()), info.walkable.findIndex(({ l, d }) => l === view.chain.l && d === view.chain.d));
    equations.hidden = view.walk.back;
    if (!frame || view.walk.back) return;
    const [position, layer, direction, of] = frame.cellOf ?? [], mine = position === info.at[view.t] && layer === view.chain.l && direction === view.chain.d && of === view.unit;
    if (mine) sums(Object.assign({ known: true }, frame.cellValues), { t: info.at[view.t], direction, together: '' });
  }
  // The Jacobian: a pixel an entry; the followed one has a frame.
  function draw() {
    const about = told.jacobian;
    title.hidden = canvas.hidden = note.hidden = !about;
    if (!about || frame.jacobian?.length !== about.size ** 2) return;
    say(title, about.title);
    say(note, about.note);
    picture ??= document.createElement('canvas');
    Object.assign(picture, { width: about.size, height: about.size });
    const context = picture.getContext('2d'), image = context.createImageData(about.size, about.size), pixels = new Uint32Array(image.data.buffer), colours = acts.palette();
    frame.jacobian.forEach((value, k) => { pixels[k] = colours.pixels[nearest(value / about.scale)]; });
    context.putImageData(image, 0, 0);
    const size = 440, each = size / about.size, onto = canvas.getContext('2d');
    Object.assign(canvas, { width: size, height: size });
    onto.imageSmoothingEnabled = false;
    onto.drawImage(picture, 0, 0, size, size);
    const [y, x] = [told.of[1], told.of[2]].map((one) => about.units.indexOf(one));
    canvas.setAttribute('aria-label', `${about.title}. ${about.note}`);
    if (x < 0 || y < 0) return;
    onto.strokeStyle = acts.ink();
    onto.lineWidth = 4;
    onto.strokeRect(x * each - 1, y * each - 1, each + 2, each + 2);
  }
  canvas.onclick = ({ offsetX, offsetY }) => {
    const { units, size } = told.jacobian, [x, y] = [offsetX / canvas.clientWidth, offsetY / canvas.clientHeight].map((share) => units[Math.min(size - 1, Math.floor(share * size)) % units.length]);
    follow(y, x);
  };

  function open(on) {
    bar.hidden = numbers.hidden = side.hidden = !on;
    view.walk = on ? { back: false } : null;
    told = frame = verify = null;
    fresh = on;
    if (!on) return;
    view.follow = null; // the numbers are of all losses
    for (const node of [where, happens, factor, norms, title, note]) say(node, '');
    fillTable(flow, [], []);
    fillTiles(weight, []);
    result.hidden = true;
    if (info) view.t = inOrder(info, view.chain.d, 0);
  }
  // Another run, or the same one with other words.
  function configure(next_, cell) {
    const another = JSON.stringify(info?.at) !== JSON.stringify(next_.at);
    info = { ...next_, walkable: Array.from({ length: next_.layers * next_.directions }, (_, k) => ({ l: Math.floor(k / next_.directions), d: k % next_.directions })) };
    equations.classList.add('ms-sums');
    sums = writeSums(equations, cell.names[0]);
    if (!view.walk) return;
    if (another) open(true);
    mark();
  }
  // True if the key meant something here.
  function press(key) {
    const to = { ArrowLeft: at() - 1, ArrowRight: at() + 1, Home: 0, End: 2 * stepsOf(info, view.chain.d) }[key];
    if (to === undefined) return false;
    go(to);
    return true;
  }
  return { show, open, configure, press, choose, mark, forget: () => { info = null; }, request: () => (view.walk && info ? { place: place(), verify } : null) };
}
