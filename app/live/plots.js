// The figures: made once, then patched in place. A figure is drawn if it is on the screen and has been patched since its
// last drawing; the others take their patches too, and are drawn with the newest numbers when they scroll into view.

const REDUCED_MOTION = window.matchMedia('(prefers-reduced-motion: reduce)');
const MARKED_FOR = 2500; // ms

// The smallest and the largest number of a heat map's rows, or [low, high] if there is no range.
function valueRange(rows, low, high) {
  let [min, max] = [Infinity, -Infinity];
  for (const row of rows) for (const value of row) if (Number.isFinite(value)) [min, max] = [Math.min(min, value), Math.max(max, value)];
  return min < max ? [min, max] : [low, high];
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
    this.drawnAt = -Infinity;
    this.onSight = onSight;
    const page = root.closest('[data-testid="stMain"]'); // this element scrolls, not the window
    this.sight = new IntersectionObserver((entries) => this.see(entries), { root: page, rootMargin: '40px' });
    this.grown = new ResizeObserver((entries) => entries.forEach(({ target }) => keepHeight(target)));
  }

  // What comes into view has missed the frames in between: it is drawn as it was, and asked for.
  see(entries) {
    for (const { target, isIntersecting } of entries) this.cards[target.dataset.card].seen = isIntersecting;
    if (entries.some(({ isIntersecting }) => isIntersecting)) this.drawNow();
  }

  // Names of the figures on the screen, and of those of the open tab of which that is not known yet.
  get seen() {
    return Object.keys(this.figures).filter((name) => !this.cards[name].box.hidden && this.cards[name].seen !== false);
  }

  // Only these figures are on the page.
  only(names) {
    const columns = this.root.querySelector('.lv-columns'), over = new Set(names.map((name) => this.cards[name].over));
    columns.dataset.only = over.size === 1 ? [...over][0] : '';
    for (const [name, { box, column }] of Object.entries(this.cards)) {
      box.hidden = !names.includes(name) || !this.figures[name];
      if (box.hidden) this.cards[name].seen = undefined;
    }
    for (const name of names) this.cards[name].column.appendChild(this.cards[name].box); // in the order of the tab
    this.time?.hide();
    this.resize(); // drawn while it was hidden, or beside another number of columns
  }

  // Names of the figures to draw now.
  get due() {
    return Object.keys(this.figures).filter((name) => this.cards[name].stale && this.cards[name].seen === true);
  }

  // Another run: new templates in the same elements. Cards that this run does not need are hidden.
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
      card.header.style.minHeight = '';
      card.numbers.clear();
      this.leave(card);
      card.plot.style.minHeight = `${template.figure.layout.height}px`;
      this.figures[template.name] = structuredClone(template.figure);
    }
    this.dress();
  }

  card(template) {
    const { name, over } = template;
    const card = makeCard(this.root.querySelector(`.lv-column[data-over="${over}"]`), template, {
      onFit: () => this.toggle(name),
      onTable: () => this.tabulate(name),
      onSave: (kind) => this.save(name, kind),
    });
    this.sight.observe(card.box);
    this.grown.observe(card.header);
    card.box.onkeydown = (event) => this.press(card, event);
    card.plot.onblur = () => this.leave(card);
    return card;
  }

  // The card of a figure, if that figure is on the page; of the unrolled network the stage, where there is one.
  shownCard(name) {
    if (name === 'unrolled' && this.stage) return this.stage;
    return this.figures[name] && this.cards[name];
  }

  // Scroll to a figure, give it the keyboard's focus, and mark its card for a moment.
  pointOut(name) {
    const card = this.shownCard(name);
    if (!card) return;
    this.reveal?.(name);
    card.box.scrollIntoView({ block: 'nearest', behavior: REDUCED_MOTION.matches ? 'auto' : 'smooth' });
    card.plot.focus({ preventScroll: true });
    clearTimeout(this.marked);
    for (const { box } of Object.values(this.cards)) box.classList.toggle('lv-marked', box === card.box);
    this.marked = setTimeout(() => card.box.classList.remove('lv-marked'), MARKED_FOR);
  }

  // Switch between the fixed scale and the range of the numbers.
  toggle(name) {
    const card = this.cards[name];
    card.fitted = !card.fitted;
    card.zoomed = {};
    card.fit.setAttribute('aria-pressed', String(card.fitted));
    card.stale = true;
    this.drawNow();
  }

  // Draw at once after a user's action, without the pause for reduced motion.
  drawNow() {
    this.drawnAt = -Infinity;
    this.wake?.();
    this.onSight();
  }

  // Show or hide the numbers below a figure.
  tabulate(name) {
    const { numbers, table, plot, axis, title } = this.cards[name];
    const open = numbers.box.hidden;
    numbers.clear();
    numbers.box.hidden = !open;
    table.setAttribute('aria-expanded', String(open));
    if (open && plot.data) numbers.show(tables(plot, axis), title.textContent);
  }

  number({ numbers, plot, axis, title }) {
    if (!numbers.box.hidden) numbers.schedule(() => numbers.show(tables(plot, axis), title.textContent));
  }

  async save(name, kind) {
    const card = this.cards[name];
    const { step } = window.playground;
    if (!card.plot.data) throw new Error('it is not drawn yet');
    if (kind === 'csv') saveNumbers(card, step);
    else if (kind === 'html') await savePage(card, step, this.colours, this.source);
    else await savePicture(card, step, this.colours, kind);
  }

  // Arrow keys, Home and End move along the figure that has the focus, Up and Down along the rows of a heat map.
  press(card, event) {
    if (event.key === 'Escape') this.shut(card);
    if (event.target !== card.plot || !card.plot.data || event.ctrlKey || event.metaKey || event.altKey) return;
    const rows = card.plot.data.find((trace) => trace.type === 'heatmap' && trace.hoverinfo !== 'skip')?.z?.length ?? 0;
    const by = rows && { ArrowUp: 1, ArrowDown: -1 }[event.key];
    const at = by ? card.at ?? 0 : moved(event.key, card.at, places(card, this.time));
    if (at === null) return;
    event.preventDefault();
    event.stopPropagation(); // the page uses these keys too
    if (by) card.row = Math.min(Math.max(card.row + by, 0), rows - 1);
    card.at = at;
    this.point(card);
    card.spoken.textContent = spokenAt(card, at, card.row);
  }

  point(card) {
    readOut(card.plot, card.at, card.row);
    if (card.over === 'time') this.time?.stand(card.plot, card.at);
  }

  leave(card) {
    if (card.at === null) return;
    card.at = null;
    card.spoken.textContent = '';
    this.time?.hide();
    window.Plotly.Fx.unhover(card.plot);
  }

  // Escape closes what was opened last in this card; the focus returns to the element that opened it.
  shut(card) {
    if (card.box.querySelector(':popover-open')) return; // the browser closes it
    if (card.how.open) card.how.firstElementChild.focus();
    else if (card.at !== null) this.leave(card);
    else if (!card.numbers.box.hidden) {
      this.tabulate(card.name);
      card.table.focus();
    }
  }

  // A copy of the figure to draw; the original keeps its fixed scales.
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

  // A heat map of logarithms: update the colour key beside the title.
  explain(name, data, which) {
    const trace = data[which];
    let [low, high] = [trace.zmin, trace.zmax];
    if (this.cards[name].fitted) {
      [low, high] = valueRange(trace.z, low, high);
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
    this.colours = pageColours(this.root);
    for (const [name, figure] of Object.entries(this.figures)) {
      dress(figure, this.colours, this.scales);
      this.cards[name].stale = true;
    }
  }

  patch(patches) {
    for (const [path, value] of patches) {
      const [name, ...keys] = path.split('.');
      let place = this.figures[name];
      if (!place || (keys[2] === 'range' && this.cards[name].zoomed[keys[1]])) continue; // keep the user's zoom
      for (const key of keys.slice(0, -1)) place = place[key] ??= {};
      place[keys.at(-1)] = path.endsWith('.textfont.color') ? legible(value, this.colours) : value;
      this.cards[name].stale = true;
    }
  }

  // `due` is evaluated after each figure: meanwhile the run may change, or the page scroll.
  async draw() {
    const plotly = await loadPlotly(this.source);
    await this.rest();
    this.revision += 1;
    for (let [name] = this.due; name; [name] = this.due) {
      this.cards[name].stale = false;
      const { data, layout } = this.shown(name);
      await plotly.react(this.cards[name].plot, data, layout, CONFIG);
      if (!this.cards[name].listening) this.listen(name);
      if (this.cards[name].at !== null) this.point(this.cards[name]);
      this.number(this.cards[name]);
    }
  }

  // A figure outside the cards.
  async loose(figure, node) {
    const plotly = await loadPlotly(this.source), drawn = structuredClone(figure);
    dress(drawn, this.colours, this.scales);
    await plotly.react(node, drawn.data, drawn.layout, CONFIG);
  }

  // With reduced motion the figures are drawn once a second, so no more frames are requested than that.
  async rest() {
    const wait = REDUCED_MOTION.matches ? this.drawnAt + 1000 - performance.now() : 0;
    if (wait > 0) await new Promise((resolve) => { this.wake = resolve; setTimeout(resolve, wait); });
    this.drawnAt = performance.now();
  }

  // Plotly keeps a zoom only while the axis range in the layout stays the same, but ours grows with training.
  listen(name) {
    const card = this.cards[name];
    card.listening = true;
    card.plot.on('plotly_relayout', (change) => {
      for (const axis of ['xaxis', 'yaxis']) {
        if (!(`${axis}.range[0]` in change) && !(`${axis}.range` in change)) continue;
        card.zoomed[axis] = true;
        this.figures[name].layout[axis].range = [...card.plot.layout[axis].range];
      }
    });
    card.plot.on('plotly_doubleclick', () => { card.zoomed = {}; });
    card.plot.on('plotly_restyle', () => this.number(card)); // a trace was hidden or shown
  }

  // An empty read-out leaves the earlier one in place.
  read(readouts) {
    for (const [name, text] of Object.entries(readouts)) if (text && this.cards[name]) this.cards[name].readout.textContent = text;
  }

  resize() {
    for (const { box, plot } of Object.values(this.cards)) if (plot._fullLayout && !box.hidden && plot.offsetWidth) this.fitIn(plot); // no width: it is being taken off the page
  }

  // Where the rows of a legend become fewer or more, Plotly moves the axes and leaves the legend where it was: drawn again.
  async fitIn(plot) {
    const { t: above } = plot._fullLayout._size;
    await window.Plotly.Plots.resize(plot);
    if (plot._fullLayout && plot._fullLayout._size.t !== above) await window.Plotly.redraw(plot);
  }

  // A visible plot of this column; all plots of a column have the same axis.
  onScreen(column) {
    return Object.values(this.cards).find((card) => card.seen && card.column === column && card.plot._fullLayout?.xaxis)?.plot;
  }

  purge() {
    this.sight.disconnect();
    this.grown.disconnect();
    for (const { plot, numbers } of Object.values(this.cards)) {
      numbers.clear();
      window.Plotly?.purge(plot);
    }
  }
}
