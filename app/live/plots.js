// The figures: made once, then patched in place. One is drawn when it is on the screen and a patch has touched it since;
// what lies further down takes its patches too, and is drawn with the newest numbers when it scrolls into view.

const FIT = 'Fit the scale to the numbers, instead of fixed decades';

// The smallest and the largest number of a heat map's rows.
function reach(rows, low, high) {
  let [least, most] = [Infinity, -Infinity];
  for (const row of rows) for (const value of row) if (Number.isFinite(value)) [least, most] = [Math.min(least, value), Math.max(most, value)];
  return least < most ? [least, most] : [low, high];
}

// A logarithm as a power of ten: 10⁻¹².
function power(exponent) {
  const digits = [...String(Math.round(exponent))].map((sign) => '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'['-0123456789'.indexOf(sign)]);
  return `10${digits.join('')}`;
}

class Plots {
  constructor(root, onSight) {
    this.root = root;
    this.cards = {};
    this.figures = {};
    this.revision = 0;
    this.onSight = onSight;
    const page = root.closest('[data-testid="stMain"]'); // it scrolls, not the window
    this.sight = new IntersectionObserver((entries) => this.see(entries), { root: page, rootMargin: '40px' });
  }

  see(entries) {
    for (const { target, isIntersecting } of entries) this.cards[target.dataset.card].seen = isIntersecting;
    if (this.due.length) this.onSight();
  }

  // Names of the figures on the screen.
  get seen() {
    return Object.keys(this.figures).filter((name) => this.cards[name].seen);
  }

  // Names of the figures to draw now.
  get due() {
    return Object.keys(this.figures).filter((name) => this.cards[name].stale && this.cards[name].seen);
  }

  // Another run: new templates into the same elements. A card that it does not need waits, hidden, for a run that does.
  configure(templates, scales) {
    this.scales = scales;
    this.figures = {};
    this.fits = {};
    for (const { box } of Object.values(this.cards)) box.hidden = true;
    for (const template of templates) {
      const card = (this.cards[template.name] ??= this.card(template));
      card.box.hidden = false;
      card.column.appendChild(card.box); // in the order of the templates
      card.title.textContent = template.title;
      card.hint.textContent = template.look_for;
      card.readout.textContent = template.needs ? 'being measured …' : '';
      card.how.lastElementChild.textContent = template.how;
      card.how.hidden = !template.how;
      card.fit.hidden = !template.fits.length;
      this.fits[template.name] = template.fits;
      card.zoomed = {};
      card.plot.style.minHeight = `${template.figure.layout.height}px`;
      this.figures[template.name] = structuredClone(template.figure);
    }
    this.dress();
  }

  card({ name, over, label }) {
    const make = (tag, parent, attributes = {}) => parent.appendChild(Object.assign(document.createElement(tag), attributes));
    const column = this.root.querySelector(`.lv-column[data-over="${over}"]`);
    const box = make('div', column, { className: 'lv-card' });
    const header = make('header', box);
    const title = make('h3', header);
    const how = make('details', header, { className: 'lv-how' });
    make('summary', how, { textContent: '?', title: 'How measured?' }).setAttribute('aria-label', 'How measured?');
    make('div', how);
    const key = make('span', header, { className: 'lv-key', hidden: true });
    const fit = make('button', header, { className: 'lv-fit', type: 'button', textContent: 'fit', title: FIT });
    const readout = make('span', header, { className: 'lv-readout' });
    const hint = make('p', box);
    const plot = make('div', box);
    plot.dataset.figure = name;
    plot.setAttribute('role', 'figure');
    plot.setAttribute('aria-label', label);
    box.dataset.card = name;
    this.sight.observe(box);
    fit.setAttribute('aria-pressed', 'false');
    fit.onclick = () => this.toggle(name);
    return { column, box, title, key, fit, readout, hint, how, plot, seen: false, fitted: false };
  }

  // Fixed decades, or the range of the numbers that are there.
  toggle(name) {
    const card = this.cards[name];
    card.fitted = !card.fitted;
    card.zoomed = {};
    card.fit.setAttribute('aria-pressed', String(card.fitted));
    card.stale = true;
    this.onSight();
  }

