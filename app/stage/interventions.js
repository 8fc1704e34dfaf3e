// What can be changed in the network while it reads: in the open cell the choices, above the picture what was changed.
import { make } from './svg.js';

const OPEN = 1, SHUT = 0;

// `row` is inside the open cell, `list` above the picture. acts: {change(interventions)}.
export function createInterventions(row, list, acts) {
  let info = null, at = null, made = [], accepted = [];
  const now = document.createElement('p'); // inside the open cell: what has become of it, or why it cannot be
  now.className = 'stage-now';
  now.setAttribute('role', 'status');
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  const place = () => ({ layer: at.l, direction: at.d });
  // Of two for the same value the last counts: the one before goes.
  const key = ({ value, ...rest }) => JSON.stringify(rest);

  function toggle(intervention) {
    const there = made.some((each) => same(each, intervention));
    set([...made.filter((each) => key(each) !== key(intervention)), ...(there ? [] : [intervention])]);
  }
  function set(next) {
    now.dataset.refused = 'false';
    made = next;
    acts.change(made);
    mark();
  }
  const choices = () => [
    ...info.gates.flatMap(({ name, letter }) => [['shut', SHUT], ['open', OPEN]].map(([how, value]) => ({ group: `${letter} at all steps`, says: how, title: `Hold the ${name.replaceAll('_', ' ')} ${how} at all steps`, intervention: () => ({ kind: 'hold_gate', ...place(), gate: name, value }) }))),
    { group: 'this unit', says: 'set to 0', title: 'Set this unit to zero at all steps', intervention: () => ({ kind: 'zero_unit', ...place(), unit: at.unit }) },
    { group: 'this unit', says: 'h = 0 here', title: 'Set h of this unit to 0 at this step alone', intervention: () => ({ kind: 'set_state', ...place(), t: at.t, unit: at.unit, value: 0, state: 'h' }) },
    ...(info.links ? [{ group: 'the link', says: 'cut it here', title: 'Cut the link in time before this step: nothing crosses, forwards or back', intervention: () => ({ kind: 'cut_link', ...place(), t: at.t }) }] : []),
  ];
  // What can be set to any number: [name, intervention without its value].
  const values = () => [
    ...info.gates.flatMap(({ name, letter }) => [
      [`${letter} at all steps`, () => ({ kind: 'hold_gate', ...place(), gate: name })],
      [`${letter} at this step`, () => ({ kind: 'hold_gate', ...place(), gate: name, t: at.t })],
    ]),
    ...['h', info.memory].filter((state, k, all) => all.indexOf(state) === k).map((state) => [`${state} of this unit, here`, () => ({ kind: 'set_state', ...place(), t: at.t, unit: at.unit, state })]),
    ...info.numbers.map((name, channel) => [`input “${name}”, here`, () => ({ kind: 'set_input', t: at.t, channel })]),
  ];
  function buildValue() {
    const form = make('form', 'stage-choice', row), every = values();
    make('i', '', form, 'set');
    const what = make('select', '', form), value = Object.assign(make('input', '', form), { type: 'number', step: 'any', value: '0.5', required: true });
    every.forEach(([name], k) => { make('option', '', what, name).value = k; });
    what.setAttribute('aria-label', 'What to set');
    value.setAttribute('aria-label', 'To which number');
    what.after('to');
    Object.assign(make('button', 'ms-button', form, 'Set'), { type: 'submit' });
    form.onsubmit = (event) => {
      event.preventDefault();
      const next = { ...every[Number(what.value)][1](), value: Number(value.value) };
      set([...made.filter((each) => key(each) !== key(next)), next]);
    };
  }
  let buttons = [];
  function build() {
    row.replaceChildren();
    make('b', '', row, 'Change it:');
    buttons = [];
    let group = null, box = null;
    for (const choice of choices()) {
      if (choice.group !== group) {
        group = choice.group;
        box = make('span', 'stage-choice', row, '');
        make('i', '', box, group);
      }
      const button = Object.assign(make('button', 'ms-button', box, choice.says), { type: 'button', title: choice.title });
      button.setAttribute('aria-label', choice.title);
      button.onclick = () => toggle(choice.intervention());
      buttons.push([button, choice]);
    }
    buildValue();
    row.append(now);
  }
  function mark() {
    for (const [button, choice] of buttons) if (at) button.setAttribute('aria-pressed', String(made.some((each) => same(each, choice.intervention()))));
  }
  // The server refuses what was changed last: what was there before stays, and the sentence says why.
  function refuse(why) {
    if (same(made, accepted)) return;
    set(accepted);
    told(why.replaceAll('_', ' '), true); // names of fields, as words
  }
  function told(text, isRefused = false) {
    now.dataset.refused = String(isRefused);
    if (now.textContent !== text) now.textContent = text;
  }
  // What the server says of them, in order.
  function say(sentences) {
    if (sentences.length === made.length) accepted = made;
    list.hidden = !made.length;
    const said = sentences.length === made.length ? sentences : made.map(() => '…');
    if (list.dataset.said === JSON.stringify(said)) return;
    list.dataset.said = JSON.stringify(said);
    list.replaceChildren();
    make('b', '', list, 'Changed, beside the network as it is (dashed):');
    said.forEach((sentence, k) => {
      const button = Object.assign(make('button', '', list, `${sentence} ✕`), { type: 'button', title: 'Take this change back' });
      button.onclick = () => set(made.filter((_, n) => n !== k));
    });
    const all = Object.assign(make('button', '', list, 'Back to the network as it is'), { type: 'button' });
    make('kbd', '', all, 'Esc');
    all.onclick = () => set([]);
  }
  return {
    configure(next) { info = next; at = null; made = accepted = []; build(); told(''); say([]); },
    // The open cell: {l, d, t, unit}, t on the time axis.
    open(next) { at = next; mark(); },
    say, refuse,
    // Values of the open cell, by their names in its equations, that are set and not computed.
    held() {
      const here = made.filter((each) => at && each.layer === at.l && each.direction === at.d && (each.t ?? at.t) === at.t && (each.unit ?? at.unit) === at.unit);
      return here.flatMap((each) => ({ hold_gate: info.gates.filter(({ name }) => name === each.gate).map(({ letter }) => `gate ${letter}`), set_state: [each.state], zero_unit: ['h', 'c'] })[each.kind] ?? []);
    },
    // What the changed network answers, beside the open cell, which covers the picture.
    tell(text) { if (now.dataset.refused !== 'true') told(text); }, // what was refused is said until something else is changed
    clear: () => { if (made.length) set([]); },
    get made() { return made; },
  };
}
