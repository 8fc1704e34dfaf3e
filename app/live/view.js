// The live view: only the newest frame counts, and it is painted before the next one is requested.
class View {
  constructor(root) {
    this.root = root;
    this.plots = new Plots(root, () => this.refresh());
    this.panel = new Panel(root, this.plots, {
      onCure: (changes) => this.trigger('cure', changes),
      onStop: (step) => this.trigger('branch', { step, changes: {}, paused: true }),
    });
    this.tabs = new Tabs(root, (names) => this.plots.only(names));
    this.plots.reveal = (name) => this.tabs.reveal(name);
    this.chains = new Chains(root, (index) => this.trigger('chain', index));
    this.board = createBoard(root, { onChoose: (t) => this.plots.time?.keep(t), onNeed: () => this.stream?.ask(), onMode: (what) => this.mode(what), onDraw: (figure, node) => this.plots.loose(figure, node) });
    const onMove = () => { this.panel.showStep(this.timeline.at); this.stream?.ask(); };
    this.timeline = new Timeline(root, { onMove, onBranch: (request) => this.trigger('branch', request) });
    this.onKey = (event) => { if (event.key === 'Escape') this.fold(); };
    this.onPress = (event) => this.fold(event.target.closest?.('details'));
    document.addEventListener('keydown', this.onKey);
    document.addEventListener('pointerdown', this.onPress);
    this.resized = new ResizeObserver(() => this.plots.resize()); // the sidebar opens without a resize of the window
    this.resized.observe(root);
    this.plots.stage = { box: root.querySelector('.stage'), title: { textContent: 'The network' }, get plot() { return this.box.querySelector('.stage-svg'); } };
    this.sight = new IntersectionObserver(([{ isIntersecting }]) => { this.stageSeen = isIntersecting; if (isIntersecting) this.stream?.ask(); }, { root: root.closest('[data-testid="stMain"]'), rootMargin: '40px' });
    this.sight.observe(root.querySelector('.stage'));
    this.busy = false;
    this.origin = window.playground?.origin; // a view before this one, in the same window
    this.state = window.playground = { painted: 0, step: -1, token: null, phase: null, log: [], stage: this.board.state };
  }

  // The figures without data stand under an address; what comes back when the page shows another run by then is dropped.
  async configure(data, trigger) {
    this.trigger = trigger;
    this.wanted = data;
    const figures = await this.fetched(data.figures);
    if (this.wanted !== data || this.closed) return;
    if (figures) this.show({ ...data, figures });
    else {
      this.lost();
      setTimeout(() => { if (this.wanted === data && !this.closed) this.configure(data, trigger); }, 1000);
    }
  }

  // The figures at an address, fetched once as long as it stays the same; null if they did not come.
  fetched(address) {
    if (this.address !== address) {
      this.address = address;
      this.files = fetch(new URL(address, document.baseURI).href).then((found) => (found.ok ? found.json() : null)).catch(() => null);
      this.files.then((figures) => { if (!figures && this.address === address) this.address = null; });
    }
    return this.files;
  }

  show(data) {
    this.plots.source = data.plotly;
    this.root.querySelector('.lv').dataset.cure = data.cure;
    const shown = JSON.stringify([data.large, data.tabs]);
    const same = data.token === this.token && shown === this.shown;
    const beside = JSON.stringify(data.beside);
    if (same && data.chain === this.chain && beside === this.beside) {
      this.plots.dress(); // only the theme can have changed, or a mode of the stage began or ended
      this.board.dress(data.mode);
      this.paint();
      return;
    }
    Object.assign(this, { token: data.token, shown, chain: data.chain, beside });
    this.stream?.close();
    this.frame = null;
    const times = data.large > 1 ? this.fitting(data) : 1;
    this.plots.configure(data.figures.map((figure) => enlarged(figure, times)), data.scales);
    this.tabs.configure(data.tabs, this.lesson !== data.lesson);
    this.lesson = data.lesson;
    this.chains.configure(data);
    if (!same) this.begin(data); // else another layer of the same run, or other past runs beside it
    const [layer, direction] = data.chains[data.chain].at;
    this.board.configure({ info: data.stage, cell: data.cell, chain: { l: layer, d: direction }, large: data.large, mode: data.mode, another: !same });
    this.counts = new Set(data.figures.filter((figure) => figure.steps).map((figure) => figure.name));
    if (document.activeElement?.closest('.st-key-present')) document.activeElement.blur(); // the space bar must play, not press the button again
    const { l, r, last } = data.time;
    followMouse(this.root.querySelector('[data-over="time"]'), { l: l * fontScale(times), r: r * fontScale(times), last }, this.plots, (t) => this.board.chooseAt(t));
    this.paint();
    const request = () => ({ seen: [...this.plots.seen, ...(this.stageSeen ? ['stage'] : [])], stage: this.board.request(), at: this.timeline.at, chain: data.chains[data.chain].at });
    this.stream = new Stream(data.token, request, (message) => this.receive(message), () => this.lost(), () => this.gone());
  }

  // The modes of the stage show the newest network.
  mode(what) {
    if (['slow', 'walk'].includes(what)) this.timeline.live();
    this.trigger('mode', what);
  }

  // Another run: remove what is left of the previous one.
  begin({ how, token, origin, words }) {
    this.fresh = true;
    this.state.phase = null;
    this.panel.begin(how, token);
    this.panel.notice(this.replaced(origin, words));
    this.origin = this.state.origin = { ...origin, token };
    this.words = words;
    this.timeline.begin();
  }

