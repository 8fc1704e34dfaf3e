// The table of past runs. Its rows are made once for each run and patched; what a person does goes to the server.
const DASHES = { dash: '7 4', dot: '2 3', dashdot: '7 3 2 3', longdash: '11 4' };

function make(tag, parent, properties = {}) {
  return parent.appendChild(Object.assign(document.createElement(tag), properties));
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// The line by which a run is drawn in the figures.
function swatch(box, look) {
  const key = JSON.stringify(look);
  if (box.dataset.look === key) return;
  box.dataset.look = key;
  box.innerHTML = look ? `<svg viewBox="0 0 30 12" aria-hidden="true"><path d="M0 6h30" stroke="${look[0]}" stroke-width="2.4" stroke-dasharray="${DASHES[look[1]]}"/></svg>` : '';
}

// The time of day, with the date if it was another day.
function when(milliseconds) {
  const date = new Date(milliseconds), time = date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  return date.toDateString() === new Date().toDateString() ? time : `${date.toLocaleDateString([], { day: 'numeric', month: 'short' })}, ${time}`;
}

class Runs {
  constructor(root) {
    this.find = (name) => root.querySelector(`.my-runs-${name}`);
    this.rows = new Map();
    // Streamlit draws the page anew under a click, so that the press is remembered by the id of the run.
    this.find('table').addEventListener('click', (event) => this.click(event));
  }

  configure(data, send) {
    this.send = send;
    this.data = data;
    const { rows, labels, columns } = data;
    write(this.find('heading'), data.heading);
    write(this.find('count'), rows.length ? `(${rows.length})` : '');
    write(this.find('about'), data.about);
    write(this.find('refused'), data.refused);
    this.find('refused').hidden = !data.refused;
    const table = this.find('table'), head = table.tHead.rows[0], csv = this.find('csv');
    table.hidden = !rows.length;
    write(table.caption, data.heading);
    if (!head.cells.length) for (const column of [...columns, '']) make('th', head, { scope: 'col', textContent: column });
    csv.hidden = !rows.length;
    csv.href = new URL(data.csv, document.baseURI).href;
    write(csv, labels.csv);
    const wanted = new Set(rows.map(({ id }) => id));
    for (const [id, row] of this.rows) if (!wanted.has(id)) { row.line.remove(); this.rows.delete(id); }
    rows.forEach((run, at) => {
      if (!this.rows.has(run.id)) this.rows.set(run.id, this.row(run.id));
      const { line } = this.rows.get(run.id), body = table.tBodies[0];
      if (body.rows[at] !== line) body.insertBefore(line, body.rows[at] ?? null);
      this.patch(this.rows.get(run.id), run, labels);
    });
  }

  row(id) {
    const line = Object.assign(document.createElement('tr'), {}), { columns, labels } = this.data;
    line.dataset.run = id;
    const cells = columns.map((column) => { const cell = make('td', line); cell.dataset.column = column; return cell; });
    const draw = make('label', cells[0]), box = make('input', draw, { type: 'checkbox' }), look = make('span', draw, { className: 'my-runs-look' });
    const own = make('span', cells[0], { className: 'my-runs-present', textContent: labels.present });
    box.onchange = () => this.send({ what: 'draw', id, value: box.checked });
    const name = make('input', cells[1], { type: 'text', maxLength: this.data.longest, ariaLabel: labels.name, spellcheck: false });
    name.onchange = () => this.send({ what: 'name', id, value: name.value });
    name.onkeydown = (event) => {
      event.stopPropagation(); // the page's keys are letters
      if (event.key === 'Enter') name.blur();
      if (event.key === 'Escape') { name.value = this.rows.get(id).run.name; name.blur(); }
    };
    const note = make('small', cells[1]);
    const verdict = make('span', cells[4], { className: 'my-runs-verdict' }), sign = make('i', verdict, { ariaHidden: 'true' }), word = make('span', verdict);
    const acts = make('td', line, { className: 'my-runs-acts' });
    const open = make('a', acts, { textContent: labels.open });
    open.dataset.act = 'open';
    const compare = make('a', acts, { textContent: `${labels.compare} ↗`, target: '_blank' });
    const keep = make('button', acts, { type: 'button' });
    keep.dataset.act = 'keep';
    const forget = make('button', acts, { type: 'button', textContent: labels.forget });
    forget.dataset.act = 'forget';
    return { line, cells, draw, own, box, look, name, note, verdict, sign, word, open, compare, keep, forget };
  }

  patch(row, run, labels) {
    const { line, cells, draw, own, box, look, name, note, verdict, sign, word, open, compare, keep, forget } = row;
    row.run = run;
    line.dataset.present = run.present;
    own.hidden = !run.present;
    for (const other of [draw, open, compare, forget]) other.hidden = run.present; // it is drawn and open already
    box.checked = run.look !== null;
    box.disabled = !run.can_draw && run.look === null;
    box.ariaLabel = labels.draw.replace('{name}', run.name);
    swatch(look, run.look);
    if (document.activeElement !== name) name.value = run.name;
    name.title = run.settings;
    write(note, run.note);
    note.hidden = !run.note || run.present;
    write(cells[2], run.step);
    write(cells[3], run.best);
    verdict.dataset.tone = run.verdict?.tone ?? 'none';
    write(sign, run.verdict ? `${run.verdict.sign} ` : '');
    write(word, run.verdict?.word ?? '–');
    write(cells[5], run.ended === null ? labels.not_ended : when(run.ended));
    open.href = new URL(run.open, document.baseURI).href;
    open.title = run.settings;
    if (run.compare) compare.href = new URL(run.compare, document.baseURI).href;
    else compare.removeAttribute('href');
    compare.title = run.compare_about;
    write(keep, run.kept ? labels.kept : labels.keep);
    keep.ariaPressed = String(run.kept);
    keep.ariaLabel = `${labels.keep}: ${run.name}`;
    forget.ariaLabel = `${labels.forget}: ${run.name}`;
  }

  click(event) {
    const act = event.target.closest('[data-act]');
    if (!act || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return; // a new tab
    const id = act.closest('tr').dataset.run;
    event.preventDefault();
    this.send({ what: act.dataset.act, id, value: act.ariaPressed !== 'true' });
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const runs = (parentElement.__runs ??= new Runs(parentElement));
  runs.configure(data, (press) => setTriggerValue('press', press));
}
