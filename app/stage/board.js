// The stage with all that belongs to it: legend, picture, words, sums, microscope, dots, table. It keeps what is chosen
// (a step, a cell, a loss, a fold) and asks for the numbers that this needs.
import { createJourney } from './journey.js';
import { createAsk } from './ask.js';
import { changedSentence } from './changed.js';
import { createFormula } from './formula.js';
import { createLegend } from './legend.js';
import { createMenu } from './menu.js';
import { createMicroscope } from './microscope/microscope.js';
import { createInterventions } from './interventions.js';
import { createListen } from './listen.js';
import { createPhases, reveal } from './phases.js';
import { fillNumbers } from './numbers.js';
import { fillSentence } from './sentence.js';
import { along, answer, clamp, entersAt, lastOf, lowered, num, part, percent, seen, shade, stepsOf, whatIsRead } from './scene.js';
import { isWorded } from './layout.js';
import { colour, createPalette } from './palette.js';
import { createPull } from './pull.js';
import { progress } from './progress.js';
import { createStage } from './stage.js';
import { createWalk } from './walk.js';
import { put } from './svg.js';

const CALM = window.matchMedia('(prefers-reduced-motion: reduce)');
const FOLDING = 1100; // ms
const NARROW = 1100; // pixels of a window in which the open cell needs all of it
const LOGARITHMS = new Set(['relative', 'wasRelative', 'low', 'high', 'norms', 'followed', 'followedHigh', 'attentionSent']);
const TINY = 5e-324; // exactly 0 comes as -Infinity; nothing else becomes 0

const powers = (logarithms) => logarithms && Float64Array.from(logarithms, (v) => (v === -Infinity ? 0 : Math.max(10 ** v, TINY) || v));