  // Why the run that was here is gone, though nobody has chosen another.
  replaced({ server, session }, words) {
    const before = this.origin;
    if (!before || before.session === session) return '';
    return before.server === server ? words.forgotten : words.restarted;
  }

  // The largest scale, up to `large`, at which the first tab's figures over time fit above the timeline.
  fitting({ figures, large, tabs }) {
    const column = figures.filter((figure) => figure.over === 'time' && tabs[0].figures.includes(figure.name));
    const top = this.root.querySelector('.lv-columns').getBoundingClientRect().top;
    const heading = window.matchMedia('(max-height: 950px)').matches ? 38 : 64; // without hints on low screens
    const room = window.innerHeight - top - 70 - heading * column.length;
    const natural = column.reduce((sum, { figure }) => sum + figure.layout.height, 0);
    return Math.min(large, Math.max(0.9, room / natural));
  }

  // A figure came into view, or is drawn differently: request a frame even from a paused run, since some readings are
  // only taken while their figure is on the screen.
  refresh() {
    this.paint();
    this.stream?.ask();
  }

  // Explanations close on Escape, on a click anywhere else, and when another is opened.
  fold(but) {
    for (const open of this.root.querySelectorAll('details[open]')) {
      if (open === but) continue;
      if (open.contains(document.activeElement)) open.firstElementChild.focus(); // the focus must not be lost with a hidden element
      open.open = false;
    }
  }

  receive(message) {
    this.panel.status(message.status, this.timeline.at);
    const { phase } = message.status;
    const ended = ['finished', 'refused'].includes(phase) && this.state.phase !== phase; // by itself: another button is the next one now
    this.state.phase = phase;
    if (ended || message.again) this.trigger('redraw', ended ? 'page' : message.again);
    if (message.step === undefined) return void (message.again && this.stream.ask()); // no frame; news of the run need no request
    if (this.timeline.receive(message.timeline)) this.trigger('noted', JSON.stringify(message.timeline.changes));
    if (message.replay !== (this.timeline.at !== null)) return void this.stream.ask(); // an answer to a request from before the timeline was moved
    this.frame = this.frame ? { ...message, patches: [...this.frame.patches, ...message.patches] } : message;
    this.paint();
  }

  lost() {
    this.panel.status({ clock: 'connection lost, reconnecting …', message: '' });
    this.state.phase = 'lost';
  }

  // The page is still as it was: have it drawn anew, which opens another run, as soon as it is connected again.
  gone() {
    this.panel.status({ clock: '', message: '' });
    this.panel.notice(this.words.gone, this.words.again);
    this.state.phase = 'gone';
    const { token } = this;
    const ask = (times) => {
      if (token !== this.token || times === 0) return;
      this.trigger('noted', 'gone');
      setTimeout(() => ask(times - 1), 2000);
    };
    ask(10);
  }

  async paint() {
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.frame || this.plots.due.length) {
        const { frame, token } = this;
        this.frame = null;
        const began = performance.now();
        if (frame) this.board.receive(frame.patches);
        if (frame) this.plots.patch(frame.patches);
        await this.plots.draw();
        this.point();
        if (frame && token === this.token) this.painted(frame, began);
        await new Promise(requestAnimationFrame);
        if (frame && token === this.token) this.stream.ask();
      }
    } finally {
      this.busy = false;
    }
  }

  // The marks of the timeline in the figures, at the step that they show.
  point() {
    const cards = Object.values(this.plots.cards).map(({ name, plot }) => ({ plot, counts: this.counts.has(name) }));
    this.timeline.point(cards);
  }

  painted(frame, began) {
    for (const { name, box } of Object.values(this.plots.cards)) box.classList.toggle('lv-missing', frame.missing.includes(name));
    for (const name of frame.missing) frame.readouts[name] = 'not measured at this step';
    this.timeline.shown = frame.replay ? this.timeline.at : null;
    this.plots.read(frame.readouts); // after painting, so that figure and read-out are of the same frame
    this.panel.showVerdict(frame.verdict, this.fresh);
    this.chains.judge(frame.judged);
    this.fresh = false;
    Object.assign(this.state, { step: frame.step, at: this.timeline.shown, token: this.token, painted: this.state.painted + 1 });
    this.state.log.push([performance.now(), performance.now() - began]);
    if (this.state.log.length > 400) this.state.log.shift();
  }

  close() {
    this.closed = true;
    this.token = null;
    this.stream?.close();
    this.resized.disconnect();
    this.sight.disconnect();
    this.board.close();
    document.removeEventListener('keydown', this.onKey);
    document.removeEventListener('pointerdown', this.onPress);
    this.timeline.close();
    this.panel.close();
    this.plots.purge();
  }
}

// On a narrow screen the settings start folded, and a line on the page sums them up. Only once per session.
function foldSettings() {
  if (window.innerWidth > 1100 || sessionStorage.getItem('settings-folded')) return;
  sessionStorage.setItem('settings-folded', '1');
  document.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click();
}

export default function ({ data, parentElement, setTriggerValue }) {
  if (!parentElement.__view) foldSettings();
  const view = (parentElement.__view ??= new View(parentElement));
  view.configure(data, setTriggerValue);
  return () => { view.close(); delete parentElement.__view; };
}
