// Folded, the cell can be pulled out to the right by hand.
import { clamp } from './scene.js';

const LEAST = 6; // pixels; less is a click
const WHOLE = 0.4; // of the picture's width: as far as it is pulled to unfold all of it
const ENOUGH = 0.3; // of that: let go there, it unfolds by itself

// acts: {fold(): where it is now, 0 folded to 1; move(to); settle(to): go on to that end by itself}.
export function createPull(box, acts) {
  let from = null, moved = false;
  box.onpointerdown = (event) => {
    from = acts.fold() < 1 ? { x: event.clientX, fold: acts.fold() } : null;
    moved = false;
  };
  box.onpointermove = (event) => {
    if (!from || !event.buttons || Math.abs(event.clientX - from.x) < LEAST) return;
    moved = true;
    acts.move(clamp(from.fold + (event.clientX - from.x) / (box.clientWidth * WHOLE), 0, 1));
  };
  const release = () => {
    if (from && moved) acts.settle(acts.fold() > ENOUGH ? 1 : 0);
    from = null;
  };
  window.addEventListener('pointerup', release);
  return { get moved() { return moved; }, close: () => window.removeEventListener('pointerup', release) };
}
