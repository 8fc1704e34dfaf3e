// All words on a line of their own, where some of them are folded away or cut; each chooses its step.
import { answer, seen } from './scene.js';

const [LETTER, AIR] = [8.4, 12]; // pixels of a letter of a chip, and around its word

export function fillSentence(line, info, frame, view, at, choose) {
  const shortened = at.grid.some(({ t, span }) => (view.words[t]?.length ?? 0) * LETTER + AIR > span / at.s);
  line.hidden = view.large > 1 || !(view.worded && (at.folds.length || shortened));
  if (line.hidden) return;
  const read = info.encoder && frame?.best ? info.encoder : view.words.length; // what a decoder reads is what it said before
  const rows = [['reads', view.words.slice(0, read).map((text, t) => [t, text])]];
  if (info.encoder && frame?.best) rows.push(['says', info.counted.flatMap((counted, t) => (counted ? [[t, answer(info, frame, t).label]] : []))]);
  const key = JSON.stringify([rows, view.t]);
  if (line.dataset.key === key) return;
  line.dataset.key = key;
  line.replaceChildren(...rows.map(([name, entries]) => {
    const span = Object.assign(document.createElement('span'), { className: 'stage-sentence' });
    span.append(Object.assign(document.createElement('i'), { textContent: name }));
    for (const [t, text] of entries) {
      const button = Object.assign(document.createElement('button'), { type: 'button', textContent: seen(text), onclick: () => choose(t) });
      button.setAttribute('aria-pressed', String(t === view.t));
      span.append(button);
    }
    return span;
  }));
}
