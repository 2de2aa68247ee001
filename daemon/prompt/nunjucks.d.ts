/** What podd uses of nunjucks 3.2, which comes without types. */
declare module 'nunjucks' {
  export type Node = {
    readonly typename: string;
    /** From 0. */
    readonly lineno: number;
    readonly colno: number;
    readonly children?: readonly Node[];
    readonly name?: unknown;
    readonly right?: unknown;
    readonly key?: unknown;
    readonly [field: string]: unknown;
  };

  export class Template {
    constructor(source: string, env: Environment, path: string, eagerCompile: boolean);
    render(context: object): unknown;
  }

  export type GetTemplate = (
    name: unknown,
    eagerCompile?: unknown,
    parentName?: unknown,
    ignoreMissing?: unknown,
    callback?: (error: unknown, template?: Template) => void,
  ) => Template | undefined;

  export class Environment {
    constructor(loader: readonly never[], options: object);
    filters: Record<string, (...args: unknown[]) => unknown>;
    tests: Record<string, (...args: unknown[]) => unknown>;
    globals: Record<string, unknown>;
    getTemplate: GetTemplate;
  }

  type Callable = (...args: readonly unknown[]) => unknown;
  type Runtime = {
    memberLookup: (object: unknown, key: unknown) => unknown;
    callWrap: (target: unknown, name: string, context: unknown, args: unknown[]) => unknown;
    contextOrFrameLookup: (context: unknown, frame: unknown, name: string) => unknown;
    makeMacro: (args: unknown, kwargs: unknown, body: unknown) => Callable;
  };

  type Compile = (this: Compiler, node: Node, frame: unknown) => void;
  /** Makes code of a tree; `compile` is called for each node. */
  export type Compiler = {
    compile: Compile;
    compileSymbol: Compile;
    compileLookupVal: Compile;
    compileFunCall: Compile;
    /** How messages name what is called. It is written into a text of the code. */
    _getNodeName: (this: Compiler, node: Node) => string;
    readonly _emit: (code: string) => void;
    readonly fail: (says: string, line: number, column: number) => never;
  };

  const nunjucks: {
    readonly Environment: typeof Environment;
    readonly Template: typeof Template;
    readonly parser: { readonly parse: (source: string) => Node };
    readonly compiler: { readonly Compiler: { readonly prototype: Compiler } };
    readonly runtime: Runtime;
  };
  export default nunjucks;
}
