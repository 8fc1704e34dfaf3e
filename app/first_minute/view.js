// The first minute: one button, one slider, two networks. A message has both at the same step, and is painted before the
// next one is requested.
const PHONE = 240; // pixels of each picture
const YEAR = 365 * 24 * 3600;
const SLIDE = 300; // ms after the last move of the slider until both start again
const LANES = 2, HEADER = 46; // pixels of a network's name and caption
const BELOW = 90; // pixels of the sentence in full, and of the way to the lab

class FirstMinuteView {
  constructor(root) {
    this.root = root;
    this.find = (name) => root.querySelector(`.${name}`);
    this.slider = root.querySelector('input[type="range"]');
    this.lanes = new Lanes(this.find('rc-lanes'), this.find('rc-stage'), { need: () => this.stream?.ask() });
    this.slider.oninput = () => this.slide();
    this.find('fm-play').onclick = () => this.press({ order: this.button === 'Pause' ? 'pause' : 'play' });
    this.onResize = () => this.lanes.resize(this.height());
    window.addEventListener('resize', this.onResize);
    this.state = window.playground = { painted: 0, step: -1, token: null, phase: null };
  }

  configure(data, press) {
    this.press = (what) => press({ ...what, at: (this.pressed = (this.pressed ?? 0) + 1) }); // the same order again is another
    document.cookie = `${data.cookie}=1; Path=/; Max-Age=${YEAR}; SameSite=Lax`;
    if (data.token === this.state.wanted) return this.lanes.dress();
    this.state.wanted = data.token;
    this.stream?.close();
    this.message = null;
    if (!this.sliding) this.show(data.words);
    setText(this.find('fm-conclusion'), '');
    this.lanes.configure(data.lanes, this.height());
    this.state.stages = this.lanes.boards.map((board) => board.state);
    this.state.stages[0].choose(0); // the word that decides
    this.stream = new Stream(`first/${data.token}`, () => ({ stages: this.lanes.request() }), (message) => this.receive(message), () => this.lost());
  }

  // What the window has below the controls, for the pictures; a phone's two are lower, so that both are seen with the button.
  height() {
    const top = this.find('rc-lanes').getBoundingClientRect().top + (this.root.closest('[data-testid="stMain"]')?.scrollTop ?? 0);
    if (window.innerWidth < 640) return PHONE;
    return Math.max(150, Math.min(340, (window.innerHeight - top - BELOW) / LANES - HEADER));
  }

  slide() {
    this.show(Number(this.slider.value));
    clearTimeout(this.sliding);
    this.sliding = setTimeout(() => { this.sliding = 0; this.press({ words: Number(this.slider.value) }); }, SLIDE);
  }

  show(words) {
    this.slider.value = words;
    this.root.querySelector('output').value = words;
  }

  receive(message) {
    this.showStatus(message.status);
    if (message.step === undefined) return; // a status of the race, without frames
    this.message = this.message ? { ...message, patches: [...this.message.patches, ...message.patches] } : message;
    if (!this.due) this.due = requestAnimationFrame(() => this.paint());
  }

  paint() {
    this.due = 0;
    const message = this.message;
    this.message = null;
    if (!message) return;
    this.lanes.receive(message.patches);
    this.lanes.say(message.lanes);
    setText(this.find('fm-conclusion'), message.conclusion);
    Object.assign(this.state, { step: message.step, token: this.state.wanted, painted: this.state.painted + 1 });
    this.stream.ask();
  }

  lost() {
    this.showStatus({ phase: 'lost', button: this.button, clock: 'Connection lost, reconnecting …', message: '' });
  }

  showStatus({ phase, button, clock, message }) {
    this.state.phase = phase;
    this.button = button;
    const play = this.find('fm-play'), place = this.find('lv-message');
    play.disabled = phase === 'starting' || phase === 'lost';
    play.dataset.does = button === 'Pause' ? 'pause' : 'play';
    setText(play, button);
    setText(this.find('fm-clock'), clock);
    place.hidden = !message;
    setText(place, message);
  }

  close() {
    clearTimeout(this.sliding);
    cancelAnimationFrame(this.due);
    window.removeEventListener('resize', this.onResize);
    this.stream?.close();
    this.lanes.close();
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const view = (parentElement.__first ??= new FirstMinuteView(parentElement));
  view.configure(data, (what) => setTriggerValue('press', what));
  return () => { view.close(); delete parentElement.__first; };
}
