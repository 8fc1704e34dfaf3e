// The line above a student's page. While the class is frozen, nothing below it hears a click or a key.
const STOPPED = ['click', 'dblclick', 'pointerdown', 'mousedown', 'touchstart', 'keydown', 'keypress', 'beforeinput', 'input', 'change', 'submit'];
const SCROLLS = new Set(['ArrowUp', 'ArrowDown', 'PageUp', 'PageDown', 'Tab']);

class ClassBar {
  constructor(root) {
    this.root = root;
    this.find = (name) => root.querySelector(`.cb-${name}`);
    this.find('leave').onclick = () => this.trigger('leave', true);
    this.guess = null;
    this.frozen = false;
    this.stop = (event) => {
      if (!this.frozen || root.contains(event.target) || (event.type === 'keydown' && SCROLLS.has(event.key) && !event.target.closest?.('input, [role="slider"], [role="combobox"]'))) return;
      event.stopImmediatePropagation();
      if (event.cancelable && !['pointerdown', 'touchstart'].includes(event.type)) event.preventDefault(); // a finger may still scroll
    };
    for (const type of STOPPED) window.addEventListener(type, this.stop, { capture: true, passive: false });
    this.state = window.classBar = { frozen: false, question: null, heard: 0 };
  }

  configure({ token, code, name, words, page, shown }, trigger) {
    Object.assign(this, { trigger, words, page, shown });
    for (const [place, text] of [['in', words.in], ['code', code], ['as', `· ${words.as}`], ['name', name], ['leave', words.leave]]) setText(this.find(place), text);
    this.find('name').title = name;
    this.say();
    if (token === this.token) return;
    this.token = token;
    this.stream?.close();
    this.guess = null;
    this.stream = new Stream(`student/${token}`, () => ({ guess: this.guess }), (message) => this.receive(message), () => {});
  }

  receive({ page, frozen, question }) {
    this.frozen = frozen;
    this.say();
    this.ask(question);
    Object.assign(this.state, { frozen, question: question?.number ?? null, heard: this.state.heard + 1 });
    if (page !== this.page) this.trigger('changed', page);
  }

  say() {
    const { words } = this, place = this.find('says'), page = document.querySelector('.stApp');
    document.documentElement.style.setProperty('--page-background', getComputedStyle(page).backgroundColor); // nothing shows through the line that stays
    this.root.querySelector('.cb').dataset.frozen = this.frozen;
    const says = [this.shown && words.shown, this.frozen && words.frozen].filter(Boolean).join(' ');
    place.hidden = !says;
    setText(place, says);
  }

  ask(question) {
    const box = this.find('question'), list = this.find('answers');
    box.hidden = !question;
    if (!question) return;
    setText(box.querySelector('h2'), question.asks);
    if (list.dataset.number !== String(question.number)) {
      list.dataset.number = question.number;
      this.guess = null;
      list.replaceChildren(...question.answers.map((answer, at) => {
        const button = Object.assign(document.createElement('button'), { type: 'button' });
        make('i', button).hidden = true;
        make('span', button, { textContent: answer }).dir = 'auto';
        make('b', button);
        button.onclick = () => { this.guess = { question: question.number, answer: at }; this.stream.ask(); };
        return button;
      }));
    }
    const total = question.counts?.reduce((a, b) => a + b, 0) ?? 0;
    [...list.children].forEach((button, at) => {
      const [bar, , count] = button.children;
      button.disabled = !question.open;
      button.setAttribute('aria-pressed', String(question.chosen === at));
      bar.hidden = !question.counts;
      if (question.counts) bar.style.width = `${total ? (100 * question.counts[at]) / total : 0}%`;
      setText(count, question.counts ? String(question.counts[at]) : '');
    });
    const { words } = this;
    setText(box.querySelector('p'), !question.open ? words.closed : question.chosen === null ? words.guess : words.chosen);
  }

  close() {
    this.stream?.close();
    for (const type of STOPPED) window.removeEventListener(type, this.stop, { capture: true });
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const bar = (parentElement.__classBar ??= new ClassBar(parentElement));
  bar.configure(data, setTriggerValue);
  return () => { bar.close(); delete parentElement.__classBar; };
}
