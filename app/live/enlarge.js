// A figure for a room: heights, margins, type, lines and marks so many times as large. Its numbers stay as they are.
const SIZED = new Set(['tickfont', 'font', 'textfont', 'title_font']);

// Type, and the margins that hold it: to be read from the last row, however little room there is.
function typed(times) {
  return times === 1 ? 1 : Math.max(times, 1.2);
}

function enlarged(template, times) {
  if (times === 1) return template;
  const figure = structuredClone(template.figure);
  const { layout } = figure;
  layout.font = { size: 12, ...layout.font };
  for (const side of ['l', 'r', 't', 'b']) if (layout.margin?.[side]) layout.margin[side] *= typed(times);
  layout.height *= times;
  enlargeType(figure, typed(times));
  if (times < typed(times) && layout.yaxis?.type === 'log') layout.yaxis.dtick *= 2; // else the decades' names touch
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
