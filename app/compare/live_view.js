// A race: all lanes of a message are at the same step, and are painted before the next message is requested.
class RaceView {
  constructor(root) {
    this.root = root;
    this.plots = new Plots(root, () => this.refresh());
    this.find = (name) => root.querySelector(`.${name}`);
    this.onKey = (event) => { if (event.key === 'Escape') this.fold(); };
    this.onPress = (event) => this.fold(event.target.closest?.('.lv-how'));
    document.addEventListener('keydown', this.onKey);
    document.addEventListener('pointerdown', this.onPress);
    this.resized = new ResizeObserver(() => this.plots.resize());
    this.resized.observe(root);
    this.tabs = new Tabs(root, (names) => { this.plots.only(names); this.find('rc-scroll').hidden = names.length > 0; });
    this.lanes = new Lanes(this.find('rc-lanes'), this.find('rc-stage'), { need: () => this.stream?.ask() });
    this.busy = false;
    this.state = window.playground = window.race = { painted: 0, step: -1, steps: [], token: null, phase: null, log: [] };
  }

  configure(data) {
    this.plots.source = data.plotly;
    if (data.token === this.token) {
      this.lanes.dress();
      this.plots.dress(); // the same race: only the theme can have changed
      this.paint();
      return;
    }
    this.token = data.token;
    this.stream?.close();
    this.message = null;
    clearTimeout(this.timer);
    this.shownAt = -Infinity;
    setText(this.find('rc-sentence'), 'Waiting for the first frames …');
    this.plots.configure(data.figures, data.scales);
    this.tabs.configure(data.tabs, false);
    this.lanes.configure(data.lanes, data.lanes.length > 2 ? 230 : 290);
    this.state.stages = this.lanes.boards.map((board) => board.state);
    this.names = data.lanes.map(({ name }) => name);
    this.find('rc-table').replaceChildren();
    this.paint();
    this.stream = new Stream(`race/${data.token}`, () => ({ seen: this.plots.seen, stages: this.lanes.request() }), (message) => this.receive(message), () => this.lost());
  }

  refresh() {
    this.paint();
    this.stream?.ask();
  }

  fold(but) {
    for (const open of this.root.querySelectorAll('.lv-how[open]')) open.open = open === but;
  }

  receive(message) {
    this.showStatus(message.status);
    if (message.step === undefined) return; // a status of the race, without frames
    this.message = this.message ? { ...message, patches: [...this.message.patches, ...message.patches] } : message;
    this.paint();
  }

  lost() {
    this.showStatus({ phase: 'lost', clock: 'connection lost, reconnecting …', message: '' });
  }

  showStatus({ phase, clock, message }) {
    this.state.phase = phase;
    this.phase = clock;
    this.clock();
    const place = this.find('lv-message');
    place.hidden = !message;
    setText(place, message);
  }

  clock() {
    const step = this.state.step < 0 ? '' : `step ${this.state.step.toLocaleString('en')} · `;
    setText(this.find('lv-clock'), `${step}${this.phase}`);
  }

  async paint() {
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.message || this.plots.due.length) {
        const { message, token } = this;
        this.message = null;
        if (message) this.lanes.receive(message.patches);
        if (message) this.plots.patch(message.patches);
        await this.plots.draw();
        if (message && token === this.token) this.painted(message);
        await new Promise(requestAnimationFrame);
        if (message && token === this.token) this.stream.ask();
      }
    } finally {
      this.busy = false;
    }
  }

  painted({ step, steps, lanes, verdict, table }) {
    this.lanes.say(lanes);
    fill(this.find('rc-table'), 'All lanes in numbers', [['', ...this.names], ...table]);
    this.state.log = [...this.state.log, steps].slice(-100);
    Object.assign(this.state, { step, steps, token: this.token, painted: this.state.painted + 1 });
    this.clock();
    this.showVerdict(verdict);
  }

  // At most once a second, so that it can be read, also by a screen reader.
  showVerdict(sentence) {
    clearTimeout(this.timer);
    const show = () => {
      this.shownAt = performance.now();
      setText(this.find('rc-sentence'), sentence);
    };
    const wait = this.shownAt + 1000 - performance.now();
    if (wait <= 0) show();
    else this.timer = setTimeout(show, wait);
  }

  close() {
    clearTimeout(this.timer);
    this.stream?.close();
    this.resized.disconnect();
    this.lanes.close();
    document.removeEventListener('keydown', this.onKey);
    document.removeEventListener('pointerdown', this.onPress);
    this.plots.purge();
  }
}

export default function ({ data, parentElement }) {
  const view = (parentElement.__race ??= new RaceView(parentElement));
  view.configure(data);
  return () => { view.close(); delete parentElement.__race; };
}
