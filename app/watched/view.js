// Somebody else's model while it is trained, or afterwards: figures and stage of one module at one look. Only the newest
// message counts, and it is painted before the next one is requested.
const HEADINGS = { story: 'Before a number was no longer finite', links: 'Wiring', elsewhere: 'Mistakes in other modules', refusals: 'Not measured', unrecorded: 'Not recorded', lines: 'Loss, proof and cost' };
const COPIED = 1500; // ms that the button says so

class WatchedView {
  constructor(root) {
    this.root = root;
    this.find = (name) => root.querySelector(`.${name}`);
    this.plots = new Plots(root, () => this.refresh());
    this.tabs = new Tabs(root, (names) => this.plots.only(names));
    this.plots.reveal = (name) => this.tabs.reveal(name);
    this.chains = new Chains(root, (index) => { this.chain = this.setup.chains[index].at; this.stream?.ask(); });
    this.board = createBoard(root, { onChoose: (t) => this.plots.time?.keep(t), onNeed: () => this.stream?.ask(), onMode: () => {}, onDraw: () => {} });
    this.timeline = new Timeline(root, { onMove: () => this.stream?.ask(), onBranch: () => {} });
    this.find('wt-modules').querySelector('select').onchange = ({ target }) => this.choose(target.value);
    this.find('wt-advice').querySelector('button').onclick = () => this.copy();
    this.onPress = (event) => this.fold(event.target.closest?.('details'));
    document.addEventListener('pointerdown', this.onPress);
    this.resized = new ResizeObserver(() => this.plots.resize());
    this.resized.observe(root);
    this.sight = new IntersectionObserver(([{ isIntersecting }]) => { this.stageSeen = isIntersecting; if (isIntersecting) this.stream?.ask(); }, { root: root.closest('[data-testid="stMain"]'), rootMargin: '40px' });
    this.sight.observe(root.querySelector('.stage'));
    this.state = window.playground = { painted: 0, step: -1, token: null, module: null, stage: this.board.state };
  }

  configure({ token, scales, plotly, show }) {
    this.plots.source = plotly;
    Object.assign(this, { scales, show });
    if (token === this.state.token) {
      this.plots.dress(); // only the theme can have changed
      this.board.dress();
      this.paint();
      return;
    }
    this.state.token = token;
    this.stream?.close();
    Object.assign(this, { message: null, setup: null, module: '', chain: null });
    this.find('wt-drawn').hidden = this.find('lv-timeline').hidden = true;
    this.timeline.begin();
    this.tell({ word: 'Waiting', sign: '·', tone: 'none', sentence: '', advice: '' });
    const request = () => ({
      module: this.module, at: this.timeline.at, chain: this.chain, stage: this.setup ? this.board.request() : null,
      seen: this.setup ? [...this.plots.seen, ...(this.stageSeen ? ['stage'] : [])] : [],
    });
    this.stream = new Stream(`watched/${token}`, request, (message) => this.receive(message), () => this.status({ clock: 'connection lost, reconnecting …', message: '' }));
  }

  choose(module) {
    Object.assign(this, { module, chain: null });
    this.timeline.live();
    this.stream?.ask();
  }

  receive(message) {
    this.status(message.status);
    if (message.step === undefined) return; // how it stands, without a look
    if (message.replay !== (this.timeline.at !== null)) return void this.stream.ask();
    const before = this.message ?? { patches: [] };
    this.message = { ...message, setup: message.setup ?? before.setup, patches: message.setup ? message.patches : [...before.patches, ...message.patches] };
    this.paint();
  }

  // Another module, layer or time axis: other figures.
  prepare(setup) {
    const { figures, tabs, stage, cell, time, chains, chain } = setup, first = !this.setup;
    this.setup = setup;
    this.find('wt-drawn').hidden = this.find('lv-timeline').hidden = false;
    this.plots.configure(figures, this.scales);
    this.tabs.configure(tabs, false);
    this.chains.configure({ chains, chain, show: this.show });
    this.chain = chains[chain].at;
    const [l, d] = this.chain;
    this.board.configure({ info: stage, cell, chain: { l, d }, large: 1, mode: '', another: first });
    followMouse(this.root.querySelector('[data-over="time"]'), time, this.plots, (t) => this.board.chooseAt(t));
    this.counts = new Set(figures.filter((figure) => figure.steps).map((figure) => figure.name));
  }

