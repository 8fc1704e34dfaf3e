// What the picture shows, as a table: for whoever cannot see it, or wants to copy numbers. Filled only while it is open.
import { along, answer, num, percent, readingStep, seen } from './scene.js';

export function fillNumbers(table, info, frame, view) {
  const c = view.chain, relative = along(view.relative, info, c), norms = along(frame.norms, info, c);
  const ofTask = info.outputs === 'symbols' ? ['reads', 'says', 'right', 'loss'] : ['reads', 'says', 'target', 'loss'];
  const head = ['t', ...(info.task ? ofTask : []), info.ofProbe ? `gradient that is left (median of ${info.measuredOn})` : 'gradient that is left (this sequence)', `‖D${info.memory}‖ (this sequence)`];
  const i = frame.attention ? readingStep(info, view) : -1;
  if (i >= 0) head.push(`read at t = ${info.at[i]}`);
  const cells = view.words.map((word, t) => {
    const a = answer(info, frame, t);
    const said = [seen(word), a ? `${seen(a.label)}${a.p === null ? '' : ` ${percent(a.p)}`}` : '', a ? seen(a.target ?? '?') : '', a ? num(a.loss) : ''];
    return [info.at[t], ...(info.task ? said : []), num(relative[t]), view.follow === null ? num(norms[t]) : '', ...(i < 0 ? [] : [t < info.encoder ? percent(frame.attention[(i - info.encoder) * info.encoder + t]) : ''])];
  });
  const rows = [head, ...cells];
  if (table.rows.length !== rows.length) {
    table.replaceChildren();
    rows.forEach((row, i) => {
      const line = table.insertRow();
      row.forEach((_, j) => line.appendChild(document.createElement(i && j ? 'td' : 'th')).setAttribute('scope', i ? 'row' : 'col'));
    });
  }
  rows.forEach((row, i) => row.forEach((value, j) => {
    const cell = table.rows[i].cells[j], text = String(value);
    if (cell.textContent !== text) cell.textContent = text;
  }));
}
