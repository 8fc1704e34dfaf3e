// Small tools for what is drawn and written.
import { rounded, split } from './scene.js';

const WRITTEN = Symbol('what was written');
const SVG = 'http://www.w3.org/2000/svg';

export function el(name, attributes = {}, parent = null) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent?.append(made);
  return made;
}

// Write attributes (and `text`), but only those that have changed: most of a frame has not. null takes one away.
export function put(node, attributes) {
  const written = (node[WRITTEN] ??= {});
  for (const key in attributes) {
    const value = typeof attributes[key] === 'number' ? rounded(attributes[key]) : attributes[key];
    if (written[key] === value) continue;
    written[key] = value;
    if (key === 'text') node.textContent = value;
    else if (value === null) node.removeAttribute(key);
    else node.setAttribute(key, value);
  }
}

export const show = (node, on) => put(node, { display: on ? null : 'none' });

// An HTML element with a class and a text, at the end of its parent.
export function make(tag, className, parent, text = '') {
  return parent.appendChild(Object.assign(document.createElement(tag), { className, textContent: text }));
}

// Text with its lowered parts, as children of an HTML element.
export function write(node, text) {
  if (node[WRITTEN] === text) return;
  node[WRITTEN] = text;
  node.replaceChildren(...split(text).map((part, at) => (at % 2 ? Object.assign(document.createElement('sub'), { textContent: part }) : part)));
}

// Nodes that are made when they are first asked for: of a thousand steps only a few are drawn as cards.
export function lazily(make) {
  const made = new Map();
  const get = (key) => {
    if (!made.has(key)) made.set(key, make(key));
    return made.get(key);
  };
  get.all = () => made;
  return get;
}

// The width of a text in a font, in pixels; each is measured once.
const widths = new Map();
const canvas = document.createElement('canvas').getContext('2d');
export function textWidth(text, font) {
  const key = `${font} ${text}`;
  if (!widths.has(key)) {
    canvas.font = font;
    widths.set(key, canvas.measureText(text).width);
  }
  return widths.get(key);
}
