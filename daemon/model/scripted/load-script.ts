import { Fault } from '../../core/fault.ts';
import { LIMITS } from '../../core/limits.ts';
import { readTextFile } from '../../support/read-text-file.ts';
import { parseScript, type Script } from './script.ts';

/** Reads and checks a script. `provider_unusable` names every problem, in `data.problems` one by one. */
export async function loadScript(file: string): Promise<Script> {
  const text = await readTextFile(file, LIMITS.scriptBytes);
  if (!text.ok)
    throw new Fault('provider_unusable', `script ${file} ${text.error}`, {
      data: { file, problems: [text.error] },
    });
  const script = parseScript(text.value);
  if (script.ok) return script.value;
  throw new Fault('provider_unusable', `script ${file}: ${script.error.join('; ')}`, {
    data: { file, problems: script.error },
  });
}
