import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import { bundleFixture } from '../support/bundle-fixture.ts';
import { TempPod } from '../support/temp-pod.ts';
test('x', async () => {
  await using fixture = await bundleFixture('rude-clients.ts');
  await using pod = new TempPod({ script: 'loop = true\n[[steps]]\ntext = "hi"\n', env: {NODE_OPTIONS: '--require /work/main/test/fixtures/collect-garbage.cjs --max-semi-space-size=2', MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '65536', MALLOC_TOP_PAD_: '0', MALLOC_MMAP_THRESHOLD_: '32768'} });
  await pod.start();
  using c = await pod.client();
  let out=''; 
  for (let i=0;i<10;i++){
    const child = spawn(process.execPath, [fixture.path, pod.socket, String(i+Date.now()%1000), '300'], {stdio:'ignore'});
    await once(child,'exit');
    pod.signal('SIGUSR2'); await new Promise(r=>setTimeout(r,500));
    pod.signal('SIGUSR2'); await new Promise(r=>setTimeout(r,500));
    const s = await c.call('GetStatus') as any;
    const st = readFileSync(`/proc/${pod.pid}/smaps_rollup`,'utf8');
    out += ' '+(s.rssBytes/2**20).toFixed(0);
    if (i===9) console.log(st.split('\n').slice(1,4).join(' '));
  }
  console.log('RSS', out);
}, 120000);
