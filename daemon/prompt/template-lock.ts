import nunjucks, { type Compiler, type Environment, type Node } from 'nunjucks';
import { Fault } from '../core/fault.ts';
import { LIMITS } from '../core/limits.ts';
import {
  ARRAY_METHODS,
  FILTERS,
  FORBIDDEN_KEYS,
  STRING_METHODS,
  TESTS,
} from './template-language.ts';
import { findMisshapes } from './template-shape.ts';

// The engine's own, before anything was put in their place.
const { contextOrFrameLookup, makeMacro } = nunjucks.runtime;
const { compile, compileSymbol, compileLookupVal, compileFunCall, _getNodeName } =
  nunjucks.compiler.Compiler.prototype;

/**
 * Hardens the engine, which compiles templates into calls of its runtime: what may become code, and what that code looks
 * up and calls, is decided here. It is of the whole process, so this belongs into one that does nothing else. The answer
 * sets up an environment.
 */
export function lockEngine(): (environment: Environment) => void {
  lockCompiler(nunjucks.compiler.Compiler.prototype);
  /** What a template may call: made by the engine for a macro, or handed out here. */
  const callables = new WeakSet();
  const allow = <T extends object>(callable: T): T => {
    callables.add(callable);
    // Its text is our code.
    return Object.defineProperty(callable, 'toString', { value: refuseText, configurable: true });
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
    if (value === undefined) throw refused(`${name} is not defined`);
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

/** No name becomes code that is no word. What may fail notes its place first: the engine knows it of calls only. */
function lockCompiler(compiler: Compiler): void {
  compiler.compile = function (node, frame) {
    const [bad] = findMisshapes(node);
    if (bad !== undefined) this.fail(bad.says, bad.at.lineno, bad.at.colno);
    Reflect.apply(compile, this, [node, frame]);
  };
  compiler._getNodeName = function (node) {
    return Reflect.apply(_getNodeName, this, [node])
      .replace(/\["(\w+)"\]/g, '.$1')
      .replace(/[^\w .()-]/g, '?')
      .slice(0, NAME_UNITS_MAX);
  };
  compiler.compileSymbol = function (node, frame) {
    noting(this, node, () => {
      Reflect.apply(compileSymbol, this, [node, frame]);
    });
  };
  compiler.compileLookupVal = function (node, frame) {
    noting(this, node, () => {
      Reflect.apply(compileLookupVal, this, [node, frame]);
    });
  };
  compiler.compileFunCall = function (node, frame) {
    // It notes lines from 0, and tells them as if they were from 1.
    const from1 = { lineno: { value: node.lineno + 1 }, colno: { value: node.colno + 1 } };
    Reflect.apply(compileFunCall, this, [Object.create(node, from1), frame]);
  };
}

const NAME_UNITS_MAX = 100;

function noting(compiler: Compiler, { lineno, colno }: Node, emit: () => void): void {
  compiler._emit(`(lineno = ${lineno + 1}, colno = ${colno + 1}, `);
  emit();
  compiler._emit(')');
}

type Functions = Environment['filters'];

/** Without a prototype: what is looked up by a name finds nothing else. */
function only(all: Functions, names: ReadonlySet<string>): Functions {
  const chosen = Object.entries(all).filter(([name]) => names.has(name));
  return Object.assign(Object.create(null) as Functions, Object.fromEntries(chosen));
}

function lookUp(object: unknown, key: unknown): unknown {
  if (typeof key !== 'string' && typeof key !== 'number')
    throw refused('a property is named by a text or a number');
  const name = String(key);
  if (FORBIDDEN_KEYS.has(name)) throw refused(`.${name} is out of reach of a prompt`);
  if (object === undefined || object === null) return undefined;
  // What a macro makes is a text in an object of the engine.
  if (typeof object === 'string' || object instanceof String)
    return memberOf(new String(String(object)), name, STRING_METHODS);
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

function refuseText(): never {
  throw refused('what can be called is no text: it has to be called');
}

export function refused(says: string): Fault {
  return new Fault('prompt_error', says);
}
