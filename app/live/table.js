// The numbers of a figure, read from what is drawn: one table of all traces that share the axis, one of the points that
// do not, and one for each heat map. A trace without a name and without a read-out is decoration and left out.
const MAX_ROWS = 200;
const MAX_CELLS = 4000;

const SIGNS = { '&lt;': '<', '&gt;': '>', '&amp;': '&' };
const plain = (text) => String(text ?? '').replace(/<br\s*\/?>/g, '; ').replace(/<[^>]*>/g, '').replace(/&(lt|gt|amp);/g, (sign) => SIGNS[sign]).trim();
const isThere = (value) => typeof value !== 'number' || Number.isFinite(value);

// A value on the page: always four digits, so that a column keeps its width.
function shown(value) {
  if (value === null || value === undefined || !isThere(value)) return '';
  if (typeof value !== 'number') return plain(value);
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 1e-3 && Math.abs(value) < 1e4 ? value.toPrecision(4) : value.toExponential(3);
}

// A value in a file: the shortest decimal number that rounds to the same 32-bit number.
function exact(value) {
  if (typeof value !== 'number' || Number.isInteger(value)) return value;
  const digits = [6, 7, 8].find((count) => Math.fround(Number(value.toPrecision(count))) === Math.fround(value)) ?? 9;
  return Number(value.toPrecision(digits));
}

// The traces as they are drawn: Plotly has decoded the arrays, which the template has in base64.
function traces(plot) {
  return plot.data.map((trace, i) => {
    const drawn = { ...trace, at: i, visible: plot._fullData?.[i]?.visible ?? trace.visible };
    for (const key of ['x', 'y', 'z', 'text', 'customdata']) drawn[key] = plot._fullData?.[i]?.[key] ?? trace[key];
    return drawn;
  });
}

