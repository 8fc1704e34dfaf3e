// One figure, drawn into the same element whenever its data change.
class Picture {
  constructor(root) {
    this.plot = root.querySelector('[role="figure"]');
    this.resized = new ResizeObserver(() => { if (this.plot._fullLayout) window.Plotly.Plots.resize(this.plot); });
    this.resized.observe(root);
  }

  async show({ name, figure, label, scales, plotly: source }, trigger) {
    this.trigger = trigger;
    this.plot.dataset.figure = name;
    this.plot.setAttribute('aria-label', label);
    this.plot.style.minHeight = `${figure.layout.height}px`;
    dress(figure, pageColours(this.plot), scales);
    const plotly = await loadPlotly(source);
    await plotly.react(this.plot, figure.data, figure.layout, CONFIG);
    if (this.heard) return;
    this.heard = true;
    this.plot.on('plotly_click', ({ points: [{ x, y, curveNumber }] }) => this.trigger('press', { x, y, trace: curveNumber }));
  }

  close() {
    this.resized.disconnect();
    window.Plotly?.purge(this.plot);
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const picture = (parentElement.__picture ??= new Picture(parentElement));
  picture.show(structuredClone(data), setTriggerValue);
  return () => { picture.close(); delete parentElement.__picture; };
}
