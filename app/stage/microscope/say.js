// How numbers, times and names are written in the microscope.

/** A number in at most six signs, unless it is very large, so that lines stay where they are while frames play. */
export const fixed = (value) => {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size > 0 && size < 0.0005) return "≈ 0";
  const text = size >= 1000 ? power(value) : value.toFixed(size >= 100 ? 0 : size > 0 && size < 0.01 ? 3 : 2);
  return text.replace("-", "−");
};
/** The same behind a name: " = 0.31", " ≈ 0". */
export const equals = (value) => {
  const text = fixed(value);
  return text.startsWith("≈") ? ` ${text}` : ` = ${text}`;
};

const UP = "⁰¹²³⁴⁵⁶⁷⁸⁹";
function power(value) {
  const [digits, exponent] = value.toExponential(1).split("e");
  const raised = [...String(Math.abs(+exponent))].map((digit) => UP[digit]).join("");
  return `${digits}·10${raised}`; // of large numbers alone
}

const LOW = "₀₁₂₃₄₅₆₇₈₉";
export const lowered = (t) => (t < 0 ? "₋" : "") + [...String(Math.abs(t))].map((digit) => LOW[digit]).join("");

/** hₜ₋₁ at t = 3 is h₂; read from right to left it is h₄. Without a t it stays as it is. */
export const dated = (text, t, before) =>
  Number.isInteger(t) ? text.replace("ₜ₋₁", lowered(before)).replace("ₜ", lowered(t)) : text;

/** Where the step before stands: to the right in a chain that reads from right to left. */
export const before = (view) => (view.direction ? view.t + 1 : view.t - 1);

/** [plain, lowered, plain, ...]: W_xh x is W, xh, x. */
export const split = (text) => text.split(/_(\w+)/);

/** Text with its lowered parts, as children of an HTML element. */
export function write(node, text) {
  node.replaceChildren(
    ...split(text).map((part, at) => {
      if (at % 2 === 0) return part;
      const low = document.createElement("sub");
      low.textContent = part;
      return low;
    }),
  );
}

/** The head: "LSTM at t = 3, unit 16 of 32, layer 2, right to left". */
export function head(title, view) {
  const layer = view.layers > 1 ? `, layer ${view.layer + 1}` : "";
  const way = view.directions > 1 ? (view.direction ? ", right to left" : ", left to right") : "";
  return `${title} at t = ${view.t}, unit ${view.unit} of ${view.units}${layer}${way}`;
}
