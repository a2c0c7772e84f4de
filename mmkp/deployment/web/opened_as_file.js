// Copyright (c) mmkp authors. Licensed under Apache-2.0.
// Says why nothing happens where the page was opened as a file: there modules do not load.

if (location.protocol === 'file:') {
  document.getElementById('as-file').hidden = false;
  document.getElementById('status').textContent = 'Nothing was read.';
}
