// Enlarge a figure for presentation: heights, margins, fonts, lines and marks; the data stay as they are.
const SIZED = new Set(['tickfont', 'font', 'textfont', 'title_font']);

// The scale of fonts, and of the margins around them: at least 1.2, so that the last row of a room can read them.
function fontScale(times) {
  return times === 1 ? 1 : Math.max(times, 1.2);
}

function enlarged(template, times) {
  if (times === 1) return template;
  const figure = structuredClone(template.figure);
  const { layout } = figure;
  layout.font = { size: 12, ...layout.font };
  for (const side of ['l', 'r', 't', 'b']) if (layout.margin?.[side]) layout.margin[side] *= fontScale(times);
  layout.height *= times;
  enlargeType(figure, fontScale(times));
  if (times < fontScale(times) && layout.yaxis?.type === 'log') layout.yaxis.dtick *= 2; // else the tick labels overlap
  for (const trace of figure.data) {
    if (trace.line?.width) trace.line.width *= times;
    if (typeof trace.marker?.size === 'number') trace.marker.size *= times;
  }
  return { ...template, figure };
}

function enlargeType(part, times) {
  for (const [key, value] of Object.entries(part)) {
    if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) continue;
    if (SIZED.has(key) && typeof value.size === 'number') value.size *= times;
    else enlargeType(value, times);
  }
}
