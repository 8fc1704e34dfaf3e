// A map: panels of squares, one network each. The mouse asks for the curve of a square, a click opens its network.
const DASHES = { solid: 'solid', dot: 'dotted', dash: 'dashed' };
const TOUCH = window.matchMedia('(hover: none)');

class MapView {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.plots = new Plots(root, () => this.refresh());
    this.resized = new ResizeObserver(() => this.plots.resize());
    this.resized.observe(root);
    this.onPressOutside = (event) => { if (!event.target.closest?.('.lv-how')) for (const open of root.querySelectorAll('.lv-how[open]')) open.open = false; };
    document.addEventListener('pointerdown', this.onPressOutside);
    this.find('.mp-colours').onkeydown = (event) => this.turn(event);
    this.find('.mp-says button').onclick = () => this.open();
    this.busy = false;
    this.state = window.playground = window.map = { painted: 0, step: -1, token: null, phase: null, point: null };
  }

  configure(data, press) {
    this.press = press;
    this.plots.source = data.plotly;
    this.scales = data.scales;
    if (data.token === this.token) {
      this.plots.dress(); // the same map: only the theme can have changed
      this.choose(this.colour);
      return;
    }
    this.token = data.token;
    this.stream?.close();
    Object.assign(this, { message: null, texts: data.texts, colours: data.colours, point: null, number: null });
    this.panels = data.figures.map(({ name }) => name).filter((name) => /^map_\d+$/.test(name));
    this.find('.mp-panels').style.setProperty('--panels', this.panels.length);
    this.plots.configure(data.figures, data.scales);
    this.listened = new Set();
    this.colour = data.colour;
    this.offer(data.colours);
    this.find('.mp-scale').hidden = !data.squares;
    this.find('.mp').toggleAttribute('data-curve', !data.squares);
    this.explain(data.legend);
    this.tell(null);
    this.stream = new Stream(`map/${data.token}`, () => ({ colour: this.colour, point: this.point }), (message) => this.receive(message), () => this.lost());
  }

  // The buttons of the colours; the one that was chosen stays.
  offer(colours) {
    const bar = this.find('.mp-colours');
    bar.replaceChildren(...Object.entries(colours).map(([name, { title }]) => {
      const button = Object.assign(document.createElement('button'), { type: 'button', textContent: title });
      button.dataset.colour = name;
      button.setAttribute('role', 'radio');
      button.onclick = () => { this.choose(name); this.stream?.ask(); };
      return button;
    }));
    this.choose(this.colour in colours ? this.colour : Object.keys(colours)[0]);
  }

  choose(name) {
    this.colour = name;
    const { low, high, scale, reversed, how, marks } = this.colours[name];
    for (const button of this.find('.mp-colours').children) {
      const chosen = button.dataset.colour === name;
      button.setAttribute('aria-checked', String(chosen));
      button.tabIndex = chosen ? 0 : -1;
    }
    const stops = this.scales[scale][this.plots.colours?.dark ? 'dark' : 'light'].map(([at, colour]) => `${colour} ${100 * (reversed ? 1 - at : at)}%`);
    if (reversed) stops.reverse();
    this.find('.mp-ramp').style.setProperty('--ramp', `linear-gradient(90deg, ${stops.join(', ')})`);
    this.find('.mp-ramp').replaceChildren(...marks.map(([at, says]) => {
      const mark = Object.assign(document.createElement('span'), { textContent: says });
      mark.style.left = `${100 * at}%`;
      return mark;
    }));
    setText(this.find('.mp-low'), low);
    setText(this.find('.mp-high'), high);
    setText(this.find('.lv-how div'), how);
  }

  turn(event) {
    const names = Object.keys(this.colours), by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const next = names[(names.indexOf(this.colour) + by + names.length) % names.length];
    this.choose(next);
    this.find(`.mp-colours [data-colour="${next}"]`).focus();
    this.stream?.ask();
  }

  explain(legend) {
    this.find('.mp-legend').replaceChildren(...legend.map(({ dash, says }) => {
      const line = Object.assign(document.createElement('li'), { textContent: says });
      line.style.setProperty('--dash', DASHES[dash]);
      return line;
    }));
  }

  refresh() {
    this.paint();
    this.stream?.ask();
  }

  receive(message) {
    this.status(message.status);
    if (message.step === undefined) return;
    this.message = this.message ? { ...message, patches: [...this.message.patches, ...message.patches] } : message;
    this.paint();
  }

  lost() {
    this.status({ phase: 'lost', clock: 'connection lost, reconnecting …', message: '' });
  }

  status({ phase, clock, message, made }) {
    if (phase === 'done' && this.state.phase === 'training') this.press({ finished: this.token }); // other buttons
    this.state.phase = phase;
    setText(this.find('.lv-clock'), clock);
    if (made !== undefined) {
      const bar = this.find('.mp-progress');
      bar.style.visibility = phase === 'kept' || phase === 'empty' ? 'hidden' : '';
      bar.firstElementChild.style.width = `${100 * made}%`;
      bar.setAttribute('aria-valuenow', String(Math.round(100 * made)));
    }
    const place = this.find('.lv-message');
    place.hidden = !message;
    setText(place, message);
  }

  async paint() {
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.message || this.plots.due.length) {
        const { message, token } = this;
        this.message = null;
        if (message) this.plots.patch(message.patches);
        if (message) this.recolour();
        await this.plots.draw();
        this.listen();
        if (message && token === this.token) this.painted(message);
        await new Promise(requestAnimationFrame);
        if (message && token === this.token) this.stream.ask();
      }
    } finally {
      this.busy = false;
    }
  }

  // A patch may have brought another scale.
  recolour() {
    for (const name of this.panels) dress(this.plots.figures[name], this.plots.colours, this.scales);
  }

  painted({ step, counts, point }) {
    this.panels.forEach((name, k) => setText(this.plots.cards[name].readout, counts[k]));
    this.tell(point);
    Object.assign(this.state, { step, token: this.token, painted: this.state.painted + 1 });
  }

  listen() {
    this.panels.forEach((name, panel) => {
      const { plot } = this.plots.cards[name];
      if (this.listened.has(name) || !plot.on) return;
      this.listened.add(name);
      plot.on('plotly_hover', ({ points }) => this.at(panel, points));
      plot.on('plotly_click', ({ points }) => { this.at(panel, points); if (!TOUCH.matches) this.open(); });
    });
  }

  // The square under the mouse.
  at(panel, points) {
    const square = points.find(({ data }) => data.type === 'heatmap');
    const dot = points.find(({ data }) => /^cell /.test(data.meta));
    if (square) this.point = [panel, square.y, square.x];
    else if (dot) this.point = [Number(dot.data.meta.slice(5)), 0, dot.x];
    else return;
    this.state.point = this.point;
    this.number = null;
    this.stream?.ask();
  }

  tell(point) {
    const box = this.find('.mp-says'), button = box.querySelector('button');
    this.find('.mp-point').toggleAttribute('data-chosen', Boolean(point));
    setText(box.querySelector('h3'), point ? point.title : '');
    setText(box.querySelector('p'), point ? point.says : TOUCH.matches ? this.texts.tap : this.texts.hover);
    setText(button, this.texts.open);
    button.hidden = !point;
    this.number = point ? point.number : null;
  }

  open() {
    if (this.point) this.press({ point: this.point });
  }

  close() {
    this.stream?.close();
    this.resized.disconnect();
    document.removeEventListener('pointerdown', this.onPressOutside);
    this.plots.purge();
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const view = (parentElement.__map ??= new MapView(parentElement));
  view.configure(data, (what) => setTriggerValue('press', what));
  return () => { view.close(); delete parentElement.__map; };
}
