// The stream of one run. Each message that was painted buys the next, of the figures that are on the screen; a hidden tab
// asks for nothing.
class Stream {
  constructor(token, seen, onMessage, onLost) {
    Object.assign(this, { token, seen, onMessage, onLost, wait: 500, closed: false });
    this.onVisible = () => { if (!document.hidden && this.owed) this.ask(); };
    document.addEventListener('visibilitychange', this.onVisible);
    this.open();
  }

  open() {
    const url = new URL(`live/${this.token}`, document.baseURI).href.replace(/^http/, 'ws');
    const socket = (this.socket = new WebSocket(url));
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => { this.wait = 500; this.ask(); };
    socket.onmessage = (event) => { if (!this.closed) this.onMessage(decode(event.data)); };
    socket.onclose = (event) => {
      if (this.closed || event.code === 1008) return; // 1008: this run has ended; the page will bring another
      this.onLost();
      setTimeout(() => { if (!this.closed) this.open(); }, this.wait);
      this.wait = Math.min(8000, 2 * this.wait);
    };
  }

  ask() {
    this.owed = document.hidden;
    if (!this.owed && this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(this.seen()));
  }

  close() {
    this.closed = true;
    document.removeEventListener('visibilitychange', this.onVisible);
    this.socket.close();
  }
}
