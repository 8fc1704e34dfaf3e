// The thousand dots on their canvas over the board: from the press on the button until what arrived has been read.
import { createDots } from './dots.js';
import { many } from './scene.js';

const RESTING = 6000; // ms that arrived dots stay

// acts: {go(): draw from now on; stage(), palette(): as they are now; ended()}.
export function createJourney({ board, canvas, button, spoken }, acts) {
  let dots = null, clear = null, rest = 0;

  function start() {
    const { svg, path: measure } = acts.stage(), ratio = window.devicePixelRatio || 1, [outer, inner] = [board, svg].map((each) => each.getBoundingClientRect());
    Object.assign(canvas, { width: outer.width * ratio, height: outer.height * ratio });
    const context = canvas.getContext('2d'), [dx, dy] = [inner.left - outer.left, inner.top - outer.top], path = measure();
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const moved = { ...path, y: path.y + dy, floor: path.floor + dy, from: { x: path.from.x + dx, y: path.from.y + dy }, points: path.points.map((point) => ({ ...point, x: point.x + dx })) };
    board.classList.add('stage-dotted');
    button.setAttribute('aria-pressed', 'true');
    dots = createDots(context, moved, acts.palette(), performance.now());
    clear = () => context.clearRect(0, 0, outer.width, outer.height);
    rest = 0;
    acts.go();
  }
  // True while dots move.
  function draw(now) {
    clear();
    const { moving, going, arrived } = dots.draw(now);
    const counted = arrived <= 1000 ? `${arrived.toLocaleString('en')} of 1,000` : Number.isFinite(arrived) ? `1,000 → ${many(arrived)}` : 'not finite';
    acts.stage().count(counted, going ? `${going.toLocaleString('en')} on their way` : 'dots arrived');
    if (!moving && !rest) {
      spoken.textContent = `${counted} dots arrived`;
      rest = setTimeout(stop, RESTING);
    }
    return moving;
  }
  function stop() {
    if (!dots) return;
    clearTimeout(rest);
    clear();
    dots = null;
    button.setAttribute('aria-pressed', 'false');
    board.classList.remove('stage-dotted');
    acts.ended();
  }
  return { start, draw, stop, get moves() { return Boolean(dots); } };
}
