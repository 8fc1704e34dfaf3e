// The board of a class: a card for every student, patched as messages come. What students have typed is only ever text.
const SVG = 'http://www.w3.org/2000/svg', ORDER = ['bad', 'warn', 'none', 'good'];

class Board {
  constructor(root) {
    this.root = root;
    this.find = (name) => root.querySelector(`.bd-${name}`);
    this.cards = new Map();
    this.order = [];
    this.groups = new Map();
    this.state = window.board = { painted: 0, token: null };
  }

  configure({ token, words, scale }, press) {
    Object.assign(this, { press, words, scale });
    this.offer();
    if (token === this.state.token) return;
    this.state.token = token;
    this.stream?.close();
    this.stream = new Stream(`board/${token}`, () => ({}), (message) => this.receive(message), () => this.sum(this.words.lost), () => this.sum(this.words.over));
    this.arrange();
  }

  // The buttons of the order, of which one is pressed.
  offer() {
    const bar = this.find('sort'), names = ['by_name', 'by_verdict'];
    this.by ??= names[0];
    bar.ariaLabel = this.words.sort;
    if (!bar.childElementCount) {
      for (const name of names) {
        const button = make('button', bar, { type: 'button', textContent: this.words[name] });
        button.setAttribute('role', 'radio');
        button.dataset.by = name;
        button.onclick = () => this.turn(name);
      }
      bar.onkeydown = ({ key }) => { if (key.startsWith('Arrow')) this.turn(names.find((name) => name !== this.by), true); };
    }
    for (const button of bar.children) {
      button.setAttribute('aria-checked', String(button.dataset.by === this.by));
      button.tabIndex = button.dataset.by === this.by ? 0 : -1;
    }
  }

  turn(by, focus) {
    this.by = by;
    this.offer();
    this.arrange();
    if (focus) this.find('sort').querySelector('[aria-checked="true"]').focus();
  }

  receive({ cards, order, question }) {
    this.order = order;
    for (const [id, { box }] of this.cards) if (!order.includes(id)) { box.remove(); this.cards.delete(id); }
    for (const card of cards) this.draw(card);
    this.arrange();
    this.ask(question);
    this.state.painted += 1;
    requestAnimationFrame(() => this.stream.ask());
  }

  draw(card) {
    const known = this.cards.get(card.id), box = known?.box ?? this.box(card.id);
    this.cards.set(card.id, { card, box });
    const { words } = this, { verdict } = card, part = (name) => box.querySelector(`.bd-${name}`);
    box.dataset.tone = verdict?.tone ?? 'none';
    box.dataset.here = card.here;
    box.title = words.open.replace('{name}', card.name);
    setText(part('name'), card.name);
    part('name').title = card.name;
    setText(part('sign'), verdict ? verdict.sign : '·');
    setText(part('word'), verdict ? verdict.word : card.cell ? words.none : words.no_run);
    setText(part('loss'), card.loss === undefined ? '' : `${words.held_out} ${card.loss} (${words.beat}: ${card.beat})`);
    setText(part('cell'), card.cell);
    setText(part('changed'), card.changes.join(' · '));
    setText(part('phase'), [card.here ? card.phase : words.away, card.step && `step ${card.step}`].filter(Boolean).join(' · '));
    for (const name of ['loss', 'cell', 'changed', 'phase']) part(name).hidden = !part(name).textContent;
    this.figure(box.querySelector('svg'), card);
  }

  box(id) {
    const box = Object.assign(document.createElement('button'), { type: 'button', className: 'bd-card' });
    box.dataset.student = id;
    const name = make('bdi', box, { className: 'bd-name' });
    name.dir = 'auto';
    const line = make('span', box, { className: 'bd-verdict' }), word = make('span', line);
    make('span', word, { className: 'bd-sign' });
    word.append(' ');
    make('span', word, { className: 'bd-word' });
    box.append(document.createElementNS(SVG, 'svg'));
    for (const part of ['loss', 'cell', 'changed', 'phase']) make('span', box, { className: part === 'changed' ? 'bd-changed' : `bd-quiet bd-${part}` });
    box.onclick = () => this.press({ student: id });
    return box;
  }

