// What the network plays by itself, note by note, while the picture follows. The sound is that of app/audio.py.
const SECONDS = 0.22; // of a note
const PARTIALS = [1, 0.3, 0.12]; // loudness of the tone itself and of its 2nd and 3rd harmonics
const LOUDNESS = 0.5, ATTACK = 0.012, DECAY = 0.15; // peak; seconds of fading in, and to 1/e
const SEMITONES = { C: -9, D: -7, E: -5, F: -4, G: -2, A: 0, B: 2 }; // above A of the same octave

// Hz, from a name such as "C4".
const frequency = (note) => 440 * 2 ** (Number(note.slice(1)) - 4 + SEMITONES[note[0]] / 12);

function play(audio, note, at) {
  const loudness = audio.createGain();
  loudness.connect(audio.destination);
  loudness.gain.setValueAtTime(0, at);
  loudness.gain.linearRampToValueAtTime(LOUDNESS / PARTIALS.reduce((a, b) => a + b), at + ATTACK);
  loudness.gain.setTargetAtTime(0, at + ATTACK, DECAY);
  PARTIALS.forEach((part, k) => {
    const tone = audio.createOscillator(), share = audio.createGain();
    tone.frequency.value = (k + 1) * frequency(note);
    share.gain.value = part;
    tone.connect(share).connect(loudness);
    tone.start(at);
    tone.stop(at + SECONDS);
  });
}

// now(): {first, notes} as they are at this moment; choose(t): a note sounds. Returns {configure(info), stop()}.
export function createListen(button, now, choose) {
  let audio = null, timers = [];
  function stop() {
    timers.forEach(clearTimeout);
    timers = [];
    audio?.close();
    audio = null;
    button.setAttribute('aria-pressed', 'false');
  }
  button.onclick = () => {
    if (audio) return stop();
    const { first, notes } = now();
    if (!notes) return;
    audio = new AudioContext();
    button.setAttribute('aria-pressed', 'true');
    [first, ...notes].forEach((note, k) => {
      if (SEMITONES[note[0]] !== undefined) play(audio, note, audio.currentTime + 0.05 + k * SECONDS);
      timers.push(setTimeout(() => choose(Math.max(0, k - 1)), 50 + 1000 * k * SECONDS));
    });
    timers.push(setTimeout(stop, 100 + 1000 * (notes.length + 1) * SECONDS));
  };
  return { configure: (info) => { stop(); button.hidden = !info.audible; }, stop };
}
