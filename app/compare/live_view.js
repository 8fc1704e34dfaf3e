// A race: all lanes of a message are at the same step, and are painted before the next message is requested.
const MARKS = { circle: '<circle cx="23" cy="8" r="4.5"/>', square: '<rect x="18.5" y="3.5" width="9" height="9"/>', diamond: '<path d="M23 2l6 6-6 6-6-6z"/>' };
const DASHES = { solid: '', dash: '8 5', dot: '2 4' };

// The line and the mark of a lane, as in the figures.
function swatch({ colour, dash, mark }) {
  return `<svg viewBox="0 0 46 16" aria-hidden="true" fill="${colour}"><path d="M1 8h44" stroke="${colour}" stroke-width="2.4" stroke-dasharray="${DASHES[dash]}"/>${MARKS[mark]}</svg>`;
}

// Sets a text only if it has changed, so that a screen reader does not read it again.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

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
    this.boards = [];
    this.tabs = new Tabs(root, (names) => { this.plots.only(names); this.find('rc-scroll').hidden = names.length > 0; });
    this.sight = new IntersectionObserver(([{ isIntersecting }]) => { this.stagesSeen = isIntersecting; if (isIntersecting) this.stream?.ask(); }, { root: root.closest('[data-testid="stMain"]'), rootMargin: '40px' });
    this.sight.observe(root.querySelector('.rc-lanes'));
    this.busy = false;
    this.state = window.playground = window.race = { painted: 0, step: -1, steps: [], token: null, phase: null, log: [] };
  }

  configure(data) {
    this.plots.source = data.plotly;
    if (data.token === this.token) {
      for (const board of this.boards) board.dress(false);
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
    for (const board of this.boards) board.close();
    this.cards = data.lanes.map((lane) => this.card(lane));
    this.find('rc-lanes').replaceChildren(...this.cards);
    this.boards = data.lanes.map((lane, index) => this.stage(lane, index, data.lanes.length));
    this.state.stages = this.boards.map((board) => board.state);
    this.names = data.lanes.map(({ name }) => name);
    this.find('rc-table').replaceChildren();
    this.paint();
    this.stream = new Stream(`race/${data.token}`, () => ({ seen: this.plots.seen, stages: this.stagesSeen ? this.boards.map((board) => board.request()) : [] }), (message) => this.receive(message), () => this.lost());
  }

  card(lane) {
    const box = Object.assign(document.createElement('div'), { className: 'rc-lane' });
    const head = make('header', box, { innerHTML: swatch(lane) });
    make('strong', head, { textContent: lane.name, title: lane.name });
    for (const name of ['word', 'loss', 'still']) make('span', head, { className: `rc-${name}` });
    box.append(this.find('rc-stage').content.cloneNode(true));
    return box;
  }

  // A lane's network. All stand over one time axis: a step that is chosen in one is chosen in all.
  stage(lane, index, lanes) {
    const board = createBoard(this.cards[index], {
      onChoose: (t) => this.boards.forEach((other) => other !== board && other.chooseAt(t)),
      onNeed: () => this.stream?.ask(),
      onSlow: () => {},
      onDraw: () => {},
    });
    board.configure({ info: lane.stage, cell: lane.cell, chain: { l: lane.stage.layers - 1, d: 0 }, large: 1, beside: lanes > 2 ? 230 : 290, another: true });
    return board;
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
        if (message) this.boards.forEach((board, index) => board.receive(message.patches, `stage${index}`));
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
    lanes.forEach((lane, i) => {
      const box = this.cards[i];
      const find = (name) => box.querySelector(`.rc-${name}`);
      box.dataset.tone = lane.tone;
      if (find('word').dataset.said !== lane.word) {
        find('word').dataset.said = lane.word;
        find('word').replaceChildren(Object.assign(document.createElement('i'), { textContent: `${lane.sign} `, ariaHidden: 'true' }), lane.word);
      }
      for (const name of ['loss', 'still']) setText(find(name), lane[name]);
    });
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
    this.sight.disconnect();
    for (const board of this.boards) board.close();
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
