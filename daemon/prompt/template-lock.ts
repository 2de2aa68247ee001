import nunjucks, { type Environment } from 'nunjucks';
import { Fault } from '../core/fault.ts';
import { LIMITS } from '../core/limits.ts';
import { ARRAY_METHODS, FILTERS, STRING_METHODS, TESTS } from './template-language.ts';

/** Names by which one gets from a value to what made it, or to another way to call. */
export const FORBIDDEN_KEYS: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  ...['prototype', 'call', 'apply', 'bind', 'arguments', 'callee', 'toJSON', 'then'],
]);

// The engine's own, before anything was put in their place.
const { contextOrFrameLookup, makeMacro } = nunjucks.runtime;

/**
 * Hardens the engine, which compiles templates into calls of its runtime: what they look up and call is decided here.
 * It is of the whole process, so this belongs into one that does nothing else. The answer sets up an environment.
 */
export function lockEngine(): (environment: Environment) => void {
  /** What a template may call: made by the engine for a macro, or handed out here. */
  const callables = new WeakSet();
  const allow = <T extends object>(callable: T): T => {
    callables.add(callable);
    return callable;
  };
  const { runtime } = nunjucks;
  runtime.makeMacro = (args, kwargs, body) => allow(makeMacro(args, kwargs, body));
  runtime.memberLookup = (object, key) => {
    const value = lookUp(object, key);
    if (typeof value !== 'function' || callables.has(value)) return value;
    return allow((...args: unknown[]): unknown => Reflect.apply(value, object, args));
  };
  runtime.callWrap = (target, name, context, args) => {
    if (typeof target === 'function' && callables.has(target))
      return Reflect.apply(target, context, args);
    throw refused(`${name} can't be called`);
  };
  runtime.contextOrFrameLookup = (context, frame, name) => {
    if (name in Object.prototype) throw refused(`${name} is out of reach of a prompt`);
    const value = contextOrFrameLookup(context, frame, name);
    if (value === undefined || value === null) throw refused(`${name} is not defined`);
    return value;
  };
  return (environment) => {
    environment.filters = only(environment.filters, FILTERS);
    environment.tests = only(environment.tests, TESTS);
    const { join } = environment.filters;
    // A third argument would read a property by its name.
    if (join !== undefined)
      environment.filters['join'] = (list, between) => join(list, between ?? '');
    environment.globals = { range: allow(range) };
  };
}

type Functions = Environment['filters'];

function only(all: Functions, names: ReadonlySet<string>): Functions {
  return Object.fromEntries(Object.entries(all).filter(([name]) => names.has(name)));
}

function lookUp(object: unknown, key: unknown): unknown {
  if (typeof key !== 'string' && typeof key !== 'number')
    throw refused('a property is named by a text or a number');
  const name = String(key);
  if (FORBIDDEN_KEYS.has(name)) throw refused(`.${name} is out of reach of a prompt`);
  if (object === undefined || object === null) return undefined;
  if (typeof object === 'string') return memberOf(new String(object), name, STRING_METHODS);
  if (Array.isArray(object)) return memberOf(object, name, ARRAY_METHODS);
  if (typeof object === 'object' && isPlain(object))
    return Object.hasOwn(object, name) ? (object as Record<string, unknown>)[name] : undefined;
  throw refused(`.${name} is out of reach of a prompt`);
}

function memberOf(object: object, name: string, methods: ReadonlySet<string>): unknown {
  if (!methods.has(name) && !Object.hasOwn(object, name)) return undefined;
  return (object as Record<string, unknown>)[name];
}

function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  return prototype === null || prototype === Object.prototype;
}

function range(start: unknown, stop?: unknown, step: unknown = 1): number[] {
  const [from, to] = stop === undefined ? [0, Number(start)] : [Number(start), Number(stop)];
  const by = Number(step);
  const length = Math.ceil((to - from) / by);
  if (!(length <= LIMITS.templateRange))
    throw refused(`range makes at most ${LIMITS.templateRange} numbers`);
  return Array.from({ length: Math.max(0, length) }, (_, index) => from + index * by);
}

export function refused(says: string): Fault {
  return new Fault('prompt_error', says);
}
