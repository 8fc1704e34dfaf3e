// The cell microscope: the wiring of one cell at one step, for one unit that is followed, beside its equations.
import { el, put } from "../svg.js";
import { glide } from "./glide.js";
import { drawPicture } from "./picture.js";
import { head } from "./say.js";
import { writeSums } from "./sums.js";

const NOTHING = { known: false };

function html(name, className, parent, text) {
  const made = document.createElement(name);
  made.className = className;
  if (text) made.textContent = text;
  parent?.append(made);
  return made;
}

function button(parent, text, label, act) {
  const made = html("button", "ms-button", parent, text);
  made.type = "button";
  made.onclick = act;
  if (label) made.setAttribute("aria-label", (made.title = label));
  return made;
}

/**
 * Create a microscope in an empty element, hidden until it is configured.
 *
 * palette(v): the css colour of a state between -1 and 1. acts: step(-1 or 1), follow(unit), close().
 * Returns configure(description), patch(values, view), morph(description), close(). Opening takes the focus; whoever
 * opened it takes it back.
 * - description: of app/stage/microscope/description.py, `configuration` for configure; morph takes one of its family.
 * - values: {id: number}. view: {t, steps, unit, units, layer, layers, direction, directions, states: of all units,
 *   word: what is read, limit: the largest state that is drawn in full (1), together: a sentence about all units}.
 */
export function createMicroscope(host, palette, acts) {
  host.classList.add("ms");
  host.hidden = true;
  host.setAttribute("role", "dialog");
  const top = html("div", "ms-top", host);
  const title = html("strong", "ms-head", top);
  const family = html("div", "ms-family", top);
  const names = button(top, "Ng’s names", "write gates and states as Andrew Ng’s course does", () => rename(!state.names));
  names.classList.add("ms-names");
  const earlier = button(top, "←", "one step earlier", () => acts.step(-1));
  const later = button(top, "→", "one step later", () => acts.step(1));
  const shut = button(top, "×", "close", () => acts.close());
  const body = html("div", "ms-body-grid", host);
  const drawing = html("div", "ms-drawing", body);
  const sums = html("div", "ms-sums", body);
  const foot = html("div", "ms-foot", host);
  html("span", "", foot, "units of the state: choose the one to follow");
  const strip = html("div", "ms-units", foot);
  const away = html("p", "ms-away", host);

  let svg = null;
  const state = { own: null, shown: null, picture: null, sums: null, values: NOTHING, view: null, names: false };
  let settle = () => {};
  let lit = "";

  function build(description) {
    settle();
    const old = state.picture;
    state.shown = description;
    state.picture = drawPicture(svg, description, palette);
    if (old) settle = glide(old, state.picture, matchMedia("(prefers-reduced-motion: reduce)").matches);
    write();
  }
  function write() {
    state.sums = writeSums(sums, state.shown.names[+state.names]);
    put(names, { "aria-pressed": String(state.names) });
    for (const each of family.querySelectorAll("button"))
      each.setAttribute("aria-pressed", String(each.textContent === state.shown.title));
    const own = state.shown === state.own;
    put(away, { text: own ? "" : `Only the wiring: this run’s cell is ${state.own.title}, and the numbers are its own.` });
    away.hidden = own;
    draw();
    light(lit, true);
  }
  function draw() {
    const { view } = state;
    if (!view) return;
    const values = state.shown === state.own ? state.values : NOTHING;
    state.picture.patch(values, view, state.names);
    state.sums(values, view);
    const heading = state.shown === state.own ? head(state.own.title, view) : state.shown.title;
    put(title, { text: heading });
    put(svg, { "aria-label": `Wiring of the cell: ${heading}` });
    put(host, { "aria-label": heading });
    earlier.disabled = view.t <= 0;
    later.disabled = view.t >= view.steps - 1;
    units(view);
  }
  function rename(on) {
    state.names = on;
    write();
  }

  // ---- units: one stop of the tab key, arrows move along

  function units(view) {
    while (strip.children.length > view.units) strip.lastChild.remove();
    while (strip.children.length < view.units) {
      const k = strip.children.length;
      button(strip, "", `follow unit ${k}`, () => acts.follow(k)).classList.add("ms-unit");
    }
    [...strip.children].forEach((each, k) => {
      const on = k === view.unit;
      put(each, {
        style: `background:${palette((view.states?.[k] ?? 0) / (view.limit ?? 1))}`,
        "aria-pressed": String(on),
        tabindex: on ? 0 : -1,
      });
    });
  }
  strip.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const at = [...strip.children].indexOf(event.target) + (by ?? 0);
    if (!by || !strip.children[at]) return;
    event.preventDefault();
    event.stopPropagation(); // elsewhere arrows move the step
    strip.children[at].focus();
    acts.follow(at);
  });
  host.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    acts.close();
  });

  // ---- one value, everywhere it appears

  function light(key, again = false) {
    if (key === lit && !again) return;
    lit = key;
    for (const node of host.querySelectorAll("[data-v]")) node.classList.toggle("ms-lit", !!key && node.dataset.v === key);
    host.classList.toggle("ms-lighting", !!key);
  }
  const under = (event) => light(event.target.closest?.("[data-v]")?.dataset.v ?? "");
  host.addEventListener("pointerover", under);
  host.addEventListener("focusin", under);
  host.addEventListener("pointerleave", () => light(""));
  host.addEventListener("focusout", () => light(""));

  return {
    configure(description) {
      Object.assign(state, { own: description, picture: null, values: NOTHING, view: null });
      settle();
      settle = () => {};
      drawing.replaceChildren();
      svg = el("svg", { viewBox: description.view.join(" "), class: "ms-svg", role: "img" }, drawing);
      const [x, y, width, height] = description.card;
      el("rect", { class: "ms-card", x, y, width, height, rx: 26 }, svg);
      family.replaceChildren();
      description.family.forEach((each, at) => {
        if (at) html("span", "", family, at < 3 ? "→" : "·");
        const own = each.title === description.title;
        button(family, each.title, "", () => build(own ? description : each));
      });
      build(description);
      if (!host.hidden) return;
      host.hidden = false;
      shut.focus({ preventScroll: true });
    },
    patch(values, view) {
      state.values = { ...values, known: true };
      state.view = view;
      draw();
    },
    morph: (description) => build(description.title === state.own.title ? state.own : description),
    close() {
      settle();
      light("");
      host.hidden = true;
    },
  };
}
