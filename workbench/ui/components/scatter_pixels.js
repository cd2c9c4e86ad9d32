// Points written straight into the pixels: thousands of canvas calls a frame would make moving and zooming stutter.

// Any CSS colour as [red, green, blue].
function channels(colour) {
  const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
  pen.fillStyle = colour;
  pen.fillRect(0, 0, 1, 1);
  return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

// How much of each pixel a round dot covers, as a square of side × side shares.
function dotMask(radius) {
  const side = 2 * Math.ceil(radius + 0.5) + 1;
  const middle = (side - 1) / 2;
  const shares = new Float32Array(side * side);
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      const distance = Math.hypot(x - middle, y - middle);
      shares[y * side + x] = Math.max(0, Math.min(1, radius + 0.5 - distance));
    }
  }
  return { side, shares };
}

// ``used`` is painted over where its size fits: a fresh one for every frame keeps the garbage collector busy.
function paintedPixels(used, width, height, paper) {
  const image = used?.width === width && used.height === height ? used : new ImageData(width, height);
  const pixel = new Uint8ClampedArray([...paper, 255]);
  new Uint32Array(image.data.buffer).fill(new Uint32Array(pixel.buffer)[0]);
  return image;
}

function stamp(image, mask, left, top, colour, strength) {
  const { data, width, height } = image;
  const { side, shares } = mask;
  const [red, green, blue] = colour;
  const [fromX, toX] = [Math.max(0, -left), Math.min(side, width - left)];
  const [fromY, toY] = [Math.max(0, -top), Math.min(side, height - top)];
  for (let y = fromY; y < toY; y += 1) {
    let at = 4 * ((top + y) * width + left + fromX);
    for (let x = fromX; x < toX; x += 1, at += 4) {
      const share = shares[y * side + x] * strength;
      if (share === 0) continue;
      data[at] += (red - data[at]) * share;
      data[at + 1] += (green - data[at + 1]) * share;
      data[at + 2] += (blue - data[at + 2]) * share;
    }
  }
}