// acts: {onChoose(t), onNeed()}: a step was chosen; numbers are needed that the last request did not ask for;
// {onMode(what)}: the mode "slow" or "walk" begins, or the present one ends ("off"), or a number of updates to make; {onDraw(figure, node)}: draw a Plotly figure there.
export function createBoard(root, acts) {
  const find = (name) => root.querySelector(`.stage-${name}`);
  const board = root.querySelector('.stage'), place_ = find('place');
  const view = { t: 0, chain: { l: 0, d: 0 }, unit: 0, fold: 1, follow: null, typed: {}, sentence: '', open: false, matrix: null, large: 1, slow: false, walk: null, beside: 0 };
  let info = null, cell = null, stage = null, frame = null, palette = null, folding = null, raf = 0, patched = [];

  const legend = createLegend(find('legend'), { light, matrix: weights });
  const menu = createMenu(find('menu'), board, { palette: () => palette, need: (name) => { view.matrix = name; acts.onNeed(); }, type });
  const micro = createMicroscope(find('micro'), (v) => shade(palette, v), { step: (by) => choose(view.t + by), follow: (unit) => { view.unit = unit; acts.onNeed(); magnify(); }, close: shut });
  const formula = createFormula(find('formula'), { light, matrix: (key, anchor) => weights(info.matrices.find((each) => each.key === key), anchor) });

  const ask = createAsk(find('ask'), (sentence) => { Object.assign(view, { sentence, typed: {} }); acts.onNeed(); });
  const listen = createListen(find('listen'), () => ({ first: frame?.words?.[0], notes: frame?.free?.filter(Boolean) }), (t) => choose(t));
  const isTyped = () => Boolean(view.sentence || Object.keys(view.typed).length);
  const row = find('micro').appendChild(Object.assign(document.createElement('div'), { className: 'stage-change' }));
  const interventions = createInterventions(row, find('changes'), { change: (made) => { interventions.say([]); place(); acts.onNeed(); } });
  const phases = createPhases(find('phases'), find('phase'), find('norms'), { phase: (phase) => { reveal(board, phase, info.steps, CALM.matches); }, height: () => stage.at.height, next: () => acts.onMode(1), draw: (figure, node) => acts.onDraw(figure, node) });
  const walk = createWalk(find('walk-bar'), find('walk'), find('walk-side'), view, {
    go: (t) => choose(t), need: () => acts.onNeed(), redraw: () => place(), train: (updates) => acts.onMode(updates), palette: () => palette, ink: () => `rgb(${colour(find('spoken'), 'ink')})`,
  });

  const dress = () => { palette = createPalette(find('spoken')); };

  // Another run, or the same one with another chain shown or in another size.
  function configure(data) {
    dress();
    view.large = data.large;
    view.beside = data.beside ?? 0; // pixels for the picture, where several networks stand one above the other
    board.classList.toggle('stage-large', data.large > 1);
    view.chain = data.chain;
    cell = data.cell;
    if ((data.mode ?? '') !== mode()) enter(data.mode ?? '');
    if (data.another || JSON.stringify(data.info) !== JSON.stringify(info)) begin(data.info); // nothing of the last run stays
    place();
  }
  function begin(next) {
    Object.assign(view, { follow: null, typed: {}, sentence: '', matrix: null, open: false, fold: 1, unit: 0 });
    frame = null;
    interventions.configure(next);
    walk.forget();
    rebuild(next);
  }
  function rebuild(next) {
    info = next;
    view.t = Math.min(view.walk ? view.t : view.t || 1, info.steps - 1);
    folding = null;
    stopDots();
    menu.close();
    place_.replaceChildren();
    stage = createStage(place_, info, () => palette, { light, choose, open, word, follow });
    for (const each of [legend, formula, ask, listen]) each.configure(info);
    for (const each of [find('slow'), find('step-through'), row]) each.hidden = !info.task; // nobody can run another's model
    if (info.task) walk.configure(info, cell);
    micro.close();
    [find('untype').hidden, find('follow').hidden] = [!isTyped(), view.follow === null];
    stage.svg.addEventListener('keydown', press);
  }

  // The height that is left for the picture: what the window has, less everything else that should be seen at once.
  function room() {
    const scroller = board.closest('[data-testid="stMain"]'), top = place_.getBoundingClientRect().top + (scroller?.scrollTop ?? 0);
    find('formula').hidden = find('numbers').hidden = view.large > 1 || mode() || view.beside > 0; // from the back of a room nobody reads them
    ask.hide(find('formula').hidden);
    if (view.beside) return view.beside;
    if (window.innerWidth < 640) return view.walk ? 300 : 350;
    if (view.walk) return clamp(window.innerHeight - top - 270, 230, 320);
    const below = 64 + (view.slow ? 130 : view.large > 1 ? 6 : find('formula').offsetHeight + find('ask').offsetHeight + 10);
    return clamp(window.innerHeight - top - below, 250, 760);
  }
  const look = () => {
    const followed = view.follow !== null && frame?.followedStep === info.at[view.follow], follow = followed ? view.follow : null;
    const words = frame?.words ?? Array(info.steps).fill('');
    const scale = view.large === 1 ? 1 : view.width > 1000 && !mode() ? 1.35 : 1.15; // what is said of a phase needs room, too
    return {
      ...view, happened: progress(info, view), follow, words, isTyped: frame?.isTyped, width: view.width, room: view.room, scale,
      relative: followed ? frame.followed : frame?.relative, high: !info.ofProbe ? null : followed ? frame.followedHigh : frame?.high,
      worded: isWorded(info, words), counting: journey.moves,
      entersForwards: entersAt(info, follow, 0),
    };
  };

  function place() {
    if (!info) return;
    view.room = room(); // reading the page's layout costs more than all the rest: only here, never with a frame
    view.width = Math.max(280, place_.clientWidth);
    const now = look();
    stage.svg.style.setProperty('--s', now.scale);
    stage.place(now);
    patch();
    if (!frame?.h) fillSentence(find('words'), info, frame, look(), stage.at, choose);
  }
  function patch() {
    if (!frame?.h || !stage.at) return;
    const began = performance.now(), now = look();
    stage.patch(frame, now);
    formula.patch(frame, now);
    legend.scale(frame.hScale, frame.cScale);
    magnify();
    if (find('numbers').open) fillNumbers(find('numbers').querySelector('table'), info, frame, now);
    label(now);
    fillSentence(find('words'), info, frame, now, stage.at, choose);
    patched.push(performance.now() - began);
    if (patched.length > 200) patched.shift();
  }
  function label(now) {
    const button = find('follow'), which = view.follow === null ? '' : `loss at t = ${info.at[view.follow]}`;
    button.hidden = view.follow === null;
    put(button, { text: now.follow === null ? `${which}: not measured ✕` : `${which} ✕` });
    button.title = 'Follow the last loss again';
    const a = answer(info, frame, entersAt(info, now.follow, 0)), says = a ? ` It says ${seen(a.label)}${a.p === null ? '' : `, ${percent(a.p)}`}.` : '';
    const end = lastOf(info, view.chain.d), arrived = info.links && info.steps > 1 ? ` ${part(along(now.relative, info, view.chain)[end])} of the gradient arrives at t = ${info.at[end]}.` : '';
    const text = `The network, ${info.title}, unrolled over ${info.steps} steps, ${info.task ? 'update' : 'backward pass'} ${frame.step}.${says}${arrived}${whatIsRead(info, frame, now)} Left and right arrow keys choose a step, Enter opens the cell.`;
    put(stage.svg, { 'aria-label': text });
  }

  // Values by name, as they come with a message, those under this stage's name.
  function receive(patches, name = 'stage') {
    const from = name.length + 1, mine = patches.filter(([path]) => path.startsWith(`${name}.`)).map(([path, value]) => [path.slice(from), value]);
    if (!mine.length || !info) return;
    const before = frame?.words, told = mine.find(([key]) => key === 'description')?.[1], other = told && JSON.stringify(told) !== JSON.stringify(info);
    if (other) rebuild(told); // a typed sentence may have a longer answer
    frame = { ...frame, ...Object.fromEntries(mine.map(([key, value]) => [key, LOGARITHMS.has(key) ? powers(value) : value])) };
    if (other || frame.words !== before) place();
    else patch();
    if (view.slow) phases.show(frame.update, frame.updateProblem);
    if (view.walk) walk.show(frame);
    interventions.say(frame.changes ?? []);
    if (frame.refusedChange) interventions.refuse(frame.refusedChange);
    ask.say(frame.typedNote);
    if (mine.some(([key]) => key === 'weights')) menu.show(frame.matrix, frame.weights);
    find('untype').hidden = !isTyped();
    find('problem').hidden = !frame.typedProblem || Boolean(frame.refusedChange && view.open);
    put(find('problem'), { text: frame.typedProblem ?? '' });
  }

  function weights(matrix, anchor) { if (info.task) menu.matrix(matrix, anchor); }
  function light(key, chain = null) {
    stage?.light(key, chain);
    legend.light(key, chain, frame?.means);
  }
  function choose(t, quiet = false) {
    const to = clamp(t, 0, info.steps - 1);
    menu.close();
    if (to === view.t) return;
    Object.assign(view, { t: to, chain: { ...view.chain, d: to < stepsOf(info, view.chain.d) ? view.chain.d : 0 } });
    place();
    if (view.walk) walk.mark();
    if (!quiet) acts.onChoose(info.at[to]);
    acts.onNeed();
  }
  // A step of the time axis was chosen elsewhere.
  function chooseAt(position) {
    const t = info?.at.indexOf(position) ?? -1;
    if (t >= 0) choose(t, true);
  }
  function open(t, l, d) {
    if (pull.moved || !info.opens) return; // the end of a drag is no click
    if (view.walk) return walk.choose(t, { l, d });
    const from = stage.cellBox(t, l, d);
    micro.configure(cell);
    find('micro').style.zoom = view.large > 1 ? 1.25 : '';
    if (window.innerWidth < NARROW) { // above the page's own bars
      find('micro').popover = 'manual';
      find('micro').showPopover();
    }
    Object.assign(view, { chain: { l, d }, open: true });
    choose(t);
    place();
    const box = find('micro');
    box.querySelector('button[aria-label="close"]')?.focus({ preventScroll: true });
    acts.onNeed();
    if (CALM.matches || !from) return;
    const to = box.getBoundingClientRect();
    box.animate([{ transform: `translate(${from.x - to.x}px, ${from.y - to.y}px) scale(${from.width / to.width}, ${from.height / to.height})`, opacity: 0.2 }, { transform: 'none', opacity: 1 }], { duration: 420, easing: 'cubic-bezier(.2,.8,.2,1)' });
  }
  function shut() {
    if (!view.open) return;
    view.open = false;
    find('micro').removeAttribute('popover');
    micro.close();
    stage.svg.focus({ preventScroll: true });
    acts.onNeed();
  }
  // The open cell with its numbers, as far as they have come.
  function magnify() {
    if (!view.open || !frame?.h) return;
    interventions.open({ ...view.chain, t: info.at[view.t], unit: view.unit });
    interventions.tell(changedSentence(info, frame, look(), view.chain));
    const { t, unit, chain: { l, d } } = view, [at, layer, direction, which] = frame.cellOf ?? [], mine = at === info.at[t] && layer === l && direction === d && which === unit;
    const norms = along(frame.norms, info, view.chain), to = d ? t + 1 : t - 1, name = info.memory;
    const together = view.follow === null && to >= 0 && to < stepsOf(info, d) && norms[t] > 0 ? `‖D${name}${lowered(info.at[to])}‖ / ‖D${name}${lowered(info.at[t])}‖ = ${num(norms[to] / norms[t])}` : view.follow === null ? 'the chain begins here' : '';
    micro.patch(mine ? frame.cellValues : {}, {
      t: info.at[t], steps: info.at[info.steps - 1] + 1, unit, units: info.hidden, layer: l, layers: info.layers, direction: d, directions: info.directions,
      states: frame.cellUnits ?? new Float32Array(info.hidden), word: seen(look().words[t] ?? ''), limit: frame.cellScale ?? 1, together, held: interventions.held(),
    });
  }
  function word(t, node) {
    choose(t);
    if (t < info.editable && !view.walk) menu.word(t, node, info, frame.words[t]);
  }
  function type(t, text) {
    view.typed = { ...view.typed, [info.at[t]]: text };
    acts.onNeed();
  }
  function follow(t) {
    if (view.walk || !info.task || !info.links || info.counted.filter(Boolean).length < 2) return choose(t);
    view.follow = t === info.enters[0] ? null : t;
    acts.onNeed();
    place();
  }
  find('follow').onclick = () => follow(info.enters[0]);
  find('untype').onclick = () => { Object.assign(view, { sentence: '', typed: {} }); find('untype').hidden = true; acts.onNeed(); place(); };

  // ---- the next update in slow motion, and this sequence step by step
  const mode = () => (view.slow ? 'slow' : view.walk ? 'walk' : '');
  function enter(next) {
    view.slow = next === 'slow';
    if (next === 'walk' && view.fold < 1) settle(1);
    find('slow').setAttribute('aria-pressed', String(view.slow));
    find('step-through').setAttribute('aria-pressed', String(next === 'walk'));
    board.classList.toggle('stage-in-phase', view.slow);
    board.classList.toggle('stage-walking', next === 'walk');
    stopDots();
    shut();
    phases.open(view.slow);
    walk.open(next === 'walk');
    if (view.slow) phases.show(null);
    else delete board.dataset.phase;
    if (info) place();
    acts.onNeed();
  }
  const toggle = (which) => { enter(mode() === which ? '' : which); acts.onMode(mode() || 'off'); };
  find('slow').onclick = () => toggle('slow');
  find('step-through').onclick = () => toggle('walk');

  // ---- time: one loop that runs only while something moves
  const go = () => { raf ||= requestAnimationFrame(tick); };
  function tick(now) {
    raf = 0;
    let more = false;
    if (folding) {
      const p = clamp((now - folding.since) / FOLDING, 0, 1);
      view.fold = folding.to ? p : 1 - p;
      if (p >= 1) folding = null;
      place();
      more = true;
    }
    if (journey.moves) more = journey.draw(now) || more;
    if (more) go();
  }
  // From where the fold is to one end.
  function settle(to) {
    stopDots();
    find('fold').firstChild.textContent = to ? 'Fold ' : 'Unfold ';
    if (CALM.matches) {
      view.fold = to;
      return place();
    }
    folding = { to, since: performance.now() - FOLDING * Math.abs((to ? 0 : 1) - view.fold) };
    go();
  }
  const toggleFold = () => settle(view.fold < 0.5 ? 1 : 0);
  find('fold').onclick = toggleFold;

  const pull = createPull(place_, { fold: () => (folding ? 1 : view.fold), move: (to) => { view.fold = to; place(); }, settle });

  const journey = createJourney({ board, canvas: find('dots-canvas'), button: find('dots'), spoken: find('spoken') }, { go, stage: () => stage, palette: () => palette, ended: patch });
  const stopDots = journey.stop;
  function startDots() {
    if (journey.moves) return stopDots();
    if (!frame?.h || view.fold < 1 || CALM.matches || !info.links) return; // then the ribbon and its number say it
    journey.start();
  }
  find('dots').onclick = startDots;
  find('numbers').ontoggle = () => patch();

  function press(event) {
    if (mode()) return; // its own keys
    const does = { ArrowLeft: () => choose(view.t - 1), ArrowRight: () => choose(view.t + 1), Home: () => choose(0), End: () => choose(info.steps - 1), Enter: () => open(view.t, view.chain.l, view.chain.d) }[event.key];
    if (!does || event.ctrlKey || event.metaKey || event.altKey) return;
    does();
    event.preventDefault();
    event.stopPropagation(); // elsewhere these keys move the timeline
  }
  const onKey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.('input, textarea, select, [contenteditable], [role="slider"]')) return;
    if (event.key === 'Escape') return void (find('menu').hidden ? (view.open ? shut() : interventions.made.length && !view.walk ? interventions.clear() : mode() && toggle(mode())) : menu.close());
    if ((view.slow && phases.press(event.key)) || (view.walk && info && walk.press(event.key))) {
      event.preventDefault();
      return void event.stopImmediatePropagation(); // elsewhere these keys move the timeline
    }
    const does = { u: () => mode() || toggleFold(), d: () => mode() || startDots(), m: () => view.beside || !info?.task || toggle('slow'), w: () => view.beside || !info?.task || toggle('walk') }[event.key.toLowerCase()];
    if (does && info) does();
  };
  document.addEventListener('keydown', onKey, true);
  const onPress = (event) => { if (!event.target.closest?.('.stage-menu, .chip, .stage-w, .stage-term')) menu.close(); };
  document.addEventListener('click', onPress);
  const resized = new ResizeObserver(() => { if (info && place_.clientWidth !== resized.width) { resized.width = place_.clientWidth; stopDots(); place(); } });
  resized.observe(place_);
  const rerooms = () => { if (info) place(); };
  window.addEventListener('resize', rerooms);

  return {
    board, configure, receive, chooseAt, dress: (next = '') => { dress(); if (next !== mode()) enter(next); else patch(); },
    // What the next message must have besides the numbers of every frame.
    request: () => info && { t: info.at[view.t], chain: [view.chain.l, view.chain.d], unit: view.unit, open: view.open, follow: view.follow === null ? null : info.at[view.follow], typed: view.typed, sentence: view.sentence, matrix: view.matrix, slow: view.slow, walk: walk.request(), interventions: interventions.made },
    state: { choose: (t) => choose(t), get patched() { return patched; }, get view() { return view; }, get frame() { return frame; }, get info() { return info; }, get at() { return stage?.at; }, look: () => look() },
    close() {
      document.removeEventListener('keydown', onKey, true);
      document.removeEventListener('click', onPress);
      pull.close();
      listen.stop();
      window.removeEventListener('resize', rerooms);
      resized.disconnect();
    },
  };
}
