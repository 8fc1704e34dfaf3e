// The lanes of a race, one network above the other over one time axis, each with its name and what is said of it.
const MARKS = { circle: '<circle cx="23" cy="8" r="4.5"/>', square: '<rect x="18.5" y="3.5" width="9" height="9"/>', diamond: '<path d="M23 2l6 6-6 6-6-6z"/>' };
const DASHES = { solid: '', dash: '8 5', dot: '2 4' };

// The line and the mark of a lane, as in the figures.
function swatch({ colour, dash, mark }) {
  return `<svg viewBox="0 0 46 16" aria-hidden="true" fill="${colour}"><path d="M1 8h44" stroke="${colour}" stroke-width="2.4" stroke-dasharray="${DASHES[dash]}"/>${MARKS[mark]}</svg>`;
}

class Lanes {
  // `place`: where they stand; `template`: the markup of one network's drawing; acts: {need()}: a choice needs numbers
  // that the last request did not ask for.
  constructor(place, template, acts) {
    Object.assign(this, { place, template, acts, boards: [], cards: [], inSight: false });
    this.sight = new IntersectionObserver(([{ isIntersecting }]) => { this.inSight = isIntersecting; if (isIntersecting) acts.need(); }, { root: place.closest('[data-testid="stMain"]'), rootMargin: '40px' });
    this.sight.observe(place);
  }

  // Another race. `height`: pixels of each picture.
  configure(lanes, height) {
    for (const board of this.boards) board.close();
    this.cards = lanes.map((lane) => this.card(lane));
    this.place.replaceChildren(...this.cards);
    this.lanes = lanes;
    this.boards = lanes.map((lane, index) => this.board(lane, index));
    this.resize(height, true);
  }

  // Another height of the pictures; `another`: of another race.
  resize(height, another = false) {
    this.boards.forEach((board, index) => {
      const { stage, cell } = this.lanes[index];
      board.configure({ info: stage, cell, chain: { l: stage.layers - 1, d: 0 }, large: 1, beside: height, another });
    });
  }

  card(lane) {
    const box = Object.assign(document.createElement('div'), { className: 'rc-lane' });
    const head = make('header', box, { innerHTML: swatch(lane) });
    make('strong', head, { textContent: lane.name, title: lane.name });
    for (const name of ['word', 'loss', 'still']) make('span', head, { className: `rc-${name}` });
    box.append(this.template.content.cloneNode(true));
    return box;
  }

  // A lane's network. All stand over one time axis: a step that is chosen in one is chosen in all.
  board(lane, index) {
    const board = createBoard(this.cards[index], {
      onChoose: (t) => this.boards.forEach((other) => other !== board && other.chooseAt(t)),
      onNeed: () => this.acts.need(),
      onMode: () => {},
      onDraw: () => {},
    });
    return board;
  }

  // What the next message must have of every lane.
  request() {
    return this.inSight ? this.boards.map((board) => board.request()) : [];
  }

  receive(patches) {
    this.boards.forEach((board, index) => board.receive(patches, `stage${index}`));
  }

  // What is said of each lane: {tone, word, sign, loss, still}.
  say(lanes) {
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
  }

  dress() {
    for (const board of this.boards) board.dress(false);
  }

  close() {
    this.sight.disconnect();
    for (const board of this.boards) board.close();
  }
}
