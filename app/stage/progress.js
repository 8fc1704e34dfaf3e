// Pure: what of a network has happened while its sequence is stepped through: forward the states and answers up to the
// chosen step, then back the gradient from the loss to it. Outside of that mode everything has.
const ALL = { state: () => true, gradient: () => true, answer: () => true };

// The place of a step in the order in which a direction computes them, and back.
export const inOrder = (info, d, t) => (d ? info.steps - 1 - t : t);

// view: {walk: null or {back}, t, chain}. Returns state(chain, t), gradient(chain, t), answer(t).
export function progress(info, { walk, t: now, chain }) {
  if (!walk) return ALL;
  const both = info.directions === 2, k = inOrder(info, chain.d, now), top = info.layers - 1;
  // A stack that reads one way goes on step by step, all layers together. One that reads both ways finishes a layer, in
  // both directions, before the next one reads it.
  const state = ({ l, d }, t) => walk.back || (both && l !== chain.l ? l < chain.l : inOrder(info, d, t) <= k);
  const gradient = ({ l, d }, t) => walk.back && (both && l !== chain.l ? l > chain.l : inOrder(info, d, t) >= k);
  const answer = (t) => walk.back || Array.from({ length: info.directions }, (_, d) => d).every((d) => state({ l: top, d }, d && info.answersOnce ? 0 : t));
  return { state, gradient, answer };
}
