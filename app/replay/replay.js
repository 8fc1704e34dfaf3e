// A stand-alone replay: a slider over the frames, and the figures, verdict and clock of the current frame.
const MIN_FRAME_TIME = 150; // milliseconds for each frame while it plays

// Decode the page's data: gzip in base64.
async function unpack(packed) {
  const bytes = Uint8Array.from(atob(packed), (sign) => sign.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
}

class Replay {
  constructor(root, data, plotly) {
    const { figures, scales, frames } = data;
    Object.assign(this, { root, frames, last: frames.length - 1, wanted: 0, shown: -1, playing: false, busy: false });
    this.find = (name) => root.querySelector(`.${name}`);
    this.state = window.playground = { step: -1, painted: 0 };
    this.plots = new Plots(root, () => this.paint());
    this.plots.source = plotly;
    this.plots.configure(figures, scales);
    this.prepare(data);
    this.listen();
    this.paint();
  }

  prepare({ time, how }) {
    followMouse(this.root.querySelector('[data-over="time"]'), time, this.plots);
    const paragraphs = how.map((text) => Object.assign(document.createElement('p'), { textContent: text }));
    this.find('lv-verdict').querySelector('.lv-how div').replaceChildren(...paragraphs);
  }

  listen() {
    const slider = this.find('rp-at');
    slider.max = slider.value = this.wanted = this.last; // the newest frame comes first; Play begins at the oldest
    slider.oninput = () => { this.pause(); this.go(Number(slider.value)); };
    this.find('rp-play').onclick = () => this.toggle();
    this.find('rp-back').onclick = () => this.move(-1);
    this.find('rp-on').onclick = () => this.move(1);
    document.addEventListener('keydown', (event) => this.press(event));
    document.addEventListener('pointerdown', (event) => this.fold(event.target.closest('.lv-how')));
    new ResizeObserver(() => this.plots.resize()).observe(this.root);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { this.plots.dress(); this.paint(); });
  }

  // The keys of a player; on a focused button or explanation the space bar keeps its own meaning.
  press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest?.('.lv-table, .lv-menu')) return;
    const onButton = event.target.closest?.('button, summary, a, select');
    const moves = { ArrowLeft: -1, ArrowRight: 1, Home: -this.last, End: this.last };
    if (event.key === 'Escape') this.fold();
    else if (event.key in moves) this.move(moves[event.key]);
    else if (event.key === ' ' && !onButton) this.toggle();
    else return;
    event.preventDefault();
  }

  // Explanations close on Escape, on a click anywhere else, and when another is opened.
  fold(but) {
    for (const open of this.root.querySelectorAll('.lv-how[open]')) open.open = open === but;
  }

  move(by) {
    this.pause();
    this.go(this.wanted + by);
  }

  go(index) {
    this.wanted = Math.min(this.last, Math.max(0, index));
    this.find('rp-at').value = this.wanted;
    return this.paint();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  pause() {
    this.playing = false;
    this.find('rp-play').textContent = 'Play';
    this.find('lv-sentence').setAttribute('aria-live', 'polite');
  }

  // Play from here to the end, or from the beginning if this is the end; screen readers stay silent meanwhile.
  async play() {
    this.playing = true;
    this.find('rp-play').textContent = 'Pause';
    this.find('lv-sentence').setAttribute('aria-live', 'off');
    const run = (this.run = {});
    if (this.wanted === this.last) this.wanted = -1;
    while (this.playing && this.run === run && this.wanted < this.last) {
      const pause = new Promise((resolve) => setTimeout(resolve, MIN_FRAME_TIME));
      await this.go(this.wanted + 1);
      await pause;
    }
    if (this.run === run) this.pause();
  }

  // Draw the wanted frame; while it is drawn, another one may become the wanted one.
  paint() {
    if (!this.busy) this.painting = this.repaint();
    return this.painting;
  }

  async repaint() {
    this.busy = true;
    while (this.shown !== this.wanted || this.plots.due.length) {
      const index = this.wanted;
      if (this.shown !== index) this.apply(index, decode(await unpack(this.frames[index])));
      this.shown = index;
      await this.plots.draw();
      this.state.painted += 1;
    }
    this.busy = false;
  }

  apply(index, message) {
    const { step, patches } = message;
    this.plots.patch(patches);
    this.tell(index, message);
    this.find('rp-step').textContent = `step ${step.toLocaleString('en')}`;
    this.find('rp-at').setAttribute('aria-valuetext', `step ${step}`);
    this.state.step = step;
  }

  // What is said of a frame.
  tell(index, { readouts, verdict, clock }) {
    this.plots.read(readouts);
    this.find('lv-verdict').dataset.tone = verdict.tone ?? 'none';
    this.find('lv-sign').textContent = verdict.sign ?? '';
    this.find('lv-word').querySelector('strong').textContent = verdict.word ?? '';
    this.find('lv-sentence').textContent = verdict.sentence ?? '';
    this.find('lv-numbers').textContent = verdict.numbers ?? '';
    this.find('lv-clock').textContent = [this.last ? `frame ${index + 1} of ${this.frames.length}` : '', clock].filter(Boolean).join(' · ');
    keepHeight(this.find('lv-verdict'));
  }
}

let Player = Replay; // of two recordings, PairReplay
(async () => {
  const library = await unpack(document.getElementById('plotly').textContent);
  const source = URL.createObjectURL(new Blob([library], { type: 'text/javascript' }));
  await loadPlotly(source);
  new Player(document.querySelector('.rp'), JSON.parse(document.getElementById('recording').textContent), source);
})();
