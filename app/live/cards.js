// A figure's card: title, how it was measured, tools, hint, the figure, its numbers.
const FIT = 'Fit the scale to the numbers, instead of a fixed scale';
const KINDS = { png: 'PNG, an image', svg: 'SVG, a vector drawing', html: 'HTML, an interactive page', csv: 'CSV, the numbers' };
let made = 0;

function make(tag, parent, attributes = {}) {
  return parent.appendChild(Object.assign(document.createElement(tag), attributes));
}

// Sets a text only if it has changed, so that a screen reader does not read it again.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// A box that once needed more lines keeps their height as long as its width stays, so that longer words do not move the page.
function keepHeight(box) {
  if (box.keptAt !== box.offsetWidth) box.style.minHeight = '';
  box.keptAt = box.offsetWidth;
  box.style.minHeight = `${Math.max(parseFloat(box.style.minHeight) || 0, box.offsetHeight)}px`;
}

// The caller passes what the buttons do, since it has the numbers.
function makeCard(column, { name, over, label }, { onFit, onTable, onSave }) {
  const box = make('div', column, { className: 'lv-card' });
  const header = make('header', box);
  const title = make('h2', header);
  const how = make('details', header, { className: 'lv-how' });
  make('summary', how, { textContent: '?', title: 'How measured?' }).setAttribute('aria-label', 'How measured?');
  make('div', how);
  const key = make('span', header, { className: 'lv-key', hidden: true });
  const fit = make('button', header, { className: 'lv-fit', type: 'button', textContent: 'fit', title: FIT, onclick: onFit });
  fit.setAttribute('aria-pressed', 'false');
  const tools = make('div', header, { className: 'lv-tools' });
  const table = make('button', tools, { className: 'lv-fit', type: 'button', textContent: 'table', title: 'The numbers of this figure', onclick: onTable });
  table.setAttribute('aria-expanded', 'false');
  const save = make('button', tools, { className: 'lv-fit', type: 'button', textContent: 'save', title: 'Save this figure as a file' });
  const readout = make('span', header, { className: 'lv-readout' });
  const id = `card-${Date.now().toString(36)}-${(made += 1)}`;
  box.id = id;
  const hint = make('p', box, { id: `${id}-hint` });
  readout.id = `${id}-readout`;
  const plot = make('div', box, { tabIndex: 0 });
  plot.dataset.figure = name;
  plot.setAttribute('role', 'figure');
  plot.setAttribute('aria-label', label);
  plot.setAttribute('aria-describedby', `${hint.id} ${readout.id}`);
  const spoken = make('span', box, { className: 'lv-spoken' });
  spoken.setAttribute('aria-live', 'polite');
  const place = make('div', box, { className: 'lv-table', hidden: true, tabIndex: 0, id: `${id}-table` });
  place.setAttribute('role', 'region');
  place.setAttribute('aria-label', `${label}: the numbers`);
  table.setAttribute('aria-controls', place.id);
  const numbers = new Numbers(place, () => onSave('csv'));
  menu(save, box, onSave);
  box.dataset.card = name;
  const axis = over === 'time' ? 't' : 'x';
  const parts = { box, header, title, key, fit, readout, hint, how, plot, table, spoken, numbers };
  return { name, over, axis, column, ...parts, seen: undefined, fitted: false, at: null, row: 0 };
}

// A popover menu: the browser closes it on Escape and on a click elsewhere, and restores the focus.
function menu(button, box, onSave) {
  const list = make('div', box, { className: 'lv-menu', popover: 'auto' });
  button.popoverTargetElement = list;
  for (const [kind, label] of Object.entries(KINDS)) {
    const entry = make('button', list, { type: 'button', textContent: label });
    entry.dataset.kind = kind;
    entry.onclick = async () => {
      entry.textContent = 'One moment …';
      try {
        await onSave(kind);
        entry.textContent = label;
        list.hidePopover();
      } catch (problem) {
        entry.textContent = `It could not be saved: ${problem.message}`;
      }
    };
  }
  list.addEventListener('beforetoggle', () => {
    const { left, bottom } = button.getBoundingClientRect();
    list.style.left = `${Math.max(8, Math.min(left, window.innerWidth - 220))}px`;
    list.style.top = `${Math.max(8, Math.min(bottom + 4, window.innerHeight - 190))}px`;
  });
}
