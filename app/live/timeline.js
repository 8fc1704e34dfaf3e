// The timeline: a slider over the kept steps of a run. Moving it shows a past step; "live" shows the newest one again.
// Arrow keys move by one kept step, space plays the recording. The run itself is not affected: it continues to train.
class Timeline {
  constructor(root, { onMove, onBranch }) {
    Object.assign(this, { onMove, onBranch });
    this.box = root.querySelector('.lv-timeline');
    this.find = (name) => this.box.querySelector(`.lv-timeline-${name}`);
    this.slider = this.find('slider');
    this.slider.oninput = () => { this.hold(); this.go(this.kept[this.slider.value]); };
    this.slider.onkeydown = (event) => { if (event.key === ' ') { event.preventDefault(); this.play(); } };
    this.find('play').onclick = () => this.play();
    this.find('live').onclick = () => this.live();
    this.find('rate').onchange = () => { if (this.playing) this.next(); };
    this.onKey = (event) => this.press(event);
    document.addEventListener('keydown', this.onKey);
    this.begin();
  }

  // Another run.
  begin() {
    this.hold();
    this.find('branch').open = false;
    Object.assign(this, { at: null, shown: null, kept: [], marks: [], fork: null });
    this.find('marks').replaceChildren();
    this.show();
  }

  // Take a message's news; returns true if it has live changes that were unknown here.
  receive({ kept, marks, fork, changes, what_ifs: whatIfs }) {
    if (kept) this.kept = kept;
    if (marks) this.marks = marks;
    if (fork !== undefined) this.fork = fork;
    if (whatIfs) this.offer(whatIfs);
    if (marks) this.mark();
    if (kept || marks) this.placeMarks();
    this.show();
    return Boolean(changes?.length);
  }

  // The kept step nearest to a step.
  index(step) {
    let best = 0;
    this.kept.forEach((other, i) => { if (Math.abs(other - step) <= Math.abs(this.kept[best] - step)) best = i; });
    return best;
  }

  go(step) {
    if (step === undefined || step === this.at) return;
    this.at = step;
    this.show();
    this.onMove();
  }

  move(by) {
    if (this.kept.length < 2) return;
    this.hold();
    const from = this.at === null ? this.kept.length - 1 : this.index(this.at);
    this.go(this.kept[Math.min(Math.max(from + by, 0), this.kept.length - 1)]);
  }

  live() {
    this.hold();
    if (this.at === null) return;
    this.at = null;
    this.find('branch').open = false;
    this.show();
    this.onMove();
  }

  // From the step that is shown, or from the first if that is the last.
  play() {
    if (this.playing) { this.hold(); this.show(); return; }
    if (this.kept.length < 2) return;
    this.playing = true;
    if (this.at === null || this.index(this.at) === this.kept.length - 1) this.go(this.kept[0]);
    this.show();
    this.next();
  }

  // Show the next kept step after a pause, once the current one is painted; after the last step go live again.
  next() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (!this.playing) return;
      const at = this.index(this.at);
      if (this.shown !== this.at) this.next();
      else if (at + 1 >= this.kept.length) this.live();
      else { this.go(this.kept[at + 1]); this.next(); }
    }, 250 / Number(this.find('rate').value));
  }

  hold() {
    this.playing = false;
    clearTimeout(this.timer);
  }

  // Handle keys that no other element of the page uses.
  press(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target !== document.body && !event.target.matches?.('[data-testid="stMain"], .lv-timeline *:not(select)')) return;
    const by = event.target === this.slider ? undefined : { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) this.move(event.shiftKey ? 10 * by : by);
    else if (event.key === ' ' && event.target.tagName !== 'BUTTON' && (this.at !== null || this.playing)) this.play();
    else if (event.key === 'Escape' && !this.find('branch').open) this.live();
    else return;
    event.preventDefault();
  }

  offer(whatIfs) {
    const choices = [...whatIfs.map((choice) => ({ ...choice, paused: false })), { says: this.find('choices').dataset.hold, changes: {}, paused: true }];
    this.find('choices').replaceChildren(...choices.map(({ says, changes, paused }) => Object.assign(document.createElement('button'), {
      type: 'button', textContent: says, onclick: () => this.branch(changes, paused) })));
  }

  branch(changes, paused) {
    const step = this.at ?? this.kept.at(-1);
    this.find('branch').open = false;
    this.find('branch').firstElementChild.focus();
    this.onBranch({ step, changes, paused });
  }

  show() {
    const last = this.kept.length - 1;
    const step = this.at ?? this.kept[last] ?? 0;
    this.box.dataset.live = this.at === null;
    this.slider.disabled = last < 1;
    this.slider.max = Math.max(last, 1);
    if (this.at === null) this.slider.value = Math.max(last, 0);
    else this.slider.value = this.index(this.at);
    const label = `step ${step.toLocaleString('en')}`;
    this.slider.setAttribute('aria-valuetext', this.at === null ? `${label}, live` : label);
    this.find('at').textContent = label;
    this.find('play').textContent = this.playing ? '❚❚' : '▶';
    this.find('play').setAttribute('aria-label', this.playing ? 'Pause the recording' : 'Play the recording');
    this.find('play').disabled = last < 1;
    this.find('live').setAttribute('aria-pressed', String(this.at === null));
    this.find('from').textContent = label;
  }

  // The marks of events under the slider; a click shows the kept step nearest to the event.
  mark() {
    this.find('marks').replaceChildren(...this.marks.map(({ step, says, kind }) => {
      const title = `${says} at step ${step.toLocaleString('en')}`;
      const tick = Object.assign(document.createElement('button'), { type: 'button', title, onclick: () => { this.hold(); this.go(this.kept[this.index(step)]); } });
      tick.dataset.kind = kind;
      tick.setAttribute('aria-label', title);
      return tick;
    }));
  }

  // The same elements at new places: one of them can have the keyboard's focus.
  placeMarks() {
    const last = this.kept.length - 1;
    [...this.find('marks').children].forEach((tick, i) => {
      const { step } = this.marks[i];
      tick.hidden = last < 1 || step > this.kept[last];
      if (!tick.hidden) tick.style.left = `${100 * this.place(step) / last}%`;
    });
  }

  // The position of a step on the slider, whose positions are the kept steps.
  place(step) {
    const after = this.kept.findIndex((other) => other >= step);
    if (after <= 0) return 0;
    const [low, high] = [this.kept[after - 1], this.kept[after]];
    return after - 1 + (step - low) / (high - low);
  }

  // Draw lines in the figures over training steps: at the step that is shown, and where this run branched off.
  point(cards) {
    for (const { plot, counts } of cards) {
      const axis = plot._fullLayout?.xaxis;
      if (!counts || !axis) continue;
      plot.style.position = 'relative';
      const lines = [[this.at, 'now'], [this.fork, 'fork']].filter(([step]) => step !== null);
      const marks = lines.map(([step, kind]) => {
        const x = axis.d2p(step);
        const line = Object.assign(document.createElement('div'), { className: `lv-line lv-line-${kind}`, hidden: x < 0 || x > axis._length });
        const { t, h } = plot._fullLayout._size;
        Object.assign(line.style, { left: `${axis._offset + x}px`, top: `${t}px`, height: `${h}px` });
        return line;
      });
      plot.querySelectorAll('.lv-line').forEach((line) => line.remove());
      plot.append(...marks);
    }
  }

  close() {
    this.hold();
    document.removeEventListener('keydown', this.onKey);
  }
}