// The points of a trace: position and value. Marks at the border of an axis, and bars that are drawn as shares, have
// their values in `customdata`; their read-out does not mention y.
function points(trace) {
  const template = trace.hovertemplate ?? '%{y}';
  const always = /%\{/.test(template) ? null : plain(template.replace(/<extra>.*/, ''));
  const own = /%\{y/.test(template) || !trace.customdata || typeof trace.customdata[0] === 'object';
  const result = [];
  Array.from(trace.y ?? [], (y, i) => {
    const x = trace.x ? trace.x[i] : i;
    if (y === null || !isThere(y) || x === null || !isThere(x)) return;
    const beside = trace.customdata?.[i];
    result.push({ i, x, y, value: always ?? (own ? y : beside), name: own && typeof beside === 'string' ? plain(beside) : '' });
  });
  return result;
}

// The lower and the upper curve of a filled area.
function edges(area) {
  const ends = new Map();
  for (const { x, y } of area) {
    const [low, high] = ends.get(x) ?? [y, y];
    ends.set(x, [Math.min(low, y), Math.max(high, y)]);
  }
  return [0, 1].map((end) => Array.from(ends, ([x, both]) => ({ x, value: both[end], name: '' })));
}

// Traces over the same axis, joined by x.
function joined(parts, axis, first) {
  const places = [...new Set(parts.flatMap((part) => part.points.map(({ x }) => x)))].sort((a, b) => a - b);
  const at = new Map(places.map((x, row) => [x, row]));
  const names = new Map(Array.from(axis?.ticktext ?? [], (text, i) => [axis.tickvals?.[i], plain(text)]));
  for (const part of parts) for (const { x, name } of part.points) if (name) names.set(x, name);
  const rows = places.map((x) => [x]);
  const columns = [first];
  if (places.some((x) => names.has(x) && names.get(x) !== String(x))) {
    columns.push('label');
    rows.forEach((row) => row.push(names.get(row[0]) ?? ''));
  }
  for (const part of parts) {
    columns.push(part.name);
    rows.forEach((row) => row.push(null));
    for (const { x, value } of part.points) rows[at.get(x)][columns.length - 1] = value;
  }
  return { columns, rows };
}

// The x of each column of a heat map.
function columnsOf({ x, z }) {
  return Array.from({ length: z?.[0]?.length ?? 0 }, (_, j) => x?.[j] ?? j);
}

// The table of a heat map, row by row. Values that are logarithms become powers of ten.
function grid(trace, layout, first) {
  const { z, text, customdata } = trace;
  const width = z[0]?.length ?? 0;
  const beside = /t = %\{customdata\}/.test(trace.hovertemplate ?? '');
  const across = beside ? customdata[0] : trace.x;
  const { tickvals, ticktext } = layout.yaxis ?? {};
  const named = ticktext?.length === z.length; // else one label stands for several rows
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
  const readable = seen.filter(({ name, hoverinfo }) => name || hoverinfo !== 'skip');
  const result = readable.filter((trace) => trace.type === 'heatmap' && trace.z?.length).map((trace) => grid(trace, layout, first));
  const [together, apart] = [[], []];
  for (const trace of readable.filter(({ type }) => type !== 'heatmap')) {
    const its = points(trace);
    const name = plain(trace.name) || plain(layout.yaxis?.title?.text) || (typeof its[0]?.value === 'string' ? 'content' : 'value');
    const alone = its.every(({ x }) => Number.isInteger(x)) && new Set(its.map(({ x }) => x)).size === its.length;
    if (!its.length) continue;
    if (trace.fill) edges(its).forEach((edge, end) => together.push({ name: `${name}, ${['from', 'to'][end]}`, points: edge }));
    else if (alone) together.push({ name, points: its });
    else apart.push(...its.map(({ x, y, value, name: label }) => [name, label || (value === y ? '' : value), x, y]));
  }
  if (together.length) result.unshift(joined(together, layout.xaxis, axis));
  if (apart.length) result.push({ columns: ['series', 'label', axis, plain(layout.yaxis?.title?.text) || 'y'], rows: apart });
  return result;
}

function csv(parts) {
  const quoted = (value) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const line = (cells) => cells.map((cell) => quoted(String(cell === null || !isThere(cell) ? '' : exact(cell)))).join(',');
  return `${parts.map(({ columns, rows }) => [columns, ...rows].map(line).join('\n')).join('\n\n')}\n`;
}

// At most `max` of `count` indices, evenly spread, including the first and the last.
function spread(count, max) {
  if (count <= max) return Array.from({ length: count }, (_, i) => i);
  return Array.from({ length: max }, (_, i) => Math.round((i * (count - 1)) / (max - 1)));
}

// The tables below a figure, updated while they are open, at most once a second; cells change in place, so that the
// scroll position stays.
class Numbers {
  constructor(box, onFile) {
    this.box = box;
    this.about = box.appendChild(document.createElement('p'));
    this.file = box.appendChild(Object.assign(document.createElement('button'), { type: 'button', textContent: 'CSV', title: 'Save all of these numbers' }));
    this.file.onclick = onFile;
    this.shownAt = -Infinity;
  }

  // Show new numbers at once, or a second after the last ones.
  schedule(show) {
    clearTimeout(this.timer);
    const wait = this.shownAt + 1000 - performance.now();
    if (wait <= 0) show();
    else this.timer = setTimeout(show, wait);
  }

  show(parts, title) {
    this.shownAt = performance.now();
    const kept = [...this.box.querySelectorAll('table')];
    let left = 0;
    parts.forEach(({ columns, rows }, n) => {
      const across = spread(columns.length, 101);
      const down = spread(rows.length, Math.max(12, Math.min(MAX_ROWS, Math.floor(MAX_CELLS / across.length))));
      left += rows.length * columns.length - down.length * across.length;
      const caption = parts.length > 1 ? `${title}, ${n + 1} of ${parts.length}` : title;
      const cut = [columns, ...down.map((i) => rows[i])].map((row) => across.map((j) => shown(row[j])));
      fill(kept[n] ?? this.box.appendChild(document.createElement('table')), caption, cut);
    });
    kept.slice(parts.length).forEach((table) => table.remove());
    const all = parts.map(({ columns, rows }) => `${rows.length.toLocaleString('en')} × ${columns.length}`).join(', ');
    this.about.textContent = !parts.length ? 'No numbers yet.' : left ? `Rows × columns: ${all}. Some of them are shown, evenly spread; the file has all.` : `Rows × columns: ${all}.`;
  }

  // Another run: remove the numbers of the previous one.
  clear() {
    clearTimeout(this.timer);
    this.show([], '');
    this.shownAt = -Infinity;
  }
}

// Fill a table with these cells: the first row and the first column are headers.
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
