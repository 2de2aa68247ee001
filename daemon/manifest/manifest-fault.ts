import { Fault } from '../core/fault.ts';

/** What is wrong, in the words `line:column` or the key, and what was expected. `source` is the layer that has it. */
export type ManifestProblem = { readonly source: string; readonly says: string };

/** More than anybody mends at once. */
const PROBLEMS_MAX = 30;

/** The first problems in one message, layer by layer; `file` is the manifest that the Pod is named by. */
export function manifestFault(file: string, problems: readonly ManifestProblem[]): Fault {
  const bySource = new Map<string, string[]>();
  for (const { source, says } of problems.slice(0, PROBLEMS_MAX))
    bySource.set(source, [...(bySource.get(source) ?? []), says]);
  const told = [...bySource].map(([source, all]) => {
    const what = source.startsWith('-') ? source : `manifest ${source}`;
    return `${what}: ${all.join('; ')}`;
  });
  if (problems.length > PROBLEMS_MAX)
    told.push(`and ${problems.length - PROBLEMS_MAX} problems more`);
  return new Fault('manifest_invalid', told.join('; '), {
    data: { file, problems: problems.map(({ says }) => says) },
  });
}
