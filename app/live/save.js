// Save a figure as a file: an image, a vector drawing, a stand-alone page, or its numbers.
const TITLE_ROOM = 40; // pixels above the figure, for its title and the step
const NAME_ROOM = 20; // and below it, for the axis title that on the page is only under the last figure

// Download a file.
function download(name, content) {
  const link = document.createElement('a');
  link.href = typeof content === 'string' ? content : URL.createObjectURL(content);
  link.download = name;
  link.click();
  if (typeof content !== 'string') setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const slug = (name, step, kind) => `${name.replaceAll('_', '-')}-step-${step}.${kind}`;
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

// The figure as it is drawn, with the page's background and a title.
function titled({ plot, over, title: { textContent: title } }, step, { ground }) {
  const data = structuredClone(plot.data);
  const layout = structuredClone(plot.layout);
  const { width, height } = plot._fullLayout;
  layout.title = { text: `<b>${escaped(title)}</b>  step ${step.toLocaleString('en')}`, font: { size: 15 }, x: 0, xanchor: 'left', xref: 'container', yref: 'container', y: 1, yanchor: 'top', pad: { t: 12, l: 12 } };
  layout.margin = { ...layout.margin, t: (layout.margin?.t ?? 8) + TITLE_ROOM };
  const nameless = over === 'time' && layout.xaxis.visible !== false && !layout.xaxis.title?.text;
  if (nameless) {
    layout.xaxis.title = { ...layout.xaxis.title, text: 'position in the sequence, t' };
    layout.margin.b = (layout.margin.b ?? 34) + NAME_ROOM;
  }
  Object.assign(layout, { paper_bgcolor: ground, width, height: height + TITLE_ROOM + nameless * NAME_ROOM, autosize: false });
  return { data, layout };
}

async function savePicture(card, step, colours, kind) {
  const figure = titled(card, step, colours);
  const { width, height } = figure.layout;
  const scale = kind === 'png' ? 2 : 1;
  download(slug(card.name, step, kind), await window.Plotly.toImage(figure, { format: kind, width, height, scale }));
}

async function savePage(card, step, colours, source) {
  const { data, layout } = titled(card, step, colours);
  Object.assign(layout, { width: undefined, autosize: true });
  const response = await fetch(new URL(source, document.baseURI));
  if (!response.ok) throw new Error(`plotly.js did not load: ${response.status}`);
  const library = (await response.text()).replaceAll('</script', '<\\/script');
  const numbers = (key, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);
  const figure = JSON.stringify({ data, layout }, numbers).replaceAll('<', '\\u003c');
  const title = escaped(`${card.title.textContent}, step ${step.toLocaleString('en')}`);
  const page = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<style>body { margin: 16px; font: 15px/1.45 sans-serif; color: ${colours.text}; background: ${colours.ground}; }</style></head>
<body><div id="figure" role="figure" aria-label="${title.replaceAll('"', '&quot;')}"></div>
<p>${escaped(card.hint.textContent)}</p><p>${escaped(card.readout.textContent)}</p>
<script>${library}</script>
<script>const figure = ${figure}; Plotly.newPlot('figure', figure.data, figure.layout, { responsive: true });</script>
</body></html>`;
  download(slug(card.name, step, 'html'), new Blob([page], { type: 'text/html' }));
}

function saveNumbers(card, step) {
  download(slug(card.name, step, 'csv'), new Blob([csv(tables(card.plot, card.axis))], { type: 'text/csv' }));
}
