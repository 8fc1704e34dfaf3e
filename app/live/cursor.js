// One line through all figures over time: it follows the mouse, a finger and the arrow keys, without a redraw by Plotly;
// else it stands at the step that was chosen. A click chooses one.
function followMouse(column, { l, r, last }, plots, onChoose = () => {}) {
  const cursor = column.querySelector('.lv-cursor');
  const hide = () => {
    const plot = plots.chosen === undefined ? null : plots.onScreen(column);
    if (plot) stand(plot, plots.chosen);
    else cursor.hidden = true;
    cursor.classList.add('lv-kept');
  };
  const stand = (plot, t) => {
    const at = l + plot._fullLayout.xaxis.d2p(t);
    cursor.classList.remove('lv-kept');
    cursor.hidden = at < l || at > column.clientWidth - r; // outside a zoomed axis
    cursor.style.left = `${at}px`;
    cursor.firstElementChild.textContent = `t = ${t}`;
    plots.under = t;
  };
  column.onpointermove = column.onpointerdown = (event) => {
    const plot = plots.onScreen(column);
    const box = column.getBoundingClientRect();
    const x = event.clientX - box.left;
    if (!plot || x < l || x > box.width - r) hide();
    else stand(plot, Math.min(last, Math.max(0, Math.round(plot._fullLayout.xaxis.p2d(x - l)))));
  };
  column.onclick = (event) => {
    if (!event.target.closest?.('.nsewdrag, .js-plotly-plot') || cursor.hidden) return;
    plots.chosen = plots.under;
    onChoose(plots.chosen);
  };
  column.onpointerleave = (event) => { if (event.pointerType === 'mouse') hide(); }; // lifting a finger also fires this event
  plots.time = { last, stand, hide, keep: (t) => { plots.chosen = t; hide(); } };
}

// The positions that the keys reach in a figure: every step in time, or every x at which a trace has a read-out.
function places({ over, plot }, time) {
  if (over === 'time' && time) return Array.from({ length: time.last + 1 }, (_, t) => t);
  const readable = traces(plot).filter(({ hoverinfo, visible }) => hoverinfo !== 'skip' && visible === true);
  const all = readable.flatMap((trace) => (trace.type === 'heatmap' ? columnsOf(trace) : points(trace).map(({ x }) => x)));
  return [...new Set(all)].sort((a, b) => a - b);
}

// The position that a key leads to, or null for any other key. Without a current position it leads to an end.
function moved(key, at, all) {
  if (!all.length) return null;
  const now = at === null ? -1 : all.reduce((best, x, i) => (Math.abs(x - at) < Math.abs(all[best] - at) ? i : best), 0);
  const next = { ArrowRight: now + 1, ArrowLeft: now < 0 ? all.length - 1 : now - 1, Home: 0, End: all.length - 1 }[key];
  return next === undefined ? null : all[Math.min(Math.max(next, 0), all.length - 1)];
}

// Show Plotly's read-outs at this position, as under the mouse; in a heat map for the current row.
function readOut(plot, at, row) {
  const marks = [];
  for (const trace of traces(plot)) {
    const curveNumber = trace.at;
    if (trace.hoverinfo === 'skip' || trace.visible !== true) continue;
    if (trace.type === 'heatmap') {
      const place = columnsOf(trace).indexOf(at);
      if (place >= 0) marks.push({ curveNumber, pointNumber: [Math.min(row, trace.z.length - 1), place] });
    } else {
      for (const { i, x } of points(trace)) if (x === at) marks.push({ curveNumber, pointNumber: i });
    }
  }
  window.Plotly.Fx.unhover(plot);
  if (marks.length) window.Plotly.Fx.hover(plot, marks);
}

// The same as text for screen readers: all values at this position.
function spokenAt(card, at, row) {
  const parts = [];
  for (const { columns, rows, places: across } of tables(card.plot, card.axis)) {
    const cells = across ? rows[Math.min(row, rows.length - 1)] : rows.find(([x]) => x === at);
    if (!cells) continue;
    if (across) parts.push(`${columns[0]} ${cells[0]}: ${shown(cells[across.indexOf(at) + 1])}`);
    else columns.slice(1).forEach((name, j) => { if (shown(cells[j + 1])) parts.push(`${name} ${shown(cells[j + 1])}`); });
  }
  return `${card.axis} = ${shown(at)}: ${parts.join(', ') || 'no value'}`;
}
