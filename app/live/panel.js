// The text above the figures: verdict, cure, evidence, clock, messages. The verdict changes at most once a second.
class Panel {
  constructor(root, plots, { onCure, onStop }) {
    this.find = (name) => root.querySelector(`.lv-${name}`);
    this.root = root;
    this.plots = plots;
    this.shownAt = -Infinity;
    this.grown = new ResizeObserver(() => keepHeight(this.find('verdict')));
    this.grown.observe(this.find('verdict'));
    this.find('cure').onclick = () => {
      this.find('cure').disabled = true;
      onCure(this.verdict.changes);
    };
    this.find('stop').onclick = () => {
      this.find('stop').disabled = true;
      onStop(this.verdict.stop.step);
    };
    this.find('again').onclick = () => location.reload(); // the address holds the settings
    this.find('see').querySelector('a').onclick = (event) => {
      event.preventDefault(); // the address holds the settings
      plots.pointOut(this.verdict.figure);
    };
  }

  // Another run: remove the text about the previous one.
  begin(paragraphs, token) {
    clearTimeout(this.timer);
    this.shownAt = -Infinity;
    this.find('verdict').style.minHeight = '';
    this.find('how').open = false;
    this.next = { kind: 'none', tone: 'none', word: 'Starting', sign: '·', sentence: 'Waiting for the first frame …', cure: '' };
    this.show();
    this.explain(paragraphs, token);
  }

  explain(paragraphs, token) {
    const place = this.find('how').lastElementChild;
    place.replaceChildren(...paragraphs.map((text) => Object.assign(document.createElement('p'), { textContent: text })));
    const link = Object.assign(document.createElement('a'), { textContent: 'The numbers of this frame as CSV', download: 'gradient.csv' });
    link.href = new URL(`live/${token}/gradient.csv`, document.baseURI).href;
    place.appendChild(link);
  }

  showVerdict(verdict, atOnce) {
    this.next = verdict;
    clearTimeout(this.timer);
    const wait = atOnce ? 0 : this.shownAt + 1000 - performance.now();
    if (wait <= 0) this.show();
    else this.timer = setTimeout(() => this.show(), wait);
  }

  show() {
    const verdict = this.next;
    this.verdict = verdict;
    this.shownAt = performance.now();
    this.find('verdict').dataset.tone = verdict.tone;
    this.find('verdict').dataset.kind = verdict.kind;
    this.find('word').querySelector('strong').textContent = verdict.word;
    this.find('sign').textContent = verdict.sign;
    if (this.find('sentence').textContent !== verdict.sentence) this.find('sentence').textContent = verdict.sentence;
    this.find('numbers').textContent = verdict.numbers;
    this.find('numbers').title = verdict.counted;
    this.offer(this.find('cure'), verdict.cure);
    this.offer(this.find('stop'), verdict.stop?.says);
    this.showEvidence(verdict);
  }

  offer(button, label = '') {
    button.hidden = !label;
    if (button.textContent === label) return;
    button.textContent = label;
    button.disabled = false;
  }

  // A link to the figure that shows the evidence, if that figure is on the page; without a cure, what to look at there.
  showEvidence({ figure, look }) {
    const card = this.plots.shownCard(figure);
    const said = this.root.querySelector('.lv').dataset.cure === 'false' ? '' : look;
    const [place, link] = this.find('see').children;
    this.find('see').hidden = !card && !said;
    place.textContent = said ? `${said}${card ? ':' : '.'}` : 'See it:';
    link.hidden = !card;
    if (!card) return;
    link.textContent = card.title.textContent;
    link.href = `#${card.box.id}`;
  }

  // While a past step is shown, the clock names it beside the run's own step.
  showStep(at) {
    this.at = at;
    const back = at === null || at === undefined ? '' : `shown: step ${at.toLocaleString('en')} · the run: `;
    this.find('clock').textContent = back + this.clock;
  }

  status({ clock, message }, at) {
    this.clock = clock;
    this.showStep(at);
    const place = this.find('message');
    place.hidden = !message;
    if (place.textContent !== message) place.textContent = message;
  }

  // What has happened to the run, and a button that opens its link again.
  notice(says, again = '') {
    this.find('notice').hidden = !says;
    this.find('notice').firstElementChild.textContent = says;
    this.offer(this.find('again'), again);
  }

  close() {
    clearTimeout(this.timer);
    this.grown.disconnect();
  }
}
