// A program of its own that swaps links in a tight loop until it is told to stop; then it says how often it did.
// argv: the folder in scope, the folder outside. What it swaps is laid out by test/support/swapped-tree.ts.
'use strict';
const fs = require('node:fs');
const path = require('node:path');

const [inside, outside] = process.argv.slice(2);
const at = (name) => path.join(inside, name);
const counts = { file: 0, middle: 0, folder: 0, entry: 0 };

// A new link over the old one in a single step: there is never nothing.
function point(name, target) {
  fs.symlinkSync(target, at(`${name}.next`));
  fs.renameSync(at(`${name}.next`), at(name));
}

// A real folder gives way to a link of its name, and comes back.
function swapFolder() {
  fs.renameSync(at('swapped'), at('swapped.away'));
  try {
    fs.symlinkSync(outside, at('swapped'));
    fs.unlinkSync(at('swapped'));
    fs.renameSync(at('swapped.away'), at('swapped'));
  } catch {
    bringBack();
  }
}

// Who writes to the folder while it is away may have made one in its place, and be writing to it.
function bringBack() {
  for (;;) {
    try {
      fs.rmSync(at('swapped'), { recursive: true, force: true });
      fs.renameSync(at('swapped.away'), at('swapped'));
      return;
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EISDIR'].includes(error.code)) throw error;
    }
  }
}

function swapOnce() {
  point('file-link', path.join(outside, 'secret'));
  point('file-link', at('plain'));
  counts.file += 2;

  point('middle', outside);
  point('middle', at('folder'));
  counts.middle += 2;

  swapFolder();
  counts.folder += 2;

  // So does a file inside a folder that stays: over what a write pinned, and back.
  point('folder/entry', path.join(outside, 'secret'));
  fs.writeFileSync(at('folder/entry.next'), 'plain');
  fs.renameSync(at('folder/entry.next'), at('folder/entry'));
  counts.entry += 2;
}

let stopped = false;
process.on('message', () => {
  stopped = true;
  process.send(counts, () => process.disconnect());
});
process.on('disconnect', () => {
  stopped = true;
});

function loop() {
  if (stopped) return;
  for (let i = 0; i < 200; i += 1) swapOnce();
  setImmediate(loop);
}
process.send('ready');
loop();
