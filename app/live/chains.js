// The layers and directions that the figures of a single layer can show. A note names the one that the verdict judges.
class Chains {
  constructor(root, onChoose) {
    this.box = root.querySelector('.lv-chains');
    this.choices = this.box.querySelector('.lv-chains-choices');
    this.note = this.box.querySelector('.lv-chains-note');
    this.onChoose = onChoose;
  }

  configure({ chains, chain, show }) {
    this.chains = chains;
    this.box.firstElementChild.textContent = show;
    this.box.hidden = chains.length < 2;
    while (this.choices.children.length > chains.length) this.choices.lastElementChild.remove(); // the others keep the focus
    while (this.choices.children.length < chains.length) this.choices.append(this.button(this.choices.children.length));
    chains.forEach(({ label, name }, index) => {
      const button = this.choices.children[index];
      button.textContent = label;
      button.setAttribute('aria-label', name);
    });
    this.press(chain);
    this.judge(null);
  }

  button(index) {
    const button = Object.assign(document.createElement('button'), { type: 'button', className: 'lv-fit' });
    button.onclick = () => { this.press(index); this.onChoose(index); };
    return button;
  }

  press(at) {
    [...this.choices.children].forEach((button, index) => button.setAttribute('aria-pressed', String(index === at)));
  }

  // The verdict judges the layer that lets most of the gradient through, which may change while it trains.
  judge(index) {
    const says = index === null || index === undefined ? '' : `Verdicts about the gradient mean ${this.chains[index].name}, where most of what is left gets through.`;
    if (this.note.textContent !== says) this.note.textContent = says;
  }
}
