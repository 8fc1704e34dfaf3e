// What opens over the picture: all weights of a matrix, or the words that may take the place of one.
import { clamp, num, shade } from './scene.js';
import { symbolNode } from './legend.js';

const FEW = 12; // so many words are buttons; of more, one is typed

export function createMenu(box, board, acts) {
  let opener = null;
  const add = (tag, attributes = {}) => box.appendChild(Object.assign(document.createElement(tag), attributes));

  function open(anchor) {
    opener = anchor;
    box.hidden = false;
    const a = anchor.getBoundingClientRect(), b = board.getBoundingClientRect();
    const below = a.bottom - b.top + 8, above = a.top - b.top - box.offsetHeight - 8;
    const fits = a.bottom + box.offsetHeight + 70 < window.innerHeight || a.top < box.offsetHeight + 60;
    box.style.left = `${clamp(a.left - b.left, 8, Math.max(8, b.width - box.offsetWidth - 8))}px`;
    box.style.top = `${fits ? below : above}px`;
  }
  function close() {
    if (box.hidden) return;
    const inside = box.contains(document.activeElement);
    box.hidden = true;
    if (inside) opener?.focus?.();
    acts.need(null);
  }

  // Every weight of a matrix as a small square; the numbers come with a later message.
  function matrix({ name, symbol }, anchor) {
    box.replaceChildren();
    const title = add('strong');
    title.append(symbolNode(symbol));
    title.append(` · ${name}`);
    box.dataset.name = name;
    add('canvas', { width: 1, height: 1 });
    add('span', { textContent: 'One moment …' });
    open(anchor);
    acts.need(name);
  }
  function show({ name, rows, columns, step, most, mean } = {}, weights) {
    if (box.hidden || box.dataset.name !== name || !weights) return;
    const [canvas, said] = [box.querySelector('canvas'), box.querySelector('span')];
    Object.assign(canvas, { width: columns, height: rows });
    const context = canvas.getContext('2d');
    weights.forEach((v, i) => {
      context.fillStyle = shade(acts.palette(), v / most);
      context.fillRect(i % columns, Math.floor(i / columns), 1, 1);
    });
    said.textContent = `${rows} × ${columns}, −${num(most)} to +${num(most)}, mean |W| ${num(mean)}, at update ${step.toLocaleString('en')}, the same at every step`;
  }

  // Another word at step t: the network answers at once.
  function word(t, anchor, info, now) {
    box.replaceChildren();
    delete box.dataset.name;
    add('strong', { textContent: `At t = ${info.at[t]} it reads` });
    const choose = (text) => { close(); acts.type(t, text); };
    if (info.vocabulary.length <= FEW) {
      const row = add('div', { className: 'stage-choices' });
      for (const text of info.vocabulary) {
        const button = row.appendChild(Object.assign(document.createElement('button'), { type: 'button', textContent: text === ' ' ? '␣' : text, onclick: () => choose(text) }));
        button.setAttribute('aria-pressed', String(text === now));
      }
    } else {
      const form = add('form', { className: 'stage-type' }), list = add('datalist', { id: 'stage-vocabulary' });
      const input = form.appendChild(Object.assign(document.createElement('input'), { type: 'text', value: now, autocomplete: 'off' }));
      input.setAttribute('list', list.id);
      input.setAttribute('aria-label', `The word at t = ${info.at[t]}`);
      for (const text of info.vocabulary) list.appendChild(document.createElement('option')).value = text;
      form.appendChild(Object.assign(document.createElement('button'), { type: 'submit', textContent: 'Read it' }));
      form.onsubmit = (event) => { event.preventDefault(); choose(input.value.trim() || input.value); };
      open(anchor);
      input.select();
      return;
    }
    open(anchor);
  }
  return { close, matrix, show, word };
}
