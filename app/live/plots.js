// The figures: made once, then patched in place. A figure that no patch touched is not drawn again.
const CONFIG = { displayModeBar: false, responsive: true, doubleClick: 'reset' };

function loadPlotly(url) {
  if (window.Plotly) return Promise.resolve(window.Plotly);
  window.__plotly ??= new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement('script'), { src: new URL(url, document.baseURI).href });
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error('plotly.js did not load'));
    document.head.appendChild(script);
  });
  return window.__plotly;
}

class Plots {
  constructor(root) {
    this.root = root;
    this.cards = {};
    this.figures = {};
    this.revision = 0;
  }

  // Another run: new templates into the same elements.
  configure(templates, scales) {
    this.scales = scales;
    this.figures = {};
    for (const template of templates) {
      const card = (this.cards[template.name] ??= this.card(template));
      card.title.textContent = template.title;
      card.hint.textContent = template.look_for;
      card.readout.textContent = '';
      card.zoomed = {};
      card.plot.style.minHeight = `${template.figure.layout.height}px`;
      this.figures[template.name] = structuredClone(template.figure);
    }
    this.dress();
  }

  card({ name, over, label }) {
    const make = (tag, parent, attributes = {}) => parent.appendChild(Object.assign(document.createElement(tag), attributes));
    const box = make('div', this.root.querySelector(`.lv-column[data-over="${over}"]`), { className: 'lv-card' });
    const header = make('header', box);
    const title = make('h3', header);
    const readout = make('span', header);
    const hint = make('p', box);
    const plot = make('div', box);
    plot.dataset.figure = name;
    plot.setAttribute('role', 'figure');
    plot.setAttribute('aria-label', label);
    return { title, hint, readout, plot };
  }

  dress() {
    const colours = pageColours(this.root);
    for (const figure of Object.values(this.figures)) dress(figure, colours, this.scales);
  }

  // Names of the figures that changed.
  patch(patches) {
    const touched = new Set();
    for (const [path, value] of patches) {
      const [name, ...keys] = path.split('.');
      let place = this.figures[name];
      if (!place || (keys[2] === 'range' && this.cards[name].zoomed[keys[1]])) continue; // a zoom is the person's own
      for (const key of keys.slice(0, -1)) place = place[key] ??= {};
      place[keys.at(-1)] = value;
      touched.add(name);
    }
    return touched;
  }

  async draw(names) {
    const plotly = await loadPlotly(this.source);
    this.revision += 1;
    for (const name of names) {
      const { data, layout } = this.figures[name];
      layout.datarevision = this.revision;
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

  read(readouts) {
    for (const [name, text] of Object.entries(readouts)) if (this.cards[name]) this.cards[name].readout.textContent = text;
  }

  resize() {
    for (const { plot } of Object.values(this.cards)) if (plot._fullLayout) window.Plotly.Plots.resize(plot);
  }

  purge() {
    for (const { plot } of Object.values(this.cards)) window.Plotly?.purge(plot);
  }
}

// One line through everything over time; it follows the mouse without a call to Plotly.
function followMouse(column, margin) {
  const cursor = column.querySelector('.lv-cursor');
  column.onmousemove = (event) => {
    const plot = [...column.querySelectorAll('[data-figure]')].find((each) => each._fullLayout?.xaxis);
    const box = column.getBoundingClientRect();
    const x = event.clientX - box.left;
    cursor.hidden = !plot || x < margin.l || x > box.width - margin.r;
    if (cursor.hidden) return;
    const axis = plot._fullLayout.xaxis;
    const steps = plot.layout.meta?.steps ?? Infinity;
    const t = Math.min(steps - 1, Math.max(0, Math.round(axis.p2d(x - margin.l))));
    cursor.style.left = `${margin.l + axis.d2p(t)}px`;
    cursor.firstElementChild.textContent = `t = ${t}`;
  };
  column.onmouseleave = () => { cursor.hidden = true; };
}
