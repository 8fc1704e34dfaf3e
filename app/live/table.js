// The numbers behind a figure, read from what is drawn: one table of everything that shares the axis, one for points that
// do not, one for each heat map. A trace without a name that does not answer to the mouse only helps to draw.
const MOST_ROWS = 200;
const MOST_CELLS = 4000;

const SIGNS = { '&lt;': '<', '&gt;': '>', '&amp;': '&' };
const plain = (text) => String(text ?? '').replace(/<br\s*\/?>/g, '; ').replace(/<[^>]*>/g, '').replace(/&(lt|gt|amp);/g, (sign) => SIGNS[sign]).trim();
const isThere = (value) => typeof value !== 'number' || Number.isFinite(value);

// As the page shows it: four digits, always, so that a column keeps its width.
function shown(value) {
  if (value === null || value === undefined || !isThere(value)) return '';
  if (typeof value !== 'number') return plain(value);
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 1e-3 && Math.abs(value) < 1e4 ? value.toPrecision(4) : value.toExponential(3);
}

// As a file has it: the shortest that is the same 32-bit number again.
function exact(value) {
  if (typeof value !== 'number' || Number.isInteger(value)) return value;
  const digits = [6, 7, 8].find((count) => Math.fround(Number(value.toPrecision(count))) === Math.fround(value)) ?? 9;
  return Number(value.toPrecision(digits));
}

// The traces as they are drawn: Plotly has unpacked the arrays that the template holds in base 64.
function traces(plot) {
  return plot.data.map((trace, i) => {
    const drawn = { ...trace, at: i, visible: plot._fullData?.[i]?.visible ?? trace.visible };
    for (const key of ['x', 'y', 'z', 'text', 'customdata']) drawn[key] = plot._fullData?.[i]?.[key] ?? trace[key];
    return drawn;
  });
}

