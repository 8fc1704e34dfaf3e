// The theme's colours for what is drawn on a canvas; everything else takes them from the style sheet.
import { scale } from './scene.js';

// [red, green, blue] of a token. It may be `light-dark(...)`, so the browser resolves it on an element that nobody sees.
export function colour(probe, name) {
  probe.style.color = `var(--stage-${name})`;
  return getComputedStyle(probe).color.match(/\d+/g).slice(0, 3).map(Number);
}

export function createPalette(probe) {
  const of = (name) => colour(probe, name), css = (name) => `rgb(${of(name)})`, [r, g, b] = of('ink');
  return { ...scale(of('teal'), of('state-0'), of('purple')), card: css('card'), ink: (b << 16) | (g << 8) | r, on: css('dot'), off: css('ash') };
}
