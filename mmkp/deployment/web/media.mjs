// Copyright (c) mmkp authors. Licensed under Apache-2.0.
// Pictures, films and the camera, as pixels.

// Decode a picture as mmkp does: EXIF turns are followed, color profiles are not.
export function decode(blob) {
  return createImageBitmap(blob, {
    imageOrientation: 'from-image', colorSpaceConversion: 'none', premultiplyAlpha: 'none',
  });
}

// The pixels of a bitmap, a video's frame or a canvas.
export function pixelsOf(source, width, height) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(source, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

// The frames of a film or a camera, one after the other, until it ends or is stopped.
export class Frames {
  // source: a file, or a MediaStream.
  constructor(source) {
    this.video = document.createElement('video');
    this.video.muted = this.video.playsInline = true;
    this.isCamera = source instanceof MediaStream;
    if (this.isCamera) this.video.srcObject = source;
    else this.video.src = URL.createObjectURL(source);
    this.stopped = new Promise((stop) => { this.stop = stop; });
  }

  // Call `see(video, time in seconds)` for each frame; a film waits for what it returns.
  async forEach(see) {
    const { video } = this;
    const over = new Promise((end, fail) => {
      video.addEventListener('ended', end);
      video.addEventListener('error', () => fail(new Error(video.error.message)));
    });
    let isOver = false;
    const end = Promise.race([over, this.stopped]).finally(() => { isOver = true; });
    end.catch(() => {}); // told below
    try {
      while (!isOver) {
        const frame = new Promise((next) => {
          video.requestVideoFrameCallback((_, { mediaTime }) => next(mediaTime));
        });
        await Promise.race([video.play(), end]);
        const time = await Promise.race([frame, end]);
        if (typeof time !== 'number') break;
        if (!this.isCamera) video.pause();
        await see(video, time);
      }
      await end;
    } finally {
      this.#close();
    }
  }

  #close() {
    const { video } = this;
    video.pause();
    if (this.isCamera) for (const track of video.srcObject.getTracks()) track.stop();
    else URL.revokeObjectURL(video.src);
  }
}
