// Pure: what of a network there is, and has happened while its sequence is stepped through: forward the states and answers
// up to the chosen step, then back the gradient from the loss to it. Outside of that mode everything has.
import { stepsOf } from './scene.js';

// The place of a step in the order in which a direction computes them, and back.
export const inOrder = (info, d, t) => (d ? stepsOf(info, d) - 1 - t : t);

// view: {walk: null or {back}, t, chain}. Returns state(chain, t), gradient(chain, t), answer(t).
export function progress(info, { walk, t: now, chain }) {
  const isThere = ({ d }, t) => t < stepsOf(info, d);
  if (!walk) return { state: isThere, gradient: isThere, answer: () => true };
  const both = info.directions === 2, k = inOrder(info, chain.d, now), top = info.layers - 1;
  const decodes = (t) => both && Boolean(info.encoder) && t >= info.encoder, decoding = decodes(now);
  // A stack that reads one way goes on step by step, all layers together. One that reads both ways finishes a layer, in
  // both directions, before the next one reads it; a decoder, which reads one way, begins when its encoder has finished.
  const done = ({ l, d }, t) => (both && l !== chain.l ? l < chain.l : inOrder(info, d, t) <= k);
  const open = ({ l, d }, t) => (both && l !== chain.l ? l > chain.l : inOrder(info, d, t) >= k);
  const before = (c, t) => (decodes(t) ? decoding && t <= now : decoding || done(c, t));
  const after = (c, t) => (decodes(t) ? !decoding || t >= now : !decoding && open(c, t));
  const state = (c, t) => isThere(c, t) && (walk.back || before(c, t));
  const gradient = (c, t) => isThere(c, t) && walk.back && after(c, t);
  const reads = (t) => Array.from({ length: info.directions }, (_, d) => ({ l: top, d })).filter((c) => isThere(c, t));
  const answer = (t) => walk.back || reads(t).every((c) => state(c, c.d && info.answersOnce ? 0 : t));
  return { state, gradient, answer };
}
