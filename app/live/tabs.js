// One tab of figures at a time. Arrow keys go from tab to tab.
class Tabs {
  constructor(root, onOpen) {
    this.bar = root.querySelector('.lv-tabs');
    this.panel = root.querySelector('.lv-columns');
    this.onOpen = onOpen;
    this.bar.onkeydown = (event) => this.press(event);
  }

  // `anew`: the first tab, which is the lesson's own; else the one that is open, if there still is one of that name.
  configure(tabs, anew) {
    const before = anew ? null : this.name;
    this.tabs = tabs;
    while (this.bar.children.length > tabs.length) this.bar.lastElementChild.remove(); // the others keep the focus
    while (this.bar.children.length < tabs.length) this.bar.append(this.button(this.bar.children.length));
    tabs.forEach(({ name, figures }, k) => {
      this.bar.children[k].textContent = name;
      this.bar.children[k].dataset.figures = figures.join(' ');
    });
    this.open(Math.max(0, tabs.findIndex(({ name }) => name === before)));
  }

  button(k) {
    const button = Object.assign(document.createElement('button'), { type: 'button', id: `lv-tab-${k}` });
    button.setAttribute('role', 'tab');
    button.setAttribute('aria-controls', this.panel.id);
    button.onclick = () => this.open(k);
    return button;
  }

  open(k) {
    this.at = k;
    this.name = this.tabs[k]?.name;
    [...this.bar.children].forEach((button, n) => {
      button.setAttribute('aria-selected', String(n === k));
      button.tabIndex = n === k ? 0 : -1;
    });
    this.panel.setAttribute('aria-labelledby', `lv-tab-${k}`);
    this.onOpen(this.tabs[k]?.figures ?? []);
  }

  // The tab that has this figure: the open one, if it does.
  reveal(figure) {
    const has = ({ figures }) => figures.includes(figure);
    if (this.tabs[this.at] && has(this.tabs[this.at])) return;
    const k = this.tabs.findIndex(has);
    if (k >= 0) this.open(k);
  }

  press(event) {
    const last = this.tabs.length - 1, to = { ArrowLeft: this.at ? this.at - 1 : last, ArrowRight: this.at === last ? 0 : this.at + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation(); // the timeline uses the arrow keys, too
    this.open(to);
    this.bar.children[to].focus();
  }
}
