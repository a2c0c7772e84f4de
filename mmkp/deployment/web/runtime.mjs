// Copyright (c) mmkp authors. Licensed under Apache-2.0.
// onnxruntime-web: from ort/ beside this page, or else from a public address.

// The version that this page was tested with.
const PUBLIC = 'https://cdn.jsdelivr.net/npm/onnxruntime-web@1.30.0/dist/';
const SCRIPTS = { wasm: 'ort.wasm.min.mjs', webgpu: 'ort.webgpu.min.mjs' };

// loadRuntime('wasm' or 'webgpu') -> {ort, where}: the module, and a sentence on its origin.
export async function loadRuntime(device) {
  const beside = new URL('ort/', import.meta.url).href, script = SCRIPTS[device];
  const isBeside = (await fetch(beside + script, { method: 'HEAD' })).ok;
  const folder = isBeside ? beside : PUBLIC;
  let ort;
  try {
    ort = await import(folder + script);
  } catch (error) {
    throw new Error(`onnxruntime-web cannot be loaded from ${folder}: copy the dist folder of `
      + `its npm package to web/ort, which then works offline (${error.message})`);
  }
  ort.env.wasm.wasmPaths = folder;
  ort.env.logLevel = 'error';
  const origin = isBeside ? 'ort/ beside this page' : new URL(PUBLIC).host;
  return { ort, where: `onnxruntime-web ${ort.env.versions.web} from ${origin}` };
}

// Whether this browser lets pages compute on a graphics processor.
export async function hasWebGpu() {
  return Boolean(await navigator.gpu?.requestAdapter().catch(() => null));
}
