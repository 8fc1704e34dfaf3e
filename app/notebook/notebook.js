// A recording, or what a lens has seen, in a notebook: the network and the figures in tabs, at the frame of the slider.
class NotebookPlayer extends Replay {
  prepare({ stage, cell, tabs, time, how, chain }) {
    super.prepare({ time, how });
    this.find('rp-player').hidden = !this.last; // one frame is not played
    this.find('lv-how').hidden = !how.length;
    this.board = createBoard(this.root, { onChoose: (t) => this.plots.time?.keep(t), onNeed: () => {}, onMode: () => {}, onDraw: () => {} });
    this.board.configure({ info: stage, cell, chain: { l: chain[0], d: chain[1] }, large: 1, mode: '', another: true });
    this.tabs = new Tabs(this.root, (names) => this.plots.only(names));
    this.plots.reveal = (name) => this.tabs.reveal(name);
    this.tabs.configure(tabs, false);
  }

  // Of the player's keys the space bar alone: the others are those of the stage.
  press(event) {
    if (event.key === ' ') super.press(event);
  }

  apply(index, message) {
    this.board.receive(message.patches);
    super.apply(index, message);
  }
}
Player = NotebookPlayer;
