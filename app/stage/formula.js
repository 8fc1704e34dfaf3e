// The sums under the picture, at the chosen step and for the followed unit: h_t, the answer, its loss, and what goes back.
// Coloured like the wires; hover lights them, a press on a matrix opens its weights.
import { along, answer, dated, entersAt, fixed, lastOf, lowered, num, seen } from './scene.js';
import { put, write } from './svg.js';

const OF_CELL = 'cell: '; // before the name of a value inside the cell

export function createFormula(box, acts) {
  let info = null, terms = [], plain = [];

  // pieces: a string, or [name of a value, symbol, kind].
  function group(name, pieces) {
    const div = Object.assign(document.createElement('div'), { className: 'stage-group', title: name });
    div.setAttribute('role', 'group');
    div.setAttribute('aria-label', name);
    for (const piece of pieces) {
      const span = document.createElement('span');
      div.append(span);
      if (typeof piece === 'string') {
        span.className = 'stage-plain';
        write(span, piece);
        plain.push({ span, text: piece });
        continue;
      }
      const [key, symbol, hue] = piece;
      span.className = `stage-term ${hue ?? ''}`;
      span.tabIndex = 0;
      const sign = document.createElement('i'), value = document.createElement('b');
      span.append(sign, value);
      terms.push({ key, symbol, sign, value });
      if (!['xh', 'hh', 'hy'].includes(hue)) continue;
      span.setAttribute('role', 'button');
      span.title = 'All weights of this matrix';
      span.onpointerenter = span.onfocus = () => acts.light(hue);
      span.onpointerleave = span.onblur = () => acts.light(null);
      span.onclick = () => acts.matrix(hue, span);
      span.onkeydown = (event) => { if (event.key === 'Enter') acts.matrix(hue, span); };
    }
    box.append(div);
  }

  function configure(next) {
    info = next;
    [terms, plain] = [[], []];
    box.replaceChildren();
    for (const line of info.lines) group('Forward: the state of the followed unit', line.map((piece) => (typeof piece === 'string' ? piece : [`${OF_CELL}${piece[0]}`, piece[1], piece[2]])));
    if (info.task) groupAnswer();
    const source = !info.task || info.softmaxTwice ? [] : [info.outputs === 'symbols' ? ['dy', 'Dŷₜ = p − 1', 'grad'] : ['dy', 'Dŷₜ = 2 (ŷₜ − yₜ)', 'grad'], '→'];
    const way = [['de', '', 'grad'], '→', ['dt', '', 'grad'], '→', ['d0', '', 'grad']], whose = info.ofProbe ? ['this sequence: '] : [];
    group('Back: the gradient of the loss that is followed, of the sequence drawn', info.links && info.steps > 1 ? [...source, ...whose, ...way] : [...source, way[0]]);
  }
  function groupAnswer() {
    const sum = info.reduction === 'sum' ? 'L = sum of all l' : 'L = mean of all l', several = info.counted.filter(Boolean).length > 1;
    const total = several ? ['→', ['total', sum, 'loss']] : [], read = ['', info.attention ? 'W_hy [hₜ; mₜ]' : 'W_hy hₜ', 'hy'];
    if (info.outputs === 'symbols') group('The answer and its loss', ['ŷₜ = softmax(', read, '+ b_y )', '→', ['p', 'p(right)', 'state'], '→', ['loss', info.softmaxTwice ? 'lₜ = −ln softmax(p)' : 'lₜ = −ln p', 'loss'], ...total]);
    else group('The answer and its loss', [['said', 'ŷₜ', 'state'], '=', read, '+ b_y', '→', ['loss', 'lₜ = (ŷₜ − yₜ)²', 'loss'], ...total]);
  }

  function patch(frame, view) {
    const { t, chain } = view, e = entersAt(info, view.follow, chain.d), from = entersAt(info, view.follow, 0), asked = info.counted[t] ? t : from;
    const a = answer(info, frame, asked), source = answer(info, frame, from), g = along(frame.norms, info, chain), symbol = `D${info.memory}`, last = lastOf(info, chain.d);
    const back = chain.d ? 1 : -1, mid = t === last && t !== e ? t - back : t === e && t !== last ? t + back : t; // never one of both ends again
    const within = chain.d ? t >= e : t <= e, known = view.follow === null;
    const numbers = {
      ...(info.task ? { p: a?.chance, said: frame.best[asked], loss: a?.loss, total: frame.total, dy: info.outputs === 'symbols' ? source.chance - 1 : 2 * (frame.best[from] - frame.goal[from]) } : {}),
      de: known ? g[e] : 1, dt: within ? (known ? g[mid] : along(view.relative, info, chain)[mid]) : NaN, d0: known ? g[last] : along(view.relative, info, chain)[last],
    };
    const [at, layer, direction, unit] = frame.cellOf ?? [], mine = at === info.at[t] && layer === chain.l && direction === chain.d && unit === view.unit;
    const cell = mine ? frame.cellValues : {};
    const whole = known ? '' : ` / ‖${symbol}${lowered(info.at[e])}‖`, norm = (at) => `‖${symbol}${lowered(info.at[at])}‖${whole}`;
    const names = { p: a?.right === null ? 'p(answer)' : 'p(right)', de: norm(e), dt: norm(within ? mid : t), d0: norm(last) };
    for (const { key, symbol: text, sign, value } of terms) {
      const answering = ['p', 'said', 'loss', 'dy', ''].includes(key), at = info.at[key === 'dy' ? from : answering ? asked : t];
      write(sign, names[key] ?? dated(text, at, chain.d && !answering ? at + 1 : at - 1));
      const v = key.startsWith(OF_CELL) ? (cell[key.slice(OF_CELL.length)] ?? NaN) : numbers[key];
      put(value, { text: !key ? '' : ['de', 'dt', 'd0', 'dy', 'loss', 'total'].includes(key) ? num(v) : fixed(v) });
    }
    for (const { span, text } of plain) {
      const at = info.at[text.includes('ŷ') || text.includes('b_y') ? asked : t];
      write(span, dated(text, at, chain.d ? at + 1 : at - 1));
    }
    const ofAnswer = info.task ? ' Dŷ belongs to the loss of its own step; the' : ' The';
    box.title = `Unit ${view.unit}, of the sequence drawn${info.outputs === 'symbols' && a ? `; right is “${seen(a.target ?? '?')}”` : ''}.${ofAnswer} norms are those of the loss that is followed.`;
  }
  return { configure, patch };
}
