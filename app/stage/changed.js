// What a change in the network has made of its answer and of its gradient, in one sentence beside the open cell.
import { along, answer, lastOf, part, percent, seen } from './scene.js';

export function changedSentence(info, frame, now, chain) {
  if (!frame?.changes?.length || !frame.wasRelative) return '';
  const t = now.entersForwards, a = answer(info, frame, t), end = lastOf(info, chain.d), said = [];
  if (a?.p != null && frame.wasBest) said.push(`It says ${seen(a.label)} ${percent(a.p)} (was ${seen(info.labels[frame.wasBest[t]] ?? '–')} ${percent(frame.wasSure[t])}).`);
  if (info.links && info.steps > 1) said.push(`${part(along(now.relative, info, chain)[end])} of this sequence's gradient arrives at t = ${info.at[end]} (was ${part(along(frame.wasRelative, info, chain)[end])}).`);
  return said.join(' ');
}
