// The line above the picture: each matrix with its hue and what it does, the scale of the states and that of the ribbon.
import { num } from './scene.js';
import { write } from './svg.js';

const WEDGE = `<svg class="stage-wedge" width="132" height="30" aria-hidden="true"><path d="M4 2H20L104 11.5V12.5L20 22H4Z"/><path class="hair" d="M104 12H128"/>
<text x="12" y="16">1</text><text x="48" y="29" class="out">1%</text><text x="104" y="29" class="out">10⁻⁶</text></svg>`;

// A band as wide as what is read, the whole and a sixth of it.
const BANDS = '<svg class="stage-bands" width="34" height="16" aria-hidden="true"><path d="M1 2H15V14H1Z"/><path d="M19 7H33V9H19Z"/></svg>';

export function symbolNode(text) {
  const node = document.createElement('b');
  write(node, text); // "W′_xh": W′ with a lowered xh
  return node;
}

export function createLegend(box, acts) {
  let info = null;
  const shared = Object.assign(document.createElement('span'), { className: 'stage-shared' });

  function configure(next) {
    info = next;
    box.replaceChildren(...info.matrices.filter(({ symbol }) => symbol).map((matrix) => {
      const button = Object.assign(document.createElement('button'), { type: 'button', className: `stage-w ${matrix.key.replace('e_', '')}`, title: `${matrix.name} in PyTorch.${info.task ? ' Press: all its weights.' : ''}` });
      button.dataset.w = matrix.key;
      button.append(document.createElement('i'), symbolNode(matrix.symbol), Object.assign(document.createElement('span'), { textContent: matrix.does }));
      button.onpointerenter = button.onfocus = () => acts.light(matrix.key);
      button.onpointerleave = button.onblur = () => acts.light(null);
      button.onclick = () => acts.matrix(matrix, button);
      return button;
    }), shared);
    const keys = Object.assign(document.createElement('span'), { className: 'stage-keys' });
    keys.innerHTML = `<span class="stage-key"><span class="low">−1</span><i class="stage-state-key"></i><span class="high">+1</span><span class="of-c"></span> <span class="long">state</span></span>
      <span class="stage-key" title="Thickness: size of the gradient relative to where the loss enters, a sixth less for every tenfold. ${info.ofProbe ? `Median over ${info.measuredOn}; its pale edge: a quarter of them have more.` : 'Of the sequence drawn: the others have other lengths or targets.'}">${WEDGE} <span class="long">gradient, relative</span></span>`;
    if (info.attention) keys.insertAdjacentHTML('afterbegin', `<span class="stage-key" title="What one step of the decoder reads of each state of the encoder: the width is its attention weight. All bands of a step together have the width of the thick one. Choose a step of the decoder to see what it reads.">${BANDS} α <span class="long">attention</span></span>`);
    box.append(keys);
  }

  function uses(key) {
    const counted = info.counted.filter(Boolean).length, half = key.startsWith('e_') ? info.encoder : info.steps - info.encoder;
    const times = key === 'hy' || key === 'dense' ? counted : key.endsWith('hh') ? half - (info.encoder && !key.startsWith('e_') ? 0 : 1) : half;
    return times === 1 ? 'used once' : `used ${times} times`;
  }
  // Light a matrix's entry, and say how often it is used.
  function light(key, chain, means) {
    for (const button of box.querySelectorAll('[data-w]')) button.classList.toggle('lit', button.dataset.w === key);
    const matrix = key && info.matrices.find((each) => each.key === key), chains = info.layers * info.directions;
    if (!matrix) return void (shared.textContent = '');
    const [l, d] = chain?.split(',').map(Number) ?? [];
    const which = key === 'hy' || chains === 1 ? 'one matrix,' : chain === undefined || chain === null ? `${chains} matrices, one a chain, each` : `one matrix of layer ${l + 1}${info.directions > 1 ? (d ? ', right to left' : ', left to right') : ''},`;
    const mean = means?.[matrix.name];
    shared.textContent = `${which} ${uses(key)}${chains === 1 && mean !== undefined ? ` · mean |W| ${num(mean)}` : ''}`;
  }
  return { configure, light, // How far the colours reach: in h, and in c where that is another scale.
    scale: (most, ofCell) => {
      const say = (name, text) => { const node = box.querySelector(`.${name}`); if (node.textContent !== text) node.textContent = text; };
      say('low', `−${num(most)}`);
      say('high', `+${num(most)}`);
      say('of-c', ofCell && ofCell !== most ? `(c: ±${num(ofCell)})` : '');
    } };
}
