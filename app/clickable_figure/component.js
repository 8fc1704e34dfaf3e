// The integer at a pixel of an axis, or the category at it.
function place(axis, pixel) {
  const at = Math.round(axis.p2l(pixel));
  return axis.type === 'category' ? axis._categories[at] : at;
}

// One figure, drawn into the same element whenever its data change.
class ClickableFigure {
  constructor(root) {
    this.plot = root.querySelector('[role="figure"]');
    this.resized = new ResizeObserver(() => { if (this.plot._fullLayout) window.Plotly.Plots.resize(this.plot); });
    this.resized.observe(root);
  }

  async show({ name, figure, label, scales, plotly: source, uncover }, trigger) {
    this.trigger = trigger;
    this.plot.dataset.figure = name;
    this.plot.setAttribute('aria-label', label);
    this.plot.style.minHeight = `${figure.layout.height}px`;
    dress(figure, pageColours(this.plot), scales);
    const plotly = await loadPlotly(source);
    await plotly.react(this.plot, figure.data, figure.layout, CONFIG);
    if (uncover) this.uncover(uncover);
    if (this.listening) return;
    this.listening = true;
    this.plot.addEventListener('click', (event) => this.press(event));
  }

  // The clip rectangle of a subplot grows from one side. With reduced motion, or at the end, everything is visible.
  uncover({ once, side, steps, seconds, subplots }) {
    const news = once !== this.uncovered;
    this.uncovered = once;
    if (!news || window.matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    for (const name of subplots) {
      const bounds = this.plot._fullLayout._plots[name]?.clipRect?.node();
      if (!bounds) continue;
      bounds.getAnimations().forEach((before) => before.cancel());
      const all = `${bounds.getAttribute('width')}px`;
      const way = side === 'left' ? { width: ['0px', all] } : { x: [all, '0px'] };
      bounds.animate(way, { duration: 1000 * seconds, easing: `steps(${steps})` });
    }
  }

  // A click anywhere in a plot, also where nothing is drawn yet.
  press({ clientX, clientY }) {
    const box = this.plot.getBoundingClientRect();
    const plots = Object.values(this.plot._fullLayout._plots);
    for (const [index, { xaxis, yaxis }] of plots.entries()) {
      const [x, y] = [clientX - box.left - xaxis._offset, clientY - box.top - yaxis._offset];
      if (x < 0 || y < 0 || x > xaxis._length || y > yaxis._length) continue;
      this.trigger('press', { x: place(xaxis, x), y: place(yaxis, y), plot: index });
    }
  }

  close() {
    this.resized.disconnect();
    window.Plotly?.purge(this.plot);
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const figure = (parentElement.__picture ??= new ClickableFigure(parentElement));
  figure.show(structuredClone(data), setTriggerValue);
  return () => { figure.close(); delete parentElement.__picture; };
}
