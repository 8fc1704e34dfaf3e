// Faults of layout on a page, measured on its boxes. Called with a selector of what is not measured; returns readable lines.
(ignored) => {
  const SLACK = 2; // pixels that two boxes may share, or stick out
  const HIDING = 0.9; // from this opacity on a background hides what is below it
  const canvas = document.createElement('canvas').getContext('2d');
  const remembered = (of) => {
    const known = new Map();
    return (element) => known.get(element) ?? known.set(element, of(element)).get(element);
  };
  const style = remembered((element) => getComputedStyle(element));
  const boxOf = remembered((element) => element.getBoundingClientRect());
  const alpha = (colour) => { // rgb() has none, rgba() and color() end with it
    const parts = colour.match(/[\d.]+(?=\s*\))/);
    return colour === 'transparent' || colour === 'none' ? 0 : /rgba|\//.test(colour) && parts ? Number(parts[0]) : 1;
  };
  const box = ({ left, top, right, bottom }) => ({ left, top, right, bottom });
  const shared = (a, b) => ({
    left: Math.max(a.left, b.left), top: Math.max(a.top, b.top), right: Math.min(a.right, b.right), bottom: Math.min(a.bottom, b.bottom),
  });
  const wide = (a) => a.right - a.left;
  const high = (a) => a.bottom - a.top;
  const empty = (a) => wide(a) <= 0 || high(a) <= 0;
  const say = ({ text, at }) => `"${text.length > 60 ? `${text.slice(0, 57)}...` : text}" [${[at.left, at.top, wide(at), high(at)].map(Math.round)}]`;

  // What a line's letters cover: a line's box also has room for accents above and tails below.
  function letters(rect, text, { font, fontSize }) {
    canvas.font = font;
    const all = canvas.measureText(text);
    const natural = all.fontBoundingBoxAscent + all.fontBoundingBoxDescent;
    const times = rect.height / natural;
    if (!natural || Math.abs(times - 1) > 0.3 || !parseFloat(fontSize)) return box(rect); // turned, or stretched
    return {
      left: rect.left, right: rect.right,
      top: rect.top + times * (all.fontBoundingBoxAscent - all.actualBoundingBoxAscent),
      bottom: rect.bottom - times * (all.fontBoundingBoxDescent - all.actualBoundingBoxDescent),
    };
  }

  // Where a clip path of one rectangle, as Plotly draws them, lets things be seen; null for other shapes.
  function holeOf(element, path) {
    const shape = document.getElementById(path.match(/#([^")]+)/)?.[1])?.firstElementChild;
    const matrix = element.getScreenCTM?.();
    if (shape?.tagName !== 'rect' || !matrix) return null;
    const { x, y, width, height } = shape.getBBox();
    const [a, b] = [new DOMPoint(x, y), new DOMPoint(x + width, y + height)].map((point) => point.matrixTransform(matrix));
    return { left: Math.min(a.x, b.x), right: Math.max(a.x, b.x), top: Math.min(a.y, b.y), bottom: Math.max(a.y, b.y) };
  }

  const holds = ({ position, transform, filter, contain, containerType, willChange }, inner) => {
    const any = transform !== 'none' || filter !== 'none' || contain !== 'none' || (containerType ?? 'normal') !== 'normal' || /transform/.test(willChange);
    return inner === 'fixed' ? any : any || position !== 'static';
  };
  const cuts = (overflow) => overflow === 'hidden' || overflow === 'clip';
  const scrolls = (overflow) => overflow === 'auto' || overflow === 'scroll';
  const isPage = (element) => element.matches('html, body, [data-testid="stMain"], [data-testid="stAppViewContainer"]');

  // What is left of a box inside its ancestors, and the first of them that cuts it; null if nothing can be seen.
  function seen(element, at) {
    let [left, by, position] = [at, null, 'static'];
    for (let place = element; place && place !== document.documentElement; place = place.parentElement) {
      const its = style(place);
      if (place !== element || its.display !== 'inline') {
        if ((position !== 'absolute' && position !== 'fixed') || holds(its, position)) {
          const rect = boxOf(place);
          const inside = { left: rect.left + place.clientLeft, top: rect.top + place.clientTop };
          const isSvg = place instanceof SVGElement;
          inside.right = inside.left + (isSvg ? rect.width : place.clientWidth);
          inside.bottom = inside.top + (isSvg ? rect.height : place.clientHeight);
          if (!isSvg || place.tagName === 'svg') {
            if (cuts(its.overflowX) && cuts(its.overflowY) && Math.min(inside.right - inside.left, inside.bottom - inside.top) <= 1) return null; // for screen readers
            for (const [axis, from, to] of [['overflowX', 'left', 'right'], ['overflowY', 'top', 'bottom']]) {
              const scrolled = scrolls(its[axis]) && !(isPage(place) && axis === 'overflowX'); // a page is not to be scrolled sideways
              if (!cuts(its[axis]) && !scrolled) continue;
              const sticks = Math.max(inside[from] - left[from], left[to] - inside[to]) > SLACK;
              if (sticks && !scrolled) by ??= place;
              left = { ...left, [from]: Math.max(left[from], inside[from]), [to]: Math.min(left[to], inside[to]) };
              if (scrolled && !by && empty(left)) return null; // scrolled away
            }
          }
          if (its.clipPath.startsWith('inset(50%)') || its.clip === 'rect(0px, 0px, 0px, 0px)' || its.clip === 'rect(1px, 1px, 1px, 1px)') return null;
          const through = its.clipPath.startsWith('url') ? holeOf(place, its.clipPath) : null;
          if (through) {
            const rest = shared(left, through);
            if (empty(rest)) return null;
            if (wide(left) - wide(rest) > SLACK || high(left) - high(rest) > SLACK) by ??= place;
            left = rest;
          }
          position = its.position;
        }
        if (position === 'static' || position === 'relative' || position === 'sticky') position = its.position;
      }
      if (place.matches(':popover-open, :modal')) break; // in a layer of its own
    }
    return { left, by };
  }

  // An SVG text in a group that is not displayed still has boxes, and says that it is visible.
  function isGone(element) {
    for (let place = element; place instanceof SVGElement; place = place.parentElement) if (style(place).display === 'none') return true;
    return false;
  }

  // Every line of text on the screen: its element, its words, its letters' box, and what cuts it.
  function lines() {
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = node.data.trim().replace(/\s+/g, ' ');
      const parent = node.parentElement;
      if (!text || parent.matches('details:not([open])') || parent.closest('script, style, noscript, title, desc, option')) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const rects = [...range.getClientRects()].filter((rect) => rect.width >= 1 && rect.height >= 1 && rect.bottom > 0 && rect.top < innerHeight && rect.right > 0);
      if (!rects.length || (ignored && parent.closest(ignored))) continue; // scrolled away, or hidden by its place
      if (!parent.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true })) continue;
      if (isGone(parent)) continue;
      const its = style(parent);
      const paint = parent instanceof SVGElement ? its.fill : its.color;
      if (alpha(paint) < 0.05) continue;
      const element = parent.closest('text, .katex') ?? parent;
      const turned = Math.abs(element.getScreenCTM?.()?.b ?? 0) > 0.01; // its box is larger than its letters
      for (const rect of rects) {
        const at = letters(rect, text, its);
        const rest = seen(parent, at);
        if (!rest) continue;
        found.push({ element, text, turned, at, rest: rest.left, by: rest.by });
      }
    }
    return found;
  }

  function hides(element) {
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return false;
    const { backgroundColor, backdropFilter, fill, fillOpacity } = style(element);
    let opacity = 1;
    for (let place = element; place; place = place.parentElement) opacity *= Number(style(place).opacity);
    if (opacity < HIDING) return false;
    if (element instanceof SVGElement && element.tagName !== 'svg') {
      return /^(rect|path|circle|ellipse|polygon)$/.test(element.tagName) && alpha(fill) * Number(fillOpacity) >= HIDING;
    }
    return alpha(backgroundColor) >= HIDING || parseFloat(backdropFilter.match(/blur\(([\d.]+)/)?.[1] ?? 0) >= 8 || /^(CANVAS|IMG|VIDEO)$/.test(element.tagName);
  }

  // True if nothing in a layer above hides an element at this point.
  function isOnTop(element, x, y) {
    for (const other of document.elementsFromPoint(x, y)) {
      if (other.contains(element) || element.contains(other)) return true;
      if (hides(other)) return false;
    }
    return true;
  }

  function overlaps(all) {
    const faults = [];
    const inside = all.filter(({ rest }) => !empty(rest) && rest.bottom > 0 && rest.top < innerHeight && rest.left < innerWidth).sort((a, b) => a.rest.top - b.rest.top);
    inside.forEach((one, index) => {
      for (let next = index + 1; next < inside.length && inside[next].rest.top < one.rest.bottom; next += 1) {
        const other = inside[next];
        if (other.element === one.element || one.turned || other.turned) continue;
        const both = shared(one.rest, other.rest);
        if (wide(both) <= SLACK || high(both) <= SLACK) continue;
        const [x, y] = [(both.left + both.right) / 2, (both.top + both.bottom) / 2];
        if (x < 0 || y < 0 || x >= innerWidth || y >= innerHeight) continue; // seen at another place of the page
        if (isOnTop(one.element, x, y) && isOnTop(other.element, x, y)) faults.push(`text over text: ${say(one)} and ${say(other)}`);
      }
    });
    return faults;
  }

  // What lies over a line without being a layer above the page: a neighbour in the flow that was pushed over it.
  function coverOf({ element, rest }) {
    for (const share of [0.02, 0.5, 0.98]) {
      const [x, y] = [rest.left + share * wide(rest), (rest.top + rest.bottom) / 2];
      for (const other of document.elementsFromPoint(x, y)) {
        if (other.contains(element) || element.contains(other)) break;
        if (other instanceof SVGElement || !hides(other)) continue;
        return isLayer(other, element) ? null : other;
      }
    }
    return null;
  }

  function isLayer(element, than) {
    for (let place = element; place && !place.contains(than); place = place.parentElement) {
      if (/absolute|fixed|sticky/.test(style(place).position) || place.matches(':popover-open, :modal')) return true;
    }
    return false;
  }

  function covered(all) {
    return all.filter(({ rest }) => !empty(rest)).map((line) => [line, coverOf(line)]).filter(([, other]) => other)
      .map(([line, other]) => `covered text: ${say(line)} by ${called(other)}`);
  }

  const called = (element) => `<${element.tagName.toLowerCase()} class="${element.getAttribute('class') ?? ''}">`;

  function isSaidInFull(element) {
    const words = element.textContent.trim();
    const titled = [element.closest('[title]'), ...element.querySelectorAll('[title]')];
    return titled.some((each) => each?.getAttribute('title').includes(words));
  }

  function clipped(all) {
    const faults = [];
    for (const line of all) {
      if (line.by && !isSaidInFull(line.element)) faults.push(`clipped text: ${say(line)} by ${called(line.by)}`);
      else if (!empty(line.rest) && (line.rest.left < -SLACK || line.rest.right > innerWidth + SLACK)) faults.push(`outside the window: ${say(line)} of ${innerWidth}`);
    }
    for (const element of new Set(all.flatMap(({ element: each }) => [each, each.parentElement]))) {
      const { textOverflow, webkitLineClamp, overflowX, overflowY } = style(element);
      const tooWide = textOverflow === 'ellipsis' && cuts(overflowX) && element.scrollWidth > element.clientWidth + 1;
      const tooHigh = webkitLineClamp !== 'none' && cuts(overflowY) && element.scrollHeight > element.clientHeight + 1;
      if ((!tooWide && !tooHigh) || isSaidInFull(element)) continue;
      faults.push(`clipped text: ${say({ text: element.textContent.trim(), at: box(element.getBoundingClientRect()) })} by its own ${tooWide ? 'ellipsis' : 'line clamp'}`);
    }
    return faults;
  }

  function tooWide() {
    const faults = [];
    if (document.documentElement.scrollWidth > innerWidth) faults.push(`page too wide: ${document.documentElement.scrollWidth} in a window of ${innerWidth}`);
    const main = document.querySelector('[data-testid="stMain"]');
    if (main && main.scrollWidth > main.clientWidth + 1) faults.push(`page too wide: ${main.scrollWidth} in a scroller of ${main.clientWidth}`);
    return faults;
  }

  // Text lets the mouse through in many places; while this measures, whatever is painted can be found at its point.
  const reach = document.createElement('style');
  reach.textContent = '* { pointer-events: auto !important }';
  document.head.append(reach);
  try {
    const all = lines();
    return [...new Set([...overlaps(all), ...covered(all), ...clipped(all), ...tooWide()])];
  } finally {
    reach.remove();
  }
}