// What is drawn of a trace: where, and what it stands for. Marks at the border of an axis, and bars that are drawn as
// shares, carry what they stand for beside them; so their read-out does not mention y.
function points(trace) {
  const said = trace.hovertemplate ?? '%{y}';
  const always = /%\{/.test(said) ? null : plain(said.replace(/<extra>.*/, ''));
  const own = /%\{y/.test(said) || !trace.customdata || typeof trace.customdata[0] === 'object';
  const found = [];
  Array.from(trace.y ?? [], (y, i) => {
    const x = trace.x ? trace.x[i] : i;
    if (y === null || !isThere(y) || x === null || !isThere(x)) return;
    const beside = trace.customdata?.[i];
    found.push({ i, x, y, value: always ?? (own ? y : beside), name: own && typeof beside === 'string' ? plain(beside) : '' });
  });
  return found;
}

// Where an area is filled between two curves: the lower and the upper one.
function edges(found) {
  const ends = new Map();
  for (const { x, y } of found) {
    const [low, high] = ends.get(x) ?? [y, y];
    ends.set(x, [Math.min(low, y), Math.max(high, y)]);
  }
  return [0, 1].map((end) => Array.from(ends, ([x, both]) => ({ x, value: both[end], name: '' })));
}

// Traces over the same axis, joined by their place on it.
function joined(parts, axis, first) {
  const places = [...new Set(parts.flatMap(({ found }) => found.map(({ x }) => x)))].sort((a, b) => a - b);
  const at = new Map(places.map((x, row) => [x, row]));
  const names = new Map(Array.from(axis?.ticktext ?? [], (text, i) => [axis.tickvals?.[i], plain(text)]));
  for (const { found } of parts) for (const { x, name } of found) if (name) names.set(x, name);
  const rows = places.map((x) => [x]);
  const columns = [first];
  if (places.some((x) => names.has(x) && names.get(x) !== String(x))) {
    columns.push('there');
    rows.forEach((row) => row.push(names.get(row[0]) ?? ''));
  }
  for (const { name, found } of parts) {
    columns.push(name);
    rows.forEach((row) => row.push(null));
    for (const { x, value } of found) rows[at.get(x)][columns.length - 1] = value;
  }
  return { columns, rows };
}

// Where the columns of a heat map stand.
function columnsOf({ x, z }) {
  return Array.from({ length: z?.[0]?.length ?? 0 }, (_, j) => x?.[j] ?? j);
}

// A heat map: a row for each of its rows. Colours of decades stand for powers of ten.
function grid(trace, layout, first) {
  const { z, text, customdata } = trace;
  const width = z[0]?.length ?? 0;
  const beside = /t = %\{customdata\}/.test(trace.hovertemplate ?? '');
  const across = beside ? customdata[0] : trace.x;
  const { tickvals, ticktext } = layout.yaxis ?? {};
  const named = ticktext?.length === z.length; // else a name stands in the middle of many rows
  const side = (i) => plain((named ? ticktext[tickvals.indexOf(trace.y?.[i] ?? i)] : null) ?? trace.y?.[i] ?? i);
  const title = plain(layout.yaxis?.title?.text) || 'row';
  const cell = (value, i, j) => {
    const number = trace.meta === 'decades' && value !== null ? 10 ** value : value;
    return text?.[i]?.[j] ? `${plain(text[i][j])} ${shown(number)}` : number;
  };
  return {
    places: columnsOf(trace),
    columns: [title, ...Array.from({ length: width }, (_, j) => `${beside ? 't' : first} ${across?.[j] ?? j}`)],
    rows: Array.from(z, (row, i) => [side(i), ...Array.from(row, (value, j) => cell(value, i, j))]),
  };
}

// All tables of a figure that is drawn; `first` names its x axis where it has no title.
function tables(plot, first) {
  const { layout } = plot;
  const axis = plain(layout.xaxis?.title?.text) || first;
  const seen = traces(plot).filter(({ visible }) => visible !== false && visible !== 'legendonly');
  const told = seen.filter(({ name, hoverinfo }) => name || hoverinfo !== 'skip');
  const found = told.filter((trace) => trace.type === 'heatmap' && trace.z?.length).map((trace) => grid(trace, layout, first));
  const [together, apart] = [[], []];
  for (const trace of told.filter((each) => each.type !== 'heatmap')) {
    const its = points(trace);
    const name = plain(trace.name) || plain(layout.yaxis?.title?.text) || (typeof its[0]?.value === 'string' ? 'what is there' : 'value');
    const alone = its.every(({ x }) => Number.isInteger(x)) && new Set(its.map(({ x }) => x)).size === its.length;
    if (!its.length) continue;
    if (trace.fill) edges(its).forEach((edge, end) => together.push({ name: `${name}, ${['from', 'to'][end]}`, found: edge }));
    else if (alone) together.push({ name, found: its });
    else apart.push(...its.map(({ x, y, value, name: said }) => [name, said || (value === y ? '' : value), x, y]));
  }
  if (together.length) found.unshift(joined(together, layout.xaxis, axis));
  if (apart.length) found.push({ columns: ['which', 'what', axis, plain(layout.yaxis?.title?.text) || 'y'], rows: apart });
  return found;
}

function csv(found) {
  const quoted = (value) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const line = (cells) => cells.map((each) => quoted(String(each === null || !isThere(each) ? '' : exact(each)))).join(',');
  return `${found.map(({ columns, rows }) => [columns, ...rows].map(line).join('\n')).join('\n\n')}\n`;
}

// So many of `count`, evenly spread, the first and the last among them.
function spread(count, most) {
  if (count <= most) return Array.from({ length: count }, (_, i) => i);
  return Array.from({ length: most }, (_, i) => Math.round((i * (count - 1)) / (most - 1)));
}

// Tables under a figure, kept true while they are open, at most once a second: cells change in place, nothing is scrolled.
class Numbers {
  constructor(box, onFile) {
    this.box = box;
    this.about = box.appendChild(document.createElement('p'));
    this.file = box.appendChild(Object.assign(document.createElement('button'), { type: 'button', textContent: 'CSV', title: 'Save these numbers, all of them' }));
    this.file.onclick = onFile;
    this.shownAt = -Infinity;
  }

  // New numbers: at once, or when the second is over.
  owe(show) {
    clearTimeout(this.timer);
    const wait = this.shownAt + 1000 - performance.now();
    if (wait <= 0) show();
    else this.timer = setTimeout(show, wait);
  }

  show(found, title) {
    this.shownAt = performance.now();
    const kept = [...this.box.querySelectorAll('table')];
    let left = 0;
    found.forEach(({ columns, rows }, n) => {
      const across = spread(columns.length, 101);
      const down = spread(rows.length, Math.max(12, Math.min(MOST_ROWS, Math.floor(MOST_CELLS / across.length))));
      left += rows.length * columns.length - down.length * across.length;
      const caption = found.length > 1 ? `${title}, ${n + 1} of ${found.length}` : title;
      const cut = [columns, ...down.map((i) => rows[i])].map((row) => across.map((j) => shown(row[j])));
      fill(kept[n] ?? this.box.appendChild(document.createElement('table')), caption, cut);
    });
    kept.slice(found.length).forEach((each) => each.remove());
    const all = found.map(({ columns, rows }) => `${rows.length.toLocaleString('en')} × ${columns.length}`).join(', ');
    this.about.textContent = !found.length ? 'No numbers yet.' : left ? `Rows × columns: ${all}. Shown are some, evenly spread; the file has all.` : `Rows × columns: ${all}.`;
  }

  // Nothing of what was there may stand beside another run's figure.
  clear() {
    clearTimeout(this.timer);
    this.show([], '');
    this.shownAt = -Infinity;
  }
}

// A table of these cells: the first row and the first column name the others.
function fill(table, caption, cells) {
  if (table.rows.length !== cells.length || table.rows[0]?.cells.length !== cells[0].length) {
    const head = (tag, scope) => Object.assign(document.createElement(tag), scope && { scope });
    table.replaceChildren(table.createCaption());
    const [top, body] = [table.createTHead(), table.createTBody()];
    cells.forEach((row, i) => {
      const line = (i ? body : top).insertRow();
      row.forEach((_, j) => line.appendChild(i ? (j ? head('td') : head('th', 'row')) : head('th', 'col')));
    });
  }
  table.caption.textContent = caption;
  cells.forEach((row, i) => row.forEach((text, j) => {
    const cell = table.rows[i].cells[j];
    if (cell.textContent !== text) cell.textContent = text;
  }));
}
