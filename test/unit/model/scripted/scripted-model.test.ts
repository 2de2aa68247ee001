import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import {
  openScriptedModel,
  type ScriptedOptions,
} from '../../../../daemon/model/scripted/scripted-model.ts';
import type { Model } from '../../../../daemon/ports/model.ts';
import type { Item } from '../../../../protocol/items.ts';
import { ask, collect, outcomeOf } from '../../../contract/model.contract.ts';
import { call, result, said, user } from '../../../support/items.ts';
import { script } from '../../../support/script.ts';

function open(text: string, options: Partial<ScriptedOptions> = {}): Model {
  return openScriptedModel(script(text), { name: 'demo.toml', cwd: '/w', env: {}, ...options });
}

/** The text of the answer, or the message of the fault. */
async function answer(model: Model, items: readonly Item[]): Promise<string> {
  try {
    const events = await collect(model, { systemPrompt: '', tools: [], items });
    return events.map((event) => (event.kind === 'delta' ? event.text : '')).join('');
  } catch (error) {
    return error instanceof Error ? error.message : 'not an error';
  }
}

const AB = '[[steps]]\ntext = "a"\n[[steps]]\ntext = "b"';

describe('openScriptedModel', () => {
  test('PROV-6: a model opened anew goes on where the history ends', async () => {
    const history = [user('x'), said('a'), user('y')];
    expect(await answer(open(AB), history)).toBe('b');
  });

  test('PROV-6: asked again with the same history it gives the same answer', async () => {
    const model = open(AB);
    expect(await answer(model, [user('x')])).toBe('a');
    expect(await answer(model, [user('x')])).toBe('a');
    expect(await answer(model, [user('x'), said('a')])).toBe('b');
    expect(await answer(model, [user('other')])).toBe('a');
  });

  test('PROV-6: when the steps are used up the answer is an error that says so', async () => {
    const history = [user('x'), said('a'), user('y'), said('b'), user('z')];
    expect(await answer(open(AB), history)).toBe(
      'the script demo.toml has no step left (2 steps, the history asks for answer 3)',
    );
    const end = await outcomeOf(() => collect(open(AB), ask('z', history)));
    expect(end).toMatchObject({
      code: 'provider_error',
      data: { reason: 'script_used_up', retryable: false },
    });
  });

  test('PROV-6: a loop in which nothing matches says so', async () => {
    expect(await answer(open('loop = true\n[[steps]]\nwhen = "q"'), [user('x')])).toBe(
      'the script demo.toml has no step that matches (1 steps, the history asks for answer 1)',
    );
  });

  test('PROV-6: a failure fails once, and asking again gets past it; after a restart it fails once more', async () => {
    const text = '[[steps]]\nerror = { status = 529 }\n[[steps]]\ntext = "a"';
    const model = open(text);
    const fails = 'the script demo.toml answers with status 529';
    expect(await answer(model, [user('x')])).toBe(fails);
    expect(await answer(model, [user('x')])).toBe('a');
    expect(await answer(open(text), [user('x')])).toBe(fails);
  });

  test('PROV-6: a looped failure comes once a round', async () => {
    const model = open('loop = true\n[[steps]]\nerror = { status = 500 }\n[[steps]]\ntext = "a"');
    const history: Item[] = [user('x')];
    const seen: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      seen.push((await answer(model, history)).slice(-3), await answer(model, history));
      history.push(said('a'), user('y'));
    }
    expect(seen).toEqual(['500', 'a', '500', 'a', '500', 'a']);
  });

  test('PROV-6: a loop of failures alone fails for ever', async () => {
    const model = open('loop = true\n[[steps]]\nerror = { status = 500 }');
    for (let n = 0; n < 3; n += 1) expect(await answer(model, [user('x')])).toMatch(/status 500$/);
  });

  test('PROV-6: an empty answer is not given twice', async () => {
    const model = open('[[steps]]\nreasoning = "h"\n[[steps]]\ntext = "a"');
    expect(await answer(model, [user('x')])).toBe('h');
    expect(await answer(model, [user('x')])).toBe('a');
  });

  test('PROV-6 PROV-5: a failure that was aborted before it came is still to come', async () => {
    const model = open('[[steps]]\nerror = { status = 500 }\ndelay_ms = 5\n[[steps]]\ntext = "a"');
    const controller = new AbortController();
    const end = outcomeOf(() => collect(model, ask('x'), controller.signal));
    controller.abort('stop');
    expect(await end).toBe('stop');
    expect(await answer(model, [user('x')])).toMatch(/status 500$/);
    expect(await answer(model, [user('x')])).toBe('a');
  });

  test('PROV-6: strings are filled from the history, the folder and the variables that were given', async () => {
    const model = open(
      '[[steps]]\ntool_calls = [{ name = "R" }]\n[[steps]]\ntext = "{{cwd}} {{env.A}} {{input}} <{{last_result}}>"',
      { env: { A: 'b' } },
    );
    const history = [user('go'), call('call_1_1'), result('call_1_1', '1\tx')];
    expect(await answer(model, history)).toBe('/w b go <1\tx>');
  });

  test('PROV-6: a variable that was not given ends the start, by name', () => {
    expect(() => open('[[steps]]\ntext = "{{env.TOKEN}}"')).toThrow(
      'the script demo.toml names {{env.TOKEN}}, which is not set',
    );
  });

  test('PROV-6: ids of calls are new in the history and the same after a restart', async () => {
    const text = '[[steps]]\ntext = "a"\n[[steps]]\ntool_calls = [{ name = "R" }, { name = "R" }]';
    const idsOf = async (items: readonly Item[]): Promise<string[]> => {
      const events = await collect(open(text), { systemPrompt: '', tools: [], items });
      return events.flatMap((event) => (event.kind === 'callStarted' ? [event.callId] : []));
    };
    const history = [user('x'), said('a'), user('y')];
    expect(await idsOf(history)).toEqual(['call_2_1', 'call_2_2']);
    expect(await idsOf(history)).toEqual(['call_2_1', 'call_2_2']);
    const kept = [user('x'), call('call_9_1'), result('call_9_1'), user('y')];
    expect(await idsOf(kept)).toEqual(['call_10_1', 'call_10_2']);
  });

  test('PROV-6 PROV-2: usage is what the step says, else bytes by four', async () => {
    const usageOf = async (text: string): Promise<unknown> =>
      (await collect(open(text), ask('x'.repeat(32)))).find(({ kind }) => kind === 'usage');
    // "be brief", "[]" and the text are 42 bytes.
    expect(await usageOf('[[steps]]\ntext = "12345"')).toEqual({
      kind: 'usage',
      usage: { inputTotal: 11, cacheRead: 0, cacheWrite: 0, output: 2 },
    });
    const said = '[[steps]]\ntext = "1"\nusage = { input_total = 90, cache_read = 80, output = 7 }';
    expect(await usageOf(said)).toEqual({
      kind: 'usage',
      usage: { inputTotal: 90, cacheRead: 80, cacheWrite: 0, output: 7 },
    });
  });

  test('INV-6: a long answer without pauses leaves room for other work', async () => {
    const model = open(`[[steps]]\nchunk_bytes = 1\ntext = "${'x'.repeat(3_200)}"`);
    const ended = new AbortController();
    let turns = 0;
    const others = (async () => {
      while (!ended.signal.aborted) {
        await setImmediate();
        turns += 1;
      }
    })();
    await collect(model, ask('go'));
    ended.abort();
    await others;
    expect(turns).toBeGreaterThan(50);
  });

  test('PROV-6: the window is told where the manifest names one', () => {
    expect(open(AB, { contextWindow: 1000 })).toMatchObject({
      provider: 'scripted',
      model: 'demo.toml',
      contextWindow: 1000,
    });
    expect('contextWindow' in open(AB)).toBe(false);
  });
});
