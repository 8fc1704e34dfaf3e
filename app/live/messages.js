// Decode the messages of app/live/messages.py: a JSON header, then the arrays that it lists.
const TYPES = {
  f4: (buffer, offset, count) => new Float32Array(buffer, offset, count),
  q1: (buffer, offset, count, scale) => Float32Array.from(new Int8Array(buffer, offset, count), (v) => (v * scale) / 127),
};

function decode(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const patches = Object.entries(header.p);
  for (const [path, type, shape, offset, scale] of header.a) {
    const flat = TYPES[type](buffer, 4 + length + offset, shape.reduce((a, b) => a * b, 1), scale);
    patches.push([path, shape.length === 2 ? rows(flat, shape) : flat]);
  }
  return { ...header, patches };
}

function rows(flat, [count, width]) {
  return Array.from({ length: count }, (_, i) => flat.subarray(i * width, (i + 1) * width));
}