  // A bar for each step, on a log axis with fixed limits; the line is the size where the loss enters.
  figure(svg, { gradient, arrives }) {
    const { low, high, colour } = this.scale, count = Math.max(gradient.length, 1), top = (value) => 36 * (1 - (value - low) / (high - low)) + 1;
    svg.setAttribute('viewBox', `0 0 ${count * 10} 38`);
    svg.setAttribute('preserveAspectRatio', 'none');
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', `${this.words.gradient}${arrives ? `, ${arrives}` : ''}`);
    svg.style.visibility = gradient.length ? '' : 'hidden';
    const bars = gradient.map((value, at) => (value === null ? '' : `M${at * 10 + 1} 38V${Math.min(top(value), 36.6).toFixed(1)}h8V38z`)).join('');
    if (!svg.childElementCount) {
      const one = svg.appendChild(document.createElementNS(SVG, 'path')), area = svg.appendChild(document.createElementNS(SVG, 'path'));
      one.setAttribute('class', 'bd-one');
      area.setAttribute('class', 'bd-area');
      area.setAttribute('fill', colour);
    }
    svg.firstElementChild.setAttribute('d', `M0 ${top(0).toFixed(1)}H${count * 10}`);
    svg.lastElementChild.setAttribute('d', bars);
  }

  // The cards by name, or in a group for each verdict, the worst first.
  arrange() {
    const cards = this.order.map((id) => this.cards.get(id)).filter(Boolean);
    cards.sort((a, b) => a.card.name.localeCompare(b.card.name, undefined, { numeric: true }) || a.card.id - b.card.id);
    const word = ({ card }) => card.verdict?.word ?? this.words.none, rank = ({ card }) => (card.verdict ? ORDER.indexOf(card.verdict.tone) : ORDER.length);
    const counted = new Map();
    for (const each of [...cards].sort((a, b) => rank(a) - rank(b))) counted.set(word(each), [...(counted.get(word(each)) ?? []), each]);
    const wanted = this.by === 'by_verdict' ? counted : new Map(cards.length ? [['', cards]] : []);
    for (const [name, group] of this.groups) if (!wanted.has(name)) { group.remove(); this.groups.delete(name); }
    let at = 0;
    for (const [name, members] of wanted) {
      const group = this.groups.get(name) ?? this.group(name), all = this.find('groups');
      if (all.children[at] !== group) all.insertBefore(group, all.children[at] ?? null);
      at += 1;
      setText(group.firstElementChild, name && `${name} (${members.length})`);
      group.firstElementChild.hidden = !name;
      members.forEach(({ box }, k) => { const grid = group.lastElementChild; if (grid.children[k] !== box) grid.insertBefore(box, grid.children[k] ?? null); });
    }
    const empty = this.find('empty');
    empty.hidden = cards.length > 0;
    setText(empty, this.words.empty);
    this.find('bar').hidden = !cards.length;
    this.sum([`${cards.length} ${this.words[cards.length === 1 ? 'student' : 'students']}`, ...[...counted].map(([name, members]) => `${members.length} ${name}`)].join(' · '));
  }

  group(name) {
    const group = document.createElement('section');
    group.className = 'bd-group';
    make('h3', group);
    make('div', group);
    this.groups.set(name, group);
    return group;
  }

  sum(says) {
    setText(this.find('sum'), says);
  }

  // The newest question with a bar for each answer.
  ask(question) {
    const box = this.find('question');
    box.hidden = !question;
    if (!question) return;
    const list = box.querySelector('ul'), total = question.counts.reduce((a, b) => a + b, 0), most = Math.max(...question.counts, 1);
    setText(box.querySelector('h2'), question.asks);
    if (list.dataset.number !== String(question.number)) {
      list.dataset.number = question.number;
      list.replaceChildren(...question.answers.map((answer) => {
        const line = document.createElement('li');
        make('span', line, { textContent: answer }).dir = 'auto';
        const count = make('span', line, { className: 'bd-count' });
        make('i', count);
        make('b', count);
        return line;
      }));
    }
    question.counts.forEach((count, k) => {
      const line = list.children[k];
      line.querySelector('i').style.width = `${(78 * count) / most}%`;
      setText(line.querySelector('b'), String(count));
    });
    const { words } = this;
    setText(box.querySelector('p'), `${total} ${words.of} ${this.order.length} ${words.guesses}${question.open ? '' : ` · ${words.closed}`}`);
  }

  close() {
    this.stream?.close();
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const board = (parentElement.__board ??= new Board(parentElement));
  board.configure(data, (what) => setTriggerValue('press', what));
  return () => { board.close(); delete parentElement.__board; };
}
