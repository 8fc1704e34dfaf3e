// Apply the page's colours to Plotly figures. A trace whose `meta` names a colour scale gets its light or dark version.
// "black" stands for the page's text colour and "white" for the page's own (INK and PAPER of app/figures/theme.py); text
// on coloured marks (`meta` "on_marks") is one of the two and is not made more legible.
function pageColours(element) {
  const style = getComputedStyle(element);
  const get = (name) => style.getPropertyValue(name).trim();
  const ground = get('--st-background-color') || '#ffffff';
  return { ground, text: get('--st-text-color'), line: get('--st-border-color'), font: get('--st-font'), dark: luminance(ground) < 0.2 };
}

function channels(colour) {
  const context = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d');
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

function luminance(colour) {
  const [r, g, b] = channels(colour).map((each) => (each <= 10 ? each / 3294 : ((each / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

// The text colours and the page colours that have been in use: a figure dressed before is dressed again when the page
// changes between light and dark.
const INKS = new Set(['black']);
const PAPERS = new Set(['white']);

// The page's own colours in the place of those that stand for them.
function paged(colour, { ground, text }) {
  if (Array.isArray(colour)) return colour.map((each) => paged(each, { ground, text }));
  return INKS.has(colour) ? text : PAPERS.has(colour) ? ground : colour;
}

// A colour for text: mixed with the page's text colour until its contrast is 4.5 to 1 (WCAG 2).
const READABLE = new Map();

function legible(colour, colours) {
  if (Array.isArray(colour)) return colour.map((each) => legible(each, colours));
  const { ground, text } = colours;
  if (INKS.has(colour)) return text;
  const key = `${colour} ${ground} ${text}`;
  if (!READABLE.has(key)) READABLE.set(key, approached(colour, ground, text));
  return READABLE.get(key);
}

function approached(colour, ground, text) {
  const contrast = (one) => {
    const [dark, light] = [luminance(one), luminance(ground)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const [from, to] = [channels(colour), channels(text)];
  for (let share = 0; share <= 1; share += 0.1) {
    const mixed = `rgb(${from.map((each, i) => Math.round(each + share * (to[i] - each))).join(',')})`;
    if (contrast(mixed) >= 4.5) return mixed;
  }
  return text;
}

function dress(figure, colours, scales) {
  const { layout, data } = figure;
  layout.font = { ...layout.font, color: colours.text, family: colours.font || undefined };
  layout.paper_bgcolor = colours.ground; // Plotly also uses it behind names under the mouse; the default is white
  layout.hoverlabel = { bgcolor: colours.ground, bordercolor: colours.line, font: { color: colours.text, size: 12 } };
  for (const axis of Object.keys(layout).filter((key) => /^[xy]axis/.test(key))) {
    Object.assign(layout[axis], { gridcolor: colours.line, linecolor: colours.line, tickcolor: colours.line });
  }
  if (window.matchMedia('(hover: none)').matches) layout.dragmode = false; // a finger scrolls the page or moves the cursor
  const readable = (font) => { if (font?.color) font.color = legible(font.color, colours); };
  for (const shape of layout.shapes ?? []) if (shape.line?.color) shape.line.color = paged(shape.line.color, colours);
  layout.annotations = (layout.annotations ?? []).map((each) => ({ ...each, bgcolor: colours.ground, opacity: 0.85 }));
  for (const { font } of layout.annotations) readable(font);
  for (const trace of data) {
    for (const part of [trace.line, trace.marker, trace.marker?.line]) if (part?.color) part.color = paged(part.color, colours);
    if (trace.meta !== 'on_marks') readable(trace.textfont);
    else if (trace.textfont?.color) trace.textfont.color = paged(trace.textfont.color, colours);
    if (scales[trace.meta]) trace.colorscale = scales[trace.meta][colours.dark ? 'dark' : 'light'];
  }
  INKS.add(colours.text);
  PAPERS.add(colours.ground);
}
