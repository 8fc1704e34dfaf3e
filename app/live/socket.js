// The stream of one run. After a message was painted, the next one is requested, for the figures on the screen. A hidden
// tab requests nothing.
const LONG_HIDDEN = 60000; // ms; meanwhile the machine may have slept, and a connection that is dead looks open
const GONE = 4404; // the server has no such run
// `onGone` is called where the server has no such run; a page that cannot do better is loaded anew: its address has the settings.
class Stream {
  constructor(token, request, onMessage, onLost, onGone = () => location.reload()) {
    Object.assign(this, { token, request, onMessage, onLost, onGone, wait: 500, closed: false });
    this.onVisible = () => {
      if (document.hidden) this.hiddenSince = Date.now();
      else if (Date.now() - this.hiddenSince > LONG_HIDDEN) this.renew();
      else if (this.delayed) this.ask();
    };
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
      if (this.closed || socket !== this.socket || event.code === 1008) return; // 1008: this run has ended; the page will open another stream
      if (event.code === GONE) return void this.onGone();
      this.onLost();
      setTimeout(() => { if (!this.closed) this.open(); }, this.wait);
      this.wait = Math.min(8000, 2 * this.wait);
    };
  }

  ask() {
    this.delayed = document.hidden;
    if (!this.delayed && this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(this.request()));
  }

  // Another connection in the place of this one.
  renew() {
    this.socket.close();
    this.open();
  }

  close() {
    this.closed = true;
    document.removeEventListener('visibilitychange', this.onVisible);
    this.socket.close();
  }
}
