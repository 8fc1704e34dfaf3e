// What is said in the microscope alone.
import { fixed } from "../scene.js";

/** A number behind a name: " = 0.31", " ≈ 0". */
export const equals = (value) => {
  const text = fixed(value);
  return text.startsWith("≈") ? ` ${text}` : ` = ${text}`;
};

/** Where the step before stands: to the right in a chain that reads from right to left. */
export const before = (view) => (view.direction ? view.t + 1 : view.t - 1);

/** The head: "LSTM at t = 3, unit 16 of 32, layer 2, right to left". */
export function head(title, view) {
  const layer = view.layers > 1 ? `, layer ${view.layer + 1}` : "";
  const way = view.directions > 1 ? (view.direction ? ", right to left" : ", left to right") : "";
  return `${title} at t = ${view.t}, unit ${view.unit} of ${view.units}${layer}${way}`;
}
