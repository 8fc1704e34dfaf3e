// A thousand dots leave the loss. At each step back the measured size decides how many go on; the others fall and turn
// grey. Where the gradient grows, new dots are born where the ribbon makes room for them.
const COUNT = 1000;
const MOST = 2600; // dots that are drawn; the number that is said is exact
const FALL = 500; // ms down from the loss
const SPREAD = 2200; // ms over which the dots set out
const STEP = 80; // ms for one step back
const WHOLE = [2600, 7000]; // ms for the way back, at least and at most

const fraction = (v) => v - Math.floor(v);

// path: {points: [{x, r, half}], y, from, floor, s}. draw(now) says how many are on their way and how many have arrived.
export function createDots(context, path, colours, began) {
  const last = path.points.length - 1;
  const share = Array.from({ length: MOST }, (_, k) => (k + 0.5) / COUNT); // dot k goes on to t while 1000 r_t is above k
  const random = share.map((_, k) => [fraction(k * 0.7548776), fraction(k * 0.5698402), fraction(k * 0.381966)]);
  const pace = Math.min(Math.max(STEP, WHOLE[0] / Math.max(1, last)), WHOLE[1] / Math.max(1, last));
  const firstRoom = (least) => { for (let t = last; t >= 0; t--) if (path.points[t].r > least) return t; return -1; };
  const born = share.map((least, k) => (k < COUNT ? last : firstRoom(least)));
  const ends = share.map((least, k) => {
    let t = born[k];
    if (t < 0 || path.points[t].r <= least) return t;
    while (t > 0 && path.points[t - 1].r > least) t -= 1;
    return t;
  });
  const radius = 1.9 * path.s;
  function dot(x, y, colour) {
    context.fillStyle = colour;
    context.beginPath();
    context.arc(x, y, radius, 0, 7);
    context.fill();
  }
  const between = (a, b, p) => a + (b - a) * p;

  // One dot at this moment: 'waits', 'goes', 'arrived', 'falls' or 'lies'.
  function one(k, now) {
    const [a, b, c] = random[k], spread = b * 2 - 1, age = now - began - a * SPREAD - FALL, end = ends[k];
    if (age < 0) { // at the loss, or on the way down from it
      if (k >= COUNT) return 'none';
      const p = 1 + age / FALL;
      if (p > 0) dot(path.from.x + spread * path.points[last].half * 0.85, between(path.from.y, path.y, p), colours.on);
      return 'goes';
    }
    const at = last - age / pace; // the step where it would be now, in fractions
    if (at > born[k]) return 'goes';
    if (at > end) {
      const t = Math.max(0, Math.floor(at)), [here, later] = [path.points[t], path.points[Math.min(last, t + 1)]];
      dot(between(here.x, later.x, at - t), path.y + spread * Math.max(2, between(here.half, later.half, at - t) * 0.88), colours.on);
      return 'goes';
    }
    if (end === 0) {
      dot(path.points[0].x + path.turn * (6 + c * 22 * path.s), path.y + spread * Math.max(5, path.points[0].half * 0.88), colours.on);
      return 'arrived';
    }
    const fall = (end - at) * pace, y = path.y + spread * path.points[end].half * 0.88 + 0.0005 * fall * fall, rest = path.floor - 3 - c * c * 16 * path.s;
    dot(path.points[end].x - Math.min(fall, 600) * 0.03 - (a - 0.5) * 16, Math.min(y, rest), colours.off);
    return y < rest ? 'falls' : 'lies';
  }

  return {
    draw(now) {
      const count = { goes: 0, arrived: 0, falls: 0 };
      for (let k = 0; k < MOST; k++) if (ends[k] >= 0) count[one(k, now)] += 1;
      const r = path.points[0].r;
      return { moving: count.goes + count.falls > 0, going: count.goes, arrived: count.goes ? count.arrived : Number.isFinite(r) ? Math.round(r * COUNT) : Infinity };
    },
  };
}
