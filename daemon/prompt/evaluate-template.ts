import { createContext, Script } from 'node:vm';
import nunjucks, { type Template } from 'nunjucks';
import { Fault } from '../core/fault.ts';
import { LIMITS } from '../core/limits.ts';
import { parseReference } from './reference.ts';
import {
  checkTemplate,
  type CheckedTemplate,
  namesOf,
  shortReason,
  unknownNames,
} from './template-check.ts';
import type {
  AssetName,
  TemplateJob,
  TemplateProblem,
  TemplateReply,
  TemplateVariables,
} from './template-job.ts';
import { lockEngine, refused } from './template-lock.ts';
import { short } from './template-shape.ts';

/** Checks a template with all that it includes by a constant name, and renders it. Asks for the texts that it lacks. */
export function evaluateTemplate(job: TemplateJob): TemplateReply {
  const closure = checkClosure(job);
  const reply = closure.kind === 'checked' ? run(job, closure.templates) : closure;
  if (reply.kind !== 'refused') return reply;
  const told = reply.problems.slice(0, PROBLEMS_MAX);
  return {
    kind: 'refused',
    problems: told.map((one) => ({ ...one, says: one.says.slice(0, SAYS_UNITS_MAX) })),
  };
}

/** More than anybody mends at once. */
const PROBLEMS_MAX = 100;
const SAYS_UNITS_MAX = 500;

type Checked = {
  readonly kind: 'checked';
  readonly templates: ReadonlyMap<AssetName, CheckedTemplate>;
};
type Closure = Checked | Exclude<TemplateReply, { readonly kind: 'done' }>;

function checkClosure({ root, assets, variables }: TemplateJob): Closure {
  const templates = new Map<AssetName, CheckedTemplate>();
  const problems: TemplateProblem[] = [];
  const needs = new Set<AssetName>();
  const waiting = [{ asset: root, by: { asset: root, line: null, column: null } as Includer }];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { asset, by } = next;
    if (templates.has(asset)) continue;
    const found = assets[asset];
    if (found === undefined) needs.add(asset);
    else if ('says' in found)
      problems.push({ ...by, says: asset === by.asset ? found.says : `${asset} ${found.says}` });
    else {
      const checked = checkTemplate(asset, found.text);
      templates.set(asset, checked);
      problems.push(...checked.problems);
      for (const { asset: included, line, column } of checked.includes)
        waiting.push({ asset: included, by: { asset, line, column } });
    }
  }
  if (needs.size > 0) return { kind: 'needs', assets: [...needs] };
  const known = namesOf(variables);
  // What is included sees what its includer has bound.
  for (const { bound } of templates.values()) for (const name of bound) known.add(name);
  for (const [asset, checked] of templates) problems.push(...unknownNames(asset, checked, known));
  problems.push(...findRings(root, templates));
  return problems.length > 0 ? { kind: 'refused', problems } : { kind: 'checked', templates };
}

type Includer = Omit<TemplateProblem, 'says'>;

/** Templates that include themselves by constant names: none of these ends, as there is nothing that differs. */
function findRings(
  root: AssetName,
  templates: ReadonlyMap<AssetName, CheckedTemplate>,
): TemplateProblem[] {
  const done = new Set<AssetName>();
  const follow = (asset: AssetName, above: readonly AssetName[]): TemplateProblem[] => {
    if (done.has(asset)) return [];
    const path = [...above, asset];
    const rings = (templates.get(asset)?.includes ?? []).flatMap((next) => {
      const from = path.indexOf(next.asset);
      if (from < 0) return follow(next.asset, path);
      const ring = [...path.slice(from), next.asset].join(' → ');
      return [{ asset, line: next.line, column: next.column, says: `includes itself: ${ring}` }];
    });
    done.add(asset);
    return rings;
  };
  return follow(root, []);
}

function run(
  { kind, root, assets, variables }: TemplateJob,
  checked: ReadonlyMap<AssetName, CheckedTemplate>,
): TemplateReply {
  const setUp = lockEngine();
  const environment = new nunjucks.Environment([], { autoescape: false, throwOnUndefined: true });
  setUp(environment);
  const made = new Map<AssetName, Template>();
  const needs = new Set<AssetName>();
  const make = (name: AssetName): Template => {
    const known = made.get(name);
    if (known !== undefined) return known;
    const asset = assets[name];
    if (asset === undefined) {
      needs.add(name);
      throw refused(`${name} is not there yet`);
    }
    if ('says' in asset) throw refused(`${name} ${asset.says}`);
    const problem = checked.has(name) ? undefined : checkTemplate(name, asset.text).problems[0];
    if (problem !== undefined) throw refused(`${name}:${problem.line ?? 1} ${problem.says}`);
    const template = new nunjucks.Template(asset.text, environment, name, true);
    made.set(name, template);
    return template;
  };
  environment.getTemplate = (reference, _eager, parent, _ignore, callback) => {
    const includer = typeof parent === 'string' ? parent : null;
    if (callback === undefined) return make(nameOf(reference, includer));
    let template: Template;
    try {
      template = make(nameOf(reference, includer));
    } catch (error) {
      callback(error);
      return undefined;
    }
    // The rest of the rendering is in it: what that throws is none of this one's.
    callback(null, template);
    return undefined;
  };
  let at = root;
  try {
    // Some faults only the engine's compiler finds, so a check compiles too.
    for (at of checked.keys()) make(at);
    at = root;
    const template = make(root);
    return kind === 'check' ? { kind: 'done', text: '' } : toReply(template, variables);
  } catch (error) {
    if (needs.size > 0) return { kind: 'needs', assets: [...needs] };
    return { kind: 'refused', problems: [runProblem(at, error)] };
  }
}

function toReply(template: Template, variables: TemplateVariables): TemplateReply {
  const text: unknown = withinCpu(() => template.render(variables));
  if (typeof text !== 'string') throw refused('it makes no text');
  if (Buffer.byteLength(text) > LIMITS.promptBytes)
    throw refused(`it makes more than ${LIMITS.promptBytes} bytes`);
  return { kind: 'done', text };
}

function nameOf(reference: unknown, includer: AssetName | null): AssetName {
  if (typeof reference !== 'string') throw refused('a prompt is included by its name, a text');
  const parsed = parseReference(reference, includer);
  if (!parsed.ok) throw refused(`"${short(reference)}" ${parsed.error}`);
  return parsed.value;
}

function withinCpu(work: () => unknown): unknown {
  return new Script('work()').runInContext(createContext({ work }), {
    timeout: LIMITS.templateCpuMs,
  }) as unknown;
}

function runProblem(root: AssetName, error: unknown): TemplateProblem {
  // An error of another realm is no instance of ours.
  const { code } = Object(error) as { readonly code?: unknown };
  if (code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') {
    const says = `takes more than ${LIMITS.templateCpuMs} ms: does it end?`;
    return { asset: root, line: null, column: null, says };
  }
  if (error instanceof Fault)
    return { asset: root, line: null, column: null, says: `can't be rendered: ${error.message}` };
  const message = error instanceof Error ? error.message : String(error);
  // The innermost place is the last that the engine writes down.
  const places = [...message.matchAll(/\((\$[^\n]*?)\)(?: \[Line (\d+), Column (\d+)\])?/g)];
  const [, asset = root, line, column] = places.at(-1) ?? [];
  return {
    asset,
    line: line === undefined ? null : Number(line),
    column: column === undefined ? null : Number(column),
    says: `can't be rendered: ${shortReason(error)}`,
  };
}
