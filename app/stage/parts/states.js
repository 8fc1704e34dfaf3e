// All states of all cells, and inputs that are rows of numbers, on a canvas over the picture: one small bitmap a chain,
// of which each cell shows its column. As SVG rectangles they would cost ten times as much.
import { lerp, nearest } from '../scene.js';
import { el, put, show } from '../svg.js';

export function states({ info, chains, canvas, palette }) {
  const context = canvas.getContext('2d'), { steps: count, units } = info;
  const names = info.memory === 'c' ? ['c', 'h'] : ['h'], across = count * names.length;
  const sheet = (width, height) => {
    const small = Object.assign(document.createElement('canvas'), { width: Math.max(1, width), height: Math.max(1, height) });
    const inside = small.getContext('2d'), bitmap = inside.createImageData(small.width, small.height);
    return { small, show: () => inside.putImageData(bitmap, 0, 0), pixels: new Uint32Array(bitmap.data.buffer), bitmap };
  };
  const main = sheet(across, units), above = sheet(count, units * info.upper), read = sheet(count, info.channels);

  function fill(frame, c, colours) {
    names.forEach((name, n) => {
      const most = name === 'c' ? frame.cScale : frame.hScale, from = (c.l * info.directions + c.d) * count * units;
      for (let t = 0; t < count; t++) for (let k = 0; k < units; k++) main.pixels[k * across + n * count + t] = colours.pixels[nearest(frame[name][from + t * units + k] / most)];
    });
    main.show();
  }

  // A cell's states inside its card; a folded one shows the state that carries memory alone.
  function draw(at, frame, c, t, colours) {
    const { x, y, w, h, card } = at.cell(c, t), pad = card ? Math.min(7 * at.s, w * 0.12) : Math.min(1, w * 0.1);
    const shown = card && w > 20 ? names : names.slice(0, 1), gap = Math.min(5, w * 0.08), each = (w - 2 * pad - gap * (shown.length - 1)) / shown.length;
    if (!at.unfolded && card) { // cards of a deck cover each other
      context.fillStyle = colours.card;
      context.fillRect(x - w / 2 + 2, y - h / 2 + 2, w - 4, h - 4);
    }
    context.globalAlpha = card ? 1 : Math.max(0, at.p * 2 - 1);
    shown.forEach((_, n) => context.drawImage(main.small, n * count + t, 0, 1, units, x - w / 2 + pad + n * (each + gap), y - h / 2 + pad, each, h - 2 * pad));
    context.globalAlpha = 1;
  }

  function upper(at, frame, colours, happened) {
    for (let i = 0; i < above.pixels.length; i++) { // (layers above, steps, units)
      const row = Math.floor(i / count), n = Math.floor(row / units);
      const value = frame.upper[(n * count + (i % count)) * units + (row % units)];
      above.pixels[i] = Number.isNaN(value) ? 0 : colours.pixels[nearest(value / frame.upperScale)];
    }
    above.show();
    for (let n = 0; n < info.upper; n++) for (const { t, x, w, card } of at.grid) {
      if (!info.counted[t] || !at.unfolded || !happened.answer(t)) continue;
      const row = at.dense[n], pad = card ? 4 : 0;
      context.drawImage(above.small, t, n * units, 1, units, x - w / 2 + pad, row.top + pad, w - 2 * pad, row.bottom - row.top - 2 * pad);
    }
  }

  // Inputs of several channels: a strip a step; an image that is read at once: a picture.
  function inputs(at, frame, colours) {
    const { chip, y, s } = at, [rows, columns] = info.image ?? [info.channels, 1];
    for (let t = 0; t < count; t++) for (let k = 0; k < info.channels; k++) {
      const ink = Math.round(lerp(0, 255, Math.min(1, Math.abs(frame.channels[t * info.channels + k]))));
      read.pixels[k * count + t] = ((ink << 24) | colours.ink) >>> 0;
    }
    read.show();
    for (const { t, x, span, card } of at.grid) {
      if (!at.unfolded && !at.tops.has(t)) continue;
      const width = info.inputs === 'image' ? chip - 8 * s : card ? Math.min(span - 10, 32 * s) : Math.max(0.5, span - 0.5), high = chip - 8 * s, left = x - width / 2, top = y.chip - high / 2;
      if (info.isRow && card) for (let k = 0; k < info.channels; k++) context.drawImage(read.small, t, k, 1, 1, left - width * 0.1 + (k * width * 1.2) / info.channels, y.chip - 8 * s, (width * 1.2) / info.channels + 0.3, 16 * s);
      else if (info.inputs !== 'image') context.drawImage(read.small, t, 0, 1, info.channels, left, top, width, high);
      else if (t < info.imageSteps) for (let k = 0; k < rows * columns; k++) context.drawImage(read.small, t, k, 1, 1, left + (k % columns) * width / columns, top + Math.floor(k / columns) * high / rows, width / columns + 0.3, high / rows + 0.3);
    }
  }

  return {
    place({ W, height }) {
      const ratio = window.devicePixelRatio || 1, [w, h] = [W, height].map((each) => Math.round(each * ratio));
      if (canvas.width === w && canvas.height === h) return;
      Object.assign(canvas, { width: w, height: h }); // this clears it
      canvas.style.height = `${height}px`;
    },
    patch(frame, at, { happened }) {
      const ratio = window.devicePixelRatio || 1, colours = palette();
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, at.W, at.height);
      context.imageSmoothingEnabled = false;
      for (const c of chains) {
        fill(frame, c, colours);
        for (const { t } of at.grid) if (!at.tops.has(t) && happened.state(c, t)) draw(at, frame, c, t, colours);
        for (const t of at.tops) if (happened.state(c, t)) draw(at, frame, c, t, colours);
        if (info.encoder && chains.length === info.layers && at.unfolded && happened.state(c, info.encoder - 1)) context.drawImage(main.small, info.encoder - 1, 0, 1, units, at.crossing - 9, at.rows[c.l].middle - at.SH / 2 + 6, 18, at.SH - 12);
      }
      if (info.upper) upper(at, frame, colours, happened);
      if (info.channels) inputs(at, frame, colours);
    },
  };
}

// The chosen cell.
export function ring({ chains, front }) {
  const node = el('rect', { class: 'ring' }, front);
  return {
    place(at, view) {
      const chain = chains.find((c) => c.l === view.chain.l && c.d === view.chain.d) ?? chains[0], here = at.cell(chain, view.t);
      put(node, { x: here.x - here.w / 2 - 1, y: here.y - here.h / 2 - 1, width: here.w + 2, height: here.h + 2, rx: Math.min(14 * at.s, here.w / 3 + 1) });
      show(node, at.unfolded);
    },
  };
}