  // The figure as it is to be drawn: ours is kept with its fixed scales.
  shown(name) {
    const { data, layout } = this.figures[name];
    const drawn = { data: [...data], layout: { ...layout, datarevision: this.revision } };
    for (const path of this.fits[name]) {
      const [where, which] = path.split('.');
      if (where === 'data') this.explain(name, drawn.data, Number(which));
      else if (this.cards[name].fitted) drawn.layout[which] = { ...layout[which], range: undefined, autorange: true, dtick: undefined };
    }
    return drawn;
  }

  // A heat map of logarithms: the key beside the title says what its colours mean.
  explain(name, data, which) {
    const trace = data[which];
    let [low, high] = [trace.zmin, trace.zmax];
    if (this.cards[name].fitted) {
      [low, high] = reach(trace.z, low, high);
      data[which] = { ...trace, zmin: low, zmax: high };
    }
    const stops = trace.colorscale.map(([at, colour]) => `${colour} ${100 * at}%`).join(', ');
    const key = this.cards[name].key;
    key.hidden = false;
    key.style.setProperty('--scale', `linear-gradient(90deg, ${stops})`);
    key.dataset.low = power(low);
    key.dataset.high = power(high);
  }

  dress() {
    const colours = pageColours(this.root);
    for (const [name, figure] of Object.entries(this.figures)) {
      dress(figure, colours, this.scales);
      this.cards[name].stale = true;
    }
  }

  patch(patches) {
    for (const [path, value] of patches) {
      const [name, ...keys] = path.split('.');
      let place = this.figures[name];
      if (!place || (keys[2] === 'range' && this.cards[name].zoomed[keys[1]])) continue; // a zoom is the person's own
      for (const key of keys.slice(0, -1)) place = place[key] ??= {};
      place[keys.at(-1)] = value;
      this.cards[name].stale = true;
    }
  }

  // What is due is asked anew each time: while one is drawn another run may come, or the page be scrolled.
  async draw() {
    const plotly = await loadPlotly(this.source);
    this.revision += 1;
    for (let [name] = this.due; name; [name] = this.due) {
      this.cards[name].stale = false;
      const { data, layout } = this.shown(name);
      await plotly.react(this.cards[name].plot, data, layout, CONFIG);
      if (!this.cards[name].heard) this.listen(name);
    }
  }

  // Plotly keeps a zoom only while the axis range that we give stays the same; ours grows with training.
  listen(name) {
    const card = this.cards[name];
    card.heard = true;
    card.plot.on('plotly_relayout', (change) => {
      for (const axis of ['xaxis', 'yaxis']) {
        if (!(`${axis}.range[0]` in change) && !(`${axis}.range` in change)) continue;
        card.zoomed[axis] = true;
        this.figures[name].layout[axis].range = [...card.plot.layout[axis].range];
      }
    });
    card.plot.on('plotly_doubleclick', () => { card.zoomed = {}; });
  }

  // What has nothing to say of this frame keeps what it said of an earlier one.
  read(readouts) {
    for (const [name, text] of Object.entries(readouts)) if (text && this.cards[name]) this.cards[name].readout.textContent = text;
  }

  resize() {
    for (const { box, plot } of Object.values(this.cards)) if (plot._fullLayout && !box.hidden) window.Plotly.Plots.resize(plot);
  }

  // The plot in this column whose axis stands for all of them.
  onScreen(column) {
    return Object.values(this.cards).find((card) => card.seen && card.column === column && card.plot._fullLayout?.xaxis)?.plot;
  }

  purge() {
    this.sight.disconnect();
    for (const { plot } of Object.values(this.cards)) window.Plotly?.purge(plot);
  }
}

// One line through everything over time; it follows the mouse without a call to Plotly.
function followMouse(column, { l, r, last }, plots) {
  const cursor = column.querySelector('.lv-cursor');
  column.onmousemove = (event) => {
    const plot = plots.onScreen(column);
    const box = column.getBoundingClientRect();
    const x = event.clientX - box.left;
    cursor.hidden = !plot || x < l || x > box.width - r;
    if (cursor.hidden) return;
    const axis = plot._fullLayout.xaxis;
    const t = Math.min(last, Math.max(0, Math.round(axis.p2d(x - l))));
    cursor.style.left = `${l + axis.d2p(t)}px`;
    cursor.firstElementChild.textContent = `t = ${t}`;
  };
  column.onmouseleave = () => { cursor.hidden = true; };
}