  async paint() {
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.message || this.plots.due.length) {
        const { message } = this;
        this.message = null;
        if (message?.setup) this.prepare(message.setup);
        if (message) this.board.receive(message.patches);
        if (message) this.plots.patch(message.patches);
        await this.plots.draw();
        this.timeline.point(Object.values(this.plots.cards).map(({ name, plot }) => ({ plot, counts: this.counts?.has(name) })));
        if (message) this.painted(message);
        await new Promise(requestAnimationFrame);
        if (message) this.stream.ask();
      }
    } finally {
      this.busy = false;
    }
  }

  painted({ step, module, modules, readouts, verdict, timeline, facts, replay }) {
    this.timeline.receive(timeline);
    this.timeline.shown = replay ? this.timeline.at : null;
    this.plots.read(readouts);
    this.tell(verdict);
    this.list(modules, module);
    this.say(facts);
    Object.assign(this.state, { step, module, at: this.timeline.shown, painted: this.state.painted + 1 });
  }

  tell({ word = '', sign = '', tone = 'none', sentence = '', advice = '', is_code: isCode = false, about_names: aboutNames = '' }) {
    this.find('lv-verdict').dataset.tone = tone;
    setText(this.find('lv-sign'), sign);
    setText(this.find('lv-word').querySelector('strong'), word);
    setText(this.find('lv-sentence'), sentence);
    this.find('wt-advice').hidden = !advice || !isCode;
    setText(this.find('wt-advice').querySelector('code'), isCode ? advice : '');
    for (const [name, text] of [['wt-todo', isCode ? '' : advice], ['wt-names', aboutNames]]) {
      this.find(name).hidden = !text;
      setText(this.find(name), text);
    }
  }

  async copy() {
    const button = this.find('wt-advice').querySelector('button');
    await navigator.clipboard.writeText(this.find('wt-advice').querySelector('code').textContent);
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = 'Copy'; }, COPIED);
  }

  list(modules, module) {
    const select = this.find('wt-modules').querySelector('select');
    if (select.length !== modules.length || [...select.options].some((option, k) => option.value !== modules[k])) {
      select.replaceChildren(...modules.map((name) => new Option(name || 'the model itself', name)));
    }
    select.value = module;
    this.find('wt-modules').hidden = modules.length < 2;
  }

  say(facts) {
    const key = JSON.stringify(facts);
    if (key === this.said) return;
    this.said = key;
    const list = this.find('wt-mistakes');
    list.hidden = !facts.mistakes.length;
    list.replaceChildren(...facts.mistakes.map(([module, sentence, cure]) => {
      const item = document.createElement('li');
      make('b', item, { textContent: `${module}: ` });
      item.append(`${sentence} ${cure}`);
      return item;
    }));
    const sections = Object.entries(HEADINGS).filter(([name]) => facts[name].length).map(([name, heading]) => {
      const section = document.createElement('section');
      make('h2', section, { textContent: heading });
      const lines = make('ul', section);
      for (const textContent of facts[name]) make('li', lines, { textContent });
      return section;
    });
    this.find('wt-facts').replaceChildren(...sections);
  }

  status({ clock, message }) {
    setText(this.find('lv-clock'), clock);
    const place = this.find('lv-message');
    place.hidden = !message;
    setText(place, message);
    this.find('lv-verdict').hidden = Boolean(message) && !this.setup;
  }

  refresh() {
    this.paint();
    this.stream?.ask();
  }

  fold(but) {
    for (const open of this.root.querySelectorAll('details[open]')) if (open !== but && !open.contains(but)) open.open = false;
  }

  close() {
    this.stream?.close();
    this.resized.disconnect();
    this.sight.disconnect();
    this.board.close();
    this.timeline.close();
    document.removeEventListener('pointerdown', this.onPress);
    this.plots.purge();
  }
}

export default function ({ data, parentElement }) {
  const view = (parentElement.__watched ??= new WatchedView(parentElement));
  view.configure(data);
  return () => { view.close(); delete parentElement.__watched; };
}
