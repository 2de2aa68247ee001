import { parseScript, type Script } from '../../daemon/model/scripted/script.ts';

/** A script that the test knows to be right. */
export function script(text: string): Script {
  const parsed = parseScript(text);
  if (!parsed.ok) throw new TypeError(parsed.error.join('; '));
  return parsed.value;
}
