// The equations beside the drawing: every term a symbol above its number.
import { dated, fixed } from "../scene.js";
import { put, write } from "../svg.js";
import { before, equals } from "./say.js";

function element(name, className, parent) {
  const made = document.createElement(name);
  made.className = className;
  parent?.append(made);
  return made;
}

/** Fill a host with a cell's lines. Returns patch(values, view). */
export function writeSums(host, { lines, back, remark }) {
  host.replaceChildren();
  const terms = [];
  const told = (piece, parent, inline) => {
    if (typeof piece === "string") {
      const plain = element("span", "ms-plain", parent);
      terms.push({ symbol: piece, node: plain, number: null });
      return;
    }
    const [value, symbol, kind] = piece;
    const span = element("span", `ms-term ms-of-${kind}${inline ? " ms-inline" : ""}`, parent);
    span.dataset.v = value;
    span.tabIndex = 0;
    terms.push({ value, symbol, node: element("i", "", span), number: element("b", "", span), inline });
  };
  for (const line of lines) {
    const row = element("div", "ms-line", host);
    for (const piece of line) told(piece, row, false);
  }
  const last = element("div", "ms-told", host);
  last.append("◀ ");
  for (const piece of back) told(piece, last, true);
  const together = element("span", "", last);
  if (remark) write(element("p", "ms-remark", host), remark);

  return function patch(values, view) {
    for (const { value, symbol, node, number, inline } of terms) {
      const text = dated(symbol, values.known ? view.t : null, before(view));
      write(node, text);
      if (!number) continue;
      const tell = inline ? equals : fixed;
      const held = view.held?.includes(value) ? " (set)" : "";
      put(number, { text: values.known && symbol !== "1" ? `${tell(values[value])}${held}` : "" });
    }
    put(together, { text: values.known && view.together ? `. ${view.together}` : "." });
  };
}
