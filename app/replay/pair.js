// Two recordings over one slider of training steps: each with its newest frame up to there.
const DASHES = { solid: '', dash: '8 5' };

class PairReplay extends Replay {
  prepare({ tabs, lanes }) {
    this.names = lanes.map(({ name }) => name);
    this.cards = lanes.map((lane) => this.card(lane));
    this.find('pair-lanes').replaceChildren(...this.cards.map(({ box }) => box));
    const open = (names) => { this.plots.only(names); this.find('pair-scroll').hidden = names.length > 0; this.paint(); };
    new Tabs(this.root, open).configure(tabs, true);
  }

  card({ name, colour, dash }) {
    const box = Object.assign(document.createElement('section'), { className: 'pair-lane' });
    box.innerHTML = `<header><svg viewBox="0 0 40 14" aria-hidden="true"><path d="M0 7h40" stroke="${colour}" stroke-width="2.4" stroke-dasharray="${DASHES[dash]}"/></svg>
      <strong></strong><span class="pair-word"><i aria-hidden="true"></i> <span></span></span><span class="pair-at"></span></header><p></p><p class="pair-numbers"></p>`;
    const [sentence, numbers] = box.querySelectorAll('p'), [sign, word] = box.querySelector('.pair-word').children;
    box.querySelector('strong').textContent = name;
    return { box, sentence, numbers, sign, word, at: box.querySelector('.pair-at') };
  }

  tell(index, { lanes, table }) {
    lanes.forEach((lane, k) => {
      const card = this.cards[k];
      card.box.dataset.tone = lane.tone;
      for (const name of ['sentence', 'numbers', 'sign', 'word', 'at']) setText(card[name], lane[name]);
      keepHeight(card.box);
    });
    fill(this.find('pair-table'), 'Both recordings in numbers', [['', ...this.names], ...table]);
  }
}

Player = PairReplay;
