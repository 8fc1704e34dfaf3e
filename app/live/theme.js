// The page's colours, given to Plotly. A trace with `meta` takes that colour scale, light or dark.
function pageColours(element) {
  const style = getComputedStyle(element);
  const get = (name) => style.getPropertyValue(name).trim();
  const ground = get('--st-background-color') || '#ffffff';
  return { ground, text: get('--st-text-color'), line: get('--st-border-color'), font: get('--st-font'), dark: luminance(ground) < 0.4 };
}

function luminance(colour) {
  const context = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d');
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [r, g, b] = context.getImageData(0, 0, 1, 1).data;
  return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
}

function dress(figure, colours, scales) {
  const { layout, data } = figure;
  layout.font = { ...layout.font, color: colours.text, family: colours.font || undefined };
  layout.hoverlabel = { bgcolor: colours.ground, bordercolor: colours.line, font: { color: colours.text, size: 12 } };
  for (const axis of Object.keys(layout).filter((key) => /^[xy]axis/.test(key))) {
    Object.assign(layout[axis], { gridcolor: colours.line, linecolor: colours.line, tickcolor: colours.line });
  }
  layout.annotations = (layout.annotations ?? []).map((each) => ({ ...each, bgcolor: colours.ground, opacity: 0.85 }));
  for (const trace of data) {
    if (scales[trace.meta]) trace.colorscale = scales[trace.meta][colours.dark ? 'dark' : 'light'];
  }
}
